"""Garbage collection on real databases and a real folder: what goes, what stays, and what a kill leaves behind."""

import json
import os
import signal
import threading
import time
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import CliRunner
from sqlalchemy import event, select, text

from tests.support.api_calls import Refusal, an_api
from tests.support.children import die, run_in_child, start_child, wait_for
from tests.support.collected import LATER, World
from tests.support.golden import copy_golden
from tracking_server.__main__ import main
from tracking_server.artifacts.roots import Root
from tracking_server.artifacts.store import ArtifactStore, Deleted, Leftover, StoreUnavailable
from tracking_server.collect.claiming import claim
from tracking_server.collect.outcome import Outcome, Wanted
from tracking_server.database import schema
from tracking_server.database.transactions import Database
from tracking_server.errors import ConfigInvalid


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(api=an_api(database), database=database, folder=tmp_path / "artifacts")


def kept(outcome: Outcome) -> list[tuple[str, str]]:
    return [(item.kind, item.id) for item in outcome.kept]


def left(outcome: Outcome) -> list[tuple[str, str]]:
    return [(item.kind, item.id) for item in outcome.leftovers]


# What goes


def test_a_deleted_run_goes_with_all_that_it_has(world: World) -> None:
    experiment_id = world.experiment("e")
    stays = world.run(experiment_id)
    before, files = world.rows(), world.files()
    goes = world.run(experiment_id)
    model_id = world.model(experiment_id, goes)
    world.api.post("runs/delete", run_id=goes)
    outcome = world.collect()
    assert (outcome.runs, outcome.logged_models, outcome.experiments, outcome.datasets) == (1, 0, 0, 1)
    assert (outcome.artifacts_files, outcome.artifacts_bytes) == (2, 10)
    assert (outcome.kept, outcome.leftovers) == ([], [])
    assert world.mentions(goes) == ["logged_models.source_run_id"]
    assert world.files() == files | {f"{experiment_id}/models/{model_id}/artifacts/MLmodel"}
    assert not (world.folder / experiment_id / goes).exists()
    world.api.call("DELETE", f"logged-models/{model_id}")
    assert world.collect().logged_models == 1
    assert world.mentions(goes) == world.mentions(model_id) == []
    assert (world.rows(), world.files()) == (before, files)
    assert world.api.get("runs/get", run_id=stays)["run"]["inputs"]["dataset_inputs"]


def test_an_experiment_goes_with_its_runs_models_and_traces(world: World) -> None:
    world.experiment("stays")
    before = world.rows()
    experiment_id = world.experiment("goes", tags=[{"key": "t", "value": "v"}])
    run_id = world.run(experiment_id)
    world.model(experiment_id, run_id)
    world.trace(experiment_id)
    world.api.post("experiments/delete", experiment_id=experiment_id)
    outcome = world.collect()
    assert (outcome.runs, outcome.logged_models, outcome.experiments, outcome.traces) == (1, 1, 1, 1)
    assert (outcome.kept, outcome.leftovers) == ([], [])
    assert world.files() == set()
    assert world.rows() == before
    assert world.collect() == Outcome()


def test_only_what_was_deleted_long_enough_ago_goes(world: World) -> None:
    experiment_id = world.experiment("e")
    first, second = world.run(experiment_id), world.run(experiment_id)
    world.api.post("runs/delete", run_id=first)
    between = world.api.context.now()
    world.api.post("runs/delete", run_id=second)
    assert world.collect(deleted_before=between).runs == 1
    assert world.mentions(first) == []
    assert world.api.get("runs/get", run_id=second)["run"]["info"]["lifecycle_stage"] == "deleted"


def test_only_what_is_named_goes(world: World) -> None:
    experiment_id = world.experiment("e")
    gone = world.experiment("gone")
    world.api.post("experiments/delete", experiment_id=gone)
    runs = [world.run(experiment_id) for _ in range(3)]
    for run_id in runs:
        world.api.post("runs/delete", run_id=run_id)
    assert world.collect(run_ids=runs[:2]).runs == 2
    assert world.mentions(runs[2])
    outcome = world.collect(experiment_ids=[gone])
    assert (outcome.runs, outcome.experiments) == (0, 1)


