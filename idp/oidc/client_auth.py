"""Client authentication (RFC 6749 section 2.3): one method, and the one that was registered."""

import base64
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_plus

from idp import audit
from idp.models import db
from idp.oidc.direct import DirectRequest
from idp.protocol.errors import OAuthError
from idp.protocol.text import is_clean
from idp.services.clients import Clients, RegisteredClient, is_client_id


@dataclass(frozen=True, slots=True)
class Presented:
    """Who the client says it is, and by which method."""

    method: str
    client_id: str
    secret: str | None = None


Reader = Callable[[DirectRequest], Presented | None]


def _basic(request: DirectRequest) -> Presented | None:
    if request.direct.authorization is None:
        return None
    if request.direct.scheme != "basic":
        raise invalid_client()
    try:
        decoded = base64.b64decode(request.direct.credentials, validate=True).decode()
        client_id, colon, secret = decoded.partition(":")
        # RFC 6749 section 2.3.1: both halves are form-encoded before they are joined.
        pair = [unquote_plus(half, errors="strict") for half in (client_id, secret)]
    except ValueError:  # neither base64 nor UTF-8: the client's mistake, never our 500
        raise invalid_client() from None
    if not colon or not all(map(is_clean, pair)):
        raise invalid_client()
    return Presented("client_secret_basic", *pair)


def _post(request: DirectRequest) -> Presented | None:
    secret = request.parameters.get("client_secret")
    if secret is None:
        return None
    client_id = request.parameters.get("client_id") or ""
    return Presented("client_secret_post", client_id, secret)


def _none(request: DirectRequest) -> Presented | None:
    client_id = request.parameters.get("client_id")
    return Presented("none", client_id) if client_id else None


METHODS: Final[Mapping[str, Reader]] = {
    "client_secret_basic": _basic,
    "client_secret_post": _post,
    "none": _none,
}
"""Each method by its registered name; ``none`` is what is left when nothing was presented."""


class ClientAuthentication:
    """Lets a client in, or raises ``OAuthError`` ``invalid_client`` with status 401."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def __call__(
        self, request: DirectRequest, allowed: Collection[str] = tuple(METHODS)
    ) -> RegisteredClient:
        """The client that sent ``request``, by its registered method, which must be ``allowed``.

        Unknown, disabled, by another method, with a wrong secret: all answer alike, and the audit
        log tells them apart. Raises ``invalid_request`` for two methods at once.
        """
        presented = _presented(request)
        client = self._clients.get(presented.client_id)
        reason = self._objection(client, presented, allowed, request)
        if client is None or reason is not None:
            _record(presented, reason or "unknown", request)
            raise invalid_client()
        if presented.method != "none":  # which anybody can say
            self._clients.note_first_use(client, request.direct.context.at)
        return client

    def _objection(
        self,
        client: RegisteredClient | None,
        presented: Presented,
        allowed: Collection[str],
        request: DirectRequest,
    ) -> str | None:
        if client is None:
            return "unknown"
        if client.disabled:
            return "disabled"
        registered = client.metadata.token_endpoint_auth_method
        if presented.method != registered or registered not in allowed:
            return "method"
        now = request.direct.context.at
        if presented.secret is not None and not self._clients.accepts(
            client, presented.secret, now
        ):
            return "secret"
        return None


def _presented(request: DirectRequest) -> Presented:
    readers = [reader for name, reader in METHODS.items() if name != "none"]
    found = [one for reader in readers if (one := reader(request)) is not None]
    if len(found) > 1:  # RFC 6749 section 2.3: not more than one method in each request
        raise OAuthError("invalid_request", "The client authenticated in two ways at once.")
    presented = found[0] if found else _none(request)
    if presented is None:
        raise invalid_client()
    named = request.parameters.get("client_id")
    if named not in (None, presented.client_id):
        raise OAuthError("invalid_request", "client_id names another client than the credentials.")
    return presented


def _record(presented: Presented, reason: str, request: DirectRequest) -> None:
    client_id = presented.client_id if is_client_id(presented.client_id) else None
    audit.record(
        "client.authentication.refused",
        request.direct.context,
        client_id=client_id,
        method=presented.method,
        reason=reason,
    )
    db.session.commit()


def invalid_client() -> OAuthError:
    """RFC 6749 section 5.2; the answer carries WWW-Authenticate."""
    return OAuthError("invalid_client", "Client authentication failed.", status=401)
