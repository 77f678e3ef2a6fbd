"""HTTP with a tracking server: ours, or MLflow's own."""

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import unquote, urlencode, urlsplit

import msgspec
import urllib3
from urllib3.exceptions import HTTPError, SSLError
from urllib3.response import BaseHTTPResponse

from tracking_server.artifacts.store import (
    ArtifactNotFound,
    StoreDenied,
    StoreMisconfigured,
    StoreThrottled,
    StoreUnavailable,
    StoreUntrusted,
)
from tracking_server.errors import ConfigInvalid, InvalidParameter, TrackingError

T = TypeVar("T")

_TIMEOUT: Final = urllib3.Timeout(connect=10, read=120)
_ERROR_BYTES: Final = 64 * 1024
_TRUE: Final = frozenset({"true", "1"})


class TrackingServer:
    """`environ` has the address and the credentials, under the names that the client of MLflow knows."""

    def __init__(self, environ: Mapping[str, str], connections: int) -> None:
        address = environ.get("MLFLOW_TRACKING_URI", "")
        parts = urlsplit(address)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigInvalid(
                "MLFLOW_TRACKING_URI must be the http(s) address of a tracking server,"
                f" not {address.rpartition('@')[2]!r}."
            )
        self.scheme = parts.scheme
        self.host = parts.netloc.rpartition("@")[2]
        self.base = f"{self.scheme}://{self.host}{parts.path.rstrip('/')}"
        self._headers = _authorization(environ, unquote(parts.username or ""), unquote(parts.password or ""))
        self._http = _pool(environ, connections)

    def get(self, address: str, query: Mapping[str, str], shape: type[T]) -> T:
        with self.call("GET", f"{address}?{urlencode(query)}") as response:
            try:
                return msgspec.json.decode(response.read(), type=shape, strict=False)
            except msgspec.DecodeError as error:
                raise StoreMisconfigured(f"{self.base} does not answer as a tracking server does: {error}") from error
            except (HTTPError, OSError) as error:
                raise broken_off(self.base) from error

    def call(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: Iterable[bytes] | None = None
    ) -> BaseHTTPResponse:
        """A success, whose body has not been read. Credentials go to the server itself and nowhere else."""
        own: Mapping[str, str] = self._headers if _origin(url) == _origin(self.base) else {}
        try:
            response = self._http.request(
                method,
                url,
                body=body,
                headers={**own, "User-Agent": "trackplane", "Accept-Encoding": "identity", **(headers or {})},
                preload_content=False,
                retries=False,
                redirect=False,
                timeout=_TIMEOUT,
            )
        except SSLError as error:
            raise StoreUntrusted(
                f"{_origin(url)}: its certificate is not one that this machine trusts: set"
                " MLFLOW_TRACKING_SERVER_CERT_PATH."
            ) from error
        except (HTTPError, OSError) as error:
            raise StoreUnavailable(
                f"{_origin(url)} cannot be reached, or broke off ({type(error).__name__}): check"
                " MLFLOW_TRACKING_URI and the network."
            ) from error
        if response.status not in {200, 206}:
            raise _refused(response, method, url)
        return response


def broken_off(uri: str) -> StoreUnavailable:
    return StoreUnavailable(f"The connection to {uri} broke off. Try again.")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def _pool(environ: Mapping[str, str], connections: int) -> urllib3.PoolManager:
    arguments: dict[str, Any] = {"maxsize": connections, "block": False}
    if environ.get("MLFLOW_TRACKING_INSECURE_TLS", "").lower() in _TRUE:
        urllib3.disable_warnings()  # whoever sets it knows
        return urllib3.PoolManager(cert_reqs="CERT_NONE", **arguments)
    authority = environ.get("MLFLOW_TRACKING_SERVER_CERT_PATH") or environ.get("REQUESTS_CA_BUNDLE")
    certificate = environ.get("MLFLOW_TRACKING_CLIENT_CERT_PATH") or None
    return urllib3.PoolManager(ca_certs=authority or None, cert_file=certificate, **arguments)


def _authorization(environ: Mapping[str, str], user: str, password: str) -> Mapping[str, str]:
    user = environ.get("MLFLOW_TRACKING_USERNAME") or user
    password = environ.get("MLFLOW_TRACKING_PASSWORD") or password
    if user and password:
        return {"Authorization": f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"}
    token = environ.get("MLFLOW_TRACKING_TOKEN")
    return {"Authorization": f"Bearer {token}"} if token else {}


def _refused(response: BaseHTTPResponse, method: str, url: str) -> TrackingError:
    with response:
        try:
            body = response.read(_ERROR_BYTES)
        except (HTTPError, OSError):
            body = b""
    status = response.status
    told = f"{method} {url.partition('?')[0]} was answered with {status}: {_message(body)}"
    if status == 404:
        return ArtifactNotFound(told)
    if status in {401, 403}:
        return StoreDenied(told)
    if status in {412, 416}:
        return StoreUnavailable(told)
    if status in {429, 503}:
        return StoreThrottled(told)
    if status >= 500:
        return StoreUnavailable(told) if status != 501 else StoreMisconfigured(told)
    return InvalidParameter(told) if status == 400 else StoreMisconfigured(told)


def _message(body: bytes) -> str:
    try:
        return str(json.loads(body)["message"])
    except (ValueError, TypeError, KeyError):
        return body[:200].decode(errors="replace").strip()