@pytest.mark.parametrize(
    ("field", "reason"), [("run_ids", "run"), ("experiment_ids", "experiment"), ("logged_model_ids", "logged model")]
)
def test_naming_what_is_not_deleted_is_an_error(world: World, field: str, reason: str) -> None:
    experiment_id = world.experiment("e")
    run_id = world.run(experiment_id)
    deleted = world.run(experiment_id)
    world.api.post("runs/delete", run_id=deleted)
    active = {"run_ids": run_id, "experiment_ids": experiment_id, "logged_model_ids": world.model(experiment_id)}
    before = world.rows()
    with pytest.raises(ConfigInvalid, match=f"The {reason} .* is active"):
        world.collect(**{field: [active[field]]})
    with pytest.raises(ConfigInvalid, match=f"There is no {reason} 77"):
        world.collect(**{field: ["77"]})
    with pytest.raises(ConfigInvalid, match="later than --older-than says"):
        world.collect(run_ids=[deleted], deleted_before=1)
    assert world.rows() == before


# What stays


@pytest.mark.parametrize("points", ["run_id", "source", "storage_location"])
def test_a_run_that_a_live_model_version_points_to_stays(world: World, points: str) -> None:
    experiment_id = world.experiment("e")
    run_id = world.run(experiment_id)
    pointer = {
        "run_id": {"run_id": run_id, "source": "s3://elsewhere/x"},
        "source": {"source": f"runs:/{run_id}/model"},
        "storage_location": {"storage_location": f"mlflow-artifacts:/{experiment_id}/{run_id}/artifacts/model"},
    }[points]
    world.version(**pointer)
    world.api.post("runs/delete", run_id=run_id)
    files = world.files()
    outcome = world.collect()
    assert (outcome.runs, kept(outcome)) == (0, [("run", run_id)])
    assert outcome.kept[0].reason == "the model version model/1 points to it"
    assert world.files() == files
    world.api.post("runs/restore", run_id=run_id)
    world.api.post("runs/delete", run_id=run_id)
    with world.database.write() as connection:
        connection.execute(text("UPDATE model_versions SET current_stage = 'Deleted_Internal'"))
    assert world.collect().runs == 1


def test_an_experiment_stays_with_what_stays_in_it(world: World) -> None:
    experiment_id = world.experiment("e")
    pinned, other = world.model(experiment_id), world.model(experiment_id)
    deleted = world.model(experiment_id)
    run_id = world.run(experiment_id)
    world.version(source=f"models:/{pinned}")
    world.api.call("DELETE", f"logged-models/{deleted}")
    world.api.post("experiments/delete", experiment_id=experiment_id)
    outcome = world.collect()
    assert kept(outcome) == [("logged_model", pinned), ("experiment", experiment_id)]
    assert (outcome.runs, outcome.logged_models, outcome.experiments) == (1, 1, 0)
    assert world.mentions(run_id) == []
    world.api.post("experiments/restore", experiment_id=experiment_id)
    assert world.api.get(f"logged-models/{other}")
    assert world.api.get(f"logged-models/{pinned}")


def test_a_dry_run_changes_nothing(world: World) -> None:
    experiment_id = world.experiment("e")
    run_id = world.run(experiment_id)
    world.api.post("experiments/delete", experiment_id=experiment_id)
    before, files = world.rows(), world.files()
    outcome = world.collect(is_dry_run=True)
    assert (outcome.runs, outcome.experiments) == (1, 1)
    assert (world.rows(), world.files()) == (before, files)
    world.api.post("experiments/restore", experiment_id=experiment_id)
    assert world.api.get("runs/get", run_id=run_id)["run"]["info"]["lifecycle_stage"] == "active"


# Artifacts that resist


class Refusing:
    """A store that does not delete what has a word in its name."""

    def __init__(self, store: ArtifactStore, word: str, *, raises: bool) -> None:
        self._store = store
        self._word = word
        self._raises = raises

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def delete_prefix(self, key: str) -> Deleted:
        if self._word not in key:
            return self._store.delete_prefix(key)
        if self._raises:
            raise StoreUnavailable("The store does not answer.")
        return Deleted(leftovers=[Leftover(key=f"{key}/a.txt", reason="Permission denied")])


