"""What happens between a server and its database before the first request: accept it, build it, or refuse it."""

from contextlib import suppress
from dataclasses import replace
from typing import Final, assert_never

from sqlalchemy import Connection, exists, insert, literal, select, union_all

from tracking_server.database import schema
from tracking_server.database.check import (
    NEVER_RUN,
    Current,
    DatabaseState,
    Empty,
    Foreign,
    Newer,
    Outdated,
    explain,
    inspect_database,
)
from tracking_server.database.lock import refuse_transaction_pooling
from tracking_server.database.migrations.upgrade import create_schema
from tracking_server.database.transactions import Database, open_database
from tracking_server.errors import BadRequest, InternalError, SchemaUnsupported

DEFAULT_EXPERIMENT: Final = 0
DEFAULT_WORKSPACE: Final = "default"
WAIT_FOR_ANOTHER_SECONDS: Final = 60.0


def ready_database(database: Database, *, creates_schema: bool) -> str | None:
    """A warning for the operator of the server, or None. Never migrates.

    Raises SchemaUnsupported, ConfigInvalid, and LockBusy when another process has been migrating for too long. Several
    servers may start on one empty database: one builds it, the others wait.
    """
    refuse_transaction_pooling(database)
    state = look(database)
    if isinstance(state, Empty) and creates_schema and state.facts.dialect != NEVER_RUN:
        create_schema(database, wait_seconds=WAIT_FOR_ANOTHER_SECONDS)
        state = look(database)
    match state:
        case Current():
            warning = explain(state) if state.facts.dialect == NEVER_RUN else None
        case Outdated(is_at_mlflow_head=True):
            warning = explain(state)
        case Empty() | Outdated() | Newer() | Foreign():
            raise SchemaUnsupported(explain(state))
        case _:
            assert_never(state)
    _refuse_workspaces(database)
    return warning


def ensure_default_experiment(database: Database, artifact_location: str, now_ms: int) -> None:
    """Makes experiment 0 when it is absent, as MLflow does: not when it is there and deleted."""

    def make(connection: Connection) -> None:
        experiments = schema.experiments
        present = select(experiments.c.experiment_id).where(experiments.c.experiment_id == DEFAULT_EXPERIMENT)
        if connection.scalar(present) is not None:
            return
        connection.execute(
            insert(experiments).values(
                experiment_id=DEFAULT_EXPERIMENT,
                name="Default",
                artifact_location=artifact_location,
                lifecycle_stage="active",
                creation_time=now_ms,
                last_update_time=now_ms,
                workspace=DEFAULT_WORKSPACE,
            )
        )

    with suppress(BadRequest):  # another experiment has its name by now: then there is none, and nothing is lost
        database.retrying(make)


def look(database: Database) -> DatabaseState:
    """Changes nothing: a file of SQLite is not made, and keeps even its kind of journal, as it may not be ours.

    Raises SchemaUnsupported for a file that is no database at all.
    """
    if database.url.path is None:
        return _inspect(database)
    exists = database.url.path.exists()
    looking = (
        Database(database.url, replace(database.options, read_only=True)) if exists else open_database("sqlite://")
    )
    try:
        return _inspect(looking)
    except InternalError as error:
        if not exists:
            raise
        cause = getattr(error.__cause__, "orig", error)
        raise SchemaUnsupported(
            f"{database.url.path} cannot be read as a database of SQLite: {cause}. Nothing was changed: name another"
            " file, or restore a backup."
        ) from error
    finally:
        looking.dispose()


def _inspect(database: Database) -> DatabaseState:
    with database.read() as connection:
        return inspect_database(connection)


def _refuse_workspaces(database: Database) -> None:
    """Rows of another workspace would be hidden from some requests and served by others."""
    statement = union_all(
        *(
            select(literal(table.name)).where(exists().where(table.c.workspace != DEFAULT_WORKSPACE))
            for table in (schema.experiments, schema.registered_models, schema.webhooks)
        )
    )
    with database.read() as connection:
        tables = connection.scalars(statement).all()
    if tables:
        raise SchemaUnsupported(
            f"The database holds workspaces other than {DEFAULT_WORKSPACE!r} (in {', '.join(tables)}),"
            " which this release does not serve."
        )
