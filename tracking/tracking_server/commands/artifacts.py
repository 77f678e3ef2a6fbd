"""`trackplane artifacts`: those of runs, up and down, and a trial of the place where they are kept."""

import os
import time
import uuid
from pathlib import Path

import click

from tracking_server.artifacts.open_store import open_store
from tracking_server.artifacts.options import StoreOptions
from tracking_server.artifacts.trial import try_store
from tracking_server.commands.artifact_reasons import told_apart
from tracking_server.commands.artifact_transfers import download, list_artifacts, log_artifact, log_artifacts
from tracking_server.commands.options import json_option, report_file_option
from tracking_server.commands.report import reporting
from tracking_server.errors import ArtifactStoreFailed


@click.group()
def artifacts() -> None:
    """Upload, download and list artifacts, and try the store that keeps them."""


@artifacts.command()
@click.argument("uri", envvar="MLFLOW_ARTIFACTS_DESTINATION", default="./mlartifacts")
@report_file_option
@json_option
def check(uri: str, report_file: Path | None, *, prints_json: bool) -> None:
    """Try a place for artifacts with the credentials of the environment: write a small file, read, list, delete it.

    The place is a folder or the URI of a store; by default that of MLFLOW_ARTIFACTS_DESTINATION.
    """
    with reporting("artifacts check", report_file, ArtifactStoreFailed, prints_json=prints_json) as report:
        started = time.monotonic()
        steps: list[str] = []
        report.tell(root=uri.partition("?")[0], steps=steps)
        store = open_store(uri, Path.cwd(), StoreOptions.from_environ(os.environ))
        with told_apart():
            try_store(store, f"trackplane-check-{uuid.uuid4().hex}", steps.append)
        report.tell(seconds=round(time.monotonic() - started, 3))
        click.echo(f"{uri.partition('?')[0]}: {', '.join(steps)} succeeded", err=True)


for each in (list_artifacts, download, log_artifact, log_artifacts):
    artifacts.add_command(each)
