"""`trackplane restore`: an archive back into a database."""

import os
from collections.abc import Sequence
from pathlib import Path

import click

from tracking_server.artifacts.options import StoreOptions
from tracking_server.backups.places import parse_archive, restore_from
from tracking_server.commands.backup_keys import read_keys, reading_keys_option
from tracking_server.commands.options import database_url_option, job_database, json_option, report_file_option
from tracking_server.commands.report import reporting
from tracking_server.errors import RestoreFailed


@click.command()
@click.argument("archive")
@click.option("--replace", is_flag=True, help="Replace a database that is in use: all that is in it now is lost.")
@reading_keys_option
@database_url_option
@report_file_option
@json_option
def restore(
    archive: str,
    key_files: Sequence[Path],
    url: str,
    report_file: Path | None,
    *,
    replace: bool,
    prints_json: bool,
) -> None:
    """Bring an archive back, rows and schema as they were, into the engine that it was taken from.

    The database stays as it is until everything is loaded and verified; a restore that is killed changes nothing. Stop
    the servers of the database first.
    """
    with reporting("restore", report_file, RestoreFailed, prints_json=prints_json) as report:
        place = parse_archive(archive, Path(), StoreOptions.from_environ(os.environ))
        keys = read_keys(key_files)
        with job_database(url) as database:
            restored = restore_from(database, place, replace=replace, keys=keys)
        manifest = restored.manifest
        report.tell(
            path=str(place),
            created_at=manifest.created_at,
            mlflow=manifest.mlflow,
            trackplane=manifest.trackplane,
            tables=len(manifest.tables),
            rows=manifest.rows,
            left_behind=list(restored.left_behind),
            negative_zeros=restored.negative_zeros,
        )
        click.echo(f"{manifest.rows} rows of {len(manifest.tables)} tables restored", err=True)
