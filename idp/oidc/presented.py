"""How an access token reaches us, and how we say that another would be needed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs

from flask import Response

from idp.oidc.direct import FORM, Direct, read_form
from idp.protocol.errors import OAuthError
from idp.services.dpop import ALGORITHMS

BEARER: Final = "bearer"
DPOP: Final = "dpop"


@dataclass(frozen=True, slots=True)
class Presented:
    """An access token, and the scheme that it came by."""

    scheme: str
    token: str


def read_presented(direct: Direct) -> Presented | None:
    """The access token of a request, from its header or its form; None when it brought none.

    Raises ``OAuthError`` ``invalid_request`` when it came in the query (OAuth 2.1 section 5.1: an
    address is logged), or twice (RFC 6750 section 2).
    """
    if direct.query and "access_token" in parse_qs(direct.query, keep_blank_values=True):
        raise OAuthError("invalid_request", "An access token must not be in the query.")
    by_header = direct.scheme in (BEARER, DPOP)
    found = [Presented(direct.scheme, direct.credentials)] if by_header else []
    if direct.method == "POST" and direct.content_type == FORM:
        found += [Presented(BEARER, one) for one in read_form(direct).all("access_token")]
    if len(found) > 1:
        raise OAuthError("invalid_request", "The access token was sent in two ways.")
    return found[0] if found else None


def challenge_with(response: Response, realm: str, members: Mapping[str, str], scheme: str) -> None:
    """Say in WWW-Authenticate what was wrong, or, without ``members``, only what would do.

    ``scheme`` is the one that the request used. RFC 6750 section 3, RFC 9449 section 7.1: a
    server that takes both offers both, each in a field of its own.
    """
    told = _quoted({"realm": realm, **members})
    algs = f'algs="{" ".join(ALGORITHMS)}"'
    if scheme == DPOP:
        values = [f"DPoP {told}, {algs}"]
    else:
        values = [f"Bearer {told}", f"DPoP {_quoted({'realm': realm})}, {algs}"]
    response.headers.setlist("WWW-Authenticate", values)


def _quoted(members: Mapping[str, str]) -> str:
    return ", ".join(f'{name}="{value}"' for name, value in members.items())
