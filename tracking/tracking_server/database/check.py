"""What a database is, and what it needs to be served by this release. It only looks."""

from dataclasses import dataclass
from functools import cache
from typing import Final, Literal, TypeAlias, assert_never

from sqlalchemy import Connection, Table, inspect, select, text

from tracking_server.database import schema
from tracking_server.database.migrations import mlflow, trackplane
from tracking_server.database.migrations.mlflow.copies import COPIES
from tracking_server.errors import ConfigInvalid

LineageName: TypeAlias = Literal["mlflow", "trackplane"]

NEVER_RUN: Final = "mssql"
"""Statements are compiled for it, which is all that is known of them."""
NOT_MIGRATED: Final = "This release changes no tables on SQL Server: `mlflow db upgrade` of MLflow 3.17.2 does."

BEFORE_THE_FIRST: Final = frozenset({"experiments", "runs", "tags", "params", "metrics"})
"""The tables that MLflow had before its first revision; any MLflow database has them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """Where one lineage of a database stands, and where this release has it."""

    current: str | None
    head: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One revision that is still to come. An additive one leaves what is stored, and who reads it, alone."""

    lineage: LineageName
    revision: str
    title: str
    is_additive: bool
    rewrites: tuple[str, ...] = ()
    """Tables that are copied whole."""


