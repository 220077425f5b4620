"""Which addresses count as one, and what is around them."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address


@lru_cache(4096)
def networks_of(address: str) -> tuple[str, ...]:
    """The network that counts as one guesser, and the one around it; empty for no address.

    One IPv4 address, then its /24; one IPv6 /64, which is what a single customer gets, then its
    /48.
    """
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return ()
    if isinstance(parsed, IPv6Address):
        parsed = parsed.ipv4_mapped or parsed
    if isinstance(parsed, IPv4Address):
        return _prefixes(parsed, (32, 24))
    return _prefixes(parsed, (64, 48))


def _prefixes(address: IPv4Address | IPv6Address, lengths: Iterable[int]) -> tuple[str, ...]:
    whole = int(address)
    bits = address.max_prefixlen
    return tuple(f"{whole >> (bits - length):x}/{length}" for length in lengths)
