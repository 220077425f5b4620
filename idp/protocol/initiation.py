"""Sign-in begun elsewhere than at the relying party (OIDC Core 4)."""

from urllib.parse import urlencode


def initiation_url(uri: str, *, issuer: str, target_link_uri: str | None = None) -> str:
    """Where a person is sent so that the relying party at ``uri`` asks ``issuer`` to sign her in.

    A query that ``uri`` was registered with is kept. ``target_link_uri`` is where she wants to get
    to; a registered address of the same client, never anything that was sent.
    """
    wanted = {"iss": issuer, "target_link_uri": target_link_uri}
    query = urlencode({name: value for name, value in wanted.items() if value is not None})
    return f"{uri}{'&' if '?' in uri else '?'}{query}"
