"""`trackplane db`: what a database is, and how it gets to where this release needs it."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from tracking_server.commands.db_copy import copy
from tracking_server.commands.logs import messages_on_stderr
from tracking_server.commands.options import database_url_argument, job_database, json_option, report_file_option
from tracking_server.commands.report import Report, reporting
from tracking_server.database.check import (
    DatabaseState,
    Empty,
    Facts,
    Foreign,
    Newer,
    Standing,
    Step,
    explain,
    steps_to,
    trackplane_steps,
)
from tracking_server.database.connected import who_is_connected
from tracking_server.database.forecast import Forecast, forecast, measure
from tracking_server.database.lock import refuse_transaction_pooling, who_serves
from tracking_server.database.migrations import mlflow
from tracking_server.database.migrations.upgrade import WAIT_SECONDS, upgrade
from tracking_server.database.stamping import stamp
from tracking_server.database.start import look
from tracking_server.database.transactions import Database, DatabaseOptions
from tracking_server.errors import MigrationFailed, SchemaUnsupported

if TYPE_CHECKING:
    from tracking_server.database.migrations.dry_run import StepSql

LOOKING: Final = DatabaseOptions(pool_size=4, read_only=True)
MIGRATING: Final = DatabaseOptions(pool_size=4, statement_timeout_seconds=0, lock_timeout_seconds=60)


@click.group()
def db() -> None:
    """Look at a database, and bring it to where this release needs it.

    URL is the database's, such as postgresql://user@host/name; without it, MLFLOW_BACKEND_STORE_URI is used.
    """


db.add_command(copy)


@db.command()
@database_url_argument
@json_option
@report_file_option
def check(url: str, prints_json: bool, report_file: Path | None) -> None:
    """Tell what a database is and what an upgrade would do. Nothing is changed."""
    with reporting("db check", report_file, SchemaUnsupported, prints_json=prints_json) as report:
        with job_database(url, LOOKING) as database:
            state = look(database)
            steps = steps_to(state, None)
            expected = _forecast(database, state, steps)
        _tell(report, state, steps, expected)
        if not prints_json:
            click.echo(explain(state))
            _print_steps(steps, expected)


@db.command("upgrade")
@database_url_argument
@click.option("--wait", "wait_seconds", type=float, default=WAIT_SECONDS, help="Seconds to wait for another migration.")
@click.option("--to", metavar="REVISION", help="Stop at this revision of either lineage; `db history` lists them.")
@click.option("--dry-run", is_flag=True, help="Print the SQL, and change nothing.")
@json_option
@report_file_option
def upgrade_command(
    url: str, wait_seconds: float, to: str | None, report_file: Path | None, *, dry_run: bool, prints_json: bool
) -> None:
    """Build an empty database, or bring one to the heads. Back it up before.

    One upgrade works at a time, others wait and then find nothing to do. After a kill, run it again.
    """
    started = time.monotonic()
    lines: Sequence[str] = ()
    with (
        reporting("db upgrade", report_file, MigrationFailed, prints_json=prints_json) as report,
        job_database(url, LOOKING if dry_run else MIGRATING) as database,
    ):
        before = look(database)  # the upgrade looks again under its lock, but that has opened the file to write
        if isinstance(before, Newer | Foreign):
            raise SchemaUnsupported(explain(before))
        refuse_transaction_pooling(database)
        steps = steps_to(before, to)
        if serving := who_serves(database):
            report.tell(serving=list(serving))
            click.echo(f"These servers are connected, and stay so: {', '.join(serving)}", err=True)
        if connected := who_is_connected(database):
            report.tell(connected=list(connected))
            click.echo(f"Others are connected, and not waited for: {', '.join(connected)}", err=True)
        if dry_run:
            lines = _dry_run(report, database, before, steps, wait_seconds)
        else:
            with messages_on_stderr("tracking_server.database.migrations"):
                done = upgrade(
                    database, wait_seconds=wait_seconds, before_step=lambda step: click.echo(step, err=True), to=to
                )
            report.tell(
                **{"from": _revisions(done.before.facts), "to": _revisions(done.after.facts)},
                steps=list(done.steps),
                seconds=round(time.monotonic() - started, 3),
            )
            lines = [explain(done.after)]
    if not prints_json:
        for line in lines:
            click.echo(line)


@db.command()
@database_url_argument
@json_option
@report_file_option
def current(url: str, prints_json: bool, report_file: Path | None) -> None:
    """Print the revisions that are recorded in a database."""
    with reporting("db current", report_file, SchemaUnsupported, prints_json=prints_json) as report:
        with job_database(url, LOOKING) as database:
            facts = look(database).facts
        report.tell(mlflow=_standing(facts.mlflow), trackplane=_standing(facts.trackplane))
        if not prints_json:
            for name, standing in (("mlflow", facts.mlflow), ("trackplane", facts.trackplane)):
                suffix = " (head)" if standing.current == standing.head else f" (head is {standing.head})"
                click.echo(f"{name} {standing.current or 'none'}{suffix}")


@db.command()
@json_option
@report_file_option
def history(prints_json: bool, report_file: Path | None) -> None:
    """List the revisions of both lineages in order, MLflow's with the first release that has it."""
    with reporting("db history", report_file, SchemaUnsupported, prints_json=prints_json) as report:
        own = trackplane_steps()
        report.tell(
            mlflow=[{"revision": revision, "release": release} for revision, release in mlflow.releases().items()],
            trackplane=[{"revision": step.revision, "title": step.title} for step in own],
        )
        if not prints_json:
            for revision, release in mlflow.releases().items():
                click.echo(f"mlflow {revision} (MLflow {release})")
            for step in own:
                click.echo(f"trackplane {step.revision} ({step.title})")


