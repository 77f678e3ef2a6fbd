"""Versions of registered models and their tags: reading and changing single ones. Searching is `registry_search`.

A version that was deleted keeps its row, so that its number is not used again, and is seen by nobody.
"""

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import ColumnElement, Delete, Select, Update, bindparam, delete, func, insert, select, update

from tracking_server.database.schema import (
    experiments,
    logged_model_tags,
    logged_models,
    model_version_tags,
    model_versions,
    runs,
)
from tracking_server.database.statements.bulk_insert import BulkInsert, Prepared
from tracking_server.database.statements.collect import DELETED_VERSION
from tracking_server.database.statements.locking import LOCK_ON_SQL_SERVER
from tracking_server.entities.experiments import DEFAULT_WORKSPACE
from tracking_server.entities.model_versions import Stage
from tracking_server.entities.tags import Tag

COLUMNS: Final = (
    model_versions.c.name,
    model_versions.c.version,
    model_versions.c.creation_time,
    model_versions.c.last_updated_time,
    model_versions.c.user_id,
    model_versions.c.current_stage,
    model_versions.c.description,
    model_versions.c.source,
    model_versions.c.run_id,
    model_versions.c.status,
    model_versions.c.status_message,
    model_versions.c.run_link,
)
"""What `database.registry_rows.model_version` reads, in its order."""

LIVE: Final[tuple[ColumnElement[bool], ...]] = (
    model_versions.c.workspace == DEFAULT_WORKSPACE,
    model_versions.c.current_stage != DELETED_VERSION,
)
_OF_MODEL: Final = (
    model_versions.c.workspace == DEFAULT_WORKSPACE,
    model_versions.c.name == bindparam("of_model"),
)
_THIS: Final = (*LIVE, model_versions.c.name == bindparam("of_model"), model_versions.c.version == bindparam("number"))

SELECT = select(*COLUMNS).where(*_THIS)
SELECT_STORAGE: Select[int, str | None, str | None, str | None] = select(
    model_versions.c.version, model_versions.c.run_id, model_versions.c.source, model_versions.c.storage_location
).where(*_THIS)
SELECT_HIGHEST_EVER: Select[Any] = select(func.coalesce(func.max(model_versions.c.version), 0)).where(*_OF_MODEL)
SELECT_HIGHEST: Select[Any] = select(func.max(model_versions.c.version)).where(
    *LIVE, model_versions.c.name == bindparam("of_model")
)
SELECT_HIGHEST_OF_STAGE: Select[Any] = SELECT_HIGHEST.where(model_versions.c.current_stage == bindparam("stage"))

INSERT = insert(model_versions)
UPDATE_DESCRIPTION: Update = (
    update(model_versions)
    .where(*_THIS)
    .values(description=bindparam("new_description"), last_updated_time=bindparam("now"))
)
UPDATE_STAGE: Update = (
    update(model_versions)
    .where(*_THIS)
    .values(current_stage=bindparam("new_stage"), last_updated_time=bindparam("now"))
)
ARCHIVE_OTHERS: Update = (
    update(model_versions)
    .where(
        *_OF_MODEL,
        model_versions.c.version != bindparam("number"),
        model_versions.c.current_stage == bindparam("stage"),
    )
    .values(current_stage=Stage.ARCHIVED.value, last_updated_time=bindparam("now"))
)
DELETE: Update = (
    update(model_versions)
    .where(*_THIS)
    .values(
        current_stage=DELETED_VERSION,
        last_updated_time=bindparam("now"),
        description=None,
        user_id=None,
        status_message=None,
        source="REDACTED-SOURCE-PATH",
        run_id="REDACTED-RUN-ID",
        run_link="REDACTED-RUN-LINK",
    )
)
"""What MLflow's server leaves of it."""

_age = (
    func.row_number()
    .over(
        partition_by=(model_versions.c.name, model_versions.c.current_stage), order_by=model_versions.c.version.desc()
    )
    .label("age")
)
_aged = (
    select(*COLUMNS, _age).where(*LIVE, model_versions.c.name.in_(bindparam("names", expanding=True))).subquery("aged")
)
SELECT_LATEST: Select[*tuple[Any, ...]] = (
    select(*(_aged.c[column.name] for column in COLUMNS))
    .where(_aged.c.age == 1)
    .order_by(_aged.c.name, _aged.c.version)
)
"""Of each model and stage the version with the highest number."""


# Tags

_TAGS = BulkInsert(
    [model_version_tags.c.key, model_version_tags.c.value],
    same=[model_version_tags.c.name, model_version_tags.c.version, model_version_tags.c.workspace],
    replace=[model_version_tags.c.value],
)
SELECT_TAGS: Select[str, int, str, str | None] = (
    select(
        model_version_tags.c.name, model_version_tags.c.version, model_version_tags.c.key, model_version_tags.c.value
    )
    .where(
        model_version_tags.c.workspace == DEFAULT_WORKSPACE,
        model_version_tags.c.name.in_(bindparam("names", expanding=True)),
        model_version_tags.c.version.in_(bindparam("numbers", expanding=True)),
    )
    .order_by(model_version_tags.c.name, model_version_tags.c.version, model_version_tags.c.key)
)
"""Of all these numbers of all these names: a little more than the pairs, which not every engine can compare with."""
DELETE_TAG: Delete = delete(model_version_tags).where(
    model_version_tags.c.workspace == DEFAULT_WORKSPACE,
    model_version_tags.c.name == bindparam("of_model"),
    model_version_tags.c.version == bindparam("number"),
    model_version_tags.c.key == bindparam("tag_key"),
)


def upsert_tags(dialect: str, name: str, version: int, given: Iterable[Tag]) -> Prepared:
    """The last one of a key wins."""
    rows = sorted({tag.key: tag.value for tag in given}.items())
    return _TAGS.prepare(dialect, rows, name=name, version=version, workspace=DEFAULT_WORKSPACE)


# What a version comes from

LOCK_RUNS: Select[str, str | None, str | None] = (
    select(runs.c.run_uuid, runs.c.lifecycle_stage, runs.c.artifact_uri)
    .where(runs.c.run_uuid.in_(bindparam("ids", expanding=True)))
    .with_for_update(read=True)
    .with_hint(runs, LOCK_ON_SQL_SERVER, "mssql")
)
"""Garbage collection locks what it is about to remove, so it waits until the version is there to be seen."""
LOCK_LOGGED_MODELS: Select[*tuple[Any, ...]] = (
    select(
        logged_models.c.model_id,
        logged_models.c.lifecycle_stage,
        logged_models.c.artifact_location,
        logged_models.c.source_run_id,
        logged_models.c.experiment_id,
        experiments.c.lifecycle_stage.label("experiment_stage"),
    )
    .select_from(logged_models.join(experiments, experiments.c.experiment_id == logged_models.c.experiment_id))
    .where(logged_models.c.model_id.in_(bindparam("ids", expanding=True)))
    .with_for_update(of=logged_models, key_share=True)
    .with_hint(logged_models, LOCK_ON_SQL_SERVER, "mssql")
)
"""Those who add a version to the list in the model's tag take turns, too."""
SELECT_LINEAGE: Select[str] = select(logged_model_tags.c.tag_value).where(
    logged_model_tags.c.model_id == bindparam("of_model"), logged_model_tags.c.tag_key == bindparam("key")
)
