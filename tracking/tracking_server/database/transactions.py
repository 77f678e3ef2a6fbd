"""The one place that connects to a database: the engine and its pool, transactions, retries, errors made ours."""

import os
import threading
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Final, TypeVar

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from tracking_server.database.access import refuse_doubt
from tracking_server.database.after_commit import forget_calls, make_calls
from tracking_server.database.failures import is_worth_repeating, translate
from tracking_server.database.mounts import NETWORK_FILE_SYSTEMS, file_system_of
from tracking_server.database.sessions import (
    POOL_CLASSES,
    USE,
    DatabaseOptions,
    engine_arguments,
    engine_url,
    listen,
)
from tracking_server.database.sqlite_rows import SqliteConnection
from tracking_server.database.urls import DatabaseUrl, parse_database_url
from tracking_server.errors import ConfigInvalid, TemporarilyUnavailable

__all__ = ["Database", "DatabaseOptions", "open_database", "translated"]

T = TypeVar("T")

DEFAULTS: Final = DatabaseOptions()


def open_database(url: str, options: DatabaseOptions = DEFAULTS) -> "Database":
    """Connects to nothing yet: an engine is made at its first use, so after the fork. Raises ConfigInvalid."""
    parsed = parse_database_url(url)
    refuse_doubt(parsed, options.access)
    if parsed.driver.module is not None and find_spec(parsed.driver.module) is None:
        raise ConfigInvalid(
            f"{parsed.masked} needs the driver {parsed.driver.module}, which is not installed:"
            f" pip install 'trackplane[{parsed.driver.extra}]'."
        )
    if options.pool_class is not None and options.pool_class not in POOL_CLASSES:
        raise ConfigInvalid(f"{options.pool_class!r} is not a pool class; these are: {', '.join(POOL_CLASSES)}.")
    if parsed.path is not None:
        _prepare_folder(parsed.path.absolute(), read_only=options.read_only)
    return Database(parsed, options)


def _prepare_folder(path: Path, *, read_only: bool) -> None:
    folder = path.parent
    if not folder.exists() and not read_only:
        if not folder.parent.exists():  # a mistyped path, or a volume that is not mounted
            raise ConfigInvalid(f"The folder {folder} of the database does not exist. Make it, or correct the path.")
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise ConfigInvalid(f"The folder {folder} of the database cannot be made: {error.strerror}.") from error
    mounts = Path("/proc/self/mountinfo")
    file_system = file_system_of(PurePosixPath(path.resolve()), mounts.read_text()) if mounts.exists() else None
    if file_system in NETWORK_FILE_SYSTEMS:
        raise ConfigInvalid(
            f"{path} lies on a network file system ({file_system}), where SQLite loses data."
            " Use a local disk or a block volume, or PostgreSQL."
        )


class Database:
    """A database and its pool. Safe to share between threads and to make before a fork."""

    def __init__(self, url: DatabaseUrl, options: DatabaseOptions) -> None:
        self.url: Final = url
        self.options: Final = options
        self.dialect: Final = url.dialect
        self._engine: Engine | None = None
        self._process = 0
        self._making: Final = threading.Lock()
        # SQLite has one writer at a time and polls for its turn: inside a process, a queue is faster and fair.
        self._turn: Final = threading.Lock() if url.dialect == "sqlite" else None

    @property
    def engine(self) -> Engine:
        """For migrations, archives and tests; everything else uses read() and write()."""
        if self._engine is None or self._process != os.getpid():
            with self._making:
                return self._make_engine()
        return self._engine

    def _make_engine(self) -> Engine:
        process = os.getpid()
        if self._engine is not None and self._process == process:
            return self._engine
        if self._engine is not None:
            self._engine.dispose(close=False)  # its connections belong to the process that we were forked from
        engine = create_engine(engine_url(self.url, self.options), **engine_arguments(self.url, self.options))
        listen(engine, self.url, self.options)
        self._engine, self._process = engine, process
        return engine

    @contextmanager
    def read(self) -> Generator[Connection]:
        """A read-only use, closed with rollback. Outside SQLite, each statement sees what is committed as it starts."""
        with translated(), self.engine.connect() as connection:
            if self.dialect == "postgresql":  # READ COMMITTED promises no more, and this saves two round trips
                connection.execution_options(isolation_level="AUTOCOMMIT")
            else:
                connection.execution_options(**{USE: "read"})
            with self._reading(connection):
                yield connection

    def _reading(self, connection: Connection) -> AbstractContextManager[None]:
        driver = connection.connection.dbapi_connection
        return driver.reading() if isinstance(driver, SqliteConnection) else nullcontext()

    @contextmanager
    def snapshot(self) -> Generator[Connection]:
        """A read-only use, however long, whose statements all see the same moment."""
        with translated(), self.engine.connect() as connection:
            match self.dialect:
                case "postgresql":
                    connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
                case "mysql":
                    connection.execution_options(isolation_level="REPEATABLE READ")
                case "mssql":
                    connection.execution_options(isolation_level="SNAPSHOT")
                case _:
                    connection.execution_options(**{USE: "read"})
            yield connection

    @contextmanager
    def write(self) -> Generator[Connection]:
        """Commits at the end, rolls back on error."""
        with translated(), self._transaction() as connection:
            yield connection

    def retrying(self, work: Callable[[Connection], T], *, is_one_statement: bool = False) -> T:
        """What `work` returns from a write(), tried once again when that may help.

        It may after a deadlock, a serialization failure, a connection lost before the commit, and when somebody else
        wrote the same key first. A connection lost in the commit is reported: nobody knows whether it happened.

        `is_one_statement`: all that `work` writes on PostgreSQL is one statement, after which it reads nothing. There
        that is a transaction by itself, without the round trips of BEGIN and COMMIT, which cost more than most
        statements.
        """
        commits_itself = is_one_statement and self.dialect == "postgresql"
        is_first = True
        while True:
            is_committing = commits_itself
            try:
                with _pool_translated(), self._transaction(commits_itself=commits_itself) as connection:
                    result = work(connection)
                    is_committing = True
            except DBAPIError as error:
                if not is_first or not is_worth_repeating(error, is_committing=is_committing):
                    raise translate(error) from error
                is_first = False
            else:
                return result

    @contextmanager
    def _transaction(self, *, commits_itself: bool = False) -> Generator[Connection]:
        with self._turn_to_write(), self.engine.connect() as connection:
            if commits_itself:
                connection.execution_options(isolation_level="AUTOCOMMIT")
            else:
                connection.execution_options(**{USE: "write"})
            forget_calls(connection)
            with connection.begin():
                yield connection
            make_calls(connection)

    @contextmanager
    def _turn_to_write(self) -> Generator[None]:
        if self._turn is None:
            yield
            return
        if not self._turn.acquire(timeout=self.options.lock_timeout_seconds or -1):
            raise TemporarilyUnavailable("The database is busy with other writes. Try again.")
        try:
            yield
        finally:
            self._turn.release()

    def dispose(self) -> None:
        """Closes what this process has opened; a later use opens anew."""
        with self._making:
            if self._engine is not None and self._process == os.getpid():
                self._engine.dispose()
            self._engine = None


@contextmanager
def _pool_translated() -> Generator[None]:
    try:
        yield
    except PoolTimeout as error:
        raise TemporarilyUnavailable("All connections to the database are in use. Try again.") from error


@contextmanager
def translated() -> Generator[None]:
    """Makes what the library raises ours; only for uses of `engine`, as all others do so themselves."""
    with _pool_translated():
        try:
            yield
        except DBAPIError as error:
            raise translate(error) from error