@db.command("stamp")
@click.argument("revision")
@database_url_argument
@click.option("--force", is_flag=True, help="Even where the schema is not that of the revision.")
@click.option("--wait", "wait_seconds", type=float, default=WAIT_SECONDS, help="Seconds to wait for a migration.")
@json_option
@report_file_option
def stamp_command(
    revision: str, url: str, wait_seconds: float, report_file: Path | None, *, force: bool, prints_json: bool
) -> None:
    """Write a revision of either lineage into a database, without any step.

    For a database whose record of it is wrong or lost. The schema must be that of the revision.
    """
    with reporting("db stamp", report_file, MigrationFailed, prints_json=prints_json) as report:
        with job_database(url, MIGRATING) as database:
            before = look(database)
            if isinstance(before, Empty):
                raise SchemaUnsupported(explain(before))
            done = stamp(database, revision, wait_seconds=wait_seconds, is_forced=force)
        report.tell(**{"from": _revisions(done.before.facts), "to": _revisions(done.after.facts)})
        if done.why_not is not None:
            report.tell(forced_although=done.why_not)
            click.echo(f"The schema is not that of {revision}: {done.why_not}.", err=True)
        if not prints_json:
            click.echo(explain(done.after))


def _forecast(database: Database, state: DatabaseState, steps: Sequence[Step]) -> Forecast:
    tables = {table for step in steps for table in step.rewrites}
    if not tables:  # and perhaps no file
        return forecast(state.facts.dialect, steps, {})
    with database.read() as connection:
        return forecast(state.facts.dialect, steps, measure(connection, tables))


def _dry_run(
    report: Report, database: Database, state: DatabaseState, steps: Sequence[Step], wait_seconds: float
) -> Sequence[str]:
    """The lines to print."""
    # it loads Alembic, which takes long
    from tracking_server.database.migrations.dry_run import script, sql_of

    expected = _forecast(database, state, steps)
    plan = sql_of(database, state, steps, wait_seconds=wait_seconds)
    report.tell(
        dry_run=True,
        steps=[f"{step.lineage}:{step.revision}" for step in steps],
        sql=[_told_sql(each) for each in plan],
        **_told(expected),
    )
    return list(script(state.facts.dialect, plan, _notes(state, expected, plan)))


def _told_sql(each: "StepSql") -> dict[str, object]:
    return {
        "lineage": each.step.lineage,
        "revision": each.step.revision,
        "title": each.step.title,
        "statements": [{"sql": statement.text, "times": statement.times} for statement in each.statements],
    }


def _notes(state: DatabaseState, expected: Forecast, plan: Sequence["StepSql"]) -> Sequence[str]:
    notes = [explain(state), "Nothing was changed." if plan else "Nothing is to be done."]
    if expected.copies:
        copied = ", ".join(_sized(table, expected) for table in expected.copies)
        notes += [f"Copied whole: {copied}.", f"About {expected.seconds} seconds: {expected.basis}."]
    if any(each.changes_rows for each in plan):
        notes.append(
            "The SQL alone is for tables without rows: some steps move values that they work out from rows, and then"
            " remove where these were. Where there are rows, `trackplane db upgrade` is the way."
        )
    return notes


def _print_steps(steps: Sequence[Step], expected: Forecast) -> None:
    for step in steps:
        copied = [_sized(table, expected) for table in step.rewrites if table in expected.sizes]
        click.echo(f"  {step.lineage} {step.revision}: {step.title}{'; copies ' if copied else ''}{', '.join(copied)}")
    if expected.copies:
        click.echo(f"About {expected.seconds} seconds: {expected.basis}.")


def _sized(table: str, expected: Forecast) -> str:
    rows = expected.sizes[table].rows
    return table if rows is None else f"{table} (about {rows} rows)"


def _told(expected: Forecast) -> dict[str, object]:
    return {
        "rewrites": [
            {
                "table": table,
                "times": times,
                "rows": expected.sizes[table].rows,
                "size_bytes": expected.sizes[table].size_bytes,
            }
            for table, times in expected.copies.items()
        ],
        "estimate": {"seconds": expected.seconds, "basis": expected.basis},
    }


def _tell(report: Report, state: DatabaseState, steps: Sequence[Step], expected: Forecast) -> None:
    facts = state.facts
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
                "rewrites": [table for table in step.rewrites if table in expected.sizes],
            }
            for step in steps
        ],
        size_bytes=facts.size_bytes,
        **_told(expected),
        message=explain(state),
    )


def _standing(standing: Standing) -> dict[str, str | None]:
    return {"current": standing.current, "head": standing.head}


def _revisions(facts: Facts) -> dict[str, str | None]:
    return {"mlflow": facts.mlflow.current, "trackplane": facts.trackplane.current}
