"""A place on each engine for databases and for equal copies of them."""

import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

from tests.support.client import free_port
from tests.support.databases import PostgreSql, running_postgresql
from tests.support.mariadb import MariaDb, running_mariadb

MakeTables = Callable[[str], object]
"""At a URL, as whoever made the first database made them."""


class Place(Protocol):
    def create(self, name: str) -> str:
        """The URL of an empty database."""
        ...

    def copy(self, source: str, name: str, make_tables: MakeTables) -> str:
        """The URL of a database that equals the one called `source`."""
        ...


class Files:
    def __init__(self, folder: Path) -> None:
        self._folder: Final = folder

    def create(self, name: str) -> str:
        return self.url(name)

    def url(self, name: str) -> str:
        return f"sqlite:///{self._folder / name}.db"

    def copy(self, source: str, name: str, make_tables: MakeTables) -> str:
        del make_tables
        shutil.copyfile(self._folder / f"{source}.db", self._folder / f"{name}.db")
        return self.url(name)


class PostgreSqlPlace:
    """Reached through a port: an old release stumbles over the path of a socket in its URL."""

    def __init__(self, server: PostgreSql) -> None:
        self._server: Final = server

    def create(self, name: str) -> str:
        self._server.create_database(name)
        return self.url(name)

    def url(self, name: str) -> str:
        return f"postgresql://trackplane@localhost:{self._server.port}/{name}"

    def copy(self, source: str, name: str, make_tables: MakeTables) -> str:
        del make_tables
        self._server.create_database(name, source)
        return self.url(name)


class MariaDbPlace:
    """The tables are made anew: one that is made by what `SHOW CREATE TABLE` says has the index of each foreign key as
    if someone had asked for it."""

    def __init__(self, server: MariaDb) -> None:
        self._server: Final = server

    def create(self, name: str) -> str:
        self._server.create_database(name)
        return self.url(name)

    def url(self, name: str) -> str:
        return f"mysql://root@127.0.0.1:{self._server.port}/{name}"

    def copy(self, source: str, name: str, make_tables: MakeTables) -> str:
        make_tables(self.create(name))
        self._server.copy_rows(source, name)
        return self.url(name)


@contextmanager
def place_on(engine: str, folder: Path) -> Generator[Place]:
    match engine:
        case "sqlite":
            yield Files(folder)
        case "postgresql":
            with running_postgresql(port=free_port()) as server:
                yield PostgreSqlPlace(server)
        case _:
            with running_mariadb("--bind-address=127.0.0.1", f"--port={free_port()}") as mariadb:
                yield MariaDbPlace(mariadb)
