"""The certificate that the issuer's own address shows: is it trusted, and until when?"""

import socket
import ssl
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

PATIENCE: Final = 5.0
"""Seconds to connect."""
SOON: Final = timedelta(days=14)
"""How long before its end a certificate is worth a word."""


def expiry(issuer: str, *, trusted: ssl.SSLContext | None = None) -> datetime:
    """When the certificate at ``issuer`` ends; it is verified, and nowhere else is asked.

    Raises ``ssl.SSLError`` for one that browsers would not take, ``OSError`` when nobody answers.
    """
    parts = urlsplit(issuer)
    host = parts.hostname or ""
    context = trusted or ssl.create_default_context()
    with (
        socket.create_connection((host, parts.port or 443), timeout=PATIENCE) as bare,
        context.wrap_socket(bare, server_hostname=host) as secured,
    ):
        shown = secured.getpeercert() or {}
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(shown["notAfter"])), UTC)
