"""Registered models: create, read, change, rename, tag, delete and search them, and name their versions by aliases."""

from sqlalchemy import Connection

from tracking_server.database import registry_rows
from tracking_server.database.fetching import fetch_rows
from tracking_server.database.statements import model_versions as version_statements
from tracking_server.database.statements import registered_models as statements
from tracking_server.database.statements.registered_model_search import select_registered_model_page
from tracking_server.entities.experiments import DEFAULT_WORKSPACE
from tracking_server.entities.model_versions import FoundModelVersion, FoundModelVersions
from tracking_server.entities.registered_models import (
    CreateRegisteredModel,
    DeleteRegisteredModel,
    DeleteRegisteredModelAlias,
    DeleteRegisteredModelTag,
    FoundRegisteredModel,
    FoundRegisteredModels,
    GetLatestVersions,
    GetModelVersionByAlias,
    GetRegisteredModel,
    RegisteredModel,
    RenameRegisteredModel,
    SearchRegisteredModels,
    SetRegisteredModelAlias,
    SetRegisteredModelTag,
    UpdateRegisteredModel,
)
from tracking_server.entities.shapes import Empty
from tracking_server.entities.tags import Tag
from tracking_server.errors import AlreadyExists, DoesNotExist, InvalidParameter
from tracking_server.services.context import Context
from tracking_server.services.limits import check_characters
from tracking_server.services.registry_events import (
    AliasDeleted,
    AliasSet,
    ModelCreated,
    ModelTagDeleted,
    ModelTagSet,
    record,
)
from tracking_server.services.registry_limits import (
    check_alias,
    check_name,
    check_new_alias,
    check_tag,
    check_width,
    is_latest,
    is_prompt,
    is_prompt_mark,
    parse_stage,
    parse_version,
)
from tracking_server.services.registry_reading import (
    fetch_model,
    fetch_models,
    fetch_version,
    fetch_versions_with_aliases,
    no_model,
    no_version,
)


def create_registered_model(request: CreateRegisteredModel, context: Context) -> FoundRegisteredModel:
    """A prompt is created so too: it has the tag that says so."""
    dialect = context.database.dialect
    check_name(request.name)
    check_width(request.name, "name", dialect)
    check_width(request.description, "description", dialect)
    for index, tag in enumerate(request.tags):
        _check_tag(tag, dialect, f"tags[{index}].")
    now = context.now()

    def write(connection: Connection) -> RegisteredModel:
        _refuse_known_name(connection, request.name, wants_prompt=is_prompt(request.tags))
        row = {
            "workspace": DEFAULT_WORKSPACE,
            "name": request.name,
            "creation_time": now,
            "last_updated_time": now,
            "description": request.description,
        }
        connection.execute(statements.INSERT, row)
        if request.tags:
            connection.execute(*statements.upsert_tags(dialect, request.name, request.tags))
        record(
            connection,
            context,
            ModelCreated(name=request.name, tags=request.tags, description=request.description),
        )
        tags = tuple({tag.key: tag for tag in request.tags}.values())
        return registry_rows.registered_model((request.name, now, now, request.description), tags)

    return FoundRegisteredModel(registered_model=context.database.retrying(write))


def get_registered_model(request: GetRegisteredModel, context: Context) -> FoundRegisteredModel:
    check_name(request.name)
    with context.database.read() as connection:
        return FoundRegisteredModel(registered_model=fetch_model(connection, request.name))


def update_registered_model(request: UpdateRegisteredModel, context: Context) -> FoundRegisteredModel:
    check_name(request.name)
    check_width(request.description, "description", context.database.dialect)
    now = context.now()

    def write(connection: Connection) -> RegisteredModel:
        changed = connection.execute(
            statements.UPDATE_DESCRIPTION,
            {"of_model": request.name, "new_description": request.description, "now": now},
        )
        if not changed.rowcount:
            raise no_model(request.name)
        return fetch_model(connection, request.name)

    return FoundRegisteredModel(registered_model=context.database.retrying(write))


def rename_registered_model(request: RenameRegisteredModel, context: Context) -> FoundRegisteredModel:
    """Versions, tags and aliases follow. To a name that it has already: nothing but the times change."""
    check_name(request.name)
    check_name(request.new_name, "new_name")
    check_width(request.new_name, "new_name", context.database.dialect)
    now = context.now()

    def write(connection: Connection) -> RegisteredModel:
        old, new = (
            connection.execute(statements.SELECT_KIND, {"of_model": name}).one_or_none()
            for name in (request.name, request.new_name)
        )
        if old is None:
            raise no_model(request.name)
        if new is not None and new.name != old.name:  # the same in other letters, where the engine ignores their case
            raise AlreadyExists(f"Registered Model (name={request.new_name}) already exists.")
        connection.execute(statements.RENAME, {"of_model": request.name, "new_name": request.new_name, "now": now})
        connection.execute(statements.TOUCH_VERSIONS, {"of_model": request.new_name, "now": now})
        return fetch_model(connection, request.new_name)

    return FoundRegisteredModel(registered_model=context.database.retrying(write))


def delete_registered_model(request: DeleteRegisteredModel, context: Context) -> Empty:
    """For good, with all its versions, tags and aliases. Their numbers are free again."""
    check_name(request.name)

    def write(connection: Connection) -> None:
        lock_model(connection, request.name)
        for statement in statements.DELETE_WHOLE:
            connection.execute(statement, {"of_model": request.name})

    context.database.retrying(write)
    return Empty()


