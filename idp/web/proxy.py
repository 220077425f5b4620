"""Whose word about the caller counts: only a trusted proxy's."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

Network = IPv4Network | IPv6Network
_KNOWN: Final = 4096
"""Addresses that need not be read again: a proxy's, and those of whoever came lately."""
_WITH_PORT: Final = re.compile(r"(\d+\.\d+\.\d+\.\d+):\d{1,5}|\[([^\]]+)\](?::\d{1,5})?", re.ASCII)


class TrustedProxies:
    """Takes the client's address from ``X-Forwarded-For`` when a trusted proxy sent the request.

    Read from the right, because each proxy appends what it saw: the first address that is not a
    trusted proxy's is the client. Scheme and host are never taken from a header, as the issuer
    comes from the settings. The header with the certificate that a client showed in TLS is taken
    away from every request that somebody else sent.
    """

    def __init__(
        self,
        app: WSGIApplication,
        trusted: Sequence[Network],
        *,
        certificate_header: str | None = None,
    ) -> None:
        self._app = app
        self._trusted = trusted
        self._certificate = _environ_key(certificate_header) if certificate_header else None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if is_one_of(self._trusted, environ.get("REMOTE_ADDR", "")):
            environ["REMOTE_ADDR"] = client_of(environ, self._trusted)
        elif self._certificate:
            environ.pop(self._certificate, None)
        return self._app(environ, start_response)


def client_of(environ: WSGIEnvironment, trusted: Sequence[Network]) -> str:
    """The client's address: the nearest that is no trusted proxy's, or else the nearest proxy's."""
    sender = str(environ.get("REMOTE_ADDR", ""))
    if not is_one_of(trusted, sender):
        return sender
    hops = [hop.strip() for hop in environ.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    for hop in map(_without_port, reversed([hop for hop in hops if hop])):
        if _address(hop) is None:
            break
        if not is_one_of(trusted, hop):
            return hop
    return sender


def _without_port(hop: str) -> str:
    """Some proxies tell the port as well, and set an IPv6 address in brackets then (RFC 7239 6)."""
    return next(filter(None, found.groups())) if (found := _WITH_PORT.fullmatch(hop)) else hop


def is_one_of(trusted: Sequence[Network], address: str) -> bool:
    """Is it an address in one of these networks?"""
    if not trusted or (parsed := _address(address)) is None:
        return False
    return any(parsed in network for network in trusted)


def _environ_key(header: str) -> str:
    """As WSGI calls it (PEP 3333, after CGI)."""
    return f"HTTP_{header.upper().replace('-', '_')}"


@lru_cache(_KNOWN)
def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
