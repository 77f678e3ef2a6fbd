"""`trackplane server`: the tracking server."""

import os
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final, NoReturn

import click

from tracking_server.artifacts.options import StoreOptions
from tracking_server.commands.database_uri import with_uri_of_file
from tracking_server.commands.logs import configure_logging
from tracking_server.commands.server_options import given_options, with_options
from tracking_server.database.failures import explain
from tracking_server.database.urls import mask
from tracking_server.errors import CommandFailed, DatabaseUnreachable, TemporarilyUnavailable
from tracking_server.serving import gunicorn_settings, serve, worker_tmp_dir
from tracking_server.settings import Settings
from tracking_server.web.app import Application
from tracking_server.web.assembly import load_application

_SHARED_MEMORY: Final = "/dev/shm"  # noqa: S108 - every container has it, for any user, and it is no disk


@click.command("server", context_settings={"help_option_names": ["--help"], "max_content_width": 100})
@with_options
def server(**options: Any) -> None:
    """Run the tracking server."""
    try:
        settings = Settings.from_environ(os.environ, with_uri_of_file(given_options(options), os.environ))
        _serve(settings, _loader(settings, StoreOptions.from_environ(os.environ)))
    except CommandFailed as error:
        _fail(error)
    except TemporarilyUnavailable as error:
        _fail(DatabaseUnreachable(explain(error)))


ui = server
"""MLflow's other name for it."""


def _loader(settings: Settings, store_options: StoreOptions) -> Callable[[], Application]:
    if not settings.is_gateway:
        return partial(load_application, settings, Path.cwd(), store_options)
    from tracking_server.gateway.options import GatewayOptions  # a client of HTTP: loaded by servers that need one
    from tracking_server.web.gateway import load_gateway

    return partial(load_gateway, settings, GatewayOptions.from_environ(os.environ), Path.cwd(), store_options)


def _serve(settings: Settings, load: Callable[[], Application]) -> NoReturn:
    configure_logging(settings.log_level)
    options = gunicorn_settings(settings, worker_tmp_dir=worker_tmp_dir([_SHARED_MEMORY, tempfile.gettempdir()]))
    serve(load, options, announce=_announce)


def _fail(error: CommandFailed) -> NoReturn:
    click.echo(f"Error: {mask(error.message)}", err=True)
    sys.exit(error.exit_code)


def _announce(url: str) -> None:
    click.echo(f"Trackplane is serving at {url}")
