"""`trackplane backup`: one archive of the whole database, and its verification."""

from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import click

from tracking_server.commands.options import job_database, json_option, optional_database_url_option, report_file_option
from tracking_server.commands.report import Report, reporting
from tracking_server.database.archive.backup import Archive, back_up, verify_archive
from tracking_server.errors import BackupFailed


@click.group(invoke_without_command=True)
@click.option(
    "--to",
    "destination",
    type=click.Path(path_type=Path),
    help="The archive: a new file, or a folder that gets one with a name of its own.",
)
@optional_database_url_option
@report_file_option
@json_option
@click.pass_context
def backup(
    context: click.Context, destination: Path | None, url: str | None, report_file: Path | None, *, prints_json: bool
) -> None:
    """Write all that is in the database, as of one moment, to one archive.

    Servers may go on meanwhile. Artifacts are not in it: they stay in their store.
    """
    if context.invoked_subcommand is not None:
        return
    if destination is None or url is None:
        missing = "--to" if destination is None else "--backend-store-uri"
        raise click.UsageError(f"Missing option '{missing}'.")
    with reporting("backup", report_file, BackupFailed, prints_json=prints_json) as report:
        with job_database(url) as database:
            archive = back_up(database, destination, now=datetime.now(UTC), tool=f"trackplane {version('trackplane')}")
        _tell(report, archive)


@backup.command()
@click.argument("archive", type=click.Path(path_type=Path))
@report_file_option
@json_option
def verify(archive: Path, report_file: Path | None, *, prints_json: bool) -> None:
    """Read an archive back, whole: every row, the number of rows and their checksums."""
    with reporting("backup verify", report_file, BackupFailed, prints_json=prints_json) as report:
        _tell(report, verify_archive(archive))
        report.tell(verified=True)


def _tell(report: Report, archive: Archive) -> None:
    manifest = archive.manifest
    report.tell(
        path=str(archive.path),
        created_at=manifest.created_at,
        dialect=manifest.dialect,
        mlflow=manifest.mlflow,
        trackplane=manifest.trackplane,
        tables=len(manifest.tables),
        rows=manifest.rows,
        size_bytes=archive.size_bytes,
        sha256=archive.sha256,
        left_out=list(manifest.left_out),
    )
    click.echo(f"{archive.path}: {manifest.rows} rows of {len(manifest.tables)} tables", err=True)
