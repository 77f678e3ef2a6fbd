"""Experiments: create, read, change, delete, restore and tag them."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from sqlalchemy import Connection

from tracking_server.database import rows
from tracking_server.database.claims import restore_runs_of_experiment
from tracking_server.database.statements import assessments as assessment_statements
from tracking_server.database.statements import experiments as statements
from tracking_server.database.statements import runs as run_statements
from tracking_server.database.statements import tags as tag_statements
from tracking_server.entities.experiments import (
    DEFAULT_WORKSPACE,
    CreatedExperiment,
    CreateExperiment,
    DeleteExperiment,
    DeleteExperimentTag,
    Experiment,
    FoundExperiment,
    GetExperiment,
    GetExperimentByName,
    RestoreExperiment,
    SetExperimentTag,
    UpdateExperiment,
)
from tracking_server.entities.lifecycle import LifecycleStage
from tracking_server.entities.shapes import Empty
from tracking_server.entities.tags import Tag
from tracking_server.errors import AlreadyExists, BadRequest, DoesNotExist, InvalidParameter, InvalidState
from tracking_server.services import limits, locations
from tracking_server.services.context import Context
from tracking_server.services.experiment_ids import experiment_key, no_experiment


def create_experiment(request: CreateExperiment, context: Context) -> CreatedExperiment:
    """A name that exists is refused, also when its experiment is deleted."""
    limits.check_experiment_name(request.name)
    for index, tag in enumerate(request.tags):
        limits.check_experiment_tag(tag, f"tags[{index}].")
    location = _given_location(request.artifact_location, context) if request.artifact_location else None
    now = context.now()

    def write(connection: Connection) -> int:
        _refuse_known_name(connection, request.name)
        inserted = connection.execute(
            statements.INSERT,
            {
                "name": request.name,
                "artifact_location": location or "",
                "lifecycle_stage": LifecycleStage.ACTIVE,
                "creation_time": now,
                "last_update_time": now,
                "workspace": DEFAULT_WORKSPACE,
            },
        )
        (experiment_id,) = inserted.inserted_primary_key or (0,)
        if location is None:
            root = locations.artifact_root_of_experiment(context.default_artifact_root, experiment_id)
            connection.execute(statements.UPDATE_LOCATION, {"of_experiment": experiment_id, "new_location": root})
        if request.tags:
            connection.execute(
                *tag_statements.upsert_experiment_tags(context.database.dialect, experiment_id, request.tags)
            )
        return int(experiment_id)

    return CreatedExperiment(experiment_id=str(context.database.retrying(write)))


def get_experiment(request: GetExperiment, context: Context) -> FoundExperiment:
    """Deleted ones too."""
    key = experiment_key(request.experiment_id, context.database.dialect)
    with context.database.read() as connection:
        return FoundExperiment(experiment=fetch_experiment(connection, key))


def get_experiment_by_name(request: GetExperimentByName, context: Context) -> FoundExperiment:
    """Deleted ones too. The client reads RESOURCE_DOES_NOT_EXIST as "no such experiment"."""
    with context.database.read() as connection:
        row = connection.execute(statements.SELECT_BY_NAME, {"name": request.experiment_name}).one_or_none()
        if row is None:
            raise DoesNotExist(f"Could not find experiment with name '{request.experiment_name}'")
        return FoundExperiment(experiment=rows.experiment(row, _fetch_tags(connection, row.experiment_id)))


def update_experiment(request: UpdateExperiment, context: Context) -> Empty:
    """Renames an active experiment."""
    key = experiment_key(request.experiment_id, context.database.dialect)
    limits.check_experiment_name(request.new_name, "new_name")

    def write(connection: Connection) -> None:
        found = connection.execute(statements.SELECT_BY_ID, {"experiment_id": key}).one_or_none()
        if found is None:
            raise no_experiment(key)
        if found.lifecycle_stage != LifecycleStage.ACTIVE:
            raise InvalidState(f"Cannot rename a non-active experiment: {key} is deleted. Restore it first.")
        namesake = connection.execute(statements.SELECT_BY_NAME, {"name": request.new_name}).one_or_none()
        if namesake is not None and namesake.experiment_id != key:
            raise BadRequest(f"An experiment named {request.new_name!r} exists already (ID {namesake.experiment_id}).")
        connection.execute(
            statements.UPDATE_NAME, {"of_experiment": key, "new_name": request.new_name, "now": context.now()}
        )

    context.database.retrying(write)
    return Empty()


def delete_experiment(request: DeleteExperiment, context: Context) -> Empty:
    """All runs of the experiment are deleted with it, and the assessments that name one of them as their source."""
    _change_stage(request.experiment_id, LifecycleStage.ACTIVE, LifecycleStage.DELETED, context)
    return Empty()


def restore_experiment(request: RestoreExperiment, context: Context) -> Empty:
    """All its runs come back with it, also those that were deleted one by one; not what is being removed for good."""
    _change_stage(request.experiment_id, LifecycleStage.DELETED, LifecycleStage.ACTIVE, context)
    return Empty()


def set_experiment_tag(request: SetExperimentTag, context: Context) -> Empty:
    key = experiment_key(request.experiment_id, context.database.dialect)
    tag = Tag(request.key, request.value)
    limits.check_experiment_tag(tag)

    def write(connection: Connection) -> None:
        require_active_experiment(connection, key)
        if tag.key.startswith(limits.SAVED_VIEW_PREFIX):
            _check_number_of_views(_fetch_tags(connection, key), tag.key)
        connection.execute(*tag_statements.upsert_experiment_tags(context.database.dialect, key, [tag]))

    context.database.retrying(write)
    return Empty()


def delete_experiment_tag(request: DeleteExperimentTag, context: Context) -> Empty:
    key = experiment_key(request.experiment_id, context.database.dialect)

    def write(connection: Connection) -> None:
        require_active_experiment(connection, key)
        deleted = connection.execute(
            tag_statements.DELETE_FROM_EXPERIMENT, {"of_experiment": key, "tag_key": request.key}
        )
        if not deleted.rowcount:
            raise DoesNotExist(f"No tag with name: {request.key} in experiment with id {request.experiment_id}")

    context.database.retrying(write)
    return Empty()


def fetch_experiment(connection: Connection, key: int) -> Experiment:
    row = connection.execute(statements.SELECT_BY_ID, {"experiment_id": key}).one_or_none()
    if row is None:
        raise no_experiment(key)
    return rows.experiment(row, _fetch_tags(connection, key))


def require_active_experiment(connection: Connection, key: int) -> str:
    """The artifact location of the experiment."""
    row = connection.execute(statements.SELECT_BY_ID, {"experiment_id": key}).one_or_none()
    if row is None:
        raise no_experiment(key)
    if row.lifecycle_stage != LifecycleStage.ACTIVE:
        raise InvalidParameter(
            f"The experiment {key} must be in the 'active' state. Current state is {row.lifecycle_stage}."
        )
    return str(row.artifact_location or "")


def _fetch_tags(connection: Connection, key: int) -> Sequence[Tag]:
    found = connection.execute(tag_statements.SELECT_OF_EXPERIMENTS, {"experiment_ids": [key]})
    return rows.tags_by_owner(found).get(key, ())


def _given_location(location: str, context: Context) -> str:
    return locations.checked_location(
        location,
        max_characters=context.max_location_characters,
        known_roots=(context.default_artifact_root, context.artifacts_destination),
        allowed_schemes=context.allowed_host_schemes,
        working_directory=PurePosixPath(Path.cwd()),
    )


def _refuse_known_name(connection: Connection, name: str) -> None:
    known = connection.execute(statements.SELECT_BY_NAME, {"name": name}).one_or_none()
    if known is None:
        return
    if known.lifecycle_stage == LifecycleStage.DELETED:
        raise AlreadyExists(
            f"Experiment(name={name}) already exists in the deleted state (ID {known.experiment_id}). Restore it, or"
            " choose another name."
        )
    raise AlreadyExists(f"Experiment(name={name}) already exists. Its ID is {known.experiment_id}.")


def _change_stage(experiment_id: str, old: LifecycleStage, new: LifecycleStage, context: Context) -> None:
    key = experiment_key(experiment_id, context.database.dialect)
    now = context.now()

    def write(connection: Connection) -> None:
        changed = connection.execute(
            statements.UPDATE_STAGE, {"of_experiment": key, "old_stage": old, "new_stage": new, "now": now}
        )
        if not changed.rowcount:
            raise DoesNotExist(f"No Experiment with id={key} exists in the '{old}' state")
        if new is LifecycleStage.DELETED:
            connection.execute(run_statements.DELETE_ALL_OF_EXPERIMENT, {"of_experiment": key, "now": now})
            connection.execute(*assessment_statements.delete_from_runs_of_experiment(key, context.database.dialect))
        else:
            restore_runs_of_experiment(connection, key)

    context.database.retrying(write)


def _check_number_of_views(tags: Sequence[Tag], key: str) -> None:
    views = {tag.key for tag in tags if tag.key.startswith(limits.SAVED_VIEW_PREFIX)}
    if len(views | {key}) > limits.MAX_SAVED_VIEWS:
        raise InvalidParameter(
            f"An experiment has at most {limits.MAX_SAVED_VIEWS} tags whose key starts with"
            f" '{limits.SAVED_VIEW_PREFIX}'. Delete one first."
        )
