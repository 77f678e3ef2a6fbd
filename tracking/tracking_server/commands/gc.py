"""`trackplane gc`: removes for good what was deleted, rows and artifacts."""

import os
import time
import uuid
from dataclasses import asdict
from pathlib import Path

import click

from tracking_server.artifacts.open_store import local_folder, open_roots
from tracking_server.artifacts.options import StoreOptions
from tracking_server.collect.ages import parse_age
from tracking_server.collect.collector import collect
from tracking_server.collect.outcome import Outcome, Stays, Wanted
from tracking_server.commands.options import database_url_option, json_option, open_for_job, report_file_option
from tracking_server.commands.report import Report, reporting
from tracking_server.database.check import Current, Outdated, explain, inspect_database
from tracking_server.database.transactions import Database
from tracking_server.errors import ConfigInvalid, GarbageCollectionFailed, SchemaUnsupported
from tracking_server.settings import PROXIED_ROOT


@click.command()
@click.option("--older-than", default="0s", help="Only what was deleted that long ago: 30d, 1d12h, 90m. [0s]")
@click.option("--run-ids", default="", help="Only these runs, separated by commas.")
@click.option("--experiment-ids", default="", help="Only these experiments, with all that is in them.")
@click.option("--logged-model-ids", default="", help="Only these logged models.")
@click.option("--dry-run", is_flag=True, help="Tell what would be removed, and remove nothing.")
@click.option(
    "--artifacts-destination",
    envvar="MLFLOW_ARTIFACTS_DESTINATION",
    default="./mlartifacts",
    show_default=True,
    show_envvar=True,
    help="Where the server keeps the artifacts that it serves.",
)
@click.option(
    "--default-artifact-root",
    "default_root",
    envvar=["MLFLOW_DEFAULT_ARTIFACT_ROOT", "ARTIFACT_ROOT"],
    default="",
    show_envvar=True,
    help="Where runs keep artifacts that clients write by themselves.",
)
@database_url_option
@report_file_option
@json_option
def gc(
    older_than: str,
    run_ids: str,
    experiment_ids: str,
    logged_model_ids: str,
    artifacts_destination: str,
    default_root: str,
    url: str,
    report_file: Path | None,
    *,
    dry_run: bool,
    prints_json: bool,
) -> None:
    """Remove for good what was deleted: runs, logged models and experiments, with their artifacts.

    What a live model version points to is kept. Servers may go on meanwhile; what is being removed can no longer be
    restored. After a kill, run it again.
    """
    with reporting("gc", report_file, GarbageCollectionFailed, prints_json=prints_json) as report:
        report.tell(dry_run=dry_run)
        now = time.time_ns() // 1_000_000
        wanted = Wanted(
            deleted_before=now - parse_age(older_than),
            run_ids=_ids(run_ids),
            experiment_ids=_ids(experiment_ids),
            logged_model_ids=_ids(logged_model_ids),
        )
        roots = open_roots(
            artifacts_destination, default_root or PROXIED_ROOT, Path.cwd(), StoreOptions.from_environ(os.environ)
        )
        _refuse_missing(local_folder(artifacts_destination, Path.cwd()))
        database = open_for_job(url)
        try:
            _refuse_other_schemas(database)
            outcome = collect(database, roots, wanted, claim_id=uuid.uuid4().hex, now=now, is_dry_run=dry_run)
        finally:
            database.dispose()
        _tell(report, outcome)


def _ids(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item.strip() for item in text.split(",") if item.strip()))


def _refuse_missing(folder: Path | None) -> None:
    """In a folder that is not mounted, all artifacts would seem to be gone already, and their runs would go."""
    if folder is not None and not folder.is_dir():
        raise ConfigInvalid(
            f"The artifacts destination {folder} is not there. Mount it, or name another with --artifacts-destination;"
            " if there never was an artifact, make the folder. Nothing was removed."
        )


def _refuse_other_schemas(database: Database) -> None:
    with database.read() as connection:
        match inspect_database(connection):
            case Current() | Outdated(is_at_mlflow_head=True):
                return
            case state:
                raise SchemaUnsupported(explain(state))


def _tell(report: Report, outcome: Outcome) -> None:
    report.tell(
        runs=outcome.runs,
        logged_models=outcome.logged_models,
        experiments=outcome.experiments,
        traces=outcome.traces,
        datasets=outcome.datasets,
        artifacts_files=outcome.artifacts_files,
        artifacts_bytes=outcome.artifacts_bytes,
        kept=len(outcome.kept),
        leftovers=len(outcome.leftovers),
        kept_items=[asdict(item) for item in outcome.kept],
        leftover_items=[asdict(item) for item in outcome.leftovers],
    )
    for title, items in (("kept", outcome.kept), ("left over", outcome.leftovers)):
        for item in items:
            click.echo(_line(title, item), err=True)


def _line(title: str, item: Stays) -> str:
    return f"{title}: {item.kind.replace('_', ' ')} {item.id}: {item.reason}"
