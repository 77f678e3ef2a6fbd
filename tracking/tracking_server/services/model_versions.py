"""Model versions: create, read, change, tag, stage, delete and search them."""

import json
from collections.abc import Callable

import msgspec
from sqlalchemy import Connection

from tracking_server.database import registry_rows
from tracking_server.database.fetching import fetch_rows
from tracking_server.database.statements import model_versions as statements
from tracking_server.database.statements import registered_models as model_statements
from tracking_server.database.statements import tags as tag_statements
from tracking_server.database.statements.model_version_search import select_model_version_page
from tracking_server.entities.experiments import DEFAULT_WORKSPACE
from tracking_server.entities.model_versions import (
    ACTIVE_STAGES,
    READY,
    CreateModelVersion,
    DeleteModelVersion,
    DeleteModelVersionTag,
    DownloadUri,
    FoundModelVersion,
    FoundModelVersions,
    GetModelVersion,
    GetModelVersionDownloadUri,
    ModelVersion,
    SearchModelVersions,
    SetModelVersionTag,
    Stage,
    TransitionModelVersionStage,
    UpdateModelVersion,
)
from tracking_server.entities.shapes import Empty
from tracking_server.entities.tags import MODEL_VERSIONS_TAG, Tag
from tracking_server.errors import InvalidParameter
from tracking_server.services.context import Context
from tracking_server.services.limits import check_characters
from tracking_server.services.model_origins import LineageOf, Origin, check_source, find_origin
from tracking_server.services.registry_events import VersionCreated, VersionTagDeleted, VersionTagSet, record
from tracking_server.services.registry_limits import check_name, check_tag, check_width, parse_stage, parse_version
from tracking_server.services.registry_reading import fetch_version, fetch_versions, no_model, no_version


def create_model_version(request: CreateModelVersion, context: Context) -> FoundModelVersion:
    """Its number is one more than the highest that the model ever had."""
    dialect = context.database.dialect
    parsed = check_source(request, context)
    _check_new(request, dialect)
    now = context.now()

    def write(connection: Connection) -> ModelVersion:
        origin = find_origin(connection, request, parsed)
        check_width(origin.location, "source", dialect)
        _touch_model(connection, request.name, now, no_model)
        number = 1 + int(connection.execute(statements.SELECT_HIGHEST_EVER, {"of_model": request.name}).scalar_one())
        row = _new_row(request, origin, number, now)
        hidden = {"storage_location": origin.location, "workspace": DEFAULT_WORKSPACE}
        connection.execute(statements.INSERT, {**row, **hidden})
        if request.tags:
            connection.execute(*statements.upsert_tags(dialect, request.name, number, request.tags))
        if origin.lineage is not None:
            _add_to_lineage(connection, dialect, origin.lineage, request.name, number)
        record(connection, context, _creation(request, origin, number))
        tags = tuple({tag.key: tag for tag in request.tags}.values())
        return registry_rows.model_version(tuple(row.values()), {(request.name, number): tags})

    return FoundModelVersion(model_version=context.database.retrying(write))


def get_model_version(request: GetModelVersion, context: Context) -> FoundModelVersion:
    check_name(request.name)
    number = parse_version(request.version)
    with context.database.read() as connection:
        return FoundModelVersion(model_version=_require_version(connection, request.name, number, request.version))


def get_model_version_download_uri(request: GetModelVersionDownloadUri, context: Context) -> DownloadUri:
    """Of a copy, where the files of the version are that it was copied from."""
    check_name(request.name)
    number = parse_version(request.version)
    with context.database.read() as connection:
        row = connection.execute(statements.SELECT_STORAGE, {"of_model": request.name, "number": number}).one_or_none()
    if row is None:
        raise no_version(request.name, request.version)
    return DownloadUri(artifact_uri=row.storage_location or row.source or "")


def search_model_versions(request: SearchModelVersions, context: Context) -> FoundModelVersions:
    query = select_model_version_page(request, context.database.dialect)
    with context.database.read() as connection:
        page = query.page_of_rows(fetch_rows(connection, query.statement))
        versions = fetch_versions(connection, page.rows)
    return FoundModelVersions(model_versions=versions or (), next_page_token=page.next_page_token)


def update_model_version(request: UpdateModelVersion, context: Context) -> FoundModelVersion:
    check_name(request.name)
    number = parse_version(request.version)
    check_width(request.description or "", "description", context.database.dialect)
    changes = {
        "of_model": request.name,
        "number": number,
        "new_description": request.description,
        "now": context.now(),
    }

    def write(connection: Connection) -> ModelVersion:
        if not connection.execute(statements.UPDATE_DESCRIPTION, changes).rowcount:
            raise no_version(request.name, request.version)
        return _require_version(connection, request.name, number, request.version)

    return FoundModelVersion(model_version=context.database.retrying(write))


