"""`trackplane db copy`: all that is in one database into another, of any engine, without a file between."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import click

from tracking_server.commands.database_uri import read_uri
from tracking_server.commands.options import JOB, Command, json_option, report_file_option
from tracking_server.commands.report import reporting
from tracking_server.database.access import access_from_environ
from tracking_server.database.archive.live import copy_database
from tracking_server.database.transactions import Database, open_database
from tracking_server.errors import ConfigInvalid, RestoreFailed

SIDES: Final = ("source", "target")

_SETTINGS: Final[Mapping[str, tuple[str, str]]] = {
    "password-file": ("TRACKPLANE_DATABASE_PASSWORD_FILE", "File with the password, when the URL has none."),
    "token-command": ("TRACKPLANE_DATABASE_TOKEN_COMMAND", "Command that prints the password."),
    "mysql-ssl-ca": ("MLFLOW_MYSQL_SSL_CA", "MySQL: file of the authority that signed the server's certificate."),
    "mysql-ssl-cert": ("MLFLOW_MYSQL_SSL_CERT", "MySQL: file of the certificate by which the server knows us."),
    "mysql-ssl-key": ("MLFLOW_MYSQL_SSL_KEY", "MySQL: file of its private key."),
}
"""What a server is told by its settings, by the end of the option that tells it here, for each side."""


def _variable(side: str, name: str = "") -> str:
    return "_".join(["TRACKPLANE", "COPY", side.upper(), *([name.replace("-", "_").upper()] if name else [])])


def _sides(command: Command) -> Command:
    """For each side: the URL, the file that has it, and how the database lets us in."""
    options: list[Callable[[Command], Command]] = []
    for side in SIDES:
        options.append(click.argument(side, envvar=_variable(side), required=False))
        told = {
            "uri-file": f"File with the URL of {side.upper()}.",
            **{name: f"{side.upper()}: {about}" for name, (_, about) in _SETTINGS.items()},
        }
        for name, about in told.items():
            options.append(click.option(f"--{side}-{name}", envvar=_variable(side, name), show_envvar=True, help=about))
    for option in reversed(options):
        command = option(command)
    return command


@click.command("copy")
@_sides
@report_file_option
@json_option
def copy(report_file: Path | None, *, prints_json: bool, **sides: str | None) -> None:
    """Copy all that is in one database into an empty one, of the same engine or of another.

    SOURCE and TARGET are URLs. One with a password belongs into a file or the environment, where others do not see it.
    The source is read as of one moment, and is not changed.
    """
    with (
        reporting("db copy", report_file, RestoreFailed, prints_json=prints_json) as report,
        _opened("source", sides) as database,
        _opened("target", sides) as into,
    ):
        copied = copy_database(database, into, now=datetime.now(UTC), tool=f"trackplane {version('trackplane')}")
        manifest = copied.manifest
        report.tell(
            dialect={"from": database.dialect, "to": into.dialect},
            mlflow=manifest.mlflow,
            trackplane=manifest.trackplane,
            tables=len(manifest.tables),
            rows=manifest.rows,
            left_out=list(manifest.left_out),
            left_behind=list(copied.left_behind),
            negative_zeros=copied.negative_zeros,
        )
        click.echo(f"{manifest.rows} rows of {len(manifest.tables)} tables copied", err=True)


@contextmanager
def _opened(side: str, sides: Mapping[str, str | None]) -> Generator[Database]:
    given = {name: value for name in _SETTINGS if (value := sides[f"{side}_{name.replace('-', '_')}"])}
    url = _url(side, sides[side], sides[f"{side}_uri_file"])
    with _named(side):
        access = access_from_environ({_SETTINGS[name][0]: value for name, value in given.items()})
        database = open_database(url, replace(JOB, access=access))
    if database.dialect != "mysql" and access.mysql_tls:
        raise ConfigInvalid(
            f"--{side}-mysql-ssl-... is for MySQL and MariaDB, and {side.upper()} is {database.url.masked}. TLS of"
            " PostgreSQL is asked for in its URL: ?sslmode=verify-full&sslrootcert=/path/ca.pem."
        )
    try:
        yield database
    finally:
        database.dispose()


@contextmanager
def _named(side: str) -> Generator[None]:
    """Settings of a server have other names here, where there are two of each."""
    try:
        yield
    except ConfigInvalid as error:
        message = error.message
        for name, (setting, _) in _SETTINGS.items():
            message = message.replace(setting, f"--{side}-{name}")
        raise ConfigInvalid(message) from error


def _url(side: str, url: str | None, file: str | None) -> str:
    """What is given on the command line wins over the environment."""
    context = click.get_current_context()
    given: dict[str, Any] = {name: value for name, value in ((side, url), (f"{side}_uri_file", file)) if value}
    if len(given) == 2:
        origins = {name: context.get_parameter_source(name) for name in given}
        on_line = [name for name, origin in origins.items() if origin is click.core.ParameterSource.COMMANDLINE]
        if len(on_line) != 1:
            raise ConfigInvalid(
                f"{side.upper()} is given twice, as a URL and by --{side}-uri-file or {_variable(side, 'uri-file')}:"
                " leave one."
            )
        given = {on_line[0]: given[on_line[0]]}
    if not given:
        raise click.UsageError(
            f"Missing argument '{side.upper()}': the URL, --{side}-uri-file, {_variable(side)} or"
            f" {_variable(side, 'uri-file')}."
        )
    return read_uri(Path(given[f"{side}_uri_file"])) if side not in given else str(given[side])
