"""What a kept backup needs stays; jobs go as MLflow's collection lets them go."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import insert, select, update

from tests.support.api_calls import an_api
from tests.support.collected import LATER, World
from tests.support.memory_bucket import MemoryBucket
from tracking_server.__main__ import main
from tracking_server.artifacts.objects import ObjectStore
from tracking_server.backups.places import StorePlace
from tracking_server.collect.backups import kept_backups, kept_in
from tracking_server.collect.outcome import KeptBackups
from tracking_server.database import schema
from tracking_server.database.archive.backup import back_up
from tracking_server.database.transactions import Database
from tracking_server.errors import ConfigInvalid

on_sqlite = pytest.mark.parametrize("engine_name", ["sqlite"])


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(api=an_api(database), database=database, folder=tmp_path / "artifacts")


def deleted_at(world: World, run_id: str, milliseconds: int | None) -> None:
    with world.database.write() as connection:
        wanted = schema.runs.c.run_uuid == run_id
        connection.execute(update(schema.runs).where(wanted).values(deleted_time=milliseconds))


def test_what_was_deleted_after_the_oldest_backup_stays(world: World) -> None:
    experiment_id = world.experiment("e")
    early, late, unknown = (world.run(experiment_id) for _ in range(3))
    for run_id, milliseconds in ((early, 999), (late, 1000), (unknown, None)):
        world.api.post("runs/delete", run_id=run_id)
        deleted_at(world, run_id, milliseconds)
    backups = KeptBackups(oldest_at=1000, oldest="b")
    outcome = world.collect(backups=backups, run_ids=[early, late, unknown])
    assert outcome.runs == 1
    assert {item.id for item in outcome.kept} == {late, unknown}
    assert {item.reason for item in outcome.kept} == {"the backup b was taken before it was deleted"}
    assert world.mentions(early) == []
    world.api.post("runs/restore", run_id=late)
    assert (world.folder / experiment_id / late / "artifacts" / "a.txt").exists()
    deleted_at(world, unknown, 5)
    assert world.collect(backups=KeptBackups(oldest_at=None, oldest="b")).runs == 0
    assert world.collect(backups=backups).runs == 1


def test_an_experiment_that_a_backup_has_stays_and_what_was_deleted_before_it_goes(world: World) -> None:
    experiment_id = world.experiment("e")
    early, late = world.run(experiment_id), world.run(experiment_id)
    old, new = world.model(experiment_id), world.model(experiment_id)
    for run_id in (early, late):
        world.api.post("runs/delete", run_id=run_id)
    world.api.call("DELETE", f"logged-models/{old}")
    with world.database.write() as connection:
        connection.execute(
            update(schema.logged_models).values(last_updated_timestamp_ms=5)
        )  # `new` was changed long before its experiment went
    world.api.post("experiments/delete", experiment_id=experiment_id)
    deleted_at(world, early, 999)
    outcome = world.collect(backups=KeptBackups(oldest_at=1000, oldest="b"))
    assert (outcome.runs, outcome.logged_models, outcome.experiments) == (1, 1, 0)
    assert {(item.kind, item.id) for item in outcome.kept} == {
        ("run", late),
        ("logged_model", new),
        ("experiment", experiment_id),
    }
    assert world.mentions(old) == world.mentions(early) == []
    world.api.post("experiments/restore", experiment_id=experiment_id)
    assert world.api.get(f"logged-models/{new}")
    outcome = world.collect(deleted_before=LATER)
    assert outcome.runs == 0  # restored with their experiment


def test_the_manifests_at_the_destination_say_which_backups_are_kept(world: World, tmp_path: Path) -> None:
    destination = tmp_path / "backups"
    destination.mkdir()
    (destination / "notes.txt").write_text("no archive")
    (destination / "trackplane-folder").mkdir()
    assert kept_backups(str(destination), Path("/")) is None
    moments = [datetime(2026, 1, day, tzinfo=UTC) for day in (3, 1, 2)]
    archives = [back_up(world.database, destination, now=moment, tool="t").path for moment in moments]
    first = KeptBackups(oldest_at=int(moments[1].timestamp()) * 1000, oldest=archives[1].name)
    assert kept_backups(str(destination), Path("/")) == first
    assert kept_backups(destination.as_uri(), Path("/")) == first
    assert kept_backups("backups", tmp_path) == first
    only = kept_backups(str(archives[0]), Path("/"))
    assert only == KeptBackups(oldest_at=int(moments[0].timestamp()) * 1000, oldest=archives[0].name)
    archives[2].rename(destination / "renamed")
    archives[2] = destination / "renamed"
    archives[1].unlink()
    assert kept_backups(str(destination), Path("/")) == KeptBackups(
        oldest_at=int(moments[2].timestamp()) * 1000, oldest="renamed"
    )
    os.truncate(archives[2], archives[2].stat().st_size - 1)
    assert kept_backups(str(destination), Path("/")) == KeptBackups(oldest_at=None, oldest="renamed")
    archives[2].unlink()
    (destination / "trackplane-x.zst.age").write_text("encrypted")
    assert kept_backups(str(destination), Path("/")) == KeptBackups(oldest_at=None, oldest="trackplane-x.zst.age")
    with pytest.raises(ConfigInvalid, match="is not there"):
        kept_backups(str(tmp_path / "absent"), Path("/"))


@on_sqlite
def test_backups_in_a_bucket_are_read_by_their_ends(world: World, tmp_path: Path) -> None:
    bucket = MemoryBucket(cuts_after=1000)
    folder = StorePlace(store=ObjectStore(bucket, "backups"), folder="memory://bucket/backups")
    assert kept_in(folder) is None
    archive = back_up(world.database, tmp_path / "archive", now=datetime(2026, 1, 1, tzinfo=UTC), tool="t")
    bucket.files = {"backups/any-name": archive.path.read_bytes(), "other/trackplane-1": b"", "backups/notes": b"n"}
    expected = KeptBackups(oldest_at=int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 1000, oldest="any-name")
    assert kept_in(folder) == expected
    bucket.files["backups/trackplane-2"] = b"damaged"
    assert kept_in(folder) == KeptBackups(oldest_at=None, oldest="trackplane-2")


@on_sqlite
def test_the_command_keeps_what_a_backup_has(world: World, database_url: str, tmp_path: Path) -> None:
    run_id = world.run(world.experiment("e"))
    back_up(world.database, tmp_path / "archive", now=datetime(2020, 1, 1, tzinfo=UTC), tool="t")
    world.api.post("runs/delete", run_id=run_id)
    variables = {"MLFLOW_BACKEND_STORE_URI": database_url, "MLFLOW_ARTIFACTS_DESTINATION": str(world.folder)}
    arguments = ["gc", "--json", "--keep-backed-up", str(tmp_path / "archive")]
    report = json.loads(CliRunner().invoke(main, arguments, env=variables).stdout)
    assert (report["ok"], report["runs"], report["kept"]) == (True, 0, 1)
    (tmp_path / "archive").unlink()
    report = json.loads(CliRunner().invoke(main, arguments, env=variables).stdout)
    assert (report["ok"], report["reason"]) == (False, "ConfigInvalid")


# Jobs

PENDING, RUNNING, SUCCEEDED, FAILED, TIMEOUT, CANCELED, NEEDS_RECOVERY = range(7)
FINISHED = {"j2", "j3", "j4", "j5"}


@pytest.fixture
def jobs(world: World) -> World:
    """One in each status, made one after the other; one that is done holds a lock."""
    with world.database.write() as connection:
        for status in range(7):
            row = {"id": f"j{status}", "status": status, "creation_time": 100 + status, "last_update_time": 1}
            connection.execute(insert(schema.jobs).values(job_name="n", params="{}", retry_count=0, **row))
        connection.execute(insert(schema.job_locks).values(lock_key="l", job_id="j2", acquired_at=1))
    return world


def left(world: World) -> set[str]:
    with world.database.read() as connection:
        return set(connection.scalars(select(schema.jobs.c.id)))


ALL = {f"j{status}" for status in range(7)}


@pytest.mark.parametrize(
    ("wanted", "goes"),
    [
        pytest.param({}, set[str](), id="not asked for"),
        pytest.param({"jobs": True}, FINISHED, id="all"),
        pytest.param({"jobs": True, "jobs_created_before": 104}, {"j2", "j3"}, id="old ones"),
        pytest.param({"job_ids": ("j3", "j4")}, {"j3", "j4"}, id="named"),
        pytest.param({"jobs": True, "job_ids": ("j3", "j5"), "jobs_created_before": 105}, {"j3"}, id="named old ones"),
    ],
)
def test_finished_jobs_go_when_asked_for(jobs: World, wanted: dict[str, object], goes: set[str]) -> None:
    assert jobs.collect(is_dry_run=True, **wanted).jobs == len(goes)
    assert left(jobs) == ALL
    assert jobs.collect(**wanted).jobs == len(goes)
    assert left(jobs) == ALL - goes
    assert ("job_locks" in jobs.rows()) == ("j2" not in goes)


@on_sqlite
def test_a_named_job_that_stays_is_told(jobs: World) -> None:
    run_id = jobs.run(jobs.experiment("e"))
    jobs.api.post("runs/delete", run_id=run_id)
    outcome = jobs.collect(job_ids=("j1", "j4", "j6", "absent"), jobs_created_before=104)
    assert (outcome.jobs, outcome.runs) == (0, 0)  # what is named goes alone
    assert {item.id: item.reason for item in outcome.kept} == {
        "j1": "it has not come to its end",
        "j6": "it has not come to its end",
        "absent": "there is no such job",
        "j4": "it was made later than --older-than says",
    }
    assert left(jobs) == ALL


@on_sqlite
def test_many_jobs_go_in_batches(jobs: World) -> None:
    with jobs.database.write() as connection:
        for number in range(450):
            row = {"id": f"k{number}", "status": SUCCEEDED, "creation_time": 1, "last_update_time": 1}
            connection.execute(insert(schema.jobs).values(job_name="n", params="{}", retry_count=0, **row))
    assert jobs.collect(jobs=True).jobs == 454
