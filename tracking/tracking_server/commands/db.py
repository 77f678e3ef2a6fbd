"""`trackplane db`: what a database is, and how it gets to where this release needs it."""

import time
from pathlib import Path
from typing import Final

import click

from tracking_server.commands.options import database_url_argument, json_option, open_for_job, report_file_option
from tracking_server.commands.report import Report, reporting
from tracking_server.database.check import (
    DatabaseState,
    Empty,
    Facts,
    Foreign,
    Newer,
    Outdated,
    Standing,
    Step,
    explain,
)
from tracking_server.database.lock import who_serves
from tracking_server.database.migrations.upgrade import WAIT_SECONDS, upgrade
from tracking_server.database.start import look
from tracking_server.database.transactions import DatabaseOptions
from tracking_server.errors import MigrationFailed, SchemaUnsupported

LOOKING: Final = DatabaseOptions(pool_size=2, read_only=True)
MIGRATING: Final = DatabaseOptions(pool_size=4, statement_timeout_seconds=0, lock_timeout_seconds=60)


@click.group()
def db() -> None:
    """Look at a database, and bring it to where this release needs it.

    URL is the database's, such as postgresql://user@host/name; without it, MLFLOW_BACKEND_STORE_URI is used.
    """


@db.command()
@database_url_argument
@json_option
@report_file_option
def check(url: str, prints_json: bool, report_file: Path | None) -> None:
    """Tell what a database is and what an upgrade would do. Nothing is changed."""
    with reporting("db check", report_file, SchemaUnsupported, prints_json=prints_json) as report:
        state = _look(url)
        _tell(report, state)
        if isinstance(state, Outdated) and not state.is_at_mlflow_head:
            raise SchemaUnsupported(explain(state))
        if not prints_json:
            click.echo(explain(state))
            for step in _steps(state):
                click.echo(f"  {step.lineage} {step.revision}: {step.title}")


@db.command("upgrade")
@database_url_argument
@click.option("--wait", "wait_seconds", type=float, default=WAIT_SECONDS, help="Seconds to wait for another migration.")
@json_option
@report_file_option
def upgrade_command(url: str, wait_seconds: float, prints_json: bool, report_file: Path | None) -> None:
    """Build an empty database, or bring one to the heads. Back it up before.

    One upgrade works at a time, others wait and then find nothing to do. After a kill, run it again.
    """
    started = time.monotonic()
    with reporting("db upgrade", report_file, MigrationFailed, prints_json=prints_json) as report:
        database = open_for_job(url, MIGRATING)
        try:
            before = look(database)  # the upgrade looks again under its lock, but that has opened the file to write
            if isinstance(before, Newer | Foreign) or (isinstance(before, Outdated) and not before.is_at_mlflow_head):
                raise SchemaUnsupported(explain(before))
            if serving := who_serves(database):
                report.tell(serving=list(serving))
                click.echo(f"These servers are connected, and stay so: {', '.join(serving)}", err=True)
            done = upgrade(database, wait_seconds=wait_seconds, before_step=lambda step: click.echo(step, err=True))
        finally:
            database.dispose()
        report.tell(
            **{"from": _revisions(done.before.facts), "to": _revisions(done.after.facts)},
            steps=list(done.steps),
            seconds=round(time.monotonic() - started, 3),
        )
        if not prints_json:
            click.echo(explain(done.after))


@db.command()
@database_url_argument
@json_option
@report_file_option
def current(url: str, prints_json: bool, report_file: Path | None) -> None:
    """Print the revisions that are recorded in a database."""
    with reporting("db current", report_file, SchemaUnsupported, prints_json=prints_json) as report:
        facts = _look(url).facts
        report.tell(mlflow=_standing(facts.mlflow), trackplane=_standing(facts.trackplane))
        if not prints_json:
            for name, standing in (("mlflow", facts.mlflow), ("trackplane", facts.trackplane)):
                suffix = " (head)" if standing.current == standing.head else f" (head is {standing.head})"
                click.echo(f"{name} {standing.current or 'none'}{suffix}")


def _look(url: str) -> DatabaseState:
    database = open_for_job(url, LOOKING)
    try:
        return look(database)
    finally:
        database.dispose()


def _tell(report: Report, state: DatabaseState) -> None:
    facts = state.facts
    steps = _steps(state)
    sizes = dict(facts.tables)
    report.tell(
        dialect=facts.dialect,
        state=type(state).__name__,
        mlflow=_standing(facts.mlflow),
        trackplane=_standing(facts.trackplane),
        migration_needed=bool(steps),
        additive=all(step.is_additive for step in steps),
        steps=[
            {
                "lineage": step.lineage,
                "revision": step.revision,
                "title": step.title,
                "additive": step.is_additive,
                "rewrites": [{"table": table, "size_bytes": sizes.get(table)} for table in step.rewrites],
            }
            for step in steps
        ],
        size_bytes=facts.size_bytes,
    )
    if not isinstance(state, Outdated) or state.is_at_mlflow_head:  # else it is the message of the failure
        report.tell(message=explain(state))


def _steps(state: DatabaseState) -> tuple[Step, ...]:
    match state:
        case Empty() | Outdated():
            return state.steps
        case _:
            return ()


def _standing(standing: Standing) -> dict[str, str | None]:
    return {"current": standing.current, "head": standing.head}


def _revisions(facts: Facts) -> dict[str, str | None]:
    return {"mlflow": facts.mlflow.current, "trackplane": facts.trackplane.current}
