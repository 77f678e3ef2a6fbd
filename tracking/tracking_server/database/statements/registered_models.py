"""Registered models, their tags and aliases: reading and changing single ones. Searching is `registry_search`."""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import Delete, Select, Update, bindparam, delete, insert, select, update

from tracking_server.database.schema import (
    model_version_tags,
    model_versions,
    registered_model_aliases,
    registered_model_tags,
    registered_models,
)
from tracking_server.database.statements.bulk_insert import BulkInsert, Prepared
from tracking_server.database.statements.locking import LOCK_ON_SQL_SERVER
from tracking_server.entities.experiments import DEFAULT_WORKSPACE
from tracking_server.entities.tags import IS_PROMPT_TAG, Tag

COLUMNS: Final = (
    registered_models.c.name,
    registered_models.c.creation_time,
    registered_models.c.last_updated_time,
    registered_models.c.description,
)
"""What `database.registry_rows.registered_model` reads, in its order."""

_THIS: Final = (
    registered_models.c.workspace == DEFAULT_WORKSPACE,
    registered_models.c.name == bindparam("of_model"),
)
_PROMPT_MARK: Final = (
    select(registered_model_tags.c.value)
    .where(
        registered_model_tags.c.workspace == DEFAULT_WORKSPACE,
        registered_model_tags.c.name == registered_models.c.name,
        registered_model_tags.c.key == IS_PROMPT_TAG,
    )
    .scalar_subquery()
    .label("prompt_mark")
)

SELECT = select(*COLUMNS).where(*_THIS)
SELECT_KIND = select(registered_models.c.name, _PROMPT_MARK).where(*_THIS)
"""The name and, if there is one, the value of the tag that makes a prompt of it."""
LOCK = SELECT_KIND.with_for_update(of=registered_models).with_hint(registered_models, LOCK_ON_SQL_SERVER, "mssql")
"""Keeps its versions and aliases from going, and itself from being renamed, while something is added to it."""

INSERT = insert(registered_models)
UPDATE_DESCRIPTION: Update = (
    update(registered_models)
    .where(*_THIS)
    .values(description=bindparam("new_description"), last_updated_time=bindparam("now"))
)
TOUCH: Update = update(registered_models).where(*_THIS).values(last_updated_time=bindparam("now"))
"""Locks it too, so it comes before every change of its versions: their writers take turns."""
RENAME: Update = (
    update(registered_models).where(*_THIS).values(name=bindparam("new_name"), last_updated_time=bindparam("now"))
)
"""The schema's cascades rename versions, tags and aliases."""
TOUCH_VERSIONS: Update = (
    update(model_versions)
    .where(model_versions.c.workspace == DEFAULT_WORKSPACE, model_versions.c.name == bindparam("of_model"))
    .values(last_updated_time=bindparam("now"))
)


DELETE_WHOLE: Final[tuple[Delete, ...]] = tuple(
    delete(table).where(table.c.workspace == DEFAULT_WORKSPACE, table.c.name == bindparam("of_model"))
    for table in (
        model_version_tags,
        model_versions,
        registered_model_aliases,
        registered_model_tags,
        registered_models,
    )
)
"""The model with all that hangs on it, in the order that foreign keys want."""


# Tags

_TAGS = BulkInsert(
    [registered_model_tags.c.key, registered_model_tags.c.value],
    same=[registered_model_tags.c.name, registered_model_tags.c.workspace],
    replace=[registered_model_tags.c.value],
)
SELECT_TAGS: Select[str, str, str | None] = (
    select(registered_model_tags.c.name, registered_model_tags.c.key, registered_model_tags.c.value)
    .where(
        registered_model_tags.c.workspace == DEFAULT_WORKSPACE,
        registered_model_tags.c.name.in_(bindparam("names", expanding=True)),
    )
    .order_by(registered_model_tags.c.name, registered_model_tags.c.key)
)
DELETE_TAG: Delete = delete(registered_model_tags).where(
    registered_model_tags.c.workspace == DEFAULT_WORKSPACE,
    registered_model_tags.c.name == bindparam("of_model"),
    registered_model_tags.c.key == bindparam("tag_key"),
)


def upsert_tags(dialect: str, name: str, given: Iterable[Tag]) -> Prepared:
    """The last one of a key wins."""
    rows = sorted({tag.key: tag.value for tag in given}.items())
    return _TAGS.prepare(dialect, rows, name=name, workspace=DEFAULT_WORKSPACE)


# Aliases

_ALIASES = BulkInsert(
    [registered_model_aliases.c.alias, registered_model_aliases.c.version],
    same=[registered_model_aliases.c.name, registered_model_aliases.c.workspace],
    replace=[registered_model_aliases.c.version],
)
SELECT_ALIASES: Select[str, str, int] = (
    select(registered_model_aliases.c.name, registered_model_aliases.c.alias, registered_model_aliases.c.version)
    .where(
        registered_model_aliases.c.workspace == DEFAULT_WORKSPACE,
        registered_model_aliases.c.name.in_(bindparam("names", expanding=True)),
    )
    .order_by(registered_model_aliases.c.name, registered_model_aliases.c.alias)
)
SELECT_ALIAS: Select[int] = select(registered_model_aliases.c.version).where(
    registered_model_aliases.c.workspace == DEFAULT_WORKSPACE,
    registered_model_aliases.c.name == bindparam("of_model"),
    registered_model_aliases.c.alias == bindparam("of_alias"),
)
DELETE_ALIAS: Delete = delete(registered_model_aliases).where(
    registered_model_aliases.c.workspace == DEFAULT_WORKSPACE,
    registered_model_aliases.c.name == bindparam("of_model"),
    registered_model_aliases.c.alias == bindparam("of_alias"),
)
DELETE_ALIASES_OF_VERSION: Delete = delete(registered_model_aliases).where(
    registered_model_aliases.c.workspace == DEFAULT_WORKSPACE,
    registered_model_aliases.c.name == bindparam("of_model"),
    registered_model_aliases.c.version == bindparam("of_version"),
)


def upsert_alias(dialect: str, name: str, alias: str, version: int) -> Prepared:
    return _ALIASES.prepare(dialect, [(alias, version)], name=name, workspace=DEFAULT_WORKSPACE)