BUILD: Final = Step(
    lineage="mlflow", revision=mlflow.HEAD, title="All tables of MLflow 3.17.2, at its head at once", is_additive=True
)
"""How an empty database begins."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    dialect: str
    mlflow: Standing
    trackplane: Standing
    size_bytes: int
    tables: tuple[tuple[str, int], ...] = ()
    """The largest tables with their indexes, in bytes; empty where the engine does not tell (SQLite)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Empty:
    """No tables, but perhaps a record of revisions without a row."""

    facts: Facts
    steps: tuple[Step, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Current:
    """Both lineages are at their heads."""

    facts: Facts


@dataclass(frozen=True, kw_only=True, slots=True)
class Outdated:
    """Known revisions are missing. At MLflow's head it can be served all the same, only slower."""

    facts: Facts
    steps: tuple[Step, ...]

    @property
    def is_at_mlflow_head(self) -> bool:
        return self.facts.mlflow.current == self.facts.mlflow.head

    @property
    def is_additive(self) -> bool:
        return all(step.is_additive for step in self.steps)


@dataclass(frozen=True, kw_only=True, slots=True)
class Newer:
    """A later release has been here: it left a revision that this one does not know."""

    facts: Facts
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Foreign:
    """Not a database of MLflow, or one that something has broken."""

    facts: Facts
    why: str


DatabaseState: TypeAlias = Empty | Current | Outdated | Newer | Foreign


def inspect_database(connection: Connection) -> DatabaseState:
    tables = frozenset(inspect(connection).get_table_names())
    sizes = _table_sizes(connection)
    own = _recorded(connection, schema.alembic_version_trackplane, tables)
    facts = Facts(
        dialect=connection.dialect.name,
        mlflow=Standing(current=_recorded(connection, schema.alembic_version, tables), head=mlflow.HEAD),
        trackplane=Standing(current=own, head=trackplane.HEAD),
        size_bytes=sum(size for _, size in sizes) if sizes else _file_size(connection),
        tables=tuple(sizes[:10]),
    )
    return judge(facts, tables)


def judge(facts: Facts, tables: frozenset[str]) -> DatabaseState:
    """Pure: what a database is, from the revisions recorded in it and the names of its tables."""
    found = {table for table in tables if not table.startswith("alembic_")}
    at, own = facts.mlflow.current, facts.trackplane.current
    if at is None and own is None and (not found or _is_half_built(tables, found)):
        return Empty(facts=facts, steps=(BUILD, *trackplane_steps()))
    if why := _why_foreign(found, at):
        return Foreign(facts=facts, why=why)
    if at is not None and at not in mlflow.releases():
        return Newer(facts=facts, why=f"MLflow's revision {at} is not known to this release")
    if own not in {None, trackplane.HEAD} and own not in {step.revision for step in trackplane_steps()}:
        return Newer(facts=facts, why=f"our revision {own} is not known to this release")
    steps = (
        *_after(at, mlflow_steps(facts.dialect)),
        *(() if own == trackplane.HEAD or facts.dialect == NEVER_RUN else _after(own, trackplane_steps())),
    )
    return Outdated(facts=facts, steps=steps) if steps else Current(facts=facts)


def _is_half_built(tables: frozenset[str], found: set[str]) -> bool:
    """A build of ours was cut off where an engine keeps each table at once: our record of revisions is made first."""
    return schema.alembic_version_trackplane.name in tables and found <= set(schema.metadata.tables)


def _why_foreign(found: set[str], at: str | None) -> str | None:
    if not found:
        return "it records a revision, yet has no tables"
    if not found >= BEFORE_THE_FIRST:
        return f"it has tables ({_some(found)}), and not those of MLflow"
    if at == mlflow.HEAD and (missing := set(schema.metadata.tables) - found):
        return f"it records MLflow's revision {at}, yet lacks tables: {_some(missing)}"
    return None


def explain(state: DatabaseState) -> str:
    """A few sentences for a person: what was found, what is needed, what to do."""
    if state.facts.dialect == NEVER_RUN and isinstance(state, Empty | Current | Outdated):
        return _explain_on_sql_server(state)
    return _explain(state)


def _explain(state: DatabaseState) -> str:
    needed = f"MLflow's revision {state.facts.mlflow.head} (MLflow 3.17.2) and ours {state.facts.trackplane.head}"
    match state:
        case Empty():
            return f"The database is empty. `trackplane db upgrade` builds it at {needed}."
        case Current():
            return f"The database is at {needed}: nothing is to be done."
        case Outdated(is_at_mlflow_head=True):
            own = state.facts.trackplane.current or "none"
            return (
                f"The database is at MLflow's revision {state.facts.mlflow.head}, and of our own revisions at {own};"
                f" this release has {state.facts.trackplane.head}. It can be served, but slower."
                " `trackplane db upgrade` adds what is missing and changes nothing else."
            )
        case Outdated():
            at = state.facts.mlflow.current
            found = f"MLflow's revision {at} (of MLflow {mlflow.releases()[at]})" if at else "a state before MLflow 1.0"
            return (
                f"The database is at {found}; needed is {needed}. Back it up, then run `trackplane db upgrade`:"
                f" it takes {len(state.steps)} steps."
            )
        case Newer():
            return (
                f"The database is newer than this release: {state.why}. Needed is {needed}. Nothing was changed:"
                " use the release that wrote it, or a later one."
            )
        case Foreign():
            return (
                f"This is not a database that this release can use: {state.why}. Needed is an empty one, or {needed}."
                " Nothing was changed: name another database."
            )
        case _:
            assert_never(state)


def _explain_on_sql_server(state: Empty | Current | Outdated) -> str:
    match state:
        case Empty():
            found = f"The database is empty. {NOT_MIGRATED}"
        case Outdated():
            found = f"The database is behind MLflow's revision {state.facts.mlflow.head}. Back it up. {NOT_MIGRATED}"
        case Current():
            found = (
                f"The database is at MLflow's revision {state.facts.mlflow.head}. It can be served, without webhooks"
                " and garbage collection, which need tables of ours."
            )
    return f"{found} The statements are compiled for SQL Server and were never run on one: keep backups of your own."


def steps_to(state: DatabaseState, revision: str | None) -> tuple[Step, ...]:
    """Those that lead to a revision of either lineage, or to both heads without one. Ours come after MLflow's.

    Raises ConfigInvalid for a revision that is not known, or that lies behind: no upgrade leads there.
    """
    steps = state.steps if isinstance(state, Empty | Outdated) else ()
    if revision is None:
        return steps
    if revision in (coming := [step.revision for step in steps]):
        return steps[: coming.index(revision) + 1]
    facts = state.facts
    if revision in {facts.mlflow.current, facts.trackplane.current}:
        return ()
    if isinstance(state, Empty) and revision in mlflow.releases():
        raise ConfigInvalid(f"The database is empty, and is built at {mlflow.HEAD} at once, never at {revision}.")
    if revision in mlflow.releases() or revision in {step.revision for step in trackplane_steps()}:
        raise ConfigInvalid(
            f"The revision {revision} lies behind: the database is at MLflow's {facts.mlflow.current} and ours"
            f" {facts.trackplane.current or 'none'}. No upgrade leads back; restore a backup instead."
        )
    raise ConfigInvalid(f"{revision!r} is no revision that this release knows: `trackplane db history` lists them.")


def mlflow_steps(dialect: str) -> tuple[Step, ...]:
    copies = COPIES.get(dialect, {})
    return tuple(
        Step(
            lineage="mlflow",
            revision=revision,
            title=f"MLflow {release}",
            is_additive=False,
            rewrites=tuple(copies.get(revision, ())),
        )
        for revision, release in mlflow.releases().items()
    )


@cache
def trackplane_steps() -> tuple[Step, ...]:
    from alembic.script import ScriptDirectory  # a fifth of what a server that starts would load

    scripts = ScriptDirectory(str(trackplane.SCRIPTS)).walk_revisions()
    return tuple(
        Step(
            lineage="trackplane",
            revision=script.revision,
            title=script.doc.removesuffix("."),
            is_additive=script.module.additive,
            rewrites=tuple(script.module.rewrites),
        )
        for script in reversed(list(scripts))
    )


def _after(current: str | None, steps: tuple[Step, ...]) -> tuple[Step, ...]:
    revisions = [step.revision for step in steps]
    return steps if current is None else steps[revisions.index(current) + 1 :]


def _some(names: set[str]) -> str:
    few = sorted(names)[:5]
    return ", ".join(few) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _recorded(connection: Connection, version: Table, tables: frozenset[str]) -> str | None:
    if version.name not in tables:
        return None
    return ", ".join(sorted(connection.scalars(select(version.c.version_num)))) or None


def _table_sizes(connection: Connection) -> list[tuple[str, int]]:
    match connection.dialect.name:
        case "postgresql":
            statement = """
                SELECT relname, pg_total_relation_size(oid) FROM pg_class
                WHERE relkind = 'r' AND relnamespace = to_regnamespace(quote_ident(current_schema())) ORDER BY 2 DESC, 1
            """
        case "mysql":
            statement = """
                SELECT table_name, COALESCE(data_length + index_length, 0) FROM information_schema.tables
                WHERE table_schema = DATABASE() ORDER BY 2 DESC, 1
            """
        case _:
            return []
    return [(str(name), int(size)) for name, size in connection.execute(text(statement))]


def _file_size(connection: Connection) -> int:
    if connection.dialect.name != "sqlite":
        return 0
    pages, size = (connection.scalar(text(f"PRAGMA {name}")) for name in ("page_count", "page_size"))
    return int(pages) * int(size)
