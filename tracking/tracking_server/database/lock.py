"""One migrator at a time, and who serves meanwhile. A lock ends with the process that holds it, however that ends."""

import fcntl
import os
import socket
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Protocol, cast

from sqlalchemy import Connection, TextClause, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from tracking_server.database.check import NEVER_RUN, NOT_MIGRATED
from tracking_server.database.sessions import USE
from tracking_server.database.transactions import Database, translated
from tracking_server.errors import ConfigInvalid, LockBusy, MigrationFailed, TrackingError

POLL_SECONDS: Final = 0.2
LOOK_SECONDS: Final = 30.0
"""How often a server looks whether its session is still there."""
_LOST: Final = "The migration lock was lost: the connection was closed, or the lock file removed. Run it again."


class MigrationLock(Protocol):
    @property
    def connection(self) -> Connection:
        """What to migrate with: where the engine has locks of its own, it is the connection that holds this one."""
        ...

    def check(self) -> None:
        """Raises MigrationFailed when the lock is not ours any more."""
        ...


def myself() -> str:
    """How this process is named to others. In a cluster, the host is the pod."""
    return f"{socket.gethostname()}:{os.getpid()}"


@contextmanager
def migration_lock(database: Database, *, wait_seconds: float) -> Generator[MigrationLock]:
    """Raises LockBusy, naming the holder, when another has it for longer than that; and ConfigInvalid."""
    if database.dialect == NEVER_RUN:
        raise ConfigInvalid(NOT_MIGRATED)
    refuse_transaction_pooling(database)
    with translated(), database.engine.connect() as connection:
        match database.dialect:
            case "postgresql":
                with _server_lock(connection, _POSTGRESQL, wait_seconds) as lock:
                    yield lock
            case "mysql":
                with _server_lock(connection, _MYSQL, wait_seconds) as lock:
                    yield lock
            case _:
                connection.execution_options(**{USE: "write"})
                with _file_lock(database.url.path, connection, wait_seconds) as lock:
                    yield lock


@contextmanager
def serving_lock(database: Database, *, look_seconds: float = LOOK_SECONDS) -> Generator[None]:
    """Held by each process that serves, for as long as it does, so that `who_serves` names it. A lock in a session that
    is lost, as when the database restarts, is taken again at the next look.
    """
    match database.dialect:
        case "postgresql" | "mysql":
            with _kept_session(database, look_seconds):
                yield
        case "sqlite" if database.url.path is not None:
            file = database.url.path.with_name(f"{database.url.path.name}.server-{myself()}")
            with _locked_file(file):
                try:
                    yield
                finally:
                    file.unlink(missing_ok=True)
        case _:
            yield


@contextmanager
def _kept_session(database: Database, look_seconds: float) -> Generator[None]:
    session = _serving_session(database)
    ended = threading.Event()

    def look() -> None:
        nonlocal session
        while not ended.wait(look_seconds):
            try:
                session.execute(_ALIVE)
                session.rollback()
            except SQLAlchemyError:  # lost, or still closed because the database was not back at the last look
                session.close()
                with suppress(TrackingError):  # not back yet: the next look is soon enough
                    session = _serving_session(database)

    looking = threading.Thread(target=look, name="serving lock", daemon=True)
    looking.start()
    try:
        yield
    finally:
        ended.set()
        looking.join()
        session.close()  # and so gives the lock back


def _serving_session(database: Database) -> Connection:
    with translated():
        session = database.engine.connect()
        try:
            session.detach()  # not one of the pool's, which serve requests
            if database.dialect == "postgresql":
                session.execute(_NAME, {"name": f"trackplane server {myself()}"[:63]})
                session.execute(_POSTGRESQL_SERVE)
            else:
                session.execute(_MYSQL_STAY)
                any(session.scalar(_MYSQL_SERVE, {"place": place}) for place in range(_MYSQL_PLACES))
            session.commit()
        except BaseException:
            session.close()
            raise
        return session


@contextmanager
def _locked_file(file: Path) -> Generator[None]:
    """`who_serves` may remove it between the opening and the lock; it is then made again."""
    while True:
        with file.open("a") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if file.exists() and os.path.samestat(os.fstat(handle.fileno()), file.stat()):
                yield
                return


