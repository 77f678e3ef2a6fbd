"""`trackplane gc`: removes for good what was deleted, rows and artifacts."""

import os
import time
import uuid
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click

from tracking_server.artifacts.open_store import local_folder, open_roots
from tracking_server.artifacts.options import StoreOptions
from tracking_server.collect.ages import parse_age, parse_share
from tracking_server.collect.backups import kept_backups
from tracking_server.collect.collector import collect
from tracking_server.collect.orphans import Limits
from tracking_server.collect.outcome import KeptBackups, Outcome, Stays, Wanted
from tracking_server.commands.backup_keys import key_files_option, read_keys
from tracking_server.commands.options import database_url_option, job_database, json_option, report_file_option
from tracking_server.commands.orphans import sweep_roots
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
@click.option("--jobs", is_flag=True, help="Remove the jobs of MLflow's server too that have come to their end.")
@click.option("--job-ids", default="", help="Only these jobs, with or without --jobs.")
@click.option(
    "--keep-backed-up",
    metavar="DESTINATION",
    default="",
    help="Keep what a backup at this destination has as it was before it was deleted.",
)
@key_files_option(
    "--backup-key-file", "With --keep-backed-up: file with the key of encrypted archives. May be given again."
)
@click.option("--orphans", is_flag=True, help="Instead: tell which artifacts no row owns.")
@click.option("--delete", "deletes", is_flag=True, help="With --orphans: remove them.")
@click.option("--adopt-root", is_flag=True, help="With --orphans: say that these artifacts are of this database alone.")
@click.option("--min-age", default="7d", show_default=True, help="With --orphans: leave alone what was written since.")
@click.option("--max-share", default="10%", show_default=True, help="With --orphans: refuse when they are more.")
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
    job_ids: str,
    keep_backed_up: str,
    key_files: Sequence[Path],
    min_age: str,
    max_share: str,
    artifacts_destination: str,
    default_root: str,
    url: str,
    report_file: Path | None,
    *,
    jobs: bool,
    orphans: bool,
    deletes: bool,
    adopt_root: bool,
    dry_run: bool,
    prints_json: bool,
) -> None:
    """Remove for good what was deleted: runs, logged models and experiments, with their artifacts.

    With --orphans, artifacts that no row owns. What a live model version points to is kept. Servers may go on
    meanwhile; what is being removed can no longer be restored. After a kill, run it again.
    """
    if not orphans and (deletes or adopt_root):
        raise click.UsageError("--delete and --adopt-root are for --orphans.")
    if orphans and (run_ids or experiment_ids or logged_model_ids or jobs or job_ids or keep_backed_up):
        raise click.UsageError(
            "--orphans looks at what no row owns: nothing can be named, and which backups had an owner is not known."
        )
    with reporting("gc", report_file, GarbageCollectionFailed, prints_json=prints_json) as report:
        report.tell(dry_run=dry_run or (orphans and not deletes))
        now = time.time_ns() // 1_000_000
        store_options = StoreOptions.from_environ(os.environ)
        _refuse_missing(local_folder(artifacts_destination, Path.cwd()))
        roots = open_roots(artifacts_destination, default_root or PROXIED_ROOT, Path.cwd(), store_options)
        limits = Limits(written_before=(now - parse_age(min_age)) / 1000, max_share=parse_share(max_share))
        age = parse_age(older_than)
        wanted = Wanted(
            deleted_before=now - age,
            run_ids=_ids(run_ids),
            experiment_ids=_ids(experiment_ids),
            logged_model_ids=_ids(logged_model_ids),
            jobs=jobs,
            job_ids=_ids(job_ids),
            jobs_created_before=now - age if age else None,
            backups=_kept(keep_backed_up, store_options, key_files),
        )
        with _opened(url) as database:
            if orphans:
                sweep_roots(
                    database, roots, limits, report, now=now, adopts=adopt_root, deletes=deletes and not dry_run
                )
            else:
                outcome = collect(database, roots, wanted, claim_id=uuid.uuid4().hex, now=now, is_dry_run=dry_run)
                _tell(report, outcome)


@contextmanager
def _opened(url: str) -> Generator[Database]:
    with job_database(url) as database:
        if database.url.folder is not None:
            raise ConfigInvalid(
                f"{database.url.folder} is a folder of MLflow's FileStore, of which the database is a copy: what is"
                " removed from the copy would come back. Import the folder into a database of its own (`trackplane"
                " import`), or use `mlflow gc`. Nothing was removed."
            )
        _refuse_other_schemas(database)
        yield database


def _kept(destination: str, options: StoreOptions, key_files: Sequence[Path]) -> KeptBackups | None:
    return kept_backups(destination, Path.cwd(), options, read_keys(key_files)) if destination else None


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
        jobs=outcome.jobs,
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
