"""Garbage collection beside the registry: what a version was made of stays, and of what goes no version is made."""

import threading
from pathlib import Path

import pytest
from sqlalchemy import insert

from tests.support.api_calls import Api, Refusal, an_api
from tests.support.registry import INVALID, a_registered_model, a_version, outcome_of
from tracking_server.artifacts.open_store import open_roots
from tracking_server.collect.claiming import claim
from tracking_server.collect.collector import collect
from tracking_server.collect.outcome import Outcome, Wanted
from tracking_server.database import schema
from tracking_server.database.transactions import Database

LATER = 4_000_000_000_000
"""After everything that happens here."""


@pytest.fixture
def api(database: Database) -> Api:
    api = an_api(database)
    a_registered_model(api)
    return api


@pytest.fixture
def experiment(api: Api) -> str:
    return str(api.post("experiments/create", name="e")["experiment_id"])


def a_deleted_run(api: Api, experiment: str) -> str:
    run_id = str(api.post("runs/create", experiment_id=experiment)["run"]["info"]["run_id"])
    api.post("runs/delete", run_id=run_id)
    return run_id


def a_logged_model(api: Api, experiment: str) -> str:
    return str(api.post("logged-models", experiment_id=experiment)["model"]["info"]["model_id"])


def collected(database: Database, folder: Path) -> Outcome:
    roots = open_roots(str(folder), "mlflow-artifacts:/", Path("/"))
    return collect(database, roots, Wanted(deleted_before=LATER), claim_id="c", now=LATER)


def claimed_all(database: Database) -> None:
    """As a collection does that has only begun."""
    with database.write() as connection:
        claim(connection, Wanted(deleted_before=LATER), "c", 1)


def kept(outcome: Outcome) -> list[tuple[str, str, str]]:
    return [(item.kind, item.id, item.reason) for item in outcome.kept]


def test_what_versions_were_made_of_stays_until_they_are_deleted(
    api: Api, experiment: str, database: Database, tmp_path: Path
) -> None:
    run_id, model_id = a_deleted_run(api, experiment), a_logged_model(api, experiment)
    a_version(api, source=f"runs:/{run_id}/model", run_id=run_id)
    a_version(api, source=f"models:/{model_id}", model_id=model_id)
    a_registered_model(api, "copy")
    a_version(api, "copy", "models:/forest/1")
    api.delete(f"logged-models/{model_id}")
    for version in ("1", "2"):
        outcome = collected(database, tmp_path)
        assert (outcome.runs, outcome.logged_models) == (0, 0)
        assert {each[:2] for each in kept(outcome)} == {("run", run_id), ("logged_model", model_id)}
        if version == "1":
            api.delete("model-versions/delete", name="forest", version="1")
    assert ("run", run_id, "the model version copy/1 points to it") in kept(outcome)
    api.delete("registered-models/delete", name="copy")
    api.delete("model-versions/delete", name="forest", version="2")
    outcome = collected(database, tmp_path)
    assert (outcome.runs, outcome.logged_models, kept(outcome)) == (1, 1, [])


def test_no_version_is_made_of_what_is_being_removed(api: Api, experiment: str, database: Database) -> None:
    run_id, other = a_deleted_run(api, experiment), a_deleted_run(api, experiment)
    gone = str(api.post("experiments/create", name="gone")["experiment_id"])
    model_id = a_logged_model(api, gone)
    api.post("experiments/delete", experiment_id=gone)
    claimed_all(database)
    create = "model-versions/create"
    for fields in (
        {"source": f"runs:/{run_id}/m", "run_id": run_id},
        {"source": "s3://bucket/m", "run_id": run_id},
        {"source": f"s3://bucket/{other}/artifacts/m"},
        {"source": f"models:/{model_id}", "model_id": model_id},
    ):
        assert outcome_of(api, "POST", create, name="forest", **fields) == INVALID
        with pytest.raises(Refusal, match="garbage collection"):
            api.post(create, name="forest", **fields)
    assert a_version(api)["version"] == "1"


def test_a_version_by_a_server_that_knows_no_claims_keeps_its_run(
    api: Api, experiment: str, database: Database, tmp_path: Path
) -> None:
    run_id, other = a_deleted_run(api, experiment), a_deleted_run(api, experiment)
    claimed_all(database)
    row = {"name": "forest", "version": 1, "current_stage": "None", "workspace": "default", "run_id": run_id}
    with database.write() as connection:
        connection.execute(insert(schema.model_versions).values(row))
    outcome = collected(database, tmp_path)
    assert (outcome.runs, kept(outcome)) == (1, [("run", run_id, "the model version forest/1 points to it")])
    assert api.get("runs/get", run_id=run_id)
    with pytest.raises(Refusal):
        api.get("runs/get", run_id=other)
    api.post("runs/restore", run_id=run_id)


def test_a_version_made_meanwhile_has_its_run_or_is_refused(
    api: Api, experiment: str, database: Database, tmp_path: Path
) -> None:
    runs = [a_deleted_run(api, experiment) for _ in range(30)]
    made: list[str] = []

    def register() -> None:
        for run_id in reversed(runs):
            try:
                a_version(api, source=f"mlflow-artifacts:/{experiment}/{run_id}/artifacts/m", run_id=run_id)
            except Refusal as refusal:
                assert refusal.error_code == "INVALID_PARAMETER_VALUE"  # noqa: PT017 - being made is fine too
            else:
                made.append(run_id)

    registrar = threading.Thread(target=register)
    registrar.start()
    collected(database, tmp_path)
    registrar.join()
    collected(database, tmp_path)
    versions = api.get("model-versions/search").get("model_versions", [])
    assert {version["run_id"] for version in versions} == set(made)
    there = [run_id for run_id in made if api.get("runs/get", run_id=run_id)]
    assert there == made
