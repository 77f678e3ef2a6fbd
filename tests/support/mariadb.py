"""One MariaDB for the session: the installed one, without durability, reached through a socket by its root."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import pymysql
import pytest

from tests.support.engine_process import as_account, place, unprivileged
from tests.support.left_out import leave_out

if TYPE_CHECKING:
    from pymysql.connections import Connection
    from pymysql.cursors import Cursor

SERVER: Final = "mariadbd"
INSTALLER: Final = "mariadb-install-db"
PATH: Final = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
_SETTINGS: Final = (
    # a server as MLflow's users have it: no database says more than its name
    *("--character-set-server=utf8mb4", "--collation-server=utf8mb4_general_ci"),
    # durability is what these tests do not need: the folder is gone with the session
    *("--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0", "--innodb-flush-method=nosync"),
    *("--innodb-use-native-aio=0", "--innodb-file-per-table=0", "--skip-log-bin"),
    *("--innodb-buffer-pool-size=64M", "--innodb-log-file-size=32M", "--performance-schema=0"),
    *("--skip-name-resolve", "--max-connections=300"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class MariaDb:
    """A running server."""

    folder: Path
    process: "subprocess.Popen[bytes]"
    port: int = 0
    _tables: dict[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    """Of each database that was copied, the statements that make its tables and rows."""

    @property
    def socket(self) -> Path:
        return self.folder / "socket"

    def url(self, database: str) -> str:
        return f"mysql://root@localhost/{database}?unix_socket={self.socket}"

    def create_database(self, name: str, template: str | None = None) -> str:
        """`template`: a database whose tables and rows the new one gets."""
        with self.connected() as admin, admin.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE `{name}`")
            if template is not None:
                cursor.execute("SET foreign_key_checks = 0, sql_mode = 'NO_AUTO_VALUE_ON_ZERO'")
                cursor.execute(f"USE `{name}`")
                for statement in self._copied(template):
                    cursor.execute(statement)
        return self.url(name)

    def _copied(self, template: str) -> Sequence[str]:
        if template not in self._tables:
            self._tables[template] = self._statements(template)
        return self._tables[template]

    def _statements(self, template: str) -> Sequence[str]:
        with self.connected() as admin, admin.cursor() as cursor:
            cursor.execute(f"USE `{template}`")
            tables = [name for (name,) in _all(cursor, "SHOW TABLES")]
            made = [_all(cursor, f"SHOW CREATE TABLE `{table}`")[0][1] for table in tables]
            filled = [table for table in tables if _all(cursor, f"SELECT 1 FROM `{table}` LIMIT 1")]
            return [*made, *(_copy_rows(cursor, template, table) for table in filled)]

    def copy_rows(self, source: str, name: str) -> None:
        """Into a database with the same tables, instead of the rows that it has."""
        with self.connected() as admin, admin.cursor() as cursor:
            cursor.execute("SET foreign_key_checks = 0, sql_mode = 'NO_AUTO_VALUE_ON_ZERO'")
            cursor.execute(f"USE `{name}`")
            for (table,) in _all(cursor, f"SHOW TABLES FROM `{source}`"):
                cursor.execute(f"DELETE FROM `{table}`")
                cursor.execute(_copy_rows(cursor, source, table))

    def drop_database(self, name: str) -> None:
        """Whoever is connected to it is cut off."""
        with self.connected() as admin, admin.cursor() as cursor:
            for (connection,) in _all(cursor, f"SELECT id FROM information_schema.processlist WHERE db = '{name}'"):
                cursor.execute(f"KILL {connection}")
            cursor.execute(f"DROP DATABASE `{name}`")

    def connected(self) -> "Connection[Cursor]":
        connection: Connection[Cursor] = pymysql.connect(unix_socket=str(self.socket), user="root", autocommit=True)
        return connection


def _copy_rows(cursor: "Cursor", database: str, table: str) -> str:
    columns = _all(
        cursor,
        "SELECT GROUP_CONCAT(CONCAT('`', column_name, '`')) FROM information_schema.columns"
        f" WHERE table_schema = '{database}' AND table_name = '{table}' AND is_generated = 'NEVER'",
    )[0][0]
    return f"INSERT INTO `{table}` ({columns}) SELECT {columns} FROM `{database}`.`{table}`"


def _all(cursor: "Cursor", statement: str) -> Sequence[Sequence[Any]]:
    cursor.execute(statement)
    return cast(Sequence[Sequence[Any]], cursor.fetchall())


@contextmanager
def running_mariadb(*settings: str) -> Generator[MariaDb]:
    """Ends with the block, and with this process where `setpriv` can see to that. `settings` come last."""
    if shutil.which(SERVER, path=PATH) is None or shutil.which(INSTALLER, path=PATH) is None:
        leave_out("MariaDB is not installed (Debian: apt-get install mariadb-server)")
    with tempfile.TemporaryDirectory(prefix="trackplane-mariadb-", dir=place()) as name:
        folder = Path(name)
        account = unprivileged("mysql")
        if account is not None:
            os.chown(folder, account.pw_uid, account.pw_gid)
        words = [*as_account(account, ends_with="KILL")]
        data = f"--datadir={folder / 'data'}"
        install = ["--no-defaults", data, "--auth-root-authentication-method=normal", "--skip-test-db"]
        installer = str(shutil.which(INSTALLER, path=PATH))
        subprocess.run(
            [*words, installer, *install], check=True, capture_output=True, cwd=folder, env=_environment(folder)
        )
        server = start_server(folder, settings)
        try:
            yield server
        finally:
            server.process.kill()
            server.process.wait(timeout=30)


def _environment(folder: Path) -> dict[str, str]:
    """A server that starts removes the temporary tables of all others that share its folder for them."""
    return {**os.environ, "TMPDIR": str(folder)}


def start_server(folder: Path, settings: Sequence[str] = ()) -> MariaDb:
    """In a folder that has data; waits until it answers."""
    where = [f"--datadir={folder / 'data'}", f"--socket={folder / 'socket'}", f"--pid-file={folder / 'pid'}"]
    network = [] if any(setting.startswith("--port=") for setting in settings) else ["--skip-networking"]
    program = str(shutil.which(SERVER, path=PATH))
    words = [*as_account(unprivileged("mysql"), ends_with="KILL"), program, "--no-defaults"]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [*words, *where, *_SETTINGS, *network, *settings],
            stdout=log,
            stderr=log,
            cwd=folder,
            env=_environment(folder),
        )
    port = next((int(setting.partition("=")[2]) for setting in settings if setting.startswith("--port=")), 0)
    server = MariaDb(folder=folder, process=process, port=port)
    deadline = time.monotonic() + 60
    while not _answers(server):
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"MariaDB did not start:\n{(folder / 'log').read_text()}", pytrace=False)
        time.sleep(0.05)
    return server


def _answers(server: MariaDb) -> bool:
    """Asked without the driver, which forgets to close a socket that nobody answers."""
    with socket.socket(socket.AF_UNIX) as connection:
        return connection.connect_ex(str(server.socket)) == 0
