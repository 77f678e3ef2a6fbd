"""A folder as the backend of a server: at each start, what is new in it is read into the database beside it."""

import logging
import time
from pathlib import Path
from typing import Final

from tracking_server.database.transactions import Database
from tracking_server.errors import ConfigInvalid
from tracking_server.filestore.importing import import_folder
from tracking_server.filestore.target import Imported, Options

SLACK_NS: Final = 2 * 1_000_000_000
"""File systems keep times as coarsely as that."""
_SHOWN: Final = 20

logger = logging.getLogger(__name__)


def follow_folder(database: Database, *, creates_schema: bool = True) -> Imported | None:
    """Before the server serves; None when its backend is no folder. Of several replicas, one reads and the others wait.

    Known runs that are over are not looked at again unless their `meta.yaml` is newer than the last time. A folder that
    is not there is an empty one, as it is to MLflow; it is not made.
    """
    folder, path = database.url.folder, database.url.path
    if folder is None or path is None:
        return None
    if not folder.exists():
        return None
    if not folder.is_dir():
        raise ConfigInvalid(f"{folder} is a file. The URL of a file of SQLite is sqlite:///{folder}.")
    mark = path.with_name(f"{path.name}.imported")
    started = time.time_ns()

    def say(line: str) -> None:
        logger.info("a folder is read into the database", extra={"folder": str(folder), "progress": line})

    options = Options(unchanged_since_ns=_read(mark), creates_schema=creates_schema, say=say)
    imported = import_folder(database, folder, options)
    _write(mark, started - SLACK_NS)
    _tell(str(folder), imported)
    return imported


def _read(mark: Path) -> int | None:
    """When the folder was read last; None when it never was, or nobody knows."""
    try:
        return int(mark.read_text())
    except (FileNotFoundError, ValueError):
        return None


def _write(mark: Path, time_ns: int) -> None:
    fresh = mark.with_name(f"{mark.name}.new")
    fresh.write_text(str(time_ns))
    fresh.replace(mark)


def _tell(folder: str, imported: Imported) -> None:
    logger.info(
        "a folder was read into the database",
        extra={
            "folder": folder,
            "added": imported.added,
            "runs_known": imported.runs_known,
            "runs_followed": imported.runs_followed,
            "traces_known": imported.traces_known,
            "traces_followed": imported.traces_followed,
        },
    )
    if imported.runs_differing or imported.differing:
        facts = {
            "runs_differing": imported.runs_differing,
            "differing": imported.differing,
            "differs": imported.differs[:_SHOWN],
        }
        logger.warning("what a folder says differs from the database", extra={"folder": folder, **facts})
    if imported.faults.total:
        facts = {"faults_total": imported.faults.total, "faults": imported.faults.kept[:_SHOWN]}
        logger.warning("files of a folder were passed over", extra={"folder": folder, **facts})
