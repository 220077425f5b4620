"""Which addresses are outside: on the public Internet, and no way back into our own networks."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LOOPBACK: Final[tuple[Network, ...]] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))

_GLOBAL_UNICAST: Final = ip_network("2000::/3")
"""RFC 4291 section 2.4, as allocated. Not in it: ::1, IPv4-mapped, NAT64, fc00::/7, fe80::/10."""

# The IANA special-purpose registries (RFC 6890), in full: what Python calls global has changed
# between its versions, and this must not.
_SPECIAL: Final[tuple[Network, ...]] = tuple(
    map(
        ip_network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
            *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24"),
            *("192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24"),
            *("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
            # Teredo, ORCHID and the like; documentation; 6to4, which wraps any IPv4 address.
            *("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"),
        ),
    )
)


def is_outside(address: Address) -> bool:
    """May anybody at all be reached there, and nobody who is meant to be reached by few?"""
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    return not is_within(address, _SPECIAL)


def is_within(address: Address, networks: Sequence[Network]) -> bool:
    """Is the address in one of ``networks``? One that wraps another counts as what it is."""
    return any(address in network for network in networks)


def parsed(addresses: Iterable[str]) -> tuple[Address, ...]:
    """Each address once. Raises ``ValueError`` for what is none."""
    return tuple(dict.fromkeys(ip_address(one) for one in addresses))
