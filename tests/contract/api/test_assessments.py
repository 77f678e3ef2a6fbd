"""Assessments go with the run that made them, whether it is deleted or its experiment (4.2 of the contract)."""

import json

from sqlalchemy import insert, select

from tests.support.api_calls import Api
from tracking_server.database import schema


def assess(api: Api, experiment: str, **metadata_of: dict[str, str] | None) -> None:
    """One assessment for each name, of one trace of the experiment."""
    with api.context.database.write() as connection:
        trace = {"request_id": f"tr-{experiment}", "experiment_id": int(experiment), "timestamp_ms": 1, "status": "OK"}
        connection.execute(insert(schema.trace_info).values(trace))
        for name, metadata in metadata_of.items():
            connection.execute(
                insert(schema.assessments).values(
                    assessment_id=f"a-{name}",
                    trace_id=trace["request_id"],
                    experiment_id=int(experiment),
                    name=name,
                    assessment_type="feedback",
                    value="1",
                    created_timestamp=1,
                    last_updated_timestamp=1,
                    source_type="HUMAN",
                    valid=True,
                    assessment_metadata=None if metadata is None else json.dumps(metadata),
                )
            )


def by_run(run: str) -> dict[str, str]:
    return {"a": "%_", "mlflow.assessment.sourceRunId": run, "z": "1"}


def assessments(api: Api) -> set[str]:
    with api.context.database.read() as connection:
        return set(connection.scalars(select(schema.assessments.c.name)))


def new_run(api: Api, experiment: str) -> str:
    run_id: str = api.post("runs/create", experiment_id=experiment)["run"]["info"]["run_id"]
    return run_id


def test_a_deleted_run_takes_its_assessments_along(api: Api, experiment: str) -> None:
    deleted, kept = (new_run(api, experiment) for _ in range(2))
    assess(api, experiment, deleted=by_run(deleted), kept=by_run(kept), other={"k": deleted}, bare=None)
    api.post("runs/delete", run_id=deleted)
    assert assessments(api) == {"kept", "other", "bare"}


def test_a_deleted_experiment_takes_the_assessments_of_its_runs_along(api: Api, experiment: str) -> None:
    """Wherever the traces are; what others found about its own traces stays."""
    elsewhere = api.post("experiments/create", name="elsewhere")["experiment_id"]
    runs, other = [new_run(api, experiment) for _ in range(3)], new_run(api, elsewhere)
    assess(api, elsewhere, first=by_run(runs[0]), second=by_run(runs[1]), own=by_run(other))
    assess(api, experiment, third=by_run(runs[2]), visitor=by_run(other), odd={"k": runs[0]}, bare=None)
    api.post("experiments/delete", experiment_id=experiment)
    assert assessments(api) == {"own", "visitor", "odd", "bare"}
