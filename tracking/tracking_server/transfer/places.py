"""Which files a run, a logged model, a model version or a URI means, and how they are reached."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote, urlsplit

import msgspec

from tracking_server.artifacts.open_store import open_store
from tracking_server.artifacts.options import StoreOptions
from tracking_server.artifacts.paths import join, parse_folder
from tracking_server.artifacts.roots import PROXIED
from tracking_server.errors import ConfigInvalid
from tracking_server.transfer.files import Spot, StoreFiles
from tracking_server.transfer.proxied import ProxiedFiles
from tracking_server.transfer.tracking import TrackingServer

_API: Final = "/api/2.0/mlflow"
_PROXY: Final = "/api/2.0/mlflow-artifacts/artifacts"
_PROXY_END: Final = "/mlflow-artifacts/artifacts"


class _GotUri(msgspec.Struct, frozen=True):
    artifact_uri: str = ""


class _Owner(msgspec.Struct, frozen=True):
    info: _GotUri


class _GotRun(msgspec.Struct, frozen=True):
    run: _Owner


class _GotModel(msgspec.Struct, frozen=True):
    model: _Owner


class _ModelVersion(msgspec.Struct, frozen=True):
    version: str


class _GotModelVersion(msgspec.Struct, frozen=True):
    model_version: _ModelVersion


@dataclass(frozen=True, slots=True)
class Places:
    """The server is asked only where a URI does not say by itself where it is."""

    environ: Mapping[str, str]
    working_directory: Path
    connections: int

    def of_run(self, run_id: str) -> str:
        """The URI of its artifacts."""
        server = self._server()
        return server.get(f"{server.base}{_API}/runs/get", {"run_id": run_id}, _GotRun).run.info.artifact_uri

    def resolved(self, uri: str) -> str:
        """`runs:/` and `models:/` to where they are now; any other as it is."""
        scheme, _, rest = uri.partition(":/")
        if scheme == "runs":
            run_id, _, path = rest.strip("/").partition("/")
            return below(self.of_run(run_id), path)
        if scheme == "models":
            return self._of_model(rest.strip("/"))
        return uri

    def spot(self, uri: str) -> Spot:
        parts = urlsplit(uri)
        if parts.scheme == PROXIED:
            server = self._server()
            origin = f"{server.scheme}://{parts.netloc}" if parts.netloc else server.base
            return Spot(
                files=ProxiedFiles(server, f"{origin}{_PROXY}"), key=parse_folder(unquote(parts.path).lstrip("/"))
            )
        if parts.scheme in {"http", "https"}:
            base, found, key = parts.path.partition(_PROXY_END)
            if not found:
                raise ConfigInvalid(f"{uri!r} is no address of artifacts: it has no {_PROXY_END!r}.")
            address = f"{parts.scheme}://{parts.netloc}{base}{_PROXY_END}"
            return Spot(files=ProxiedFiles(self._server(), address), key=parse_folder(unquote(key).lstrip("/")))
        store = open_store(uri, self.working_directory, StoreOptions.from_environ(self.environ))
        return Spot(files=StoreFiles(store), key="")

    def _of_model(self, rest: str) -> str:
        server = self._server()
        name, _, version = rest.partition("/")
        if name.startswith("m-"):
            got = server.get(f"{server.base}{_API}/logged-models/{quote(name)}", {}, _GotModel)
            return below(got.model.info.artifact_uri, version)
        name, _, alias = rest.partition("@") if "@" in rest else (name, "", "")
        path = ""
        if alias:
            alias, _, path = alias.partition("/")
            wanted = {"name": name, "alias": alias}
            found = server.get(f"{server.base}{_API}/registered-models/alias", wanted, _GotModelVersion)
            version = found.model_version.version
        else:
            version, _, path = version.partition("/")
        if not version.isdecimal():
            raise ConfigInvalid(
                f"'models:/{rest}' names no version: write models:/name/1, models:/name@alias or models:/m-id."
            )
        wanted = {"name": name, "version": version}
        uri = server.get(f"{server.base}{_API}/model-versions/get-download-uri", wanted, _GotUri).artifact_uri
        return below(self.resolved(uri), path)

    def _server(self) -> TrackingServer:
        return TrackingServer(self.environ, self.connections)


def below(uri: str, path: str) -> str:
    """`path` is checked where it comes to a key."""
    if not path:
        return uri
    return f"{uri.rstrip('/')}/{quote(path) if _is_encoded(uri) else path}"


def within(spot: Spot, path: str) -> Spot:
    return Spot(files=spot.files, key=join(spot.key, parse_folder(path)))


def above(uri: str) -> tuple[str, str]:
    """The URI of the folder above, and the name there: that of a copy. A root has no name."""
    path = urlsplit(uri).path.rstrip("/")
    if not path or path.endswith(_PROXY_END):
        return uri, ""
    folder, _, name = uri.rstrip("/").rpartition("/")
    return folder or ("/" if uri.startswith("/") else "."), parse_folder(unquote(name) if _is_encoded(uri) else name)


def _is_encoded(uri: str) -> bool:
    return urlsplit(uri).scheme in {PROXIED, "http", "https", "file"}
