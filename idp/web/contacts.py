"""Contacts of an application, as pages show them: whoever registered it wrote what they liked."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from idp.protocol.urls import split
from idp.services.addresses import normalise_email

_WEB: Final = ("https", "http")


@dataclass(frozen=True, slots=True)
class Contact:
    """``url`` is where it leads; None for words that lead nowhere."""

    text: str
    url: str | None


def contact_of(text: str) -> Contact:
    """An e-mail address leads to mail, an address on the web there, and nothing else anywhere."""
    parts = split(text)
    if parts is not None and parts.scheme in _WEB:
        # With a name before the host it would not be the place that it looks like.
        return Contact(text, text if parts.hostname and "@" not in parts.netloc else None)
    try:
        normalise_email(text)
    except ValueError:
        return Contact(text, None)
    # RFC 6068 section 2: a "?" in the address would begin the mail's headers.
    return Contact(text, f"mailto:{quote(text.strip(), safe='@+')}")
