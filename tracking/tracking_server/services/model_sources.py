"""Where a model version may come from. Pure: a source is read here, and compared with what the database says.

A source is a URI that the server or a client will open one day. Nobody may point it at files that are not the model's:
local paths and paths through the server must be inside of the run or logged model that the request names.
"""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final, NoReturn, TypeAlias
from urllib.parse import SplitResult, unquote, unquote_plus, urlsplit

from tracking_server.errors import InvalidParameter
from tracking_server.services.limits import shown

PROMPT_SOURCES: Final = frozenset({"dummy-source", "prompt-template"})
"""What stands for the source of a prompt, which has none."""

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]+:")
"""Two characters at least: one letter and a colon is a drive of Windows."""
_MODEL_ID: Final = re.compile(r"m-[0-9a-f]{32}")
_PROXY_ROUTE: Final = ("api", "2.0", "mlflow-artifacts", "artifacts")
_MAX_DECODINGS: Final = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalPath:
    path: PurePosixPath


@dataclass(frozen=True, kw_only=True, slots=True)
class OfRun:
    """`runs:/<run id>/<path>`"""

    run_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class OfLoggedModel:
    """`models:/<model id>`"""

    model_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class OfVersion:
    """`models:/<name>/<version, stage or latest>`, or `models:/<name>@<alias>` when `is_alias`."""

    name: str
    selector: str
    is_alias: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Proxied:
    """Below a path that this server, or one like it, serves artifacts at."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Elsewhere:
    """In a store that clients open with rights of their own."""


Source: TypeAlias = LocalPath | OfRun | OfLoggedModel | OfVersion | Proxied | Elsewhere


def parse_source(source: str) -> Source:
    """Raises InvalidParameter for what leads out of its place under any decoding, and for what is no URI."""
    decoded = _decoded(source)
    if not _SCHEME.match(source) or _split(source).scheme == "file":
        return LocalPath(path=_local_path(source, decoded))
    parts = _split(decoded)
    if parts.scheme == "models":
        return _parse_models_uri(source)
    path = re.sub("/+", "/", parts.path.rstrip("/"))
    if not path.startswith("/") or _is_unsafe(decoded) or "." in path.split("/"):
        _refuse_relative(source)
    if parts.scheme == "runs":
        if parts.netloc:
            refuse_owner(source, "run_id")
        return OfRun(run_id=path.split("/")[1])
    return Proxied() if _is_proxied(parts) else Elsewhere()


def check_owner(source: str, parsed: Source, *, run_id: str, model_id: str) -> None:
    """Sources that name their owner must name the one of the request. Raises InvalidParameter."""
    named = "model_id" if model_id else "run_id"
    match parsed:
        case OfRun(run_id=owner) if model_id or owner != run_id:
            refuse_owner(source, named)
        case OfLoggedModel(model_id=owner) if owner != model_id:
            refuse_owner(source, "model_id")
        case _:
            pass


def check_place(source: str, parsed: Source, root: str | None, *, named: str) -> None:
    """`root`: the artifact root of the run or logged model that the request names in `named`, if there is one."""
    match parsed:
        case LocalPath(path=path):
            if root is None or not _is_local(root) or not path.is_relative_to(_path_of(root)):
                raise InvalidParameter(
                    f"Invalid model version source: {shown(source)}. To use a local path as a model version source, the"
                    f" {named} request parameter has to be specified and the local path has to be contained within the"
                    f" artifact directory of what it names."
                )
        case Proxied():
            if root is None or not _is_within(source, root):
                refuse_owner(source, named)
        case _:
            pass


def needs_root(parsed: Source) -> bool:
    return isinstance(parsed, LocalPath | Proxied)


def refuse_owner(source: str, named: str) -> NoReturn:
    raise InvalidParameter(
        f"Invalid model version source: {shown(source)}. The {named} request parameter must identify the resource that"
        " contains the source."
    )


def check_prompt_source(source: str) -> None:
    if source not in PROMPT_SOURCES:
        raise InvalidParameter(
            f"Invalid prompt source: {shown(source)}. Prompt sources must use an MLflow placeholder, one of"
            f" {', '.join(sorted(PROMPT_SOURCES))}."
        )


def _parse_models_uri(source: str) -> OfLoggedModel | OfVersion:
    parts = _split(source)
    if parts.netloc:
        raise InvalidParameter(
            f"Invalid model version source: {shown(source)}. Registered model sources must use the active model"
            " registry: there is no host in them."
        )
    name, *rest = parts.path.removeprefix("/").split("/")
    if _MODEL_ID.fullmatch(name) and not rest:
        return OfLoggedModel(model_id=name)
    if len(rest) == 1 and name and rest[0] and not parts.fragment:
        return OfVersion(name=name, selector=rest[0], is_alias=False)
    name, at, alias = name.rpartition("@")
    if at and name and alias and not rest and not parts.fragment:
        return OfVersion(name=name, selector=alias, is_alias=True)
    raise InvalidParameter(
        f"Invalid model version source: {shown(source)}. A models:/ source is models:/<model id>,"
        " models:/<name>/<version or stage or latest> or models:/<name>@<alias>."
    )


def _local_path(source: str, decoded: str) -> PurePosixPath:
    path = _path_of(source)
    host = _split(source).netloc if source[:5].lower() == "file:" else ""
    if _is_unsafe(decoded) or "\\" in decoded or host not in {"", "localhost"} or not path.is_absolute():
        raise InvalidParameter(
            f"Invalid model version source: {shown(source)}. To use a local path as a model version source, it must be"
            " absolute, without relative references, and inside of the artifact directory of the run or logged model"
            " that the request names."
        )
    return path


def _path_of(uri: str) -> PurePosixPath:
    return PurePosixPath(unquote(_split(uri).path) if uri[:5].lower() == "file:" else uri)


def _is_local(uri: str) -> bool:
    return uri[:5].lower() == "file:" or not _SCHEME.match(uri)


def _is_unsafe(decoded: str) -> bool:
    return "\x00" in decoded or ".." in re.split(r"[/\\]", decoded)


def _is_proxied(parts: SplitResult) -> bool:
    segments = tuple(segment for segment in parts.path.split("/") if segment)
    return parts.scheme == "mlflow-artifacts" or (
        parts.scheme in {"http", "https"}
        and any(segments[start : start + len(_PROXY_ROUTE)] == _PROXY_ROUTE for start in range(len(segments)))
    )


def _is_within(source: str, root: str) -> bool:
    inner, outer = _normalised(source), _normalised(root)
    return inner[:2] == outer[:2] and bool(outer[2]) and inner[2][: len(outer[2])] == outer[2]


def _normalised(uri: str) -> tuple[str, str, tuple[str, ...]]:
    parts = _split(uri)
    segments = tuple(_decoded(segment) for segment in parts.path.split("/") if segment)
    return parts.scheme, parts.netloc.lower(), segments


def _decoded(text: str) -> str:
    """Until nothing is left to decode: whoever reads it later may decode as often."""
    for _ in range(_MAX_DECODINGS):
        decoded = unquote_plus(text)
        if decoded == text:
            return text
        text = decoded
    raise InvalidParameter(f"Invalid model version source: {shown(text)}. It is percent-encoded too many times.")


def _split(uri: str) -> SplitResult:
    try:
        return urlsplit(uri)
    except ValueError as error:
        raise InvalidParameter(f"Invalid model version source: {shown(uri)} is not a URI: {error}.") from None


def _refuse_relative(source: str) -> NoReturn:
    raise InvalidParameter(
        f"Invalid model version source: {shown(source)}. If supplying a source as an http, https, local file path, ftp,"
        " objectstore, or mlflow-artifacts uri, an absolute path must be provided without relative path references"
        " present. Please provide an absolute path."
    )
