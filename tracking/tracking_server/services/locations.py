"""Where artifacts of experiments, runs and models live: which locations are allowed, and how they nest. Pure."""

import re
from pathlib import PurePosixPath
from urllib.parse import ParseResult, unquote, urlparse, urlsplit

from tracking_server.errors import InvalidParameter

_WITH_HOST = frozenset({"ftp", "sftp", "hdfs", "viewfs", "http", "https", "mlflow-artifacts", "r2", "b2", "abfss"})
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]+:")
"""Two characters at least: one letter and a colon is a drive of Windows."""
_MAX_DECODINGS = 10


def below(location: str, *segments: str) -> str:
    """`location/segment/...`, before the query string if there is one."""
    base, question_mark, query = location.partition("?")
    return "/".join((base.rstrip("/") if base != "/" else "", *segments)) + question_mark + query


def artifact_root_of_experiment(default_root: str, experiment_id: int) -> str:
    return below(default_root, str(experiment_id))


def artifact_root_of_run(experiment_location: str, run_id: str) -> str:
    return below(experiment_location, run_id, "artifacts")


def artifact_root_of_model(experiment_location: str, model_id: str) -> str:
    return below(experiment_location, "models", model_id, "artifacts")


def checked_location(
    location: str,
    *,
    max_characters: int,
    known_roots: tuple[str, ...],
    allowed_schemes: frozenset[str],
    working_directory: PurePosixPath,
) -> str:
    """The location as it is stored: a relative path becomes absolute.

    `known_roots`: the roots that this server is configured with; their hosts may be named, no others.
    """
    if len(location) > max_characters:
        raise InvalidParameter(
            f"Invalid artifact path length. The length of the artifact path cannot be greater than {max_characters}:"
            f" it has {len(location)} characters."
        )
    parts = _parsed(location)
    if "#" in location or parts.params:  # params exist in few schemes; in S3 and its like, ';' is a character of a key
        raise _refused(location, "'artifact_location' URL can't include fragments or params")
    if _goes_up(parts.query):
        raise _refused(location, "its query must not contain '..'")
    if not _SCHEME.match(location):
        return location if location.startswith("/") else str(working_directory / location)
    if parts.scheme == "runs":
        raise InvalidParameter(f"Artifact location cannot be a runs:/ URI. Given: '{location}'")
    check_host(location, known_roots=known_roots, allowed_schemes=allowed_schemes)
    return location


def check_host(
    location: str,
    place: str = "artifact_location",
    *,
    known_roots: tuple[str, ...],
    allowed_schemes: frozenset[str],
) -> None:
    """A host in it must be known: servers would connect to it. Raises InvalidParameter."""
    parts = _parsed(location)
    if (
        parts.netloc
        and parts.scheme in _WITH_HOST - allowed_schemes
        and not _is_known(parts.scheme, parts.netloc, known_roots)
    ):
        raise InvalidParameter(
            f"'{place}' cannot use the '{parts.scheme}' scheme: the host of {location!r} must be one that this server"
            " is configured with. The schemes in MLFLOW_ALLOWED_HOST_ADDRESSED_ARTIFACT_SCHEMES may name any host."
        )


def _parsed(location: str) -> ParseResult:
    try:
        return urlparse(location)
    except ValueError as error:
        raise _refused(location, f"it is not a URI: {error}") from None


def _goes_up(query: str) -> bool:
    for _ in range(_MAX_DECODINGS):
        decoded = unquote(query)
        if decoded == query:
            break
        query = decoded
    return ".." in query


def _is_known(scheme: str, host: str, known_roots: tuple[str, ...]) -> bool:
    roots = [urlsplit(root) for root in known_roots]
    return any(root.scheme == scheme and root.netloc == host for root in roots)


def _refused(location: str, reason: str) -> InvalidParameter:
    return InvalidParameter(f"Invalid artifact location {location!r}: {reason}.")
