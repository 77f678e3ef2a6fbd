"""Backends that are folders of MLflow's FileStore, as users write them. Pure: nothing is opened here."""

from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from tracking_server.errors import ConfigInvalid

DEFAULT_FOLDER: Final = "mlruns"
_DATABASE_FILES: Final = frozenset({".db", ".sqlite", ".sqlite3"})


def file_store_folder(text: str) -> Path | None:
    """The folder of `file:///data/mlruns`, `./mlruns` or `/data/mlruns`; None for what is no folder.

    A lone word may be a mistyped anything, so only MLflow's own, `mlruns`, is taken for a folder.
    """
    if text.lower().startswith("file:"):
        folder = _folder_of_uri(text)
    elif text.startswith(("/", "./", "../", "~")) or text == DEFAULT_FOLDER or _is_relative(text):
        folder = Path(text)
    else:
        return None
    if folder.suffix.lower() in _DATABASE_FILES:
        raise ConfigInvalid(f"{text!r} is a folder by its form. The URL of a file of SQLite is sqlite:///{folder}.")
    if folder.name in {"", "..", "~"} or "\0" in text:
        raise ConfigInvalid(
            f"{text!r} does not name a folder, beside which its database could lie. Write {folder / DEFAULT_FOLDER}."
        )
    return folder


def database_of_folder(folder: Path) -> Path:
    """Beside the folder, which may be read-only and stays as it is."""
    return folder.with_name(f"{folder.name}.db")


def _is_relative(text: str) -> bool:
    return "/" in text and ":" not in text


def _folder_of_uri(text: str) -> Path:
    parts = urlsplit(text)
    if parts.netloc.lower() not in {"", "localhost"}:
        raise ConfigInvalid(f"file://{parts.netloc}/... names a host. A folder of this one is written file:///path.")
    if parts.query or parts.fragment:
        raise ConfigInvalid("The URI of a folder is a plain path, file:///path. A # or ? in it is written %23 or %3F.")
    return Path(unquote(parts.path))