def search_registered_models(request: SearchRegisteredModels, context: Context) -> FoundRegisteredModels:
    query = select_registered_model_page(request, context.database.dialect)
    with context.database.read() as connection:
        page = query.page_of_rows(fetch_rows(connection, query.statement))
        models = fetch_models(connection, page.rows)
    return FoundRegisteredModels(registered_models=models or (), next_page_token=page.next_page_token)


def get_latest_versions(request: GetLatestVersions, context: Context) -> FoundModelVersions:
    check_name(request.name)
    stages = {parse_stage(stage) for stage in request.stages}
    with context.database.read() as connection:
        require_model(connection, request.name)
        found = fetch_rows(connection, version_statements.SELECT_LATEST, {"names": [request.name]})
        versions = [
            version
            for version in fetch_versions_with_aliases(connection, request.name, found)
            if not stages or version.current_stage in stages
        ]
    return FoundModelVersions(model_versions=versions or ())


def set_registered_model_tag(request: SetRegisteredModelTag, context: Context) -> Empty:
    check_name(request.name)
    tag = Tag(request.key, request.value)
    _check_tag(tag, context.database.dialect)

    def write(connection: Connection) -> None:
        lock_model(connection, request.name)
        connection.execute(*statements.upsert_tags(context.database.dialect, request.name, [tag]))
        record(connection, context, ModelTagSet(name=request.name, key=request.key, value=request.value))

    context.database.retrying(write)
    return Empty()


def delete_registered_model_tag(request: DeleteRegisteredModelTag, context: Context) -> Empty:
    """One that is not there is deleted already."""
    check_name(request.name)
    check_characters(request.key)

    def write(connection: Connection) -> None:
        lock_model(connection, request.name)
        connection.execute(statements.DELETE_TAG, {"of_model": request.name, "tag_key": request.key})
        record(connection, context, ModelTagDeleted(name=request.name, key=request.key))

    context.database.retrying(write)
    return Empty()


def set_registered_model_alias(request: SetRegisteredModelAlias, context: Context) -> Empty:
    """Moves the alias, when another version has it."""
    check_name(request.name)
    check_new_alias(request.alias)
    number = parse_version(request.version)

    def write(connection: Connection) -> None:
        known = connection.execute(statements.LOCK, {"of_model": request.name}).one_or_none()
        of_version = {"of_model": request.name, "number": number}
        if known is None or connection.execute(version_statements.SELECT_STORAGE, of_version).one_or_none() is None:
            raise no_version(request.name, request.version)
        connection.execute(*statements.upsert_alias(context.database.dialect, request.name, request.alias, number))
        record(connection, context, AliasSet(name=request.name, alias=request.alias, version=str(number)))

    context.database.retrying(write)
    return Empty()


def delete_registered_model_alias(request: DeleteRegisteredModelAlias, context: Context) -> Empty:
    """One that is not there is deleted already."""
    check_name(request.name)
    check_alias(request.alias)

    def write(connection: Connection) -> None:
        lock_model(connection, request.name)
        connection.execute(statements.DELETE_ALIAS, {"of_model": request.name, "of_alias": request.alias})
        record(connection, context, AliasDeleted(name=request.name, alias=request.alias))

    context.database.retrying(write)
    return Empty()


def get_model_version_by_alias(request: GetModelVersionByAlias, context: Context) -> FoundModelVersion:
    check_name(request.name)
    check_alias(request.alias)
    with context.database.read() as connection:
        require_model(connection, request.name)
        number = number_of_alias(connection, request.name, request.alias)
        version = fetch_version(connection, request.name, number)
    if version is None:
        raise no_version(request.name, number)
    return FoundModelVersion(model_version=version)


def number_of_alias(connection: Connection, name: str, alias: str) -> int:
    """A missing alias is InvalidParameter, as with MLflow's server, whose clients look at that."""
    if is_latest(alias):
        number = connection.execute(version_statements.SELECT_HIGHEST, {"of_model": name}).scalar_one_or_none()
        if number is None:
            raise DoesNotExist(f"Latest version not found for model {name}.")
    else:
        number = connection.execute(statements.SELECT_ALIAS, {"of_model": name, "of_alias": alias}).scalar_one_or_none()
        if number is None:
            raise InvalidParameter(f"Registered model alias {alias} not found.")
    return int(number)


def require_model(connection: Connection, name: str) -> bool:
    """Whether it is a prompt."""
    known = connection.execute(statements.SELECT_KIND, {"of_model": name}).one_or_none()
    if known is None:
        raise no_model(name)
    return is_prompt_mark(known.prompt_mark)


def lock_model(connection: Connection, name: str) -> bool:
    """Whether it is a prompt. Nobody else changes the model, its aliases or the list of its versions until the end."""
    known = connection.execute(statements.LOCK, {"of_model": name}).one_or_none()
    if known is None:
        raise no_model(name)
    return is_prompt_mark(known.prompt_mark)


def _refuse_known_name(connection: Connection, name: str, *, wants_prompt: bool) -> None:
    known = connection.execute(statements.SELECT_KIND, {"of_model": name}).one_or_none()
    if known is None:
        return
    has_prompt = is_prompt_mark(known.prompt_mark)
    if has_prompt == wants_prompt:
        raise AlreadyExists(f"{'Prompt' if has_prompt else 'Registered Model'} (name={name}) already exists.")
    wanted, found = ("prompt", "registered model") if wants_prompt else ("registered model", "prompt")
    raise AlreadyExists(
        f"Tried to create a {wanted} with name {name!r}, but the name is already taken by a {found}. MLflow does not"
        " allow creating a model and a prompt with the same name."
    )


def _check_tag(tag: Tag, dialect: str, place: str = "") -> None:
    check_tag(tag, place)
    check_width(tag.value, "tag value", dialect)
