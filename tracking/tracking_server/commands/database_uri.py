"""The URL of a database from an option, a file or the environment: whichever is named closest to the command."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tracking_server.errors import ConfigInvalid

BACKEND_STORE_URI: Final = "MLFLOW_BACKEND_STORE_URI"
URI_FILE: Final = "TRACKPLANE_DATABASE_URI_FILE"

_LIMIT_CHARACTERS: Final = 64 * 1024


def chosen_uri(
    *, uri_option: str | None, file_option: Path | None, uri_variable: str | None, file_variable: Path | None
) -> str | Path | None:
    """The URL, or the file that has it. What is given on the command line wins over the environment; two at the same
    place are refused with ConfigInvalid, as a guess could reach another database than the one that is meant."""
    for uri, file, names in (
        (uri_option, file_option, "the URL and --database-uri-file"),
        (uri_variable, file_variable, f"{BACKEND_STORE_URI} and {URI_FILE}"),
    ):
        if uri and file:
            raise ConfigInvalid(f"The database is given twice, by {names}: leave one.")
        if uri or file:
            return uri or file
    return None


def read_uri(file: Path) -> str:
    """Raises ConfigInvalid, which never shows what is in the file."""
    try:
        text = file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigInvalid(f"The file {file} with the URL of the database cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        text = ""
    if not text or len(text.splitlines()) != 1 or len(text) > _LIMIT_CHARACTERS:
        raise ConfigInvalid(f"The file {file} must have one line, the URL of the database.")
    return text


def with_uri_of_file(options: Mapping[str, str], environ: Mapping[str, str]) -> Mapping[str, str]:
    """The options of a server, with the URL that a file has. Raises ConfigInvalid."""
    chosen = chosen_uri(
        uri_option=options.get("backend_store_uri", "").strip(),
        file_option=_path(options.get("database_uri_file", "")),
        uri_variable=environ.get(BACKEND_STORE_URI, "").strip(),
        file_variable=_path(environ.get(URI_FILE, "")),
    )
    return {**options, "backend_store_uri": read_uri(chosen)} if isinstance(chosen, Path) else options


def _path(text: str) -> Path | None:
    return Path(text.strip()) if text.strip() else None
