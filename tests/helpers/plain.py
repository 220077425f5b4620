"""Plain HTTP to servers of our own."""

import ssl
from typing import Final

PLAIN: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""``verify`` for httpx where nothing is encrypted. It trusts nobody: reading all the authorities of
the world, which is what httpx does for each client, takes longer than a sign-in."""
