"""Runs: reading and changing single ones. Searching them is `run_search`."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Update, bindparam, insert, select, update

from tracking_server.database.schema import runs, tags
from tracking_server.database.statements.bulk_insert import Prepared, columnar, postgresql_insert
from tracking_server.database.statements.tags import upsert_run_tags
from tracking_server.entities.tags import Tag

COLUMNS = (
    runs.c.run_uuid,
    runs.c.name,
    runs.c.experiment_id,
    runs.c.user_id,
    runs.c.status,
    runs.c.start_time,
    runs.c.end_time,
    runs.c.artifact_uri,
    runs.c.lifecycle_stage,
)
"""What `database.rows.run_info` reads, in its order."""

SELECT = select(*COLUMNS).where(runs.c.run_uuid == bindparam("run_id"))
SELECT_STAGE = select(runs.c.lifecycle_stage, runs.c.experiment_id).where(runs.c.run_uuid == bindparam("run_id"))
INSERT = insert(runs)
_INSERT_WITH_TAGS_ON_POSTGRESQL = postgresql_insert([tags.c.key, tags.c.value], [tags.c.run_uuid]).add_cte(
    INSERT.values({each.name: bindparam(each.name, type_=each.type) for each in runs.columns}).cte("run")
)
DELETE: Update = (
    update(runs)
    .where(runs.c.run_uuid == bindparam("of_run"))
    .values(lifecycle_stage="deleted", deleted_time=bindparam("now"))
)
RESTORE: Update = (
    update(runs).where(runs.c.run_uuid == bindparam("of_run")).values(lifecycle_stage="active", deleted_time=None)
)
DELETE_ALL_OF_EXPERIMENT: Update = (
    update(runs)
    .where(runs.c.experiment_id == bindparam("of_experiment"))
    .values(lifecycle_stage="deleted", deleted_time=bindparam("now"))
)
RESTORE_ALL_OF_EXPERIMENT: Update = (
    update(runs)
    .where(runs.c.experiment_id == bindparam("of_experiment"))
    .values(lifecycle_stage="active", deleted_time=None)
)
RENAME: Update = update(runs).where(runs.c.run_uuid == bindparam("of_run")).values(name=bindparam("new_name"))


def insert_run(dialect: str, row: Mapping[str, object], run_id: str, given: Sequence[Tag]) -> tuple[Prepared, ...]:
    """A new run, with all columns, and its tags, of which there is at least one and no key twice. PostgreSQL takes
    both in one statement."""
    if dialect == "postgresql":
        columns = columnar(("key", "value"), sorted((tag.key, tag.value) for tag in given))
        return (Prepared(_INSERT_WITH_TAGS_ON_POSTGRESQL, {**row, **columns}),)
    return Prepared(INSERT, row), upsert_run_tags(dialect, run_id, given)


def update_run(run_id: str, changes: Mapping[str, object]) -> Prepared:
    """`changes`: fields of RunInfo, at least one."""
    columns = {("name" if field == "run_name" else field): value for field, value in changes.items()}
    return Prepared(update(runs).where(runs.c.run_uuid == bindparam("of_run")).values(columns), {"of_run": run_id})
