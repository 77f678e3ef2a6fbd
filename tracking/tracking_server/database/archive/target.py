"""What a restore asks of its target: whether anything is in it before, and whether all is in it afterwards."""

from collections.abc import Sequence

from sqlalchemy import Connection

from tracking_server.database.archive.format import TableContent
from tracking_server.database.archive.names import StoredTable, quoted
from tracking_server.database.archive.tables import checksum_of
from tracking_server.errors import RestoreFailed


def refuse_used(connection: Connection, tables: Sequence[StoredTable]) -> None:
    """A database that was only made has its revisions and one workspace."""
    for table in tables:
        if table.name.startswith("alembic_version") or table.name == "workspaces":
            continue
        found = connection.exec_driver_sql(f"SELECT 1 FROM {quoted(table.name)} LIMIT 1")  # noqa: S608 - quoted
        if found.first() is not None:
            raise RestoreFailed(
                f"The database is not empty: it has rows in {table.name}. To replace all that is in it, add --replace."
            )


def verify_restored(connection: Connection, restored: Sequence[tuple[StoredTable, TableContent]]) -> None:
    """Reads all rows back and compares their numbers and checksums with those of the archive."""
    for table, content in restored:
        if checksum_of(connection, table) != content:
            raise RestoreFailed(
                f"The table {table.name} does not read back as it was archived. The database is as it was."
            )
