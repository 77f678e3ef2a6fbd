"""Database URLs as users write them, made into the one form that we connect with. Pure: nothing is opened here."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from tracking_server.database.file_store_urls import database_of_folder, file_store_folder
from tracking_server.errors import ConfigInvalid
from tracking_server.settings import is_tracking_server


@dataclass(frozen=True, kw_only=True, slots=True)
class Driver:
    dialect: str
    """How SQLAlchemy calls the engine; MariaDB is `mysql` here, everywhere."""
    name: str
    module: str | None
    """What must be importable; None for SQLite, which Python has."""
    extra: str | None
    """The extra of the distribution that brings it."""


SQLITE: Final = Driver(dialect="sqlite", name="pysqlite", module=None, extra=None)
POSTGRESQL: Final = Driver(dialect="postgresql", name="psycopg", module="psycopg", extra="postgres")
MYSQL: Final = Driver(dialect="mysql", name="pymysql", module="pymysql", extra="mysql")
MSSQL: Final = Driver(dialect="mssql", name="pyodbc", module="pyodbc", extra="mssql")

DRIVERS: Final[Mapping[str, Driver]] = {
    "sqlite": SQLITE,
    "sqlite+pysqlite": SQLITE,
    "postgres": POSTGRESQL,
    "postgresql": POSTGRESQL,
    "postgresql+psycopg": POSTGRESQL,
    # What a user of MLflow writes there; the same URL serves our driver, its successor.
    "postgresql+psycopg2": POSTGRESQL,
    "mysql": MYSQL,
    "mysql+pymysql": MYSQL,
    "mariadb": MYSQL,
    "mariadb+pymysql": MYSQL,
    "mssql": MSSQL,
    "mssql+pyodbc": MSSQL,
}

EXAMPLES: Final = (
    "sqlite:///mlflow.db, postgresql://user@host/name, mysql://user@host/name or mssql://user@host/name?driver=..."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class DatabaseUrl:
    """A URL that names a driver we ship. Its `repr` and `masked` hide the password."""

    driver: Driver
    url: URL
    path: Path | None = None
    """The file of an SQLite database; None for one in memory, and for other engines."""
    folder: Path | None = None
    """The folder of MLflow's FileStore that the database holds a copy of."""

    @property
    def dialect(self) -> str:
        return self.driver.dialect

    @property
    def masked(self) -> str:
        return mask(self.url.render_as_string(hide_password=True))


def parse_database_url(text: str) -> DatabaseUrl:
    """Raises ConfigInvalid, whose message never holds a password. The database of a folder lies beside it."""
    if (folder := file_store_folder(text)) is not None:
        path = database_of_folder(folder)
        return DatabaseUrl(driver=SQLITE, url=URL.create("sqlite", database=str(path)), path=path, folder=folder)
    if is_tracking_server(text):
        raise ConfigInvalid(_tracking_server(text))
    scheme, separator, _ = text.partition("://")
    if not separator:
        raise ConfigInvalid(f"This is not the URL of a database: it has no scheme. Examples: {EXAMPLES}.")
    driver = DRIVERS.get(scheme.lower())
    if driver is None:
        raise ConfigInvalid(_unknown(scheme.lower()))
    try:
        url = make_url(text)
        port = url.port
    except (ArgumentError, ValueError):
        raise ConfigInvalid(
            f"The database URL {scheme}://... cannot be read. A character such as @ or / in the password is written"
            " as %40 or %2F."
        ) from None
    del port
    url = url.set(drivername=driver.dialect if driver is SQLITE else f"{driver.dialect}+{driver.name}")
    if driver is not SQLITE:
        return DatabaseUrl(driver=driver, url=url)
    return DatabaseUrl(driver=driver, url=url, path=_sqlite_path(url))


def _sqlite_path(url: URL) -> Path | None:
    if url.host:
        raise ConfigInvalid(
            f"sqlite://{url.host}/... names a host. A relative path is written sqlite:///path, an absolute one"
            " sqlite:////path."
        )
    if url.query or (url.database or "").startswith("file:"):
        raise ConfigInvalid("The URL of an SQLite database is a plain path, sqlite:///path, without options.")
    if url.database in {None, "", ":memory:"}:
        return None
    return Path(str(url.database))


def _tracking_server(text: str) -> str:
    """Neither a user name nor a password is shown."""
    try:
        host = urlsplit(text).netloc.rpartition("@")[2]
    except ValueError:
        host = ""
    scheme = text.partition(":")[0].lower()
    return (
        f"{scheme}://{host[:200]} is another tracking server, which keeps its data in a database of its own: run this"
        f" where that server runs, or name its database, as {EXAMPLES}."
    )


def _unknown(scheme: str) -> str:
    known = next((driver for name, driver in DRIVERS.items() if name == scheme.partition("+")[0]), None)
    if known is None:
        return f"{scheme}:// is not a database that this server knows. Examples: {EXAMPLES}."
    return f"{scheme}:// names a driver that this server does not use; write {known.dialect}+{known.name}://."


# Every repetition before a secret is bounded, so that a long text takes a time in proportion to its length.
_USER_INFO: Final = re.compile(r"(?P<head>[A-Za-z][\w+.-]{0,60}://[^\s:/@]{0,500}):(?P<password>\S{1,4000})@")
_PARAMETER: Final = re.compile(
    r"(?P<head>(?:password|passwd|pwd|secret)\w{0,60}\s{0,9}=\s{0,9})(?:'[^']*'|\"[^\"]*\"|[^\s&;'\"]+)", re.IGNORECASE
)


def mask(text: str) -> str:
    """The text with `***` for every password of a URL or of a parameter in it."""
    return _PARAMETER.sub(r"\g<head>***", _USER_INFO.sub(r"\g<head>:***@", text))
