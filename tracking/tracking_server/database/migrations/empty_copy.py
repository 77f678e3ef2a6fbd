"""An empty copy of the tables of a database, on a connection of its own, for as long as it is looked at.

SQLite: in memory. PostgreSQL: a schema in a transaction that is never committed, which nobody else sees or waits for.
MySQL and MariaDB, whose changes of tables commit at once: a database beside, under the lock of migrations.
"""

import sqlite3
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Final, cast

from sqlalchemy import Connection, insert
from sqlalchemy.exc import DBAPIError

from tracking_server.database import schema
from tracking_server.database.archive.format import NativeSchema
from tracking_server.database.archive.loading import execute_as_written
from tracking_server.database.archive.mysql_beside import database_beside
from tracking_server.database.archive.mysql_schema import mysql_native_schema
from tracking_server.database.archive.postgresql_schema import postgresql_native_schema
from tracking_server.database.archive.sqlite_schema import sqlite_native_schema
from tracking_server.database.check import NOT_MIGRATED, Facts
from tracking_server.database.lock import migration_lock
from tracking_server.database.transactions import Database, open_database, translated
from tracking_server.errors import ConfigInvalid, MigrationFailed

BESIDE: Final = "_trackplane_dry_run"
"""What the database beside has at the end of its name."""
_INSTEAD: Final = "Nothing was changed; `trackplane db check` tells the steps without it."


@contextmanager
def empty_copy(database: Database, facts: Facts, *, wait_seconds: float) -> Generator[Connection]:
    """In a transaction that ends with the block. `facts`: what is recorded there, and so in the copy.

    Raises ConfigInvalid where the account may not make one, MigrationFailed where nobody can, and LockBusy.
    """
    match database.dialect:
        case "sqlite":
            with _in_memory(database) as connection:
                _record(connection, facts)
                yield connection
        case "postgresql":
            with _in_a_schema(database) as connection:
                _record(connection, facts)
                yield connection
        case "mysql":
            with _in_a_database(database, wait_seconds) as connection:
                _record(connection, facts)
                yield connection
        case _:
            raise ConfigInvalid(NOT_MIGRATED)


@contextmanager
def _in_memory(database: Database) -> Generator[Connection]:
    statements = _sqlite_statements(database)
    copy = open_database("sqlite://")
    try:
        with translated(), copy.engine.connect() as connection:
            raw = cast(sqlite3.Connection, connection.connection.dbapi_connection)
            raw.execute("PRAGMA foreign_keys = OFF").close()  # as while a step is taken
            with connection.begin() as transaction:
                _make(connection, statements)
                yield connection
                transaction.rollback()
    finally:
        copy.dispose()


def _sqlite_statements(database: Database) -> Sequence[str]:
    if database.url.path is not None and not database.url.path.exists():
        return ()
    looking = Database(database.url, replace(database.options, read_only=True)) if database.url.path else database
    try:
        with looking.read() as connection:
            return _statements(sqlite_native_schema(connection))
    finally:
        if looking is not database:
            looking.dispose()


@contextmanager
def _in_a_schema(database: Database) -> Generator[Connection]:
    """No table of anybody is locked. The schema is named after the session, so two never meet."""
    with _writing(database) as writing, _rolled_back(writing) as connection:
        statements = _statements(postgresql_native_schema(connection))
        name = f"trackplane_dry_run_{connection.exec_driver_sql('SELECT pg_backend_pid()').scalar()}"
        try:
            connection.exec_driver_sql(f"CREATE SCHEMA {name}")
        except DBAPIError as error:
            raise ConfigInvalid(
                "The SQL is found on empty copies of the tables, in a schema that is never committed, and this account"
                f" cannot make one: {str(error.orig).strip()}. Allow it: GRANT CREATE ON DATABASE ... TO the account."
                f" {_INSTEAD}"
            ) from error
        connection.exec_driver_sql(f"SET LOCAL search_path = {name}")
        _make(connection, statements)
        yield connection


@contextmanager
def _in_a_database(database: Database, wait_seconds: float) -> Generator[Connection]:
    with _writing(database) as writing, migration_lock(writing, wait_seconds=wait_seconds) as lock:
        connection = lock.connection
        statements = _statements(mysql_native_schema(connection))
        current = str(connection.exec_driver_sql("SELECT DATABASE()").scalar())
        connection.rollback()
        beside = database_beside(
            connection,
            f"{current}{BESIDE}",
            why="The SQL is found on empty copies of the tables in a database beside this one",
            otherwise=_INSTEAD,
            failure=ConfigInvalid,
        )
        with beside as name, _opened_beside(writing, name) as copy:
            copy.exec_driver_sql("SET SESSION foreign_key_checks = 0")
            _make(copy, statements)
            copy.exec_driver_sql("SET SESSION foreign_key_checks = 1")
            yield copy


@contextmanager
def _opened_beside(database: Database, name: str) -> Generator[Connection]:
    """By its own URL: what SQLAlchemy takes for the present database is that of an engine's first connection."""
    url = replace(database.url, url=database.url.url.set(database=name))
    copy = Database(url, database.options)
    try:
        with _rolled_back(copy) as connection:
            yield connection
    finally:
        copy.dispose()


@contextmanager
def _rolled_back(database: Database) -> Generator[Connection]:
    with translated(), database.engine.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


@contextmanager
def _writing(database: Database) -> Generator[Database]:
    writing = Database(database.url, replace(database.options, read_only=False, statement_timeout_seconds=0))
    try:
        yield writing
    finally:
        writing.dispose()


def _statements(native: NativeSchema) -> Sequence[str]:
    return (*native.before_rows, *native.after_rows)


def _make(connection: Connection, statements: Sequence[str]) -> None:
    """What hangs on something that is not copied, an index with operators of an extension say, cannot be made."""
    for statement in statements:
        try:
            execute_as_written(connection, statement)
        except DBAPIError as error:
            raise MigrationFailed(
                f"No empty copy of the tables can be made: {str(error.orig).strip()}, for {statement.strip()}."
                f" {_INSTEAD}"
            ) from error


def _record(connection: Connection, facts: Facts) -> None:
    for table, standing in (
        (schema.alembic_version, facts.mlflow),
        (schema.alembic_version_trackplane, facts.trackplane),
    ):
        if standing.current is not None:
            connection.execute(insert(table).values(version_num=standing.current))