def transition_model_version_stage(request: TransitionModelVersionStage, context: Context) -> FoundModelVersion:
    """With `archive_existing_versions`, the version takes the stage over from all others."""
    check_name(request.name)
    number = parse_version(request.version)
    stage = parse_stage(request.stage)
    if request.archive_existing_versions and stage not in ACTIVE_STAGES:
        raise InvalidParameter(
            f"Model version transition cannot archive existing model versions because '{stage}' is not an Active stage."
            f" Valid stages are {[active.value for active in ACTIVE_STAGES]}"
        )
    now = context.now()

    def write(connection: Connection) -> ModelVersion:
        _touch_model(connection, request.name, now, lambda name: no_version(name, request.version))
        of_version = {"of_model": request.name, "number": number, "now": now}
        if not connection.execute(statements.UPDATE_STAGE, {**of_version, "new_stage": stage.value}).rowcount:
            raise no_version(request.name, request.version)
        if request.archive_existing_versions:
            connection.execute(statements.ARCHIVE_OTHERS, {**of_version, "stage": stage.value})
        return _require_version(connection, request.name, number, request.version)

    return FoundModelVersion(model_version=context.database.retrying(write))


def delete_model_version(request: DeleteModelVersion, context: Context) -> Empty:
    """Its row stays without what it said, and its number is not used again; its aliases go."""
    check_name(request.name)
    number = parse_version(request.version)
    now = context.now()

    def write(connection: Connection) -> None:
        _touch_model(connection, request.name, now, lambda name: no_version(name, request.version))
        deleted = connection.execute(statements.DELETE, {"of_model": request.name, "number": number, "now": now})
        if not deleted.rowcount:
            raise no_version(request.name, request.version)
        connection.execute(model_statements.DELETE_ALIASES_OF_VERSION, {"of_model": request.name, "of_version": number})

    context.database.retrying(write)
    return Empty()


def set_model_version_tag(request: SetModelVersionTag, context: Context) -> Empty:
    check_name(request.name)
    number = parse_version(request.version)
    tag = Tag(request.key, request.value)
    check_tag(tag)
    dialect = context.database.dialect

    def write(connection: Connection) -> None:
        _check_there(connection, request.name, number, request.version)
        connection.execute(*statements.upsert_tags(dialect, request.name, number, [tag]))
        record(
            connection,
            context,
            VersionTagSet(name=request.name, version=str(number), key=request.key, value=request.value),
        )

    context.database.retrying(write)
    return Empty()


def delete_model_version_tag(request: DeleteModelVersionTag, context: Context) -> Empty:
    """One that is not there is deleted already."""
    check_name(request.name)
    number = parse_version(request.version)
    check_characters(request.key)

    def write(connection: Connection) -> None:
        _check_there(connection, request.name, number, request.version)
        connection.execute(statements.DELETE_TAG, {"of_model": request.name, "number": number, "tag_key": request.key})
        record(connection, context, VersionTagDeleted(name=request.name, version=str(number), key=request.key))

    context.database.retrying(write)
    return Empty()


def _check_new(request: CreateModelVersion, dialect: str) -> None:
    check_name(request.name)
    for index, tag in enumerate(request.tags):
        check_tag(tag, f"tags[{index}].")
    check_width(request.source, "source", dialect)
    check_width(request.run_id or "", "run_id", dialect)
    check_width(request.run_link, "run_link", dialect)
    check_width(request.description, "description", dialect)


def _new_row(request: CreateModelVersion, origin: Origin, number: int, now: int) -> dict[str, object]:
    """In the order of `statements.COLUMNS`."""
    return {
        "name": request.name,
        "version": number,
        "creation_time": now,
        "last_updated_time": now,
        "user_id": None,
        "current_stage": Stage.NONE.value,
        "description": request.description,
        "source": origin.source,
        "run_id": origin.run_id,
        "status": READY,
        "status_message": None,
        "run_link": request.run_link,
    }


def _creation(request: CreateModelVersion, origin: Origin, number: int) -> VersionCreated:
    return VersionCreated(
        name=request.name,
        version=str(number),
        source=origin.source,
        run_id=origin.run_id,
        tags=request.tags,
        description=request.description,
    )


def _touch_model(connection: Connection, name: str, now: int, missing: Callable[[str], Exception]) -> None:
    """Before every change of a version: those who change versions of one model take turns."""
    if not connection.execute(model_statements.TOUCH, {"of_model": name, "now": now}).rowcount:
        raise missing(name)


def _require_version(connection: Connection, name: str, number: int, version: str) -> ModelVersion:
    found = fetch_version(connection, name, number)
    if found is None:
        raise no_version(name, version)
    return found


def _check_there(connection: Connection, name: str, number: int, version: str) -> None:
    if connection.execute(statements.SELECT_STORAGE, {"of_model": name, "number": number}).one_or_none() is None:
        raise no_version(name, version)


def _add_to_lineage(connection: Connection, dialect: str, lineage: LineageOf, name: str, number: int) -> None:
    known = connection.execute(
        statements.SELECT_LINEAGE, {"of_model": lineage.model_id, "key": MODEL_VERSIONS_TAG}
    ).scalar_one_or_none()
    tag = Tag(MODEL_VERSIONS_TAG, json.dumps([*_parse_lineage(known), {"name": name, "version": number}]))
    connection.execute(*tag_statements.upsert_model_tags(dialect, lineage.model_id, lineage.experiment_id, [tag]))


def _parse_lineage(text: str | None) -> list[object]:
    """What is no list was put there by somebody's tag; it is not ours to throw away."""
    try:
        return msgspec.json.decode(text or "[]", type=list[object])
    except (msgspec.MsgspecError, RecursionError):
        raise InvalidParameter(
            f"The tag '{MODEL_VERSIONS_TAG}' of the logged model does not hold a JSON list; delete the tag first."
        ) from None
