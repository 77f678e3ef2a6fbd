"""`trackplane backup`: one archive of the whole database, its verification, and the archives that are kept."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import click

from tracking_server.artifacts.options import StoreOptions
from tracking_server.backups.places import (
    Place,
    is_folder,
    open_folder,
    parse_archive,
    parse_destination,
    take,
    verify_at,
)
from tracking_server.backups.pruning import prune
from tracking_server.commands.backup_keys import key_files_option, read_keys, reading_keys_option
from tracking_server.commands.kept_archives import (
    keep_options,
    limits_of,
    list_archives,
    prune_archives,
    tell_pruned,
)
from tracking_server.commands.options import job_database, json_option, optional_database_url_option, report_file_option
from tracking_server.commands.report import Report, reporting
from tracking_server.database.archive.backup import Written
from tracking_server.database.archive.keys import make_key
from tracking_server.database.identity import ensure_database_id
from tracking_server.errors import BackupFailed, ConfigInvalid


@click.group(invoke_without_command=True)
@click.option(
    "--to",
    "destination",
    help="Where the archive goes: a new file, or a folder that gets one with a name of its own, of this machine or of"
    " a store (s3://, gs://, wasbs://, abfss://, azure://).",
)
@key_files_option(
    "--encrypt-key-file",
    "Encrypt the archive with the key in this file. Given again, the first one encrypts, and all serve to read the"
    " archives that --keep-last and --keep-for look at.",
)
@keep_options
@optional_database_url_option
@report_file_option
@json_option
@click.pass_context
def backup(
    context: click.Context,
    destination: str | None,
    key_files: Sequence[Path],
    keep_last: int | None,
    keep_for: str,
    url: str | None,
    report_file: Path | None,
    *,
    prints_json: bool,
) -> None:
    """Write all that is in the database, as of one moment, to one archive.

    Servers may go on meanwhile. Artifacts are not in it: they stay in their store. With --keep-last or --keep-for, the
    archive is read back before older ones are removed.
    """
    if context.invoked_subcommand is not None:
        return
    if destination is None or url is None:
        missing = "--to" if destination is None else "--backend-store-uri"
        raise click.UsageError(f"Missing option '{missing}'.")
    with reporting("backup", report_file, BackupFailed, prints_json=prints_json) as report:
        place = parse_destination(destination, Path(), StoreOptions.from_environ(os.environ))
        limits = limits_of(keep_last, keep_for)
        if limits.are_given and not is_folder(place):
            raise ConfigInvalid(f"--keep-last and --keep-for need a folder of archives, and {place} is none.")
        keys = read_keys(key_files)
        now = datetime.now(UTC)
        with job_database(url) as database:
            own_id = ensure_database_id(database, now=_milliseconds(now)) if limits.are_given else ""
            key = keys[0] if keys else None
            archive, written = take(database, place, now=now, tool=f"trackplane {version('trackplane')}", key=key)
        _tell(report, archive, written)
        if limits.are_given:
            verify_at(archive, keys)
            report.tell(verified=True)
            folder = open_folder(place)
            pruned = prune(folder, limits, database_id=own_id, keys=keys, now=now, spared=archive.name)
            tell_pruned(report, pruned)


@backup.command()
@click.argument("archive")
@reading_keys_option
@report_file_option
@json_option
def verify(archive: str, key_files: Sequence[Path], report_file: Path | None, *, prints_json: bool) -> None:
    """Read an archive back, whole: every row, the number of rows and their checksums."""
    with reporting("backup verify", report_file, BackupFailed, prints_json=prints_json) as report:
        place = parse_archive(archive, Path(), StoreOptions.from_environ(os.environ))
        _tell(report, place, verify_at(place, read_keys(key_files)))
        report.tell(verified=True)


@backup.command("new-key")
@click.argument("file", type=click.Path(path_type=Path))
@report_file_option
@json_option
def new_key(file: Path, report_file: Path | None, *, prints_json: bool) -> None:
    """Make a key for encrypted archives, in a new file that only its owner reads.

    Keep a copy of it away from the archives: without the key, nobody reads them.
    """
    with reporting("backup new-key", report_file, BackupFailed, prints_json=prints_json) as report:
        key = make_key(file)
        report.tell(path=str(file), key_id=key.id)
        click.echo(f"{file}: the new key {key.id}", err=True)


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _tell(report: Report, place: Place, written: Written) -> None:
    manifest = written.manifest
    report.tell(
        path=str(place),
        created_at=manifest.created_at,
        dialect=manifest.dialect,
        database=manifest.database,
        mlflow=manifest.mlflow,
        trackplane=manifest.trackplane,
        tables=len(manifest.tables),
        rows=manifest.rows,
        size_bytes=written.size_bytes,
        sha256=written.sha256,
        encrypted=written.key_id is not None,
        key_id=written.key_id,
        left_out=list(manifest.left_out),
    )
    click.echo(f"{place}: {manifest.rows} rows of {len(manifest.tables)} tables", err=True)


for each in (list_archives, prune_archives):
    backup.add_command(each)
