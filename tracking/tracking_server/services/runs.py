"""Runs: create, read, change, delete and restore them. What is logged to them is `run_data`."""

import msgspec
from sqlalchemy import Connection

from tracking_server.database import rows
from tracking_server.database.claims import refuse_claimed_run
from tracking_server.database.statements import assessments as assessment_statements
from tracking_server.database.statements import runs as statements
from tracking_server.database.statements import tags as tag_statements
from tracking_server.entities.datasets import RunInputs
from tracking_server.entities.lifecycle import LifecycleStage
from tracking_server.entities.runs import (
    CreateRun,
    DeleteRun,
    FoundRun,
    GetRun,
    RestoreRun,
    Run,
    RunData,
    RunInfo,
    RunStatus,
    UpdatedRun,
    UpdateRun,
)
from tracking_server.entities.shapes import Empty
from tracking_server.entities.tags import RUN_NAME_TAG, Tag
from tracking_server.errors import InvalidParameter
from tracking_server.services import locations
from tracking_server.services.context import Context
from tracking_server.services.experiment_ids import experiment_key
from tracking_server.services.experiments import require_active_experiment
from tracking_server.services.run_reading import fetch_run_row, fetch_runs, no_run, refuse_inactive

_SOURCE_TYPE = "UNKNOWN"
"""The client's idea of it is in the tags `mlflow.source.*`."""


def create_run(request: CreateRun, context: Context) -> FoundRun:
    """A run without a name gets a random one. The tag `mlflow.runName` is always stored."""
    key = experiment_key(request.experiment_id, context.database.dialect)
    tags = _tags_with_name(request, context)
    run_id = context.new_id()

    def write(connection: Connection) -> RunInfo:
        location = require_active_experiment(connection, key)
        info = RunInfo(
            run_id=run_id,
            run_uuid=run_id,
            run_name=tags[RUN_NAME_TAG],
            experiment_id=str(key),
            user_id=request.user_id,
            status=RunStatus.RUNNING,
            start_time=request.start_time,
            artifact_uri=locations.artifact_root_of_run(location, run_id),
            lifecycle_stage=LifecycleStage.ACTIVE,
        )
        for prepared in statements.insert_run(context.database.dialect, _row(info, key), run_id, _as_tags(tags)):
            connection.execute(*prepared)
        return info

    info = context.database.retrying(write, is_one_statement=True)
    return FoundRun(run=Run(info=info, data=RunData(tags=_as_tags(tags)), inputs=RunInputs()))


def get_run(request: GetRun, context: Context) -> FoundRun:
    """Deleted runs too."""
    with context.database.read() as connection:
        (run,) = fetch_runs(connection, [fetch_run_row(connection, request.run_id)], with_model_inputs=True)
    return FoundRun(run=run)


def update_run(request: UpdateRun, context: Context) -> UpdatedRun:
    """An empty name counts as none given; a name is written to the tag `mlflow.runName` as well."""
    changes: dict[str, object] = {}
    if request.status is not None:
        changes["status"] = request.status
    if request.end_time is not None:
        changes["end_time"] = request.end_time
    if request.run_name:
        changes["run_name"] = request.run_name

    def write(connection: Connection) -> RunInfo:
        found = fetch_run_row(connection, request.run_id)
        refuse_inactive(request.run_id, found.lifecycle_stage)
        if request.run_name:
            name = [Tag(RUN_NAME_TAG, request.run_name)]
            connection.execute(*tag_statements.upsert_run_tags(context.database.dialect, request.run_id, name))
        if changes:
            connection.execute(*statements.update_run(request.run_id, changes))
        info = msgspec.structs.replace(rows.run_info(found), **changes)
        return msgspec.structs.replace(info, end_time=info.end_time or None)

    return UpdatedRun(run_info=context.database.retrying(write))


def delete_run(request: DeleteRun, context: Context) -> Empty:
    """May be done twice. Assessments that name the run as their source go with it."""

    def write(connection: Connection) -> None:
        deleted = connection.execute(statements.DELETE, {"of_run": request.run_id, "now": context.now()})
        if not deleted.rowcount:
            raise no_run(request.run_id)
        connection.execute(*assessment_statements.delete_from_source_run(request.run_id))

    context.database.retrying(write)
    return Empty()


def restore_run(request: RestoreRun, context: Context) -> Empty:
    """May be done twice. What is being removed for good stays deleted."""

    def write(connection: Connection) -> None:
        if not connection.execute(statements.RESTORE, {"of_run": request.run_id}).rowcount:
            raise no_run(request.run_id)
        refuse_claimed_run(connection, request.run_id)

    context.database.retrying(write)
    return Empty()


def _tags_with_name(request: CreateRun, context: Context) -> dict[str, str]:
    tags = {tag.key: tag.value for tag in request.tags}
    tagged_name = tags.get(RUN_NAME_TAG, "")
    if request.run_name and tagged_name and request.run_name != tagged_name:
        raise InvalidParameter(
            f"Both 'run_name' argument and '{RUN_NAME_TAG}' tag are specified, but with different values"
            f" (run_name='{request.run_name}', {RUN_NAME_TAG}='{tagged_name}')."
        )
    return {**tags, RUN_NAME_TAG: request.run_name or tagged_name or context.new_name()}


def _as_tags(tags: dict[str, str]) -> list[Tag]:
    return [Tag(key, value) for key, value in tags.items()]


def _row(info: RunInfo, experiment_id: int) -> dict[str, object]:
    return {
        "run_uuid": info.run_id,
        "name": info.run_name,
        "source_type": _SOURCE_TYPE,
        "source_name": "",
        "entry_point_name": "",
        "user_id": info.user_id,
        "status": info.status,
        "start_time": info.start_time,
        "end_time": None,
        "source_version": "",
        "lifecycle_stage": info.lifecycle_stage,
        "artifact_uri": info.artifact_uri,
        "experiment_id": experiment_id,
        "deleted_time": None,
    }
