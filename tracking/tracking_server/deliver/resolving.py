"""From the name of a host to the addresses that may be connected to, checked, in bounded time."""

import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from tracking_server.deliver.addresses import is_public

RESOLVE_SECONDS: Final = 10.0


class Unresolved(Exception):
    """The name has no address, or none just now."""


class NotAllowed(Exception):
    """The name leads to where webhooks may not go."""


Resolve = Callable[[str, int], Sequence[str]]


def resolve(host: str, port: int) -> Sequence[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@dataclass(frozen=True, kw_only=True, slots=True)
class AddressRule:
    allows_private: bool = False
    resolve: Resolve = resolve

    def addresses(self, host: str, port: int, *, within_seconds: float = RESOLVE_SECONDS) -> Sequence[str]:
        """Those that may be connected to, in the order of the resolver. Raises Unresolved, NotAllowed."""
        found = self._resolve_within(host, port, within_seconds)
        if not self.allows_private:
            for address in found:
                if not is_public(address):
                    raise NotAllowed(
                        f"Webhook URL must not resolve to a non-public IP address. {host!r} resolves to {address}."
                    )
        return found

    def _resolve_within(self, host: str, port: int, seconds: float) -> Sequence[str]:
        """The resolver of the system has no time limit of ours: who waits goes on, its thread is left to its end."""
        found: list[Sequence[str]] = []
        errors: list[Exception] = []

        def ask() -> None:
            try:
                found.append(self.resolve(host, port))
            except (OSError, UnicodeError) as error:
                errors.append(error)

        thread = threading.Thread(target=ask, name="webhook-address", daemon=True)
        thread.start()
        thread.join(seconds)
        if errors:
            raise Unresolved(f"Cannot resolve Webhook URL hostname {host!r}: {errors[0]}") from errors[0]
        if not found:
            raise Unresolved(f"Timed out resolving Webhook URL hostname {host!r} after {seconds:g} seconds")
        if not found[0]:
            raise Unresolved(f"Cannot resolve Webhook URL hostname {host!r}: it has no address")
        return found[0]