def who_serves(database: Database) -> tuple[str, ...]:
    """The processes that hold a serving lock."""
    match database.dialect:
        case "postgresql":
            with database.read() as connection:
                return tuple(connection.scalars(_POSTGRESQL_SERVERS))
        case "mysql":
            with database.read() as connection:
                return tuple(connection.scalars(_MYSQL_SERVERS))
        case "sqlite" if database.url.path is not None:
            prefix = f"{database.url.path.name}.server-"
            files = sorted(database.url.path.parent.glob(f"{prefix}*"))
            return tuple(f"trackplane server {file.name.removeprefix(prefix)}" for file in files if _is_held(file))
        case _:
            return ()


def _is_held(file: Path) -> bool:
    """Tidies up after a server that was killed."""
    with suppress(FileNotFoundError), file.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        file.unlink(missing_ok=True)
    return False


def _wait(attempt: Callable[[], bool], holder: Callable[[], str], wait_seconds: float) -> None:
    """Polls: a session that waits inside PostgreSQL would hold up every index that is built concurrently."""
    deadline = time.monotonic() + wait_seconds
    while not attempt():
        if time.monotonic() >= deadline:
            raise LockBusy(f"Another migration of this database is under way, by {holder()}. Try again when it ends.")
        time.sleep(POLL_SECONDS)


class _Sql:
    """How an engine takes, checks and explains a lock that its session holds."""

    def __init__(self, *, attempt: str, check: str, holder: str) -> None:
        self.attempt: Final[TextClause] = text(attempt)
        self.check: Final[TextClause] = text(check)
        self.holder: Final[TextClause] = text(holder)


# Advisory locks of PostgreSQL belong to a database and are called by two numbers; the first of ours spells "trck".
_HELD: Final = """
FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND granted AND classid = 1953653611 AND objid = {lock} AND objsubid = 2
AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_SERVER_NAME: Final = "application_name || COALESCE(' from ' || host(client_addr), '')"
_POSTGRESQL: Final = _Sql(
    attempt="SELECT pg_try_advisory_lock(1953653611, 1)",
    check=f"SELECT count(*) {_HELD.format(lock=1)} AND pid = pg_backend_pid()",
    holder=f"SELECT {_SERVER_NAME} {_HELD.format(lock=1)}",
)
_ALIVE: Final = text("SELECT 1")
_POSTGRESQL_SERVE: Final = text("SELECT pg_advisory_lock_shared(1953653611, 2)")
_POSTGRESQL_SERVERS: Final = text(f"SELECT {_SERVER_NAME} {_HELD.format(lock=2)} ORDER BY 1")
_NAME: Final = text("SELECT set_config('application_name', :name, false)")

# Locks of MySQL and MariaDB belong to the whole server, and each has one holder: servers take one place of many. A
# session tells neither its program nor its process, only where it comes from.
_MYSQL_LOCK: Final = "CONCAT('trackplane.', MD5(DATABASE()))"
_MYSQL_PLACES: Final = 100
_MYSQL_NAME: Final = "CONCAT('connection ', id, ' from ', host)"
_MYSQL: Final = _Sql(
    attempt=f"SELECT GET_LOCK({_MYSQL_LOCK}, 0)",
    check=f"SELECT COALESCE(IS_USED_LOCK({_MYSQL_LOCK}) = CONNECTION_ID(), 0)",
    holder=f"SELECT {_MYSQL_NAME} FROM information_schema.processlist WHERE id = IS_USED_LOCK({_MYSQL_LOCK})",  # noqa: S608 (no values)
)
_MYSQL_STAY: Final = text("SET SESSION wait_timeout = 31536000 /*M!100108 , max_statement_time = 0 */")
"""No end for being idle, nor for a change of a large table."""
_MYSQL_SERVE: Final = text(f"SELECT GET_LOCK(CONCAT({_MYSQL_LOCK}, '.', :place), 0)")
_MYSQL_SERVERS: Final = text(
    f"SELECT CONCAT('trackplane server on ', {_MYSQL_NAME}) FROM information_schema.processlist WHERE id IN ("  # noqa: S608 (no values)
    + ", ".join(f"IS_USED_LOCK(CONCAT({_MYSQL_LOCK}, '.{place}'))" for place in range(_MYSQL_PLACES))
    + ") ORDER BY id"
)


class _ServerLock:
    def __init__(self, connection: Connection, sql: _Sql) -> None:
        self.connection: Final = connection
        self._sql = sql
        if connection.dialect.name == "postgresql":
            connection.execute(_NAME, {"name": f"trackplane migration {myself()}"[:63]})
        else:
            connection.execute(_MYSQL_STAY)
        connection.commit()

    def attempt(self) -> bool:
        return bool(self._ask(self._sql.attempt))

    def holder(self) -> str:
        return str(self._ask(self._sql.holder) or "one that has just ended")

    def check(self) -> None:
        try:
            is_ours = bool(self._ask(self._sql.check))
        except DBAPIError as error:
            raise MigrationFailed(_LOST) from error
        if not is_ours:
            raise MigrationFailed(_LOST)

    def _ask(self, statement: TextClause) -> object:
        """A session's lock outlives the transaction in which it was taken, which ends here."""
        answer: object = self.connection.scalar(statement)
        self.connection.rollback()
        return answer


