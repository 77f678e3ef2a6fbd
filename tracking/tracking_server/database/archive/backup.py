"""Takes a backup: one snapshot of the database, streamed into one archive."""

import io
import secrets
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from tracking_server.database.archive.contents import verify
from tracking_server.database.archive.encryption import SALT_BYTES, SealingSink, Sink
from tracking_server.database.archive.files import (
    READ_BYTES,
    ArchiveWriter,
    DigestedFile,
    DigestedSink,
    archive_name,
    new_file,
    open_archive,
)
from tracking_server.database.archive.format import (
    FORMAT,
    ArchiveDamaged,
    Checksum,
    Manifest,
    TableContent,
    encode_header,
)
from tracking_server.database.archive.keys import BackupKey
from tracking_server.database.archive.names import quoted
from tracking_server.database.archive.tables import StoredSchema, encoded_lines, read_schema
from tracking_server.database.identity import id_in
from tracking_server.database.transactions import Database
from tracking_server.errors import BackupFailed


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """What is in an archive, and the size and digest of its file as it is kept."""

    manifest: Manifest
    size_bytes: int
    sha256: str
    key_id: str | None
    """Of the key that it is encrypted with."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Archive(Written):
    path: Path


def back_up(
    database: Database, destination: Path, *, now: datetime, tool: str, key: BackupKey | None = None
) -> Archive:
    """Into a new file in a folder, or of that name. Raises BackupFailed; then no file is there."""
    path = destination
    if destination.is_dir():
        path = destination / archive_name(now, is_encrypted=key is not None)
    written = write_archive(database, lambda: new_file(path), now=now, tool=tool, key=key)
    return _at(path, written)


def verify_archive(path: Path, keys: Sequence[BackupKey] = ()) -> Archive:
    """Reads all of it back. Raises BackupFailed, which says what is wrong with it."""
    with unreadable(str(path)), path.open("rb", buffering=0) as file:
        return _at(path, read_back(file, keys))


def _at(path: Path, written: Written) -> Archive:
    return Archive(
        path=path,
        manifest=written.manifest,
        size_bytes=written.size_bytes,
        sha256=written.sha256,
        key_id=written.key_id,
    )


def write_archive(
    database: Database,
    create: Callable[[], AbstractContextManager[Sink]],
    *,
    now: datetime,
    tool: str,
    key: BackupKey | None = None,
) -> Written:
    """Into what `create` opens, which keeps it only when the block ends well. Raises BackupFailed."""
    if database.url.path is not None and not database.url.path.exists():
        raise BackupFailed(f"There is no database {database.url.path}.")
    with database.snapshot() as connection:
        schema = read_schema(connection)
        if not schema.tables:
            raise BackupFailed("The database is empty: there is nothing to back up.")
        with create() as sink:
            digested = DigestedSink(sink)
            sealing = SealingSink(digested, key, secrets.token_bytes(SALT_BYTES)) if key else None
            writer = ArchiveWriter(sealing or digested)
            manifest = read_all(connection, schema, writer.write, now=now, tool=tool)
            writer.finish(manifest)
            if sealing is not None:
                sealing.finish()
    return Written(
        manifest=manifest,
        size_bytes=digested.size_bytes,
        sha256=digested.sha256(),
        key_id=key.id if key else None,
    )


def read_back(file: io.RawIOBase, keys: Sequence[BackupKey] = ()) -> Written:
    """All of it, once. Raises ArchiveDamaged, OSError, and ConfigInvalid when its key is not there."""
    digested = DigestedFile(file)
    reader = open_archive(io.BufferedReader(digested, READ_BYTES), keys)
    verify(reader)
    return Written(
        manifest=reader.manifest,
        size_bytes=digested.size_bytes,
        sha256=digested.sha256(),
        key_id=reader.key_id,
    )


@contextmanager
def unreadable(name: str) -> Generator[None]:
    """What keeps the archive from being read is told as BackupFailed."""
    try:
        yield
    except OSError as error:
        raise BackupFailed(f"The archive {name} cannot be read: {error.strerror or error}.") from error
    except ArchiveDamaged as error:
        raise BackupFailed(f"{name} is not a whole archive. {error.message}") from error


def read_all(
    connection: Connection, schema: StoredSchema, write: Callable[[bytes], None], *, now: datetime, tool: str
) -> Manifest:
    """Every line of the archive is written once, many at a time."""
    contents: list[TableContent] = []
    for table in schema.tables:
        checksum = Checksum()
        write(encode_header(table.name, table.columns))
        for lines in encoded_lines(connection, table):
            checksum.add(lines)
            write(b"".join(lines))
        contents.append(checksum.content(table.name))
    return Manifest(
        format=FORMAT,
        tool=tool,
        created_at=now.isoformat(timespec="seconds"),
        dialect=connection.dialect.name,
        database=id_in(connection),
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
