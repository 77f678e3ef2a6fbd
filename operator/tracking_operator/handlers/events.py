"""What kopf watches, and what follows from an event: the key of a TrackingServer goes into the queue, nothing else.

The handlers are `kopf.on.event` with ids of ours: kopf then writes nothing to any object, no finalizer, no annotation.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import kopf

from tracking_operator.handlers.metrics import Servers
from tracking_operator.handlers.references import References
from tracking_operator.queue import Workers
from tracking_operator.resource.kinds import (
    CONFIG_MAP,
    CRON_JOB,
    DEPLOYMENT,
    JOB,
    POD,
    SERVICE,
    SERVICE_ACCOUNT,
    TRACKING_SERVER,
    VOLUME_CLAIM,
    Kind,
    Ref,
)
from tracking_operator.resource.names import FIELD_MANAGER, INSTANCE_LABEL, MANAGED_BY_LABEL

CHILDREN: Final = (DEPLOYMENT, SERVICE, SERVICE_ACCOUNT, VOLUME_CLAIM, CONFIG_MAP, CRON_JOB, JOB, POD)
"""Watched by label: kopf gets those that the operator made, and the pods that these made."""
CHILD_SELECTOR: Final = f"{MANAGED_BY_LABEL}={FIELD_MANAGER}"
UNWATCHED_SECRETS: Final = "type!=helm.sh/release.v1"
"""Releases of Helm are the greater part of the Secrets of many clusters, and no database's address."""

Handler: TypeAlias = Callable[..., Awaitable[None]]
Event: TypeAlias = Mapping[str, Any]
"""`type` (None for what is there when the watch begins, ADDED, MODIFIED, DELETED) and `object`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipients:
    """Who hears of events."""

    workers: Workers
    references: References
    servers: Servers


def make_registry(
    recipients: Recipients, login: Callable[..., Awaitable[kopf.AiohttpSession]]
) -> kopf.OperatorRegistry:
    registry = kopf.OperatorRegistry()
    kopf.on.login(id="login", registry=registry)(login)
    _on_event(registry, TRACKING_SERVER, _server_handler(recipients))
    for kind in CHILDREN:
        _on_event(registry, kind, _child_handler(recipients))
    return registry


def on_secret(recipients: Recipients) -> Callable[[str, str], None]:
    """What a watch of Secrets tells: the namespace and the name of one that changed."""

    def on_change(namespace: str, name: str) -> None:
        for user in recipients.references.users_of(namespace, name):
            recipients.workers.add(user)

    return on_change


def _on_event(registry: kopf.OperatorRegistry, kind: Kind, handler: Handler) -> None:
    decorate = kopf.on.event(
        group=kind.group, version=kind.version, plural=kind.plural, id=f"{kind.plural}-event", registry=registry
    )
    decorate(handler)


def _server_handler(to: Recipients) -> Handler:
    async def on_event(*, event: Event, **_: Any) -> None:
        body = event["object"]
        ref = Ref(kind=TRACKING_SERVER, namespace=body["metadata"]["namespace"], name=body["metadata"]["name"])
        if event["type"] == "DELETED":
            to.references.gone(ref)
            to.servers.gone(ref)
        else:
            to.references.seen(ref, body)
            to.servers.seen(ref, body)
        to.workers.add(ref)

    return on_event


def _child_handler(to: Recipients) -> Handler:
    async def on_event(*, event: Event, **_: Any) -> None:
        metadata = event["object"]["metadata"]
        owner: Mapping[str, str] = metadata.get("labels") or {}
        if name := owner.get(INSTANCE_LABEL):
            to.workers.add(Ref(kind=TRACKING_SERVER, namespace=metadata["namespace"], name=name))

    return on_event
