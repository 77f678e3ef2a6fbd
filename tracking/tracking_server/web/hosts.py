"""Which Host and which Origin a request may come with: what keeps the web pages that people visit off the API; pure.

Names that a stranger's page cannot have are always let through: those of this machine, and private addresses. Others,
an ingress or a Service, are configured.
"""

import re
from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

_ANY = "*"


class HostRule:
    """`allowed`: names, with a port or for all ports; `*` in one stands for anything, also alone."""

    def __init__(self, allowed: Iterable[str]) -> None:
        names = [name.strip().lower() for name in allowed if name.strip()]
        self._allows_any = _ANY in names
        self._expression = re.compile("|".join(_glob(name) for name in names)) if names else None

    def allows(self, host: str) -> bool:
        if self._allows_any:
            return True
        name = _name_of(host)
        if not name:
            return False
        if name == "localhost" or _is_near(name):
            return True
        if self._expression is None:
            return False
        host = host.lower()
        return bool(self._expression.fullmatch(host) or self._expression.fullmatch(name))


class OriginRule:
    """`allowed`: origins such as `https://ml.example.com`; `*` in one stands for anything, also alone."""

    def __init__(self, allowed: Iterable[str]) -> None:
        origins = [origin.strip().lower().rstrip("/") for origin in allowed if origin.strip()]
        self.allows_any = _ANY in origins
        self._expression = re.compile("|".join(_glob(origin) for origin in origins)) if origins else None

    def allows(self, origin: str, host: str) -> bool:
        """A page of our own, one served on this machine, or a configured one."""
        if self.allows_any:
            return True
        try:
            parts = urlsplit(origin.lower())
            name = parts.hostname or ""
        except ValueError:
            return False
        if parts.netloc and parts.netloc == host.lower():
            return True
        if name == "localhost" or _is_loopback(name):
            return True
        return self._expression is not None and bool(self._expression.fullmatch(origin.lower()))


def _name_of(host: str) -> str:
    """The Host header without its port, IPv6 without its brackets; empty when it is none."""
    bracketed = re.fullmatch(r"\[([0-9A-Fa-f:.]+)\](:\d{1,5})?", host)
    if bracketed:
        return bracketed[1].lower()
    plain = re.fullmatch(r"([A-Za-z0-9._-]+)(:\d{1,5})?", host)
    return plain[1].lower() if plain else ""


def _is_near(name: str) -> bool:
    """A private, link-local or loopback address, or the one that means this machine. A name is never one."""
    try:
        address = ip_address(name)
    except ValueError:
        return False
    return address.is_private or address.is_loopback or address.is_link_local or address.is_unspecified


def _is_loopback(name: str) -> bool:
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def _glob(pattern: str) -> str:
    return ".*".join(re.escape(part) for part in pattern.split(_ANY))
