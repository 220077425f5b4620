"""WebFinger (RFC 7033), for the one thing it is asked here: who is the issuer of this person?"""

from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

ISSUER_REL: Final = "http://openid.net/specs/connect/1.0/issuer"


def descriptor(resource: str, rels: Collection[str], *, issuer: str) -> dict[str, object] | None:
    """The answer about ``resource`` (OIDC Discovery 2.2); None for what cannot be one.

    It is the same for every name, so that nobody learns which of them have accounts; and for every
    host: whoever asks us about another one was sent here by that host (RFC 7033 section 4.2).
    ``rels`` are those asked for; none means all (section 4.3).
    """
    if not _names_somebody(resource):
        return None
    wanted = not rels or ISSUER_REL in rels
    links = [{"rel": ISSUER_REL, "href": issuer}] if wanted else []
    return {"subject": resource, "links": links}


def _names_somebody(resource: str) -> bool:
    """``acct:user@host``, or a web address (OIDC Discovery 2.1)."""
    scheme, _, rest = resource.partition(":")
    if scheme == "acct":
        name, _, host = rest.rpartition("@")
        return bool(name and host)
    try:
        return scheme in ("https", "http") and bool(urlsplit(resource).hostname)
    except ValueError:
        return False
