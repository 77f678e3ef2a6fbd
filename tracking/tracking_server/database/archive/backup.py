"""Takes a backup: one snapshot of the database, streamed into one archive."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from tracking_server.database.archive.contents import verify
from tracking_server.database.archive.files import ArchiveReader, archive_path, new_archive
from tracking_server.database.archive.format import (
    FORMAT,
    ArchiveDamaged,
    Checksum,
    Manifest,
    TableContent,
    encode_header,
)
from tracking_server.database.archive.names import quoted
from tracking_server.database.archive.tables import StoredSchema, encoded_rows, read_schema
from tracking_server.database.transactions import Database
from tracking_server.errors import BackupFailed


@dataclass(frozen=True, kw_only=True, slots=True)
class Archive:
    path: Path
    manifest: Manifest
    size_bytes: int
    sha256: str


def back_up(database: Database, destination: Path, *, now: datetime, tool: str) -> Archive:
    """Into a new file in a folder, or of that name. Raises BackupFailed; then no file is there."""
    if database.url.path is not None and not database.url.path.exists():
        raise BackupFailed(f"There is no database {database.url.path}.")
    path = archive_path(destination, now)
    with database.snapshot() as connection:
        schema = read_schema(connection)
        if not schema.tables:
            raise BackupFailed("The database is empty: there is nothing to back up.")
        with new_archive(path) as writer:
            manifest = read_all(connection, schema, writer.write, now=now, tool=tool)
            sha256 = writer.finish(manifest)
    return Archive(path=path, manifest=manifest, size_bytes=writer.size_bytes, sha256=sha256)


def verify_archive(path: Path) -> Archive:
    """Reads all of it back. Raises BackupFailed, which says what is wrong with it."""
    try:
        with path.open("rb") as file:
            reader = ArchiveReader(file)
            verify(reader)
            return Archive(path=path, manifest=reader.manifest, size_bytes=reader.size_bytes, sha256=reader.sha256())
    except OSError as error:
        raise BackupFailed(f"The archive {path} cannot be read: {error.strerror or error}.") from error
    except ArchiveDamaged as error:
        raise BackupFailed(f"{path} is not a whole archive. {error.message}") from error


def read_all(
    connection: Connection, schema: StoredSchema, write: Callable[[bytes], None], *, now: datetime, tool: str
) -> Manifest:
    """Every line of the archive is written once."""
    contents: list[TableContent] = []
    for table in schema.tables:
        checksum = Checksum()
        write(encode_header(table.name, table.columns))
        for line in encoded_rows(connection, table):
            checksum.add(line)
            write(line)
        contents.append(checksum.content(table.name))
    return Manifest(
        format=FORMAT,
        tool=tool,
        created_at=now.isoformat(timespec="seconds"),
        dialect=connection.dialect.name,
        mlflow=_revision(connection, schema, "alembic_version"),
        trackplane=_revision(connection, schema, "alembic_version_trackplane"),
        tables=tuple(contents),
        left_out=tuple(schema.left_out),
        native_schema=schema.native,
    )


def _revision(connection: Connection, schema: StoredSchema, table: str) -> str | None:
    if table not in {stored.name for stored in schema.tables}:
        return None
    name = quoted(table, connection.dialect.name)
    found = connection.exec_driver_sql(f"SELECT version_num FROM {name} ORDER BY 1")  # noqa: S608 - our name
    return ", ".join(found.scalars()) or None
