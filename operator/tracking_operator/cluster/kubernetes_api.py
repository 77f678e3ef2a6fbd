"""The `Cluster` of `client.py` over a real API server: untyped manifests in and out, through `kubernetes.aio`.

Nothing is retried here: the queue comes back after the delay that an error carries.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, cast

import aiohttp
from kubernetes.aio.client import ApiClient

from tracking_operator.cluster.connection import PARTIAL_OBJECT
from tracking_operator.errors import ClusterRefused, NotReadyYet
from tracking_operator.resource.kinds import JOB, Kind, Manifest, Ref, ref_of
from tracking_operator.resource.names import FIELD_MANAGER, SERVER_UID_LABEL

REQUEST_TIMEOUT_SECONDS: Final = 30.0
CONNECT_TIMEOUT_SECONDS: Final = 5.0
PAGE_SIZE: Final = 500
LONGEST_RETRY_AFTER_SECONDS: Final = 300.0

LAST_APPLIED_ANNOTATION: Final = "kubectl.kubernetes.io/last-applied-configuration"
"""`kubectl apply` keeps a copy of the whole object in it, of a Secret too. It is not metadata."""

APPLY_PATCH: Final = "application/apply-patch+yaml"
MERGE_PATCH: Final = "application/merge-patch+json"
JSON: Final = "application/json"

_DELAYS: Final[Mapping[int, float]] = {
    HTTPStatus.UNAUTHORIZED: 10,
    HTTPStatus.NOT_FOUND: 5,
    HTTPStatus.REQUEST_TIMEOUT: 5,
    HTTPStatus.CONFLICT: 1,
    HTTPStatus.GONE: 1,
    HTTPStatus.TOO_MANY_REQUESTS: 5,
}
"""Seconds until it is worth asking again; a status that is not here, and below 500, is a refusal."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Answer:
    status: int
    body: Mapping[str, Any]
    retry_after: str | None

    @property
    def is_success(self) -> bool:
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def reason(self) -> str:
        return str(self.body.get("reason", ""))


