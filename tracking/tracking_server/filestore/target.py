"""What an import works on, and how its batches are written."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias, TypeVar, TypeVarTuple

from sqlalchemy import Connection, Row, Select

from tracking_server.database.lock import MigrationLock
from tracking_server.database.transactions import Database
from tracking_server.errors import BadRequest
from tracking_server.filestore.addresses import Rewrite
from tracking_server.filestore.fitting import Fit
from tracking_server.filestore.folder import Broken, Faults, Folder
from tracking_server.filestore.sink import Sink
from tracking_server.progress import say_nothing

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
Write: TypeAlias = Callable[[Sink, Sequence[T]], Mapping[str, int]]
"""Writes some things of one kind, and says what it wrote, by the noun."""

WORKSPACE: Final = "default"
KEPT: Final = 1000
"""Of each list of the report; what is more is only counted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    rewrites: Sequence[Rewrite] = ()
    is_dry: bool = False
    unchanged_since_ns: int | None = None
    """What is known, is over and has not changed since then is not read again. None: all is compared."""
    replaces: bool = False
    """Tags and aliases that differ get what the folder has; otherwise they stay, and are told."""
    creates_schema: bool = True
    say: Callable[[str], None] = say_nothing


@dataclass(kw_only=True, slots=True)
class Imported:
    """What an import did, or would do."""

    added: dict[str, int] = field(default_factory=dict[str, int])
    runs_known: int = 0
    runs_followed: int = 0
    """Not over when they were read first, and by now further in the folder than in the database."""
    runs_differing: int = 0
    differs: list[dict[str, object]] = field(default_factory=list[dict[str, object]])
    """What is otherwise in the database, and stays so. Of a run that differs, nothing was written."""
    differing: dict[str, int] = field(default_factory=dict[str, int])
    """What differs and is no run, by the noun."""
    replaced: dict[str, int] = field(default_factory=dict[str, int])
    experiments: dict[str, str] = field(default_factory=dict[str, str])
    """The ids of experiments that have another in the database."""
    renamed: dict[str, str] = field(default_factory=dict[str, str])
    traces_known: int = 0
    traces_followed: int = 0
    """Not over when they were read first."""
    faults: Faults = field(default_factory=Faults)

    def count(self, counts: Mapping[str, int]) -> None:
        _add(self.added, counts)

    def count_replaced(self, counts: Mapping[str, int]) -> None:
        _add(self.replaced, counts)

    def tell_of(self, noun: str, path: str, what: Sequence[str], **facts: object) -> None:
        """Something differs, and stays as it is in the database."""
        if noun == "runs":
            self.runs_differing += 1
        else:
            _add(self.differing, {noun: len(what)})
        if len(self.differs) < KEPT:
            self.differs.append({**facts, "path": path, "what": list(what)})


def _add(sums: dict[str, int], counts: Mapping[str, int]) -> None:
    for noun, number in counts.items():
        if number:
            sums[noun] = sums.get(noun, 0) + number


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """`lock`: that of migrations, so that nothing else is imported and the schema stays; None in a trial run."""

    database: Database
    folder: Folder
    options: Options
    imported: Imported
    fit: Fit
    lock: MigrationLock | None
    has_tables: bool

    @property
    def dialect(self) -> str:
        return self.database.dialect

    @property
    def faults(self) -> Faults:
        return self.imported.faults

    def is_fresh(self, path: str) -> bool:
        """Whether it may have changed since the folder was read last."""
        since = self.options.unchanged_since_ns
        return since is None or self.folder.modified_ns(path) >= since

    def read(self, statement: Select[*Ts], parameters: Mapping[str, object] | None = None) -> Sequence[Row[*Ts]]:
        if not self.has_tables:
            return []
        with self.database.read() as connection:
            return connection.execute(statement, parameters or {}).all()

    def write(self, items: Sequence[T], write: Write[T], path_of: Callable[[T], str]) -> bool:
        """All in one transaction; if the database refuses that, each in one of its own, so that one does not take the
        others with it. Whether everything was written.
        """
        if not items:
            return True
        mark = self.faults.mark()
        try:
            counts = self._in_transaction(lambda sink: write(sink, items), mark)
        except (BadRequest, Broken) as error:
            self.faults.back_to(mark)
            if len(items) == 1:
                self.faults.add(path_of(items[0]), f"{error}"[:500])
                return False
            outcomes = [self.write([item], write, path_of) for item in items]
            return all(outcomes)
        self.imported.count(counts)
        return True

    def _in_transaction(self, work: Callable[[Sink], Mapping[str, int]], mark: tuple[int, int]) -> Mapping[str, int]:
        if self.options.is_dry and not self.has_tables:
            return work(Sink(None, self.dialect, is_dry=True))
        if self.options.is_dry:
            with self.database.read() as connection:
                return work(Sink(connection, self.dialect, is_dry=True))
        if self.lock is not None:
            self.lock.check()

        def once(connection: Connection) -> Mapping[str, int]:
            self.faults.back_to(mark)  # files are read while they are written, and it may be done twice
            return work(Sink(connection, self.dialect))

        return self.database.retrying(once)
