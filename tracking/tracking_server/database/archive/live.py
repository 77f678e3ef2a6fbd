"""A database read as if it were an archive, for a copy that needs no file between: one snapshot, read several times."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection

from tracking_server.database.archive.backup import read_all
from tracking_server.database.archive.format import Manifest, encode_header
from tracking_server.database.archive.restore import Restored, restore_source
from tracking_server.database.archive.tables import StoredSchema, encoded_lines, read_schema
from tracking_server.database.transactions import Database
from tracking_server.errors import RestoreFailed


class LiveSource:
    """The first reading counts the rows and their checksums, as a backup would."""

    def __init__(self, connection: Connection, schema: StoredSchema, *, now: datetime, tool: str) -> None:
        self._connection = connection
        self._schema = schema
        self._manifest = read_all(connection, schema, lambda _: None, now=now, tool=tool)

    @property
    def manifest(self) -> Manifest:
        return self._manifest

    def blocks(self) -> Iterator[Sequence[bytes]]:
        for table in self._schema.tables:
            yield [encode_header(table.name, table.columns)]
            yield from encoded_lines(self._connection, table)


def copy_database(source: Database, target: Database, *, now: datetime, tool: str) -> Restored:
    """Into an empty database, of the same engine or of another. Raises RestoreFailed, BackupFailed, LockBusy."""
    if source.url.path is not None and not source.url.path.exists():
        raise RestoreFailed(f"There is no database {source.url.path}.")
    with source.snapshot() as connection:
        schema = read_schema(connection)
        if not schema.tables:
            raise RestoreFailed(f"The database {source.url.masked} is empty: there is nothing to copy.")
        return restore_source(target, LiveSource(connection, schema, now=now, tool=tool), replace=False)
