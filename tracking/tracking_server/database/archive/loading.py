"""The tables of an archive into a database that lacks them: its statements before the rows, the rows, those after."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from tracking_server.database.archive.contents import ArchivedTable, ArchiveSource, Batch, read_tables
from tracking_server.database.archive.crossing import Crossing
from tracking_server.database.archive.fingerprint import Fingerprint
from tracking_server.database.archive.names import StoredTable


@dataclass(frozen=True, kw_only=True, slots=True)
class Loaded:
    """What was given to a database, to be compared with what it has."""

    table: StoredTable
    fingerprint: Fingerprint


def load(
    source: ArchiveSource,
    execute: Callable[[str], object],
    fill: Callable[[ArchivedTable], None],
    is_for_later: Callable[[str], bool] = lambda _: False,
) -> Sequence[Loaded]:
    """What was loaded, to be verified. `is_for_later`: statements that are left to the caller."""
    for statement in source.manifest.native_schema.before_rows:
        execute(statement)
    loaded: list[Loaded] = []
    for table in read_tables(source):
        fingerprint = Fingerprint()
        fitted = source.fitted(table) if isinstance(source, Crossing) else table
        fill(replace(fitted, batches=_noted(fitted.batches, fingerprint)))
        loaded.append(Loaded(table=StoredTable(name=table.name, columns=table.columns), fingerprint=fingerprint))
    for statement in source.manifest.native_schema.after_rows:
        if not is_for_later(statement):
            execute(statement)
    return loaded


def _noted(batches: Iterator[Batch], fingerprint: Fingerprint) -> Iterator[Batch]:
    for batch in batches:
        fingerprint.add(batch.lines)
        yield batch


def execute_as_written(connection: Connection, statement: str) -> None:
    """Without parameters, so that a percent sign is one."""
    connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
