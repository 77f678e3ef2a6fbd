"""`trackplane restore`: an archive back into a database."""

from pathlib import Path

import click

from tracking_server.commands.options import database_url_option, job_database, json_option, report_file_option
from tracking_server.commands.report import reporting
from tracking_server.database.archive import restore as archive_restore
from tracking_server.errors import RestoreFailed


@click.command()
@click.argument("archive", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Replace a database that is in use: all that is in it now is lost.")
@database_url_option
@report_file_option
@json_option
def restore(archive: Path, url: str, report_file: Path | None, *, replace: bool, prints_json: bool) -> None:
    """Bring an archive back, rows and schema as they were, into the engine that it was taken from.

    The database stays as it is until everything is loaded and verified; a restore that is killed changes nothing. Stop
    the servers of the database first.
    """
    with reporting("restore", report_file, RestoreFailed, prints_json=prints_json) as report:
        with job_database(url) as database:
            restored = archive_restore.restore(database, archive, replace=replace)
        manifest = restored.manifest
        report.tell(
            path=str(archive),
            created_at=manifest.created_at,
            mlflow=manifest.mlflow,
            trackplane=manifest.trackplane,
            tables=len(manifest.tables),
            rows=manifest.rows,
            left_behind=list(restored.left_behind),
        )
        click.echo(f"{manifest.rows} rows of {len(manifest.tables)} tables restored", err=True)
