"""Which addresses are public: what lies inside a network is not to be reached through this server. Pure."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

_WITH_IPV4_AT_THE_END: Final = (
    IPv6Network("64:ff9b::/96"),  # NAT64
    IPv6Network("::/96"),  # "compatible" with IPv4, long out of use
)
_NEVER: Final = (
    IPv4Network("168.63.129.16/32"),  # inside Azure, where every machine has its agent's server
    IPv4Network("192.0.0.0/24"),  # of the protocol's own; not all of it to the `ipaddress` of every Python
    IPv4Network("192.88.99.0/24"),  # relays of 6to4, out of use
    IPv6Network("64:ff9b:1::/48"),  # NAT64 of a network's own
    IPv6Network("2001::/23"),  # of the protocol's own, Teredo among it
    IPv6Network("5f00::/16"),  # segments of routes
    IPv6Network("fec0::/10"),  # site-local, out of use
)


def is_public(text: str) -> bool:
    """Whether it is an address of the open internet. What is not an address at all is not."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return _is_public(address)


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if any(address in network for network in _NEVER if network.version == address.version):
        return False
    inner = _inner(address) if isinstance(address, IPv6Address) else None
    if inner is not None:
        return _is_public(inner)
    return address.is_global and not address.is_multicast


def _inner(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that a translator would take it to."""
    if any(address in network for network in _WITH_IPV4_AT_THE_END):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
