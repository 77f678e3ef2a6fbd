"""The command line of `trackplane-operator`."""

import asyncio
import os
from pathlib import Path
from typing import NoReturn, TextIO

import click

from tracking_operator.errors import SpecInvalid
from tracking_operator.outside.documents import DEFAULT_NAMESPACE, Documents, read_documents
from tracking_operator.outside.local import CannotRun, Options, run_locally
from tracking_operator.outside.render import render
from tracking_operator.settings import Settings

_FILE = click.option(
    "-f", "--filename", "file", type=click.File("r"), required=True, help="YAML with a TrackingServer; - is stdin."
)
_NAMESPACE = click.option(
    "-n",
    "--namespace",
    default=DEFAULT_NAMESPACE,
    show_default=True,
    help="The namespace of objects that do not name one.",
)
_IMAGE = click.option(
    "--server-image",
    envvar="TRACKPLANE_SERVER_IMAGE",
    default=Settings().server_image,
    show_default=True,
    help="The image of a TrackingServer that does not name one.",
)


@click.group()
@click.version_option(package_name="trackplane")
def main() -> None:
    """Run a command of trackplane-operator."""


@main.command("run")
def run_command() -> None:
    """Run the operator on a cluster. Environment variables configure it: docs/reference/operator-settings.md."""
    from tracking_operator.handlers.start import start  # the other commands need no cluster, and none of its libraries

    raise SystemExit(start(os.environ))


@main.command("render")
@_FILE
@_NAMESPACE
@_IMAGE
def render_command(file: TextIO, namespace: str, server_image: str) -> None:
    """Print the objects that the operator would keep for a TrackingServer."""
    click.echo(render(_documents(file, namespace), server_image=server_image), nl=False)


@main.command("local")
@_FILE
@_IMAGE
@click.option(
    "--data", type=click.Path(path_type=Path), help="The folder for all data. [default: trackplane-data/NAME]"
)
@click.option("--port", type=click.IntRange(1, 65535), help="The port to serve at. [default: the port of the Service]")
@click.option("--until-ready", is_flag=True, help="End as soon as the server is ready, instead of serving.")
def local_command(file: TextIO, server_image: str, data: Path | None, port: int | None, until_ready: bool) -> None:
    """Run a TrackingServer here, as local processes: check, backup, upgrade, the server, and gc on its schedule.

    Serves until Ctrl-C. Exits with 1 when it cannot go on, and says why.
    """
    documents = _documents(file, DEFAULT_NAMESPACE)
    if len(documents.servers) != 1:
        _fail(f"{file.name}: there are {len(documents.servers)} TrackingServers in it; one can run here")
    (written,) = documents.servers
    options = Options(
        data=(data or Path("trackplane-data") / written.server.metadata.name).absolute(),
        port=port or written.server.spec.networking.service.port,
        until_ready=until_ready,
        server_image=server_image,
        environ=os.environ,
    )
    try:
        has_succeeded = asyncio.run(run_locally(written, documents, options, _say))
    except CannotRun as obstacle:
        _fail(str(obstacle))
    if not has_succeeded:
        raise SystemExit(1)


def _say(component: str, line: str) -> None:
    click.echo(f"{component:<8} | {line}")


def _fail(message: str) -> NoReturn:
    click.echo(message, err=True)
    raise SystemExit(1)


def _documents(file: TextIO, namespace: str) -> Documents:
    """Exits with 1 when something is wrong, and names every fault."""
    try:
        documents = read_documents(file.read(), namespace=namespace)
    except SpecInvalid as invalid:
        for fault in invalid.faults:
            click.echo(f"{file.name}: {fault}", err=True)
        raise SystemExit(1) from invalid
    if not documents.servers:
        _fail(f"{file.name}: there is no TrackingServer in it")
    return documents


if __name__ == "__main__":
    main()
