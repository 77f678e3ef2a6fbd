"""`trackplane db copy`: all that is in one database into another, of any engine, without a file between."""

from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

import click

from tracking_server.commands.database_uri import read_uri
from tracking_server.commands.options import JOB, json_option, report_file_option
from tracking_server.commands.report import reporting
from tracking_server.database.archive.live import copy_database
from tracking_server.database.transactions import open_database
from tracking_server.errors import ConfigInvalid, RestoreFailed

SOURCE: Final = "TRACKPLANE_COPY_SOURCE"
TARGET: Final = "TRACKPLANE_COPY_TARGET"


@click.command("copy")
@click.argument("source", envvar=SOURCE, required=False)
@click.argument("target", envvar=TARGET, required=False)
@click.option("--source-file", type=click.Path(path_type=Path), help=f"File with the URL of SOURCE. [env: {SOURCE}]")
@click.option("--target-file", type=click.Path(path_type=Path), help=f"File with the URL of TARGET. [env: {TARGET}]")
@report_file_option
@json_option
def copy(
    source: str | None,
    target: str | None,
    source_file: Path | None,
    target_file: Path | None,
    report_file: Path | None,
    *,
    prints_json: bool,
) -> None:
    """Copy all that is in one database into an empty one, of the same engine or of another.

    SOURCE and TARGET are URLs. One with a password belongs into a file or the environment, where others do not see it.
    The source is read as of one moment, and is not changed.
    """
    with reporting("db copy", report_file, RestoreFailed, prints_json=prints_json) as report:
        database = open_database(_chosen("SOURCE", source, source_file), JOB)
        into = open_database(_chosen("TARGET", target, target_file), JOB)
        try:
            copied = copy_database(database, into, now=datetime.now(UTC), tool=f"trackplane {version('trackplane')}")
        finally:
            into.dispose()
            database.dispose()
        manifest = copied.manifest
        report.tell(
            dialect={"from": database.dialect, "to": into.dialect},
            mlflow=manifest.mlflow,
            trackplane=manifest.trackplane,
            tables=len(manifest.tables),
            rows=manifest.rows,
            left_out=list(manifest.left_out),
            left_behind=list(copied.left_behind),
        )
        click.echo(f"{manifest.rows} rows of {len(manifest.tables)} tables copied", err=True)


def _chosen(name: str, url: str | None, file: Path | None) -> str:
    if url and file:
        raise ConfigInvalid(f"{name} is given twice, as a URL and as a file: leave one.")
    if file is not None:
        return read_uri(file)
    if not url:
        raise click.UsageError(f"Missing argument '{name}': the URL, --{name.lower()}-file or TRACKPLANE_COPY_{name}.")
    return url