class KubernetesCluster:
    """`namespaces` are those that a list over all namespaces covers, when the operator may not see all of them.

    `write_budget_seconds` says how long a write may take from now: no write is sent when that is nothing, and none is
    waited for longer, so that a leader has stopped writing before another one can start. See `lease.py`.
    """

    def __init__(
        self,
        client: ApiClient,
        *,
        namespaces: Sequence[str] = (),
        write_budget_seconds: Callable[[], float] = lambda: math.inf,
    ) -> None:
        self._client = client
        self._namespaces = namespaces
        self._write_budget_seconds = write_budget_seconds

    async def get(self, ref: Ref) -> Manifest | None:
        return await self._get(ref, accept=JSON)

    async def get_metadata(self, ref: Ref) -> Manifest | None:
        found = await self._get(ref, accept=PARTIAL_OBJECT)
        if found is not None:
            found["metadata"].get("annotations", {}).pop(LAST_APPLIED_ANNOTATION, None)
        return found

    async def list(
        self, kind: Kind, namespace: str | None, *, labels: Mapping[str, str] | None = None
    ) -> tuple[Manifest, ...]:
        places = self._namespaces or (None,) if namespace is None else (namespace,)
        found: list[Manifest] = []
        for place in places:
            found.extend(await self._list(kind, place, labels or {}))
        return tuple(sorted(found, key=_namespace_and_name))

    async def apply(self, manifest: Manifest) -> Manifest:
        return await self._apply(ref_of(manifest), manifest)

    async def apply_status(self, manifest: Manifest) -> Manifest:
        ref = ref_of(manifest)
        metadata = {
            key: manifest["metadata"][key] for key in ("name", "namespace", "uid") if key in manifest["metadata"]
        }
        body = {
            "apiVersion": manifest["apiVersion"],
            "kind": manifest["kind"],
            "metadata": metadata,
            "status": manifest.get("status", {}),
        }
        return await self._apply(ref, body, subresource="/status")

    async def scale(self, ref: Ref, replicas: int) -> None:
        answer = await self._send(
            "PATCH",
            f"{path_of(ref.kind, ref.namespace, ref.name)}/scale",
            query={"fieldManager": FIELD_MANAGER},
            body={"spec": {"replicas": replicas}},
            content_type=MERGE_PATCH,
        )
        _check(answer, f"scale {ref}")

    async def create(self, manifest: Manifest) -> Manifest:
        ref = ref_of(manifest)
        answer = await self._send(
            "POST", path_of(ref.kind, ref.namespace), query={"fieldManager": FIELD_MANAGER}, body=manifest
        )
        if answer.status == HTTPStatus.CONFLICT and answer.reason == "AlreadyExists":
            return await self._existing(ref, manifest, answer)
        return _object(_check(answer, f"create {ref}"))

    async def replace(self, manifest: Manifest) -> Manifest:
        """Writes the whole object; its resourceVersion must be the current one, else `NotReadyYet`.

        For the Lease, where two writers must not both succeed.
        """
        ref = ref_of(manifest)
        answer = await self._send(
            "PUT", path_of(ref.kind, ref.namespace, ref.name), query={"fieldManager": FIELD_MANAGER}, body=manifest
        )
        return _object(_check(answer, f"replace {ref}"))

    async def delete(self, ref: Ref, *, uid: str | None = None) -> None:
        body: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        if uid is not None:
            body["preconditions"] = {"uid": uid}
        answer = await self._send("DELETE", path_of(ref.kind, ref.namespace, ref.name), body=body)
        if answer.status == HTTPStatus.NOT_FOUND or (uid is not None and answer.status == HTTPStatus.CONFLICT):
            return  # The object is gone; with a uid: another one may have its name.
        _check(answer, f"delete {ref}")

    async def serves(self, kind: Kind) -> bool:
        """Whether the API server knows the kind: for ours, whether the CRD is installed."""
        answer = await self._send("GET", _root(kind))
        if answer.status == HTTPStatus.NOT_FOUND:
            return False
        known = _check(answer, f"ask for {kind.api_version}").get("resources", [])
        return any(resource.get("name") == kind.plural for resource in known)

    async def _get(self, ref: Ref, *, accept: str) -> Manifest | None:
        answer = await self._send("GET", path_of(ref.kind, ref.namespace, ref.name), accept=accept)
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        return _object(_check(answer, f"read {ref}"))

    async def _list(self, kind: Kind, namespace: str | None, labels: Mapping[str, str]) -> Sequence[Manifest]:
        query = {"limit": str(PAGE_SIZE)}
        if labels:
            query["labelSelector"] = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
        where = f"{namespace}/" if namespace else ""
        found: list[Manifest] = []
        while True:
            body = _check(await self._send("GET", path_of(kind, namespace), query=query), f"list {where}{kind.plural}")
            # The items of a list do not say what they are: the list does.
            named = {"apiVersion": kind.api_version, "kind": kind.kind}
            found.extend({**named, **_object(item)} for item in body.get("items") or ())
            token = body["metadata"].get("continue")
            if not token:
                return found
            query["continue"] = token

    async def _apply(self, ref: Ref, manifest: Manifest, *, subresource: str = "") -> Manifest:
        answer = await self._send(
            "PATCH",
            f"{path_of(ref.kind, ref.namespace, ref.name)}{subresource}",
            query={"fieldManager": FIELD_MANAGER, "force": "true"},
            body=manifest,
            content_type=APPLY_PATCH,
        )
        return _object(_check(answer, f"apply {ref}{subresource}"))

    async def _existing(self, ref: Ref, manifest: Manifest, answer: _Answer) -> Manifest:
        """A Job of the same owner, which is found in the list: a right to read Jobs by name is needed nowhere else."""
        if ref.kind == JOB:
            there = await self.list(ref.kind, ref.namespace)
            existing = next((one for one in there if one["metadata"]["name"] == ref.name), None)
            if existing is None:
                raise NotReadyYet(f"{ref} was deleted while it was created", delay_seconds=1)
            if _server_uid(existing) == _server_uid(manifest):
                return existing
        raise ClusterRefused(f"create {ref}: {_message(answer)}", status=answer.status, reason=answer.reason)

    async def _send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        accept: str = JSON,
        content_type: str = JSON,
    ) -> _Answer:
        """Raises `NotReadyYet` when there is no answer, or when we may not write any more."""
        timeout_seconds = REQUEST_TIMEOUT_SECONDS
        if method != "GET":
            budget = self._write_budget_seconds()
            if budget <= 0:
                raise NotReadyYet("this process is not the leader any more: it writes nothing", delay_seconds=1)
            timeout_seconds = min(timeout_seconds, budget)
        try:
            method, url, headers, body, _ = await self._client.param_serialize(
                method,
                path,
                query_params=query,
                header_params={"Accept": accept, "Content-Type": content_type},
                body=body,
                auth_settings=["BearerToken"],
            )
            timeout = aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=CONNECT_TIMEOUT_SECONDS)
            response = await self._client.call_api(method, url, headers, body, _request_timeout=timeout)
            content = await response.read()
        except (aiohttp.ClientError, OSError) as exc:  # a timeout is an OSError
            message = f"{method} {path}: the API server does not answer: {exc or type(exc).__name__}"
            raise NotReadyYet(message, delay_seconds=5) from exc
        return _Answer(
            status=response.status,
            body=_parse(content, method, path)
            if response.status < HTTPStatus.MULTIPLE_CHOICES
            else _parse_status(content),
            retry_after=response.headers.get("Retry-After"),
        )