@pytest.mark.parametrize("raises", [False, True])
def test_what_cannot_be_deleted_stops_nothing_else_and_is_taken_up_again(world: World, raises: bool) -> None:
    experiment_id = world.experiment("e")
    runs = [world.run(experiment_id) for _ in range(4)]
    world.api.post("experiments/delete", experiment_id=experiment_id)
    stubborn = [
        Root(location=root.location, store=cast(Any, Refusing(root.store, runs[1], raises=raises)))
        for root in world.roots
    ]
    outcome = world.collect(roots=stubborn)
    assert (outcome.runs, outcome.experiments) == (3, 0)
    assert left(outcome) == [("run", runs[1]), ("experiment", experiment_id)]
    assert ("Permission denied" in outcome.leftovers[0].reason) != raises
    with pytest.raises(Refusal, match="removed for good"):
        world.api.post("experiments/restore", experiment_id=experiment_id)
    with pytest.raises(Refusal, match="removed for good"):
        world.api.post("runs/restore", run_id=runs[1])
    assert world.api.get("runs/get", run_id=runs[1])["run"]["data"]["params"]
    outcome = world.collect()
    assert (outcome.runs, outcome.experiments, outcome.leftovers) == (1, 1, [])
    assert world.files() == set()


def test_a_claimed_run_does_not_come_back_with_its_experiment(world: World) -> None:
    experiment_id = world.experiment("e")
    claimed, free = world.run(experiment_id), world.run(experiment_id)
    world.api.post("runs/delete", run_id=claimed)
    with world.database.write() as connection:
        claim(connection, Wanted(deleted_before=LATER), "c", 1)
    world.api.post("experiments/delete", experiment_id=experiment_id)
    world.api.post("experiments/restore", experiment_id=experiment_id)
    stages = {run_id: world.api.get("runs/get", run_id=run_id) for run_id in (claimed, free)}
    assert [stage["run"]["info"]["lifecycle_stage"] for stage in stages.values()] == ["deleted", "active"]
    assert world.collect().runs == 1


def test_a_run_that_a_server_without_claims_restored_is_let_go(world: World) -> None:
    experiment_id = world.experiment("e")
    run_id = world.run(experiment_id)
    world.api.post("runs/delete", run_id=run_id)
    with world.database.write() as connection:
        claim(connection, Wanted(deleted_before=LATER), "c", 1)
        connection.execute(text("UPDATE runs SET lifecycle_stage = 'active', deleted_time = NULL"))
    files = world.files()
    outcome = world.collect()
    assert (outcome.runs, kept(outcome)) == (0, [("run", run_id)])
    assert world.files() == files
    assert "trackplane_gc_claims" not in world.rows()


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        pytest.param("s3://bucket/1/{run}/artifacts", "in no store", id="another store"),
        pytest.param("file:///etc/{run}/artifacts", "in no store", id="another folder"),
        pytest.param("mlflow-artifacts:/", "not called as", id="everything"),
        pytest.param("mlflow-artifacts:/{experiment}", "not called as", id="the experiment"),
        pytest.param("mlflow-artifacts:/{experiment}/{other}/artifacts", "not called as", id="another run"),
        pytest.param("mlflow-artifacts:/{experiment}/x{run}/artifacts", "not called as", id="a name that ends alike"),
        pytest.param("mlflow-artifacts:/{other}/../{run}/artifacts", "Invalid path", id="dots"),
        pytest.param("{run}/artifacts", "relative", id="relative"),
        pytest.param("mlflow-artifacts:/{experiment}/{run}/artifacts?x=1", "query", id="query"),
    ],
)
def test_nothing_but_a_runs_own_folder_is_ever_deleted(world: World, uri: str, reason: str) -> None:
    experiment_id = world.experiment("e")
    run_id, other = world.run(experiment_id), world.run(experiment_id)
    written = uri.format(run=run_id, other=other, experiment=experiment_id)
    with world.database.write() as connection:
        connection.execute(schema.runs.update().where(schema.runs.c.run_uuid == run_id).values(artifact_uri=written))
    world.api.post("runs/delete", run_id=run_id)
    files = world.files()
    outcome = world.collect()
    assert (outcome.runs, left(outcome)) == (0, [("run", run_id)])
    assert reason in outcome.leftovers[0].reason
    assert world.files() == files


