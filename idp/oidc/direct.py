"""A direct request to one of our endpoints, as a value; its form, read strictly."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_plus

from authlib.oauth2.rfc6749 import OAuth2Request

from idp.audit import Context
from idp.frozen import made_often
from idp.protocol.errors import OAuthError
from idp.protocol.parameters import JSON_PARAMETERS, REPEATABLE, Parameters, sayable
from idp.protocol.text import is_clean, is_clean_json
from idp.services.certificates import ClientCertificate

FORM: Final = "application/x-www-form-urlencoded"

MAX_BODY: Final = 32768
"""Bytes; the largest honest request carries a client assertion and a token."""

MAX_FIELDS: Final = 100

_REPEATABLE: Final = REPEATABLE | {"audience"}
"""RFC 8693 section 2.1 excepts one more."""


@made_often
@dataclass(frozen=True, slots=True, kw_only=True)
class Direct:
    """What came over the wire. ``path`` is ours; the host that a header names is nobody's."""

    method: str
    path: str
    content_type: str
    authorization: str | None
    query: str
    body: bytes
    context: Context
    dpop: str | None = None
    """The DPoP header (RFC 9449 section 4.1), as it came."""
    certificate: ClientCertificate | None = None
    """What the client showed in TLS, where a trusted proxy passed it on."""

    @property
    def scheme(self) -> str:
        """The authentication scheme of the Authorization header, in lower case; "" without one."""
        return (self.authorization or "").partition(" ")[0].lower()

    @property
    def credentials(self) -> str:
        """What follows the scheme."""
        return (self.authorization or "").partition(" ")[2].strip()


class DirectRequest(OAuth2Request):
    """The same as Authlib's dispatcher takes it: one parameter source, the body, and no other."""

    def __init__(self, direct: Direct) -> None:
        # Not Authlib's own, which has a look at the address each time: whether it may be without
        # TLS, the configuration has seen to; and the method and the body are in ``direct``.
        self.direct = direct
        self.parameters = read_form(direct)


def read_form(direct: Direct) -> Parameters:
    """The parameters of the body; the query is not looked at (RFC 6749 section 3.2).

    Raises ``OAuthError`` ``invalid_request``: not a form, too large, not UTF-8, a parameter sent
    twice, control characters.
    """
    if direct.content_type != FORM:
        raise OAuthError("invalid_request", f"The body must be {FORM}.")
    if len(direct.body) > MAX_BODY:
        raise OAuthError("invalid_request", "The request is too large.", status=413)
    try:
        pairs = _pairs(direct.body.decode())
    except ValueError:
        raise OAuthError("invalid_request", "The body is not a form in UTF-8.") from None
    parameters = Parameters.of(pairs)
    if not parameters.is_sound:  # who is to blame is worth a look at each
        for name, values in parameters.values.items():
            _check_one(name, values)
    return parameters


def _pairs(text: str) -> list[tuple[str, str]]:
    """As ``parse_qsl`` reads them, blank values kept. Raises ``ValueError``."""
    fields = text.split("&")
    if len(fields) > MAX_FIELDS:
        raise ValueError("more fields than anybody needs")
    halves = [field.partition("=") for field in fields if field]
    return [(unquoted(name), unquoted(value)) for name, _, value in halves]


def unquoted(text: str) -> str:
    """As it was before it was form-encoded. Raises ``ValueError`` for what is not UTF-8."""
    if "%" not in text and "+" not in text:
        return text
    return unquote_plus(text, errors="strict")


def _check_one(name: str, values: tuple[str, ...]) -> None:
    if len(values) > 1 and name not in _REPEATABLE:
        raise OAuthError("invalid_request", f"{sayable(name)} was sent more than once.")
    is_well = is_clean_json if name in JSON_PARAMETERS else is_clean
    if not is_clean(name) or not all(map(is_well, values)):
        raise OAuthError("invalid_request", f"{sayable(name)} holds control characters.")
