"""What a request says about who sends it, read before anybody is asked whether that is so."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from idp.frozen import made_often
from idp.oidc.direct import DirectRequest, unquoted
from idp.protocol.errors import OAuthError
from idp.protocol.text import is_clean
from idp.services.client_jwts import InvalidClientJwt, Unverified, read

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@made_often
@dataclass(frozen=True, slots=True)
class Presented:
    """Who the client says it is, and in which way.

    ``way`` is one of ``WAYS``, or ``client_id`` where nothing but the name was sent.
    """

    way: str
    client_id: str
    secret: str | None = field(default=None, repr=False)
    assertion: Unverified | None = field(default=None, repr=False)


_NO_BASIC: Final = "Basic without a name and a secret"


def _basic(request: DirectRequest) -> Presented | None:
    if request.direct.authorization is None:
        return None
    if request.direct.scheme != "basic":
        raise invalid_client("another scheme than Basic")
    try:
        decoded = base64.b64decode(request.direct.credentials, validate=True).decode()
        client_id, colon, secret = decoded.partition(":")
        # RFC 6749 section 2.3.1: both halves are form-encoded before they are joined.
        client_id, secret = unquoted(client_id), unquoted(secret)
    except ValueError:  # neither base64 nor UTF-8: the client's mistake, never our 500
        raise invalid_client(_NO_BASIC) from None
    if not colon or not is_clean(client_id) or not is_clean(secret):
        raise invalid_client(_NO_BASIC)
    return Presented("client_secret_basic", client_id, secret)


def _post(request: DirectRequest) -> Presented | None:
    secret = request.parameters.get("client_secret")
    if secret is None:
        return None
    client_id = request.parameters.get("client_id") or ""
    return Presented("client_secret_post", client_id, secret)


def _assertion(request: DirectRequest) -> Presented | None:
    """RFC 7521 section 4.2; who it is from is the token's own word until it is verified."""
    token = request.parameters.get("client_assertion")
    kind = request.parameters.get("client_assertion_type")
    if token is None and kind is None:
        return None
    if token is None or kind != ASSERTION_TYPE:
        raise invalid_client("client_assertion without its client_assertion_type")
    try:
        assertion = read(token)
    except InvalidClientJwt as error:
        raise invalid_client(f"assertion: {error}") from None
    # RFC 7523 section 3: the subject is the client. Without one it is nobody's.
    subject = str(assertion.claims.get("sub", ""))
    return Presented("client_assertion", subject, assertion=assertion)


Reader = Callable[[DirectRequest], Presented | None]

WAYS: Final[tuple[Reader, ...]] = (_basic, _post, _assertion)


def presented_in(request: DirectRequest) -> Presented:
    """What the client presented, one way or another; a certificate goes with the name alone.

    Raises ``OAuthError``: ``invalid_client`` for nothing or what is malformed, ``invalid_request``
    for two ways at once, or two names.
    """
    found = [one for reader in WAYS if (one := reader(request)) is not None]
    if len(found) > 1:  # RFC 6749 section 2.3: not more than one method in each request
        raise OAuthError("invalid_request", "The client authenticated in two ways at once.")
    named = request.parameters.get("client_id")
    if not found and named is None:
        raise invalid_client()
    presented = found[0] if found else Presented("client_id", str(named))
    if presented.client_id and named not in (None, presented.client_id):
        raise OAuthError("invalid_request", "client_id names another client than the credentials.")
    return presented


def invalid_client(reason: str | None = None) -> OAuthError:
    """RFC 6749 section 5.2; the answer carries WWW-Authenticate, and nothing of the ``reason``."""
    return OAuthError("invalid_client", "Client authentication failed.", status=401, reason=reason)
