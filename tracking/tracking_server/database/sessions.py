"""How a connection to each engine is set up: when it is made, when a transaction begins, when it is used again."""

import select
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, cast

from sqlalchemy import URL, Connection, Engine, Pool, event, pool
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DisconnectionError

from tracking_server.database.access import DatabaseAccess
from tracking_server.database.passwords import ConnectWithPassword, password_source
from tracking_server.database.sqlite_rows import SqliteConnection
from tracking_server.database.urls import DatabaseUrl
from tracking_server.errors import BadRequest

USE: Final = "trackplane_use"
"""The execution option that says what a connection is used for: `read`, `write`; without it, anything."""

_LOG_POLL_SECONDS: Final = 0.01


@dataclass(frozen=True, kw_only=True, slots=True)
class DatabaseOptions:
    """What MLFLOW_SQLALCHEMYSTORE_* say, and our own limits. Zero seconds mean no limit."""

    pool_size: int = 10
    max_overflow: int = 0
    pool_recycle_seconds: int = -1
    pool_class: str | None = None
    echo: bool = False
    pool_timeout_seconds: float = 20
    connect_timeout_seconds: int = 10
    lock_timeout_seconds: int = 20
    statement_timeout_seconds: int = 120
    read_only: bool = False
    """For a look at a database: nothing is created or changed, not even the journal of SQLite."""
    access: DatabaseAccess = field(default_factory=DatabaseAccess)

    @property
    def capacity(self) -> int:
        """How many uses can be under way at once, and so the size of the thread pool that serves requests."""
        return self.pool_size + max(self.max_overflow, 0)


POOL_CLASSES: Final[Mapping[str, type[Pool]]] = {
    "AssertionPool": pool.AssertionPool,
    "AsyncAdaptedQueuePool": pool.QueuePool,  # the same queue for an engine that is not asynchronous
    "FallbackAsyncAdaptedQueuePool": pool.QueuePool,
    "NullPool": pool.NullPool,
    "QueuePool": pool.QueuePool,
    "SingletonThreadPool": pool.SingletonThreadPool,
    "StaticPool": pool.StaticPool,
}


def engine_url(url: DatabaseUrl, options: DatabaseOptions) -> URL:
    if url.dialect == "mysql" and (tls := options.access.mysql_tls):
        # MLflow's variables check who signed, and not the name of the host, unless the URL asks for that
        return url.url.set(query={"ssl_check_hostname": "false", **tls, **url.url.query})
    if url.path is None or not options.read_only:
        return url.url
    # mode=rw: a database that is not there is not made
    return URL.create("sqlite", database=url.path.absolute().as_uri(), query={"mode": "rw", "uri": "true"})


def engine_arguments(url: DatabaseUrl, options: DatabaseOptions) -> dict[str, Any]:
    """The keyword arguments of `create_engine`."""
    return {
        "echo": options.echo,
        "hide_parameters": True,  # values are users' data and secrets: they enter no log and no message
        "connect_args": _connect_arguments(url, options),
        # what the other engines have; as a variable it has another name in each release of MySQL and MariaDB
        **({"isolation_level": "READ COMMITTED"} if url.dialect == "mysql" else {}),
        **_pool_arguments(url, options),
    }


def _pool_arguments(url: DatabaseUrl, options: DatabaseOptions) -> dict[str, Any]:
    if url.dialect == "sqlite" and url.path is None:
        # one connection that never closes: the database lives as long as it, and its uses wait for each other
        return {"poolclass": pool.QueuePool, "pool_size": 1, "max_overflow": 0}
    poolclass = POOL_CLASSES[options.pool_class or "QueuePool"]
    arguments: dict[str, Any] = {
        "poolclass": poolclass,
        "pool_recycle": options.pool_recycle_seconds,
        # psycopg and SQLite need none: a look at the socket is enough, and a file does not go away
        "pool_pre_ping": url.dialect in {"mysql", "mssql"},
    }
    if poolclass is pool.QueuePool:
        arguments |= {
            "pool_size": options.pool_size,
            "max_overflow": options.max_overflow,
            "pool_timeout": options.pool_timeout_seconds,
        }
    return arguments


def _connect_arguments(url: DatabaseUrl, options: DatabaseOptions) -> dict[str, Any]:
    match url.dialect:
        case "sqlite":
            return {"timeout": options.lock_timeout_seconds, "check_same_thread": False, "factory": SqliteConnection}
        case "postgresql":
            defaults = {"connect_timeout": options.connect_timeout_seconds, "application_name": "trackplane"}
            return {key: value for key, value in defaults.items() if key not in url.url.query}
        case "mysql":
            return {
                "charset": "utf8mb4",
                "connect_timeout": options.connect_timeout_seconds,
                # strict, so that no value is cut; experiment 0 is 0
                "init_command": (
                    "SET SESSION sql_mode = 'TRADITIONAL,NO_AUTO_VALUE_ON_ZERO',"
                    f" innodb_lock_wait_timeout = {options.lock_timeout_seconds or 1073741824}"
                    # what MariaDB reads, and what MySQL reads, which knows a limit for SELECT alone
                    f" /*M!100108 , max_statement_time = {options.statement_timeout_seconds} */"
                    f" /*!80000 , max_execution_time = {options.statement_timeout_seconds * 1000} */"
                ),
            }
        case _:
            return {"timeout": options.connect_timeout_seconds}


