"""Addresses that clients register: syntax, loopback, origin."""

import re
from collections.abc import Callable, Iterator
from ipaddress import IPv6Address
from typing import Final
from urllib.parse import SplitResult, urlsplit

MAX_URL: Final = 2000

# RFC 3986 section 2: reserved, unreserved and percent-encoded; everything else must be encoded.
_URI: Final = re.compile(
    r"[A-Za-z][A-Za-z0-9+.\-]*:(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*"
)
# Stricter than RFC 3986, whose host may hold ";" or "'": our policy headers name this host.
_HOST_AND_PORT: Final = re.compile(
    r"(?:(?P<name>[A-Za-z0-9_](?:[A-Za-z0-9._\-]*[A-Za-z0-9_])?)|\[(?P<ipv6>[0-9A-Fa-f:.]+)\])"
    r"(?::[0-9]{1,5})?"
)
_DEFAULT_PORTS: Final = {"https": ":443", "http": ":80"}
_LOOPBACK: Final = re.compile(
    r"(http://(?:127\.0\.0\.1|\[::1\]|localhost))(?::([0-9]{1,5}))?(?=[/?#]|\Z)"
)


def is_uri(text: str) -> bool:
    """Whether ``text`` is an absolute URI by its characters (RFC 3986), and not over-long."""
    return len(text) <= MAX_URL and _URI.fullmatch(text) is not None


def is_loopback(uri: str) -> bool:
    """Whether ``uri`` is plain http on this very machine (RFC 8252 section 7.3)."""
    return without_loopback_port(uri) is not None


def without_loopback_port(uri: str) -> str | None:
    """A loopback address without its port, or ``None`` when ``uri`` is not one.

    The host is compared as text, so nothing that only resolves or parses to a loopback counts.
    """
    match = _LOOPBACK.match(uri)
    if match is None:
        return None
    if match[2] is not None and not 1 <= int(match[2]) <= 65535:
        return None
    return match[1] + uri[match.end() :]


def split(uri: str) -> SplitResult | None:
    """The parts of a well-formed URI, or ``None``."""
    if not is_uri(uri):
        return None
    try:
        parts = urlsplit(uri)
        port = parts.port  # a property that raises on what is no port
    except ValueError:
        return None
    return None if port == 0 else parts


def origin(uri: str) -> str:
    """``scheme://host[:port]`` of a registered web address, ``scheme:`` of a native one.

    The form a Content-Security-Policy source takes. ``uri`` must have passed its check.
    """
    parts = urlsplit(uri)
    if parts.scheme not in _DEFAULT_PORTS:
        return f"{parts.scheme}:"
    host = parts.netloc.lower().removesuffix(_DEFAULT_PORTS[parts.scheme])
    return f"{parts.scheme}://{host}"


def check_web_url(uri: str, *, fragment: bool = False) -> tuple[str, ...]:
    """What is wrong with ``uri`` as an address on the web, as sentences; empty when it is fine.

    https, or http on a loopback host for development. ``fragment`` permits a ``#`` part.
    """
    parts = split(uri)
    if parts is None:
        return (NOT_A_URL,)
    return tuple(web_problems(uri, parts, fragment=fragment))


NOT_A_URL: Final = (
    "is not a complete URL: write it as https://host/path and percent-encode special characters"
)


def web_problems(uri: str, parts: SplitResult, *, fragment: bool = False) -> Iterator[str]:
    """The sentences of ``check_web_url`` for an address that is already split."""
    if not (parts.scheme == "https" or is_loopback(uri)):
        yield "must start with https:// (http is for localhost, 127.0.0.1 and [::1] only)"
    for broken, sentence in _AUTHORITY:
        if broken(parts):
            yield sentence
    if "#" in uri and not fragment:
        yield "must not have a # part: remove it and what follows it"


def _has_user(parts: SplitResult) -> bool:
    return "@" in parts.netloc


def _has_no_host(parts: SplitResult) -> bool:
    match = _HOST_AND_PORT.fullmatch(parts.netloc.rpartition("@")[2])
    if match is None:
        return True
    return not _is_ipv6(match["ipv6"]) if match["ipv6"] else len(match["name"]) > 253


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except ValueError:
        return False
    return True


_AUTHORITY: Final[tuple[tuple[Callable[[SplitResult], bool], str], ...]] = (
    (_has_user, "must not have a user name or password before the host: remove the part up to @"),
    (_has_no_host, "needs a host name made of letters, digits, dots and hyphens after //"),
)
