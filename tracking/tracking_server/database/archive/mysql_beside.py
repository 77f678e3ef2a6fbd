"""A database of MySQL and MariaDB beside the one that is worked on, for a while."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from tracking_server.database.archive.loading import execute_as_written
from tracking_server.database.archive.names import is_ours, quoted
from tracking_server.errors import CommandFailed

_LONGEST_NAME: Final = 64
_TABLES: Final = text("SELECT table_name FROM information_schema.tables WHERE table_schema = :database")


@contextmanager
def database_beside(
    connection: Connection,
    name: str,
    *,
    why: str,
    failure: type[CommandFailed],
    otherwise: str = "The database is as it was.",
) -> Generator[str]:
    """With the character set of the present one, and without what one that was killed has left in it.

    The connection holds the lock of migrations. `why` begins, and `otherwise` ends, what a `failure` says.
    """
    if len(name) > _LONGEST_NAME:
        raise failure(f"{why}, whose name would be too long, {name}: at most 64 characters. {otherwise}")
    _refuse_strange(connection, name, failure, why, otherwise)
    try:
        _drop(connection, name)
        kind, collation = connection.exec_driver_sql("SELECT @@character_set_database, @@collation_database").one()
        execute_as_written(
            connection, f"CREATE DATABASE {quoted(name, 'mysql')} CHARACTER SET {kind} COLLATE {collation}"
        )
    except DBAPIError as error:
        raise failure(
            f"{why}, and {name} cannot be made: {error.orig}. Allow it:"
            f" GRANT ALL ON `{name}`.* TO the user of the database. {otherwise}"
        ) from error
    try:
        yield name
    finally:
        if not connection.invalidated:
            connection.rollback()
            _refuse_strange(connection, name, failure, why, otherwise)
            _drop(connection, name)


def _refuse_strange(connection: Connection, name: str, failure: type[CommandFailed], why: str, otherwise: str) -> None:
    """Only what we make is dropped: a database of that name with other tables in it is somebody's."""
    if strange := [table for table in connection.scalars(_TABLES, {"database": name}) if not is_ours(table)]:
        raise failure(f"{why}, and {name} has tables of somebody else: {', '.join(strange)}. {otherwise}")


def _drop(connection: Connection, name: str) -> None:
    connection.exec_driver_sql("SET SESSION foreign_key_checks = 0")
    execute_as_written(connection, f"DROP DATABASE IF EXISTS {quoted(name, 'mysql')}")
