"""Whose word about the caller counts: only a trusted proxy's."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

Network = IPv4Network | IPv6Network


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
    for hop in reversed([hop for hop in hops if hop]):
        if not _is_address(hop):
            break
        if not is_one_of(trusted, hop):
            return str(hop)
    return sender


def is_one_of(trusted: Sequence[Network], address: str) -> bool:
    """Is it an address in one of these networks?"""
    return _is_address(address) and any(ip_address(address) in net for net in trusted)


def _environ_key(header: str) -> str:
    """As WSGI calls it (PEP 3333, after CGI)."""
    return f"HTTP_{header.upper().replace('-', '_')}"


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
