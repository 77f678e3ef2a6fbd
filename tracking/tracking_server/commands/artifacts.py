"""`trackplane artifacts`: what can be done about artifacts without a server."""

import os
import time
import uuid
from pathlib import Path
from typing import Final

import click

from tracking_server.artifacts.open_store import open_store
from tracking_server.artifacts.options import StoreOptions
from tracking_server.artifacts.store import ClockSkewed, StoreDenied, StoreMisconfigured, StoreUntrusted
from tracking_server.artifacts.trial import try_store
from tracking_server.commands.options import json_option, report_file_option
from tracking_server.commands.report import reporting
from tracking_server.errors import ArtifactStoreFailed, TrackingError

_REASONS: Final[tuple[tuple[type[TrackingError], str], ...]] = (
    (ClockSkewed, "SkewedClock"),
    (StoreDenied, "AccessDenied"),
    (StoreUntrusted, "TLSFailed"),
    (StoreMisconfigured, "NoSuchBucket"),
)
"""The first that fits; anything else is a store that cannot be reached."""


@click.group()
def artifacts() -> None:
    """Look after the artifacts of a server."""


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
        try:
            try_store(store, f"trackplane-check-{uuid.uuid4().hex}", steps.append)
        except TrackingError as error:
            reason = next((name for kind, name in _REASONS if isinstance(error, kind)), "ArtifactStoreUnreachable")
            raise ArtifactStoreFailed(error.message, reason) from error
        report.tell(seconds=round(time.monotonic() - started, 3))
        click.echo(f"{uri.partition('?')[0]}: {', '.join(steps)} succeeded", err=True)
