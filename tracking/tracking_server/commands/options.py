"""Options that several commands share."""

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from click.core import ParameterSource

from tracking_server.commands.database_uri import BACKEND_STORE_URI, URI_FILE, chosen_uri, read_uri
from tracking_server.commands.report import REPORT_FILE, reporting
from tracking_server.database.access import access_from_environ
from tracking_server.database.transactions import Database, DatabaseOptions, open_database
from tracking_server.errors import ConfigInvalid

Command = TypeVar("Command", bound=Callable[..., Any])

JOB: Final = DatabaseOptions(statement_timeout_seconds=0)


@contextmanager
def job_database(url: str, options: DatabaseOptions = JOB) -> Generator[Database]:
    """With the passwords and certificates that the environment tells, as a server has them. Raises ConfigInvalid."""
    database = open_database(url, replace(options, access=access_from_environ(os.environ)))
    try:
        yield database
    finally:
        database.dispose()


def database_url_argument(command: Command) -> Command:
    """`url`. A password in an argument is seen by everybody on the machine: jobs use the environment or a file."""
    argument = click.argument("url", envvar=BACKEND_STORE_URI, required=False, metavar="[URL]")
    return argument(_with_uri_file(command, missing="Missing argument 'URL'"))


def database_url_option(command: Command) -> Command:
    """`url`, as `--backend-store-uri`."""
    return _url_option("--backend-store-uri", _with_uri_file(command, missing="Missing option '--backend-store-uri'"))


def destination_url_option(command: Command) -> Command:
    """`url`, as `--to`."""
    return _url_option("--to", _with_uri_file(command, missing="Missing option '--to'"))


def optional_database_url_option(command: Command) -> Command:
    """`url`, None when it is nowhere."""
    return _url_option("--backend-store-uri", _with_uri_file(command, missing=None))


def _url_option(name: str, command: Command) -> Command:
    option = click.option(
        name,
        "url",
        envvar=BACKEND_STORE_URI,
        show_envvar=True,
        help="URL of the database. In the environment, a password is not seen by others.",
    )
    return option(command)


def _with_uri_file(command: Command, *, missing: str | None) -> Command:
    """The command gets the URL that was chosen. A file that cannot be read is reported as the command's own failure."""

    @click.option(
        "--database-uri-file",
        "uri_file",
        envvar=URI_FILE,
        show_envvar=True,
        type=click.Path(path_type=Path),
        help="File with the URL of the database, in place of the URL itself.",
    )
    @wraps(command)
    def with_url(*arguments: Any, url: str | None, uri_file: Path | None, **options: Any) -> Any:
        context = click.get_current_context()
        if context.invoked_subcommand is not None:
            return command(*arguments, url=None, **options)
        try:
            found = _chosen(context, url, uri_file)
        except ConfigInvalid:
            name = context.command_path.partition(" ")[2]
            with reporting(name, options["report_file"], ConfigInvalid, prints_json=options["prints_json"]):
                raise
        if found is None and missing is not None:
            raise click.UsageError(f"{missing}; set it, --database-uri-file or {BACKEND_STORE_URI}.")
        return command(*arguments, url=found, **options)

    return with_url  # type: ignore[return-value]  # the same function, but for two parameters


def _chosen(context: click.Context, url: str | None, uri_file: Path | None) -> str | None:
    is_url_option, is_file_option = (
        context.get_parameter_source(name) is ParameterSource.COMMANDLINE for name in ("url", "uri_file")
    )
    chosen = chosen_uri(
        uri_option=url if is_url_option else None,
        file_option=uri_file if is_file_option else None,
        uri_variable=None if is_url_option else url,
        file_variable=None if is_file_option else uri_file,
    )
    return read_uri(chosen) if isinstance(chosen, Path) else chosen


report_file_option = click.option(
    "--report-file",
    envvar=REPORT_FILE,
    show_envvar=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="File for the report, JSON of at most 4096 bytes.",
)

json_option = click.option("--json", "prints_json", is_flag=True, help="Print the report as JSON.")
