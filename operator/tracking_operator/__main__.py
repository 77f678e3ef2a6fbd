"""The command line of `trackplane-operator`."""

import os
from typing import TextIO

import click

from tracking_operator.errors import SpecInvalid
from tracking_operator.outside.documents import DEFAULT_NAMESPACE, Documents, read_documents
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


def _documents(file: TextIO, namespace: str) -> Documents:
    """Exits with 1 when something is wrong, and names every fault."""
    try:
        documents = read_documents(file.read(), namespace=namespace)
    except SpecInvalid as invalid:
        for fault in invalid.faults:
            click.echo(f"{file.name}: {fault}", err=True)
        raise SystemExit(1) from invalid
    if not documents.servers:
        click.echo(f"{file.name}: there is no TrackingServer in it", err=True)
        raise SystemExit(1)
    return documents


if __name__ == "__main__":
    main()
