"""Which TrackingServers name which Secrets, so that a Secret that changes finds its users."""

from collections.abc import Mapping
from typing import Any

from tracking_operator.errors import SpecInvalid
from tracking_operator.resource.kinds import Ref
from tracking_operator.resource.parse import parse


class References:
    def __init__(self) -> None:
        self._secrets: dict[Ref, frozenset[str]] = {}
        self._users: dict[tuple[str, str], set[Ref]] = {}

    def seen(self, server: Ref, body: Mapping[str, Any]) -> None:
        """What the resource names now. One with faults names nothing: it waits for a person, not for a Secret."""
        try:
            names = frozenset(reference.secret_key.name for reference in parse(body).references)
        except SpecInvalid:
            names = frozenset[str]()
        self._replace(server, names)

    def gone(self, server: Ref) -> None:
        self._replace(server, frozenset())
        self._secrets.pop(server, None)

    def users_of(self, namespace: str, secret: str) -> tuple[Ref, ...]:
        return tuple(self._users.get((namespace, secret), ()))

    def _replace(self, server: Ref, names: frozenset[str]) -> None:
        before = self._secrets.get(server, frozenset())
        for name in before - names:
            users = self._users[server.namespace, name]
            users.discard(server)
            if not users:
                del self._users[server.namespace, name]
        for name in names - before:
            self._users.setdefault((server.namespace, name), set()).add(server)
        self._secrets[server] = names
