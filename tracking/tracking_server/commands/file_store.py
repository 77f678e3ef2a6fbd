"""`trackplane import` and `trackplane export`: between a folder of MLflow's FileStore (`mlruns`) and a database."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final, cast

import click

from tracking_server.commands.database_uri import BACKEND_STORE_URI
from tracking_server.commands.options import (
    destination_url_option,
    job_database,
    json_option,
    optional_database_url_option,
    report_file_option,
)
from tracking_server.commands.report import Report, reporting
from tracking_server.database.transactions import DatabaseOptions
from tracking_server.errors import ExportFailed, ImportFailed
from tracking_server.filestore.addresses import parse_rewrite
from tracking_server.filestore.exporting import ExportOptions, export_folder
from tracking_server.filestore.importing import import_folder, require_file_store
from tracking_server.filestore.target import Imported, Options

_OPTIONS: Final = DatabaseOptions(pool_size=4, statement_timeout_seconds=0, lock_timeout_seconds=60)

rewrite_option = click.option(
    "--rewrite-artifact-uri",
    "rewrites",
    multiple=True,
    metavar="FROM=TO",
    help="Artifact URIs that begin with FROM begin with TO instead. May be given several times; the first counts.",
)


@click.command("import")
@click.argument("folder", type=click.Path(path_type=Path))
@destination_url_option
@rewrite_option
@click.option(
    "--on-conflict",
    type=click.Choice(["keep", "replace"]),
    default="keep",
    show_default=True,
    help="Of tags and aliases that differ: keep those of the database and tell, or take those of the folder.",
)
@click.option("--dry-run", "is_dry", is_flag=True, help="Read everything, tell what would be done, write nothing.")
@report_file_option
@json_option
def import_command(
    folder: Path,
    url: str,
    rewrites: tuple[str, ...],
    on_conflict: str,
    report_file: Path | None,
    *,
    is_dry: bool,
    prints_json: bool,
) -> None:
    """Bring a folder of MLflow's FileStore, such as ./mlruns, into a database. The folder is only read.

    Rows are added: what the database has stays as it is, and what differs from it is named, unless --on-conflict says
    that tags and aliases of the folder go before those of the database. Broken files are
    named and passed over. After a kill, run it again: it goes on.
    """
    started = time.monotonic()
    with reporting("import", report_file, ImportFailed, prints_json=prints_json) as report:
        options = Options(
            rewrites=[parse_rewrite(each) for each in rewrites],
            is_dry=is_dry,
            replaces=on_conflict == "replace",
            say=_say,
        )
        with job_database(url, _OPTIONS) as database:
            require_file_store(folder)
            imported = import_folder(database, folder, options)
        report.tell(folder=str(folder), dry_run=is_dry, seconds=round(time.monotonic() - started, 3))
        tell(report, imported)
        if not prints_json:
            for line in lines(imported, is_dry=is_dry):
                click.echo(line)


@click.command("export")
@click.argument("arguments", nargs=-1, required=True, metavar="[URL] FOLDER")
@optional_database_url_option
@rewrite_option
@report_file_option
@json_option
def export_command(
    arguments: tuple[str, ...],
    url: str | None,
    rewrites: tuple[str, ...],
    report_file: Path | None,
    *,
    prints_json: bool,
) -> None:
    """Write a database, as of one moment, into a new folder that MLflow's FileStore reads.

    Without URL, the database is that of --backend-store-uri or the environment. Artifacts stay where they are.
    """
    *given, last = arguments
    if len(given) > 1:
        raise click.UsageError("URL and FOLDER are wanted, and no more.")
    if given:
        url = given[0]
    if url is None:
        raise click.UsageError(f"Missing argument 'URL'; set it, --database-uri-file or {BACKEND_STORE_URI}.")
    folder = Path(last)
    with reporting("export", report_file, ExportFailed, prints_json=prints_json) as report:
        options = ExportOptions(rewrites=[parse_rewrite(each) for each in rewrites], say=_say)
        with job_database(url, _OPTIONS) as database:
            exported = export_folder(database, folder, options)
        report.tell(folder=str(folder), written=exported.written, faults=exported.faults.kept)
        report.tell(faults_total=exported.faults.total, not_in_a_folder=exported.left_out)
        if not prints_json:
            click.echo(f"{folder}: {_counts(exported.written) or 'nothing'} written")
            for fault in exported.faults.kept:
                click.echo(f"  {fault['path']}: {fault['why']}", err=True)


def _say(line: str) -> None:
    click.echo(line, err=True)


def tell(report: Report, imported: Imported) -> None:
    report.tell(
        added=imported.added,
        runs_known=imported.runs_known,
        runs_followed=imported.runs_followed,
        runs_differing=imported.runs_differing,
        experiments=imported.experiments,
        renamed=imported.renamed,
        traces_known=imported.traces_known,
        traces_followed=imported.traces_followed,
        differing=imported.differing,
        replaced=imported.replaced,
        faults_total=imported.faults.total,
        differs=imported.differs,
        faults=imported.faults.kept,
    )


def lines(imported: Imported, *, is_dry: bool) -> list[str]:
    """What a person wants to know of it."""
    verb = "to add" if is_dry else "added"
    told = [f"{verb}: {_counts(imported.added) or 'nothing'}"]
    if imported.runs_known:
        told.append(f"{imported.runs_known:,} runs were there already")
    if imported.traces_known:
        told.append(f"{imported.traces_known:,} traces were there already")
    if imported.runs_followed:
        told.append(f"{imported.runs_followed:,} runs that were not over got what they had more by now")
    if imported.traces_followed:
        told.append(f"{imported.traces_followed:,} traces that were not over were ended")
    if imported.replaced:
        told.append(f"{'to replace' if is_dry else 'replaced'}: {_counts(imported.replaced)}")
    told += [f"experiment {old} is {new} in the database" for old, new in imported.experiments.items()]
    told += [f"experiment {old!r} is called {new!r} there" for old, new in imported.renamed.items()]
    differing = {**({"runs": imported.runs_differing} if imported.runs_differing else {}), **imported.differing}
    if differing:
        told.append(f"{_counts(differing)} differ from those in the database, and were left as they are:")
    told += [f"  {each['path']}: {', '.join(map(str, _list(each['what'])))}" for each in imported.differs]
    if imported.faults.total:
        told.append(f"{imported.faults.total:,} faults:")
    return [*told, *(f"  {fault['path']}: {fault['why']}" for fault in imported.faults.kept)]


def _list(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {noun}" for noun, number in counts.items())
