"""Restores into PostgreSQL: one transaction that makes the tables anew, so that all is as it was until it commits.

What belongs to the tables and is not in an archive, privileges, is carried over from those that were there.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final, cast

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from tracking_server.database.archive.contents import ArchivedTable, ArchiveSource
from tracking_server.database.archive.loading import execute_as_written, load
from tracking_server.database.archive.names import quoted
from tracking_server.database.archive.postgresql_schema import postgresql_tables
from tracking_server.database.archive.target import refuse_used, verify_restored
from tracking_server.errors import RestoreFailed

_PRIVILEGES: Final = text("""
    SELECT table_name, format('GRANT %s ON TABLE %I TO %s%s', privilege_type, table_name,
        CASE grantee WHEN 'PUBLIC' THEN 'PUBLIC' ELSE quote_ident(grantee) END,
        CASE is_grantable WHEN 'YES' THEN ' WITH GRANT OPTION' ELSE '' END)
    FROM information_schema.role_table_grants
    WHERE table_schema = current_schema() AND grantee <> grantor ORDER BY 1, 2
""")


def restore_postgresql(source: ArchiveSource, connection: Connection, *, replace: bool) -> None:
    """The connection holds the migration lock, and no transaction. Raises RestoreFailed, ArchiveDamaged, OSError."""
    driver_error: type[Exception] = cast(Any, connection.dialect).loaded_dbapi.Error
    try:
        with connection.begin():
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            old = postgresql_tables(connection)
            if not replace:
                refuse_used(connection, old)
            _restore(source, connection, [table.name for table in old])
    except (DBAPIError, driver_error) as error:
        reason = error.orig if isinstance(error, DBAPIError) else error
        raise RestoreFailed(
            f"PostgreSQL does not take the archive: {str(reason).strip()} The database is as it was."
        ) from error


def _restore(source: ArchiveSource, connection: Connection, old: Sequence[str]) -> None:
    privileges = connection.execute(_PRIVILEGES).all()
    if old:
        execute_as_written(connection, f"DROP TABLE {', '.join(map(quoted, old))}")
    loaded = load(source, partial(execute_as_written, connection), partial(_copy, connection))
    kept = {each.table.name for each in loaded}.intersection(old)
    for table_name, grant in privileges:
        if table_name in kept:
            execute_as_written(connection, grant)
    verify_restored(connection, loaded)


def _copy(connection: Connection, table: ArchivedTable) -> None:
    columns = ", ".join(quoted(column.name) for column in table.columns)
    raw = cast(Any, connection.connection.dbapi_connection)
    with raw.cursor() as cursor, cursor.copy(f"COPY {quoted(table.name)} ({columns}) FROM STDIN (FREEZE)") as copy:
        for row in table.rows:
            copy.write_row(row)
