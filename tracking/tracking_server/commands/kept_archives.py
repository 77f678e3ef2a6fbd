"""`trackplane backup list` and `prune`: the archives at a destination, and those that are no longer to be kept."""

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

from tracking_server.artifacts.options import StoreOptions
from tracking_server.backups.found import FoundArchive, find_archives
from tracking_server.backups.places import is_folder, open_folder, parse_destination
from tracking_server.backups.pruning import Pruned, prune
from tracking_server.backups.retention import Limits
from tracking_server.collect.ages import parse_age
from tracking_server.commands.backup_keys import read_keys, reading_keys_option
from tracking_server.commands.options import database_url_option, job_database, json_option, report_file_option
from tracking_server.commands.report import Report, reporting
from tracking_server.database.identity import database_id
from tracking_server.database.transactions import Database
from tracking_server.errors import BackupFailed, ConfigInvalid

Command = TypeVar("Command", bound=Callable[..., Any])


def keep_options(command: Command) -> Command:
    """`keep_last` and `keep_for`, for `limits_of`."""
    last = click.option(
        "--keep-last",
        type=click.IntRange(min=1),
        metavar="N",
        help="Remove archives of this database that are not among the N newest.",
    )
    age = click.option(
        "--keep-for",
        default="",
        metavar="AGE",
        help="Remove archives of this database that are older: 30d, 1d12h. With --keep-last, only what is beyond both.",
    )
    return last(age(command))


def limits_of(keep_last: int | None, keep_for: str) -> Limits:
    """Raises ConfigInvalid."""
    return Limits(last=keep_last, age=timedelta(milliseconds=parse_age(keep_for)) if keep_for else None)


@click.command("list")
@click.argument("destination")
@reading_keys_option
@report_file_option
@json_option
def list_archives(destination: str, key_files: Sequence[Path], report_file: Path | None, *, prints_json: bool) -> None:
    """List the archives in a folder, of this machine or of a store, by what their manifests say."""
    with reporting("backup list", report_file, BackupFailed, prints_json=prints_json) as report:
        folder = open_folder(parse_destination(destination, Path(), StoreOptions.from_environ(os.environ)))
        found = list(find_archives(folder, read_keys(key_files)))
        report.tell(destination=str(folder), archives=[_listed(each) for each in found])
        if not prints_json:
            for each in found:
                click.echo(_line(each))


@click.command("prune")
@click.argument("destination")
@keep_options
@click.option("--dry-run", is_flag=True, help="Tell what would be removed, and remove nothing.")
@reading_keys_option
@database_url_option
@report_file_option
@json_option
def prune_archives(
    destination: str,
    keep_last: int | None,
    keep_for: str,
    key_files: Sequence[Path],
    url: str,
    report_file: Path | None,
    *,
    dry_run: bool,
    prints_json: bool,
) -> None:
    """Remove the archives of this database that are beyond --keep-last and --keep-for. No new one is taken.

    The newest one stays, and so does what cannot be read, what is of another database, and what somebody named.
    """
    with reporting("backup prune", report_file, BackupFailed, prints_json=prints_json) as report:
        report.tell(dry_run=dry_run)
        limits = limits_of(keep_last, keep_for)
        if not limits.are_given:
            raise click.UsageError("Missing option '--keep-last' or '--keep-for'.")
        place = parse_destination(destination, Path(), StoreOptions.from_environ(os.environ))
        if not is_folder(place):
            raise ConfigInvalid(f"The destination of backups {place} is not a folder.")
        keys = read_keys(key_files)
        with job_database(url) as database:
            own_id = _known_id(database)
        pruned = prune(
            open_folder(place), limits, database_id=own_id, keys=keys, now=datetime.now(UTC), is_dry_run=dry_run
        )
        tell_pruned(report, pruned)


def tell_pruned(report: Report, pruned: Pruned) -> None:
    report.tell(
        removed=list(pruned.removed),
        kept=list(pruned.kept),
        others=list(pruned.others),
        leftovers=[asdict(item) for item in pruned.leftovers],
    )
    for name in pruned.removed:
        click.echo(f"removed: {name}", err=True)
    for item in pruned.leftovers:
        click.echo(f"left over: {item.key}: {item.reason}", err=True)


def _known_id(database: Database) -> str:
    found = database_id(database)
    if found is None:
        raise ConfigInvalid(
            "The database has no id, so no archive can be known to be of it. `trackplane backup` with --keep-last or"
            " --keep-for gives it one. Nothing was removed."
        )
    return found


def _listed(archive: FoundArchive) -> dict[str, object]:
    manifest = archive.manifest
    known: dict[str, object] = {"reason": archive.reason}
    if manifest is not None:
        known = {
            "created_at": manifest.created_at,
            "dialect": manifest.dialect,
            "database": manifest.database,
            "mlflow": manifest.mlflow,
            "trackplane": manifest.trackplane,
            "rows": manifest.rows,
        }
    return {
        "name": archive.name,
        "size_bytes": archive.size_bytes,
        "encrypted": archive.key_id is not None,
        "key_id": archive.key_id,
        **known,
    }


def _line(archive: FoundArchive) -> str:
    encrypted = f", encrypted with {archive.key_id}" if archive.key_id else ""
    size = f"{archive.name}: {archive.size_bytes} bytes{encrypted}"
    manifest = archive.manifest
    if manifest is None:
        return f"{size}: {archive.reason}"
    return f"{size}, {manifest.created_at}, {manifest.dialect} at {manifest.mlflow}, {manifest.rows} rows"