def listen(engine: Engine, url: DatabaseUrl, options: DatabaseOptions) -> None:
    event.listen(engine, "handle_error", _refuse_what_the_driver_cannot_send)
    if (source := password_source(options.access)) is not None:
        event.listen(engine, "do_connect", ConnectWithPassword(source))
    match url.dialect:
        case "sqlite":
            event.listen(engine, "connect", _SetUpSqlite(options, in_memory=url.path is None))
            event.listen(engine, "begin", _BeginSqlite(read_only=options.read_only))
        case "postgresql":
            event.listen(engine, "connect", _SetUpPostgresql(options))
            event.listen(engine, "checkout", _leave_a_closed_connection)
        case "mysql" if options.read_only:
            event.listen(engine, "connect", _set_up_mysql_to_read)
        case _:
            pass


def _refuse_what_the_driver_cannot_send(context: ExceptionContext) -> BaseException | None:
    """A number past 64 bits, or half a surrogate pair: the drivers raise these before the database sees anything."""
    if isinstance(context.original_exception, OverflowError | UnicodeEncodeError):
        return BadRequest("The database refused a value: it is too long, out of range or not text.")
    return None


class _SetUpSqlite:
    def __init__(self, options: DatabaseOptions, *, in_memory: bool) -> None:
        self._statements = ("PRAGMA foreign_keys = ON", "PRAGMA case_sensitive_like = ON", "PRAGMA synchronous = FULL")
        self._uses_wal = not in_memory and not options.read_only
        self._lock_timeout_seconds = options.lock_timeout_seconds

    def __call__(self, connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # sqlite3 begins nothing by itself; _BeginSqlite does
        if self._uses_wal:
            _keep_a_log(connection, self._lock_timeout_seconds)
        for statement in self._statements:
            connection.execute(statement).close()


def _keep_a_log(connection: sqlite3.Connection, timeout_seconds: float) -> None:
    """A file that MLflow wrote becomes one with a log when it is first opened, which SQLite refuses at once, whatever
    its own timeout, while another process uses the file: two that start together would meet there."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").close()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_LOG_POLL_SECONDS)
        else:
            return


class _BeginSqlite:
    """A writer takes the lock as it begins: a read that turns into a write is refused at once, whatever the timeout."""

    def __init__(self, *, read_only: bool) -> None:
        self._read_only = read_only

    def __call__(self, connection: Connection) -> None:
        use = connection.get_execution_options().get(USE)
        query_only = self._read_only or use == "read"
        if connection.info.get("query_only", False) is not query_only:
            raw = cast(sqlite3.Connection, connection.connection.dbapi_connection)
            raw.execute(f"PRAGMA query_only = {int(query_only)}").close()
            connection.info["query_only"] = query_only
        connection.exec_driver_sql("BEGIN IMMEDIATE" if use == "write" else "BEGIN")


class _Psycopg(Protocol):
    """What we call of `psycopg.Connection`, so that this module is imported without the driver."""

    autocommit: bool

    def execute(self, query: str, params: Mapping[str, str]) -> object: ...
    def fileno(self) -> int: ...


class _SetUpPostgresql:
    def __init__(self, options: DatabaseOptions) -> None:
        self._settings = {
            "statement_timeout": f"{options.statement_timeout_seconds}s",
            "lock_timeout": f"{options.lock_timeout_seconds}s",
            "read_only": "on" if options.read_only else "off",
        }

    def __call__(self, connection: _Psycopg, _record: object) -> None:
        """One statement, and not by start-up options: poolers refuse those."""
        connection.autocommit = True
        connection.execute(
            "SELECT set_config('statement_timeout', %(statement_timeout)s, false),"
            " set_config('lock_timeout', %(lock_timeout)s, false),"
            " set_config('default_transaction_read_only', %(read_only)s, false)",
            self._settings,
        )
        connection.autocommit = False


class _PyMySql(Protocol):
    """What we call of `pymysql.Connection`."""

    def query(self, sql: str) -> object: ...


def _set_up_mysql_to_read(connection: _PyMySql, _record: object) -> None:
    connection.query("SET SESSION TRANSACTION READ ONLY")


def _leave_a_closed_connection(connection: _Psycopg, _record: object, _proxy: object) -> None:
    """A socket at rest that can be read was closed by the other side, by a restart mostly: the pool makes another."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if poll.poll(0):
        raise DisconnectionError