def _check(answer: _Answer, request: str) -> Mapping[str, Any]:
    """The body of a success. Raises for everything else."""
    if answer.is_success:
        return answer.body
    message = f"{request}: {_message(answer)}"
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR or answer.status in _DELAYS or _namespace_is_ending(answer):
        raise NotReadyYet(message, delay_seconds=_delay_seconds(answer))
    raise ClusterRefused(message, status=answer.status, reason=answer.reason)


def _namespace_is_ending(answer: _Answer) -> bool:
    """It takes nothing new, and soon the object that wants it is gone: nobody has to mend anything."""
    details: Mapping[str, Any] = answer.body.get("details") or {}
    return any(cause.get("reason") == "NamespaceTerminating" for cause in details.get("causes") or ())


def _delay_seconds(answer: _Answer) -> float:
    """What the API server asks for (the header, else the Status), else what we find fit."""
    details: Mapping[str, Any] = answer.body.get("details") or {}
    try:
        asked = float(answer.retry_after or details["retryAfterSeconds"])
    except (KeyError, TypeError, ValueError):
        return _DELAYS.get(answer.status, 5)
    return min(max(asked, 1), LONGEST_RETRY_AFTER_SECONDS)


def _message(answer: _Answer) -> str:
    return str(answer.body.get("message") or f"HTTP {answer.status}")


def _parse(content: bytes, method: str, path: str) -> Mapping[str, Any]:
    try:
        return cast("Mapping[str, Any]", json.loads(content))
    except ValueError as exc:
        raise NotReadyYet(f"{method} {path}: the answer is not JSON", delay_seconds=5) from exc


def _parse_status(content: bytes) -> Mapping[str, Any]:
    """A failure need not come from the API server: a proxy on the way answers with a page."""
    try:
        status = json.loads(content)
    except ValueError:
        return {}
    return cast("Mapping[str, Any]", status) if isinstance(status, dict) else {}


def _object(body: Mapping[str, Any]) -> Manifest:
    metadata = {key: value for key, value in body.get("metadata", {}).items() if key != "managedFields"}
    return {**body, "metadata": metadata}


def _root(kind: Kind) -> str:
    return f"/apis/{kind.api_version}" if kind.group else f"/api/{kind.version}"


def path_of(kind: Kind, namespace: str | None, name: str = "") -> str:
    place = f"/namespaces/{namespace}" if kind.namespaced and namespace else ""
    return f"{_root(kind)}{place}/{kind.plural}" + (f"/{name}" if name else "")


def _namespace_and_name(manifest: Manifest) -> tuple[str, str]:
    return manifest["metadata"].get("namespace", ""), manifest["metadata"]["name"]


def _server_uid(manifest: Mapping[str, Any]) -> str | None:
    labels: Mapping[str, str] = manifest["metadata"].get("labels") or {}
    return labels.get(SERVER_UID_LABEL)
