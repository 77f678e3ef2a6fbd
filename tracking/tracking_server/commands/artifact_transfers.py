"""`trackplane artifacts list`, `download`, `log-artifact` and `log-artifacts`, with the options of MLflow's own."""

import os
import tempfile
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import click
import msgspec

from tracking_server.artifacts.open_store import local_folder
from tracking_server.artifacts.paths import join, parse_folder
from tracking_server.artifacts.store import ArtifactNotFound, entries_of
from tracking_server.commands.artifact_progress import Progress, progress
from tracking_server.commands.artifact_reasons import told_apart
from tracking_server.commands.options import json_option
from tracking_server.commands.report import Report, reporting
from tracking_server.errors import ArtifactStoreFailed, ConfigInvalid
from tracking_server.transfer.attempts import attempted
from tracking_server.transfer.downloads import Downloading
from tracking_server.transfer.files import Spot, Stopped
from tracking_server.transfer.jobs import Job, Outcome
from tracking_server.transfer.places import Places, above, below, within
from tracking_server.transfer.uploads import Uploading

Command = TypeVar("Command", bound=Callable[..., Any])

_WORKERS: Final = 8
_SHOWN: Final = 20

_run_id = click.option("--run-id", "-r", help="The run.")
_required_run_id = click.option("--run-id", "-r", required=True, help="The run to log to.")
_artifact_path = click.option("--artifact-path", "-a", default="", help="A path below the root of the run's artifacts.")
_artifact_uri = click.option(
    "--artifact-uri",
    "-u",
    help="A file or folder by its URI, in place of a run: runs:/, models:/, mlflow-artifacts:/, or that of a store.",
)


def _transfer_options(command: Command) -> Command:
    workers = click.option(
        "--workers", type=click.IntRange(1, 64), default=_WORKERS, show_default=True, help="Files at a time."
    )
    resume = click.option(
        "--resume", is_flag=True, help="Leave out files that are there already, with the same content."
    )
    return workers(resume(json_option(command)))


@click.command("list")
@_run_id
@_artifact_path
@_artifact_uri
def list_artifacts(run_id: str | None, artifact_path: str, artifact_uri: str | None) -> None:
    """Print what is directly below the root of a run's artifacts, or a path below it, as a JSON list."""
    with reporting("artifacts list", None, ArtifactStoreFailed), told_apart():
        places = _places(1)
        spot = within(places.spot(_uri(places, run_id, artifact_uri)), artifact_path)
        prefix = parse_folder(artifact_path)
        files: list[dict[str, object]] = []
        for entry in entries_of(lambda after: attempted(partial(spot.files.list, spot.key, after=after))):
            size = {} if entry.is_folder else {"file_size": entry.size_bytes}
            files.append({"path": join(prefix, entry.name), "is_dir": entry.is_folder, **size})
        files.sort(key=lambda file: str(file["path"]))
        click.echo(msgspec.json.format(msgspec.json.encode(files), indent=2))


@click.command()
@_run_id
@_artifact_path
@_artifact_uri
@click.option(
    "--dst-path",
    "-d",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder to download to. By default a new one, unless the artifacts are in a folder of this machine.",
)
@_transfer_options
def download(
    run_id: str | None,
    artifact_path: str,
    artifact_uri: str | None,
    dst_path: Path | None,
    *,
    resume: bool,
    workers: int,
    prints_json: bool,
) -> None:
    """Download a file or a folder, and print where it is.

    A file is there under its name as a whole or not at all; a download that was cut goes on where it was.
    """
    with _transferring("artifacts download", "Downloading", prints_json=prints_json) as (report, shown):
        places = _places(workers)
        root = _uri(places, run_id, artifact_uri)
        path = parse_folder(artifact_path) if artifact_uri is None else ""
        if dst_path is None and (there := local_folder(below(root, path), Path.cwd())) is not None and there.exists():
            report.tell(path=str(there))
            return
        if artifact_uri is not None:
            root, path = above(root)
        folder = dst_path or Path(tempfile.mkdtemp(prefix="trackplane-artifacts-"))
        folder.mkdir(parents=True, exist_ok=True)
        report.tell(path=str((folder / path).resolve()))
        downloading = Downloading(root=folder, resumes=resume, planned=shown.planned, advance=shown.advance)
        _run(downloading.jobs(places.spot(root), path), workers, report, shown)


