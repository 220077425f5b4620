"""Client authentication (RFC 6749 section 2.3): one method, and the one that was registered."""

from collections.abc import Collection
from typing import Any, Final

from idp.config import Settings
from idp.models import db
from idp.oidc.client_auth.attempt import Attempt, Tools
from idp.oidc.client_auth.methods import METHODS, SIGNING_ALGORITHMS, methods_of
from idp.oidc.client_auth.presented import Presented, invalid_client, presented_in
from idp.oidc.direct import DirectRequest
from idp.protocol.errors import OAuthError
from idp.services import repeated
from idp.services.client_jwts import ClientJwts
from idp.services.client_keys import ClientKeys
from idp.services.clients import Clients, RegisteredClient, is_client_id

__all__ = [
    "METHODS",
    "SIGNING_ALGORITHMS",
    "ClientAuthentication",
    "invalid_client",
    "methods_of",
]


class ClientAuthentication:
    """Lets a client in, or raises ``OAuthError`` ``invalid_client`` with status 401.

    Call it before anything is written: where a client's keys have to be fetched, the transaction
    is ended before. What it writes itself (an assertion's ``jti``) is the caller's to commit,
    together with what the client is let in for.
    """

    def __init__(
        self, settings: Settings, *, clients: Clients, keys: ClientKeys, token_path: str
    ) -> None:
        elsewhere = (settings.mtls_origin,) if settings.mtls_origin else ()
        origins = (settings.issuer, *elsewhere)
        self._offered = methods_of(settings)
        self._tools = Tools(clients, keys, ClientJwts(keys), origins, token_path)

    def __call__(
        self, request: DirectRequest, allowed: Collection[str] = tuple(METHODS)
    ) -> RegisteredClient:
        """The client that sent ``request``, by its registered method, which must be ``allowed``.

        Unknown, disabled, by another method, with a wrong secret: all answer alike, and the audit
        log tells them apart. Raises ``invalid_request`` for two methods at once.
        """
        presented = _presented(request)
        client = self._tools.clients.get(presented.client_id)
        if client is None:
            raise _refused(presented, _UNKNOWN, request)
        reason = self._objection(client, presented, allowed, request)
        if reason is not None:
            raise _refused(presented, reason, request)
        if not client.metadata.is_public:  # anybody can say a public client's id
            self._tools.clients.note_first_use(client, request.direct.context.at)
        return client

    def provisionally(
        self, request: DirectRequest, allowed: Collection[str] = tuple(METHODS)
    ) -> RegisteredClient:
        """The same without a look at whether what is known of the client is up to date.

        Unless it is ``confirmed``, the caller sees to that by the statement that does something
        for the client, before it is committed (``RegisteredClient.confirm``), or calls again
        without this. Nobody is refused by what may be out of date.
        """
        presented = _presented(request)
        client = self._tools.clients.known(presented.client_id)
        if client is None or not _is_simple(client, request):
            return self(request, allowed)
        if self._objection(client, presented, allowed, request) is not None:
            return self(request, allowed)
        return client

    def _objection(
        self,
        client: RegisteredClient,
        presented: Presented,
        allowed: Collection[str],
        request: DirectRequest,
    ) -> str | None:
        if client.disabled:
            return "disabled"
        registered = client.metadata.token_endpoint_auth_method
        method = METHODS[registered]
        if presented.way != method.way or registered not in allowed:
            return "method"
        if registered not in self._offered:
            return "method that is not offered any more"
        return method.check(self._attempt(client, presented, request))

    def _attempt(
        self, client: RegisteredClient, presented: Presented, request: DirectRequest
    ) -> Attempt:
        direct = request.direct
        return Attempt(
            tools=self._tools,
            client=client,
            presented=presented,
            path=direct.path,
            now=direct.context.at,
            certificate=direct.certificate,
        )


_UNKNOWN: Final = "unknown"
_LOOK_AT_NOTHING_ELSE: Final = frozenset({"client_secret_basic", "client_secret_post", "none"})


def _is_simple(client: RegisteredClient, request: DirectRequest) -> bool:
    """May its request not fail, once it is let in, but for what a statement finds?

    Then nothing that is out of date can stand in its way.
    """
    metadata = client.metadata
    return (
        metadata.token_endpoint_auth_method in _LOOK_AT_NOTHING_ELSE
        and client.used
        and request.direct.dpop is None
        and not metadata.dpop_bound_access_tokens
        and not metadata.tls_client_certificate_bound_access_tokens
        and metadata.id_token_encrypted_response_alg is None
    )


def _presented(request: DirectRequest) -> Presented:
    """``presented_in``, and on record where that cannot be read. Raises as it does."""
    try:
        return presented_in(request)
    except OAuthError as error:
        if error.reason is not None:
            named = request.parameters.get("client_id") or ""
            known = named if is_client_id(named) else None
            _record(error.reason, request, alike=(error.reason,), client_id=known)
        raise


def _refused(presented: Presented, reason: str, request: DirectRequest) -> Exception:
    """Committed although it fails; nothing else was written before.

    Anybody can have anybody refused: it is counted, and never stands in the way of who is right.
    """
    known = "" if reason == _UNKNOWN else presented.client_id
    _record(
        reason,
        request,
        alike=(known, presented.way, reason),
        client_id=presented.client_id if is_client_id(presented.client_id) else None,
        method=presented.way,
    )
    return invalid_client()


def _record(reason: str, request: DirectRequest, *, alike: tuple[str, ...], **data: Any) -> None:
    name = "client.authentication.refused"
    repeated.record(name, request.direct.context, alike=alike, reason=reason, **data)
    db.session.commit()
