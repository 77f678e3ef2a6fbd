"""How the API server is reached: its address, our credentials, an HTTP session for our requests and others for watches.

All sessions pass through one middleware, which tells the `Observer` about each request and each sign of life of a
watch. What is asked is left to `kubernetes_api.py`, `metadata_watch.py` and kopf.
"""

import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast

import aiohttp
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.config import ConfigException, load_incluster_config, load_kube_config

from tracking_operator.errors import Fault, SettingsInvalid

USER_AGENT: Final = "trackplane-operator"
PARTIAL_OBJECT: Final = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
PARTIAL_OBJECT_LIST: Final = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
LONGEST_LINE: Final = 2**21
"""Of a watch, in bytes: an object is a line."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A request as its audit log entry would name it; `resource` is empty for what is not about a resource."""

    verb: str
    resource: str
    namespace: str


class Observer(Protocol):
    def answered(self, request: Request, status: int, seconds: float) -> None:
        """`status` is 0 when there was no answer."""
        ...

    def heard(self, request: Request, *, is_new: bool) -> None:
        """A watch was opened (`is_new`), or something came over it: an event or a bookmark."""
        ...


class Connection:
    """Made by `connect`. The API client lives as long as the process; a session is closed by whoever opened it."""

    def __init__(self, configuration: Configuration, observer: Observer) -> None:
        self._configuration = configuration
        self._observer = observer
        configuration.client_session_kwargs = {"middlewares": (self._observed,)}
        self.client: Final = ApiClient(configuration)
        self.client.user_agent = USER_AGENT

    @property
    def server(self) -> str:
        return self._configuration.host

    def open_session(self) -> aiohttp.ClientSession:
        """A session that sends our credentials with every request, read anew each time."""
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self.client.rest_client.ssl_context, limit=0),
            headers={"User-Agent": USER_AGENT},
            middlewares=(self._authorized, self._observed),
            proxy=self._configuration.proxy,
            trust_env=True,
            read_bufsize=LONGEST_LINE,
        )

    async def close(self) -> None:
        await self.client.close()

    async def _authorized(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        token = await self._configuration.get_api_key_with_prefix("BearerToken")
        if token:
            request.headers["Authorization"] = token
        return await handler(request)

    async def _observed(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        about = describe(request.method, request.url.path, request.url.query)
        started = time.monotonic()
        status = 0
        try:
            response = await handler(request)
            status = response.status
        finally:
            self._observer.answered(about, status, time.monotonic() - started)
        if about.verb == "watch" and response.ok:
            self._observer.heard(about, is_new=True)
            heard = _Heard(response.content, lambda: self._observer.heard(about, is_new=False))
            response.content = cast("aiohttp.StreamReader", heard)
        return response


class _Heard:
    """The content of a watch that says so when a chunk arrives. Everything else is the content's own."""

    def __init__(self, content: aiohttp.StreamReader, heard: Callable[[], None]) -> None:
        self._content = content
        self._heard = heard

    def __getattr__(self, name: str) -> Any:
        return getattr(self._content, name)

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        async for chunk in self._content.iter_chunked(size):
            self._heard()
            yield chunk

    async def readline(self) -> bytes:
        line = await self._content.readline()
        if line:
            self._heard()
        return line


async def connect(kubeconfig: str, observer: Observer) -> Connection:
    """The kubeconfig file when one is named, else the pod's service account, else the user's kubeconfig.

    Raises `SettingsInvalid` when there is none, or when it cannot be read.
    """
    configuration = Configuration()
    try:
        if kubeconfig:
            await load_kube_config(kubeconfig, client_configuration=configuration, persist_config=False)
        else:
            await _load_default(configuration)
    except (ConfigException, OSError) as exc:
        raise SettingsInvalid((Fault(path="KUBECONFIG", message=f"no way to an API server: {exc}"),)) from exc
    return Connection(configuration, observer)


async def _load_default(configuration: Configuration) -> None:
    try:
        load_incluster_config(configuration)
    except ConfigException:
        await load_kube_config(client_configuration=configuration, persist_config=False)


_METHODS: Final[Mapping[str, str]] = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


def describe(method: str, path: str, query: Mapping[str, str]) -> Request:
    """`GET /apis/apps/v1/namespaces/a/deployments/b/scale` is: get deployments/scale in a."""
    parts = path.strip("/").split("/")
    root = next((place for place, part in enumerate(parts) if part in {"api", "apis"}), len(parts))
    parts = parts[root:]
    rest = parts[2:] if parts[:1] == ["api"] else parts[3:]
    namespace = ""
    if len(rest) > 2 and rest[0] == "namespaces":
        namespace, rest = rest[1], rest[2:]
    if not rest:
        return Request(verb=method.lower(), resource="", namespace="")
    if len(rest) == 1:
        reading = "watch" if query.get("watch") in {"true", "1"} else "list"
        return Request(verb=_METHODS.get(method, reading), resource=rest[0], namespace=namespace)
    resource = "/".join([rest[0], *rest[2:]])
    return Request(verb=_METHODS.get(method, "get"), resource=resource, namespace=namespace)
