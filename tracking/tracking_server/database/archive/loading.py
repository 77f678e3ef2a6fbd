"""The tables of an archive into a database that lacks them: its statements before the rows, the rows, those after."""

from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from tracking_server.database.archive.contents import ArchivedTable, ArchiveSource, read_tables
from tracking_server.database.archive.format import TableContent
from tracking_server.database.archive.names import StoredTable


def load(
    source: ArchiveSource,
    connection: Connection,
    fill: Callable[[Connection, ArchivedTable], None],
    is_for_later: Callable[[str], bool] = lambda _: False,
) -> Sequence[tuple[StoredTable, TableContent]]:
    """What was loaded, to be verified. `is_for_later`: statements that are left to the caller."""
    for statement in source.manifest.native_schema.before_rows:
        execute_as_written(connection, statement)
    loaded: list[tuple[StoredTable, TableContent]] = []
    for table in read_tables(source):
        fill(connection, table)
        loaded.append((StoredTable(name=table.name, columns=table.columns), table.content))
    for statement in source.manifest.native_schema.after_rows:
        if not is_for_later(statement):
            execute_as_written(connection, statement)
    return loaded


def execute_as_written(connection: Connection, statement: str) -> None:
    """Without parameters, so that a percent sign is one."""
    connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