@contextmanager
def _server_lock(connection: Connection, sql: _Sql, wait_seconds: float) -> Generator[MigrationLock]:
    lock = _ServerLock(connection, sql)
    try:
        _wait(lock.attempt, lock.holder, wait_seconds)
        yield lock
    finally:
        connection.invalidate()  # closes the session, and so gives the lock back, whatever its state


class _FileLock:
    def __init__(self, connection: Connection, path: Path | None, handle: int | None) -> None:
        self.connection: Final = connection
        self._path = path
        self._handle = handle

    def check(self) -> None:
        if self._path is None or self._handle is None:
            return
        try:
            is_ours = os.path.samestat(os.fstat(self._handle), self._path.stat())
        except FileNotFoundError:
            is_ours = False
        if not is_ours:
            raise MigrationFailed(_LOST)


@contextmanager
def _file_lock(path: Path | None, connection: Connection, wait_seconds: float) -> Generator[MigrationLock]:
    if path is None:  # in memory, so nobody else's
        yield _FileLock(connection, None, None)
        return
    with file_lock(path, wait_seconds=wait_seconds) as (lock_path, handle):
        yield _FileLock(connection, lock_path, handle)


@contextmanager
def file_lock(path: Path, *, wait_seconds: float) -> Generator[tuple[Path, int]]:
    """The migration lock of an SQLite database without a connection to it: the file may be broken, or not there."""
    lock_path = path.with_name(f"{path.name}.migration-lock")
    with lock_path.open("a+") as handle:

        def attempt() -> bool:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        _wait(attempt, lambda: lock_path.read_text() or "a process that has not said its name", wait_seconds)
        handle.truncate(0)
        handle.write(myself())
        handle.flush()
        yield lock_path, handle.fileno()


def refuse_transaction_pooling(database: Database) -> None:
    """Raises ConfigInvalid. Through a pooler that gives each transaction another session, locks and settings get lost.

    A pooler answers the start of a connection with a process number of its own. Which session answers next is then
    seen while other transactions are open.
    """
    if database.dialect != "postgresql":
        return
    with translated(), database.engine.connect() as connection:
        announced = cast(Any, connection.connection.dbapi_connection).info.backend_pid
        seen = {_backend(connection)}
        if seen == {announced}:
            return
        with database.engine.connect() as other, database.engine.connect() as another:
            for busy in (other, another):
                busy.execute(_BACKEND)  # its transaction stays open
                seen.add(_backend(connection))
    if len(seen) > 1:
        raise ConfigInvalid(
            f"{database.url.masked} leads through a pooler that gives each transaction another session, so that no lock"
            " can be held. Use a direct connection, or a pool whose mode is session."
        )


_BACKEND: Final = text("SELECT pg_backend_pid()")


def _backend(connection: Connection) -> int:
    pid = connection.scalar(_BACKEND)
    connection.rollback()
    return int(pid or 0)