def test_a_folder_where_the_experiment_is_recorded_to_be_is_its_own(world: World, tmp_path: Path) -> None:
    elsewhere = tmp_path / "else where"
    experiment_id = world.experiment("e")
    run_id = world.run(experiment_id)
    (elsewhere / run_id / "artifacts").mkdir(parents=True)
    (elsewhere / run_id / "artifacts" / "a").write_text("12345")
    (elsewhere / "another").write_text("stays")
    location = elsewhere.as_uri()
    with world.database.write() as connection:
        connection.execute(schema.experiments.update().values(artifact_location=location))
        connection.execute(schema.runs.update().values(artifact_uri=f"{location}/{run_id}/artifacts"))
    world.api.post("runs/delete", run_id=run_id)
    outcome = world.collect()
    assert (outcome.runs, outcome.artifacts_files, outcome.leftovers) == (1, 1, [])
    assert [path.name for path in elsewhere.iterdir()] == ["another"]


def test_a_run_without_artifacts_goes(world: World) -> None:
    experiment_id = world.experiment("e")
    run_id = str(world.api.post("runs/create", experiment_id=experiment_id)["run"]["info"]["run_id"])
    world.api.post("runs/delete", run_id=run_id)
    outcome = world.collect()
    assert (outcome.runs, outcome.artifacts_files) == (1, 0)


# Kills, and others at work


def test_a_kill_at_any_moment_loses_nothing_and_the_next_one_ends_it(world: World) -> None:
    experiment_id = world.experiment("e")
    stays = [world.run(experiment_id) for _ in range(3)]
    before, files = world.rows(), world.files()
    goes = [world.run(experiment_id) for _ in range(60)]
    for run_id in goes:
        world.api.post("runs/delete", run_id=run_id)

    def die_with_claims() -> None:
        commits = count(1)

        def perhaps_die(_: object) -> None:
            if next(commits) == 2:
                die()

        event.listen(world.database.engine, "commit", perhaps_die)
        world.collect()

    assert run_in_child(die_with_claims) == -signal.SIGKILL
    for kills in range(12):
        child = start_child(world.collect)
        time.sleep(kills * 0.01)  # the first dies before it has done anything, each further one gets further
        os.kill(child, signal.SIGKILL)
        if wait_for(child) == 0:
            break
        for run_id in stays:
            data = world.api.get("runs/get", run_id=run_id)["run"]
            assert len(data["data"]["params"]) == len(data["data"]["metrics"]) == 1
            assert len(data["inputs"]["dataset_inputs"]) == 2
        assert files <= world.files()
        with world.database.read() as connection:
            tagged = set(connection.scalars(select(schema.tags.c.run_uuid).where(schema.tags.c.key == "t")))
            assert tagged == set(connection.scalars(select(schema.runs.c.run_uuid)))
    outcome = world.collect()
    assert outcome.leftovers == []
    assert (world.rows(), world.files()) == (before, files)


def test_a_run_restored_meanwhile_is_whole_or_refused(world: World) -> None:
    experiment_id = world.experiment("e")
    runs = [world.run(experiment_id) for _ in range(40)]
    for run_id in runs:
        world.api.post("runs/delete", run_id=run_id)
    restored: list[str] = []
    refused: list[str] = []

    def restore() -> None:
        for run_id in reversed(runs):
            try:
                world.api.post("runs/restore", run_id=run_id)
            except Refusal as refusal:
                assert refusal.http_status in {400, 404}  # noqa: PT017 - being restored is fine too
                refused.append(run_id)
            else:
                restored.append(run_id)

    restorer = threading.Thread(target=restore)
    restorer.start()
    outcome = world.collect()
    restorer.join()
    outcome_of_the_rest = world.collect()
    assert len(restored) + len(refused) == len(runs)
    assert outcome.runs + outcome_of_the_rest.runs == len(refused)
    for run_id in restored:
        assert world.api.get("runs/get", run_id=run_id)["run"]["data"]["params"]
        assert (world.folder / experiment_id / run_id / "artifacts" / "a.txt").exists()


