"""`trackplane backup`: one archive of the whole database, its verification, and the archives that are kept."""

import os
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import click

from tracking_server.artifacts.options import StoreOptions
from tracking_server.backups.found import FoundArchive, find_archives
from tracking_server.backups.places import (
    Place,
    is_folder,
    open_folder,
    parse_archive,
    parse_destination,
    take,
    verify_at,
)
from tracking_server.backups.pruning import Pruned, prune
from tracking_server.backups.retention import Limits
from tracking_server.collect.ages import parse_age
from tracking_server.commands.backup_keys import key_files_option, read_keys
from tracking_server.commands.options import (
    database_url_option,
    job_database,
    json_option,
    optional_database_url_option,
    report_file_option,
)
from tracking_server.commands.report import Report, reporting
from tracking_server.database.archive.backup import Written
from tracking_server.database.archive.keys import make_key
from tracking_server.database.identity import database_id, ensure_database_id
from tracking_server.database.transactions import Database
from tracking_server.errors import BackupFailed, ConfigInvalid

_keep_last_option = click.option(
    "--keep-last",
    type=click.IntRange(min=1),
    metavar="N",
    help="Afterwards, remove archives of this database that are not among the N newest.",
)
_keep_for_option = click.option(
    "--keep-for",
    default="",
    metavar="AGE",
    help="Afterwards, remove archives of this database that are older: 30d, 1d12h. With --keep-last, only what is"
    " beyond both.",
)
_READING = "File with the key of encrypted archives. May be given again, for archives with other keys."


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
@_keep_last_option
@_keep_for_option
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
        limits = _limits(keep_last, keep_for)
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
            name = archive.name
            folder = open_folder(place)
            _tell_pruned(report, prune(folder, limits, database_id=own_id, keys=keys, now=now, spared=name))


@backup.command()
@click.argument("archive")
@key_files_option("--key-file", _READING)
@report_file_option
@json_option
def verify(archive: str, key_files: Sequence[Path], report_file: Path | None, *, prints_json: bool) -> None:
    """Read an archive back, whole: every row, the number of rows and their checksums."""
    with reporting("backup verify", report_file, BackupFailed, prints_json=prints_json) as report:
        place = parse_archive(archive, Path(), StoreOptions.from_environ(os.environ))
        _tell(report, place, verify_at(place, read_keys(key_files)))
        report.tell(verified=True)


@backup.command("list")
@click.argument("destination")
@key_files_option("--key-file", _READING)
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


@backup.command("prune")
@click.argument("destination")
@_keep_last_option
@_keep_for_option
@click.option("--dry-run", is_flag=True, help="Tell what would be removed, and remove nothing.")
@key_files_option("--key-file", _READING)
@database_url_option
@report_file_option
@json_option
def prune_command(
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
        limits = _limits(keep_last, keep_for)
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
        _tell_pruned(report, pruned)


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


def _limits(last: int | None, age: str) -> Limits:
    return Limits(last=last, age=timedelta(milliseconds=parse_age(age)) if age else None)


def _known_id(database: Database) -> str:
    found = database_id(database)
    if found is None:
        raise ConfigInvalid(
            "The database has no id, so no archive can be known to be of it. `trackplane backup` with --keep-last or"
            " --keep-for gives it one. Nothing was removed."
        )
    return found


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


def _tell_pruned(report: Report, pruned: Pruned) -> None:
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