@click.command("log-artifact")
@click.option("--local-file", "-l", type=click.Path(path_type=Path), required=True, help="The file.")
@_required_run_id
@_artifact_path
@_transfer_options
def log_artifact(
    local_file: Path, run_id: str, artifact_path: str, *, resume: bool, workers: int, prints_json: bool
) -> None:
    """Upload a file to a run, below a path of its artifacts if one is given."""
    with _transferring("artifacts log-artifact", "Uploading", prints_json=prints_json) as (report, shown):
        if not local_file.is_file():
            raise ConfigInvalid(f"{str(local_file)!r} is no file.")
        spot = _target(run_id, artifact_path, workers)
        uploading = Uploading(resumes=resume, planned=shown.planned, advance=shown.advance)
        _run(uploading.file(spot, local_file), workers, report, shown)


@click.command("log-artifacts")
@click.option("--local-dir", "-l", type=click.Path(path_type=Path), required=True, help="The folder.")
@_required_run_id
@_artifact_path
@_transfer_options
def log_artifacts(
    local_dir: Path, run_id: str, artifact_path: str, *, resume: bool, workers: int, prints_json: bool
) -> None:
    """Upload all files below a folder to a run, below a path of its artifacts if one is given."""
    with _transferring("artifacts log-artifacts", "Uploading", prints_json=prints_json) as (report, shown):
        if not local_dir.is_dir():
            raise ConfigInvalid(f"{str(local_dir)!r} is no folder.")
        spot = _target(run_id, artifact_path, workers)
        uploading = Uploading(resumes=resume, planned=shown.planned, advance=shown.advance)
        _run(uploading.folder(spot, local_dir), workers, report, shown)


def _places(connections: int) -> Places:
    return Places(os.environ, Path.cwd(), connections)


def _uri(places: Places, run_id: str | None, artifact_uri: str | None) -> str:
    if artifact_uri is not None:
        return places.resolved(artifact_uri)
    if run_id is None:
        raise click.UsageError("Either --run-id or --artifact-uri must be provided.")
    return attempted(lambda: places.of_run(run_id))


def _target(run_id: str, artifact_path: str, workers: int) -> Spot:
    places = _places(workers)
    return within(places.spot(attempted(lambda: places.of_run(run_id))), artifact_path)


@contextmanager
def _transferring(command: str, label: str, *, prints_json: bool) -> Generator[tuple[Report, Progress]]:
    with reporting(command, None, ArtifactStoreFailed, prints_json=prints_json) as report, told_apart():
        try:
            with progress(label) as shown:
                yield report, shown
        except ArtifactNotFound as error:
            raise ConfigInvalid(error.message) from error
        except (KeyboardInterrupt, Stopped):
            raise click.Abort from None
        if "path" in report.facts and not prints_json:
            click.echo(report.facts["path"])


def _run(jobs: Iterable[Job], workers: int, report: Report, shown: Progress) -> None:
    outcome = Outcome()
    try:
        outcome.run(jobs, workers, shown.stop)
    except OSError as error:
        raise ConfigInvalid(f"{error.filename}: {error.strerror}") from error
    finally:
        report.tell(
            files=outcome.files, bytes=outcome.size_bytes, skipped=outcome.skipped, failed=outcome.failed,
            failures=[{"path": path, "message": message} for path, message in outcome.failures],
        )  # fmt: skip
    if outcome.failed:
        for path, message in outcome.failures[:_SHOWN]:
            click.echo(f"{path}: {message}", err=True)
        total = outcome.files + outcome.skipped + outcome.failed
        raise ArtifactStoreFailed(
            f"{outcome.failed} of {total} files did not get through: call it again with --resume.", "TransferIncomplete"
        )
