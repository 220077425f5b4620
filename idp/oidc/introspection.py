"""Introspection (RFC 7662) and revocation (RFC 7009): a client sees only what is its own."""

from datetime import datetime
from typing import Final

from authlib.oauth2.rfc6749 import OAuth2Request, TokenEndpoint

from idp.clock import epoch
from idp.models import db
from idp.oidc.access_tokens import AccessTokens
from idp.oidc.client_auth import METHODS, ClientAuthentication
from idp.oidc.direct import DirectRequest
from idp.oidc.grants import Answer
from idp.oidc.issuance import said_of, said_scope
from idp.oidc.json_answer import NO_STORE
from idp.protocol.errors import OAuthError
from idp.services.access import LiveToken, Wanted, live_refresh
from idp.services.clients import RegisteredClient
from idp.services.revocation import revoke

CONFIDENTIAL: Final = tuple(name for name in METHODS if name != "none")
"""RFC 7662 section 2.1: whoever introspects has to authenticate."""


class _Endpoint(TokenEndpoint):
    def __init__(
        self, authenticate: ClientAuthentication, access_tokens: AccessTokens, issuer: str
    ) -> None:
        super().__init__()
        self._authenticate = authenticate
        self._access_tokens = access_tokens
        self._issuer = issuer

    def create_endpoint_response(self, request: OAuth2Request) -> Answer:
        """Answer a request that ``Server`` made."""
        if not isinstance(request, DirectRequest):
            raise TypeError("not a request of this server")
        return self.answer(request)

    def answer(self, request: DirectRequest) -> Answer:
        """Authenticate the client and do what the endpoint is for. Raises ``OAuthError``."""
        raise NotImplementedError


class Introspection(_Endpoint):
    """POST /oauth/introspect."""

    ENDPOINT_NAME = "introspection"

    def answer(self, request: DirectRequest) -> Answer:
        """``active`` and, if so, what the token says; hints are not needed and not heeded."""
        client = self._authenticate.provisionally(request, CONFIDENTIAL)
        token, now = _token(request), request.direct.context.at
        live = self._access_tokens.live(token, now, Wanted("client", client.id))
        is_current = live is not None and live.revision_now == client.revision
        if not (client.confirmed or is_current):  # nobody has looked until now
            client = self._authenticate(request, CONFIDENTIAL)
        answer = self._describe(token, live, client, now)
        db.session.commit()
        return 200, answer, list(NO_STORE)

    def _describe(
        self, token: str, live: LiveToken | None, client: RegisteredClient, now: datetime
    ) -> dict[str, object]:
        if live is not None and live.concerns(client.id):
            return {**self._common(live), "token_type": live.binding.token_type}
        live = live_refresh(token, now) if live is None else None
        if live is not None and live.granted.client_id == client.id:
            return self._common(live)
        return {"active": False}

    def _common(self, live: LiveToken) -> dict[str, object]:
        granted = live.granted
        members: dict[str, object] = {
            "active": True,
            "iss": self._issuer,
            "sub": granted.subject,
            "client_id": granted.client_id,
            **said_scope(live.scope),
            "iat": epoch(live.issued_at),
            "exp": epoch(live.expires_at),
            # RFC 9470 section 6.2, and the same for amr and act: as the JWT would say it.
            **said_of(granted),
        }
        if live.binding.cnf:  # RFC 9449 section 6.2, RFC 8705 section 3.2
            members["cnf"] = live.binding.cnf
        if live.audience:
            members["aud"] = live.audience[0] if len(live.audience) == 1 else list(live.audience)
        return members if live.jti is None else {**members, "jti": live.jti}


class Revocation(_Endpoint):
    """POST /oauth/revoke; public clients revoke their own as well (RFC 7009 section 2.1)."""

    ENDPOINT_NAME = "revocation"

    def answer(self, request: DirectRequest) -> Answer:
        """200 also for a token that nobody knows (section 2.2)."""
        client = self._authenticate(request)
        token, context = _token(request), request.direct.context
        jwt = self._access_tokens.jwt(token, context.at) if "." in token else None
        revoke(token, jwt, client=client, context=context)
        return 200, {}, list(NO_STORE)


def _token(request: DirectRequest) -> str:
    token = request.parameters.get("token")
    if token is None:
        raise OAuthError("invalid_request", "token is missing.")
    return token