def test_two_collections_at_once_do_the_work_once(world: World) -> None:
    experiment_id = world.experiment("e")
    before, files = world.rows(), world.files()
    for _ in range(30):
        world.api.post("runs/delete", run_id=world.run(experiment_id))
    outcomes: list[Outcome] = []
    threads = [threading.Thread(target=lambda: outcomes.append(world.collect())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(outcome.runs for outcome in outcomes) == 30
    assert (world.rows(), world.files()) == (before, files)


# The command


def run_gc(url: str, destination: Path, *arguments: str, **environment: str) -> tuple[int, Mapping[str, Any]]:
    variables = {"MLFLOW_BACKEND_STORE_URI": url, "MLFLOW_ARTIFACTS_DESTINATION": str(destination), **environment}
    result = CliRunner().invoke(main, ["gc", "--json", *arguments], env=variables)
    return result.exit_code, json.loads(result.stdout)


def test_the_command_on_a_database_of_mlflow(tmp_path: Path) -> None:
    url = f"sqlite:///{copy_golden(tmp_path / 'golden.db')}"
    report_file = tmp_path / "report"
    environment = {"TRACKPLANE_REPORT_FILE": str(report_file)}
    code, report = run_gc(url, tmp_path, **environment)
    assert (code, report["ok"], report["reason"]) == (17, False, "GarbageCollectionFailed")
    assert "trackplane db upgrade" in report["message"]
    assert CliRunner().invoke(main, ["db", "upgrade", url]).exit_code == 0
    code, report = run_gc(url, tmp_path, "--older-than", "10000d", **environment)
    assert (code, report["runs"]) == (0, 0)
    code, report = run_gc(url, tmp_path, "--dry-run", **environment)
    assert (code, report["dry_run"], report["runs"]) == (0, True, 2)
    code, report = run_gc(url, tmp_path, **environment)
    assert (code, report["ok"], report["command"], report["dry_run"]) == (0, True, "gc", False)
    assert (report["runs"], report["logged_models"], report["experiments"]) == (2, 1, 1)
    assert (report["kept"], report["leftovers"]) == (0, 0)
    assert json.loads(report_file.read_text()) == report
    assert run_gc(url, tmp_path, **environment)[1]["runs"] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["--older-than", "soon"], "not an age", id="no age"),
        pytest.param(["--run-ids", "0123"], "no run 0123", id="no such run"),
        pytest.param(["--artifacts-destination", "ftp://b/x"], "must be a folder", id="no such store"),
        pytest.param(["--artifacts-destination", "/absent/folder"], "Mount it", id="no such folder"),
    ],
)
def test_the_command_says_what_is_wrong(database_url: str, tmp_path: Path, arguments: list[str], message: str) -> None:
    code, report = run_gc(database_url, tmp_path, *arguments)
    assert (code, report["reason"]) == (10, "ConfigInvalid")
    assert message in report["message"]


def test_the_command_refuses_another_schema(empty_database_url: str, tmp_path: Path) -> None:
    assert run_gc(empty_database_url, tmp_path)[0] == 13


@pytest.mark.parametrize(
    ("url", "message"),
    [
        pytest.param("https://user:secret@tracking", "another tracking server", id="http"),
        pytest.param("databricks", "another tracking server", id="databricks"),
        pytest.param("databricks://profile", "another tracking server", id="databricks profile"),
        pytest.param("{folder}", "would come back", id="folder"),
    ],
)
def test_the_command_wants_a_database(tmp_path: Path, url: str, message: str) -> None:
    code, report = run_gc(url.format(folder=tmp_path / "mlruns"), tmp_path)
    assert (code, report["reason"]) == (10, "ConfigInvalid")
    assert message in report["message"]
    assert "secret" not in report["message"]
    assert list(tmp_path.iterdir()) == []
