"""The userinfo endpoint (OIDC Core 5.3), and how a bearer token reaches it (RFC 6750)."""

import json
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import parse_qs

from flask import Response

from idp.config import Settings
from idp.models import only_reads
from idp.oidc.access_tokens import AccessTokens
from idp.oidc.direct import FORM, Direct, read_form
from idp.oidc.grants import NO_STORE
from idp.protocol.claims import select_claims
from idp.protocol.errors import OAuthError
from idp.services.access import LiveToken
from idp.services.clients import Clients
from idp.services.profiles import profile_of
from idp.services.sealing import Manner, Sealing


class UserInfo:
    """GET and POST /oauth/userinfo."""

    def __init__(
        self, settings: Settings, access_tokens: AccessTokens, clients: Clients, sealing: Sealing
    ) -> None:
        self._issuer = settings.issuer
        self._access_tokens = access_tokens
        self._clients = clients
        self._sealing = sealing

    def answer(self, direct: Direct) -> Response:
        """The claims of the person whose token came, or why not (RFC 6750 section 3.1)."""
        only_reads()
        try:
            token = bearer_token(direct)
            if token is None:
                return challenge(self._issuer)
            live = self._live(token, direct)
            return self._told(self._claims(live), live, direct.context.at)
        except OAuthError as error:
            return challenge(self._issuer, error)

    def _told(self, claims: Mapping[str, object], live: LiveToken, now: datetime) -> Response:
        """As JSON, or in a JWT where the client registered that (OIDC Core 5.3.2)."""
        client = self._clients.at(live.granted.client_id, live.client_revision)
        if client is None or Manner.of("userinfo", client.metadata).is_plain:
            return _json(claims)
        members = {"iss": self._issuer, "aud": client.id, **claims}
        sealed = self._sealing.seal("userinfo", members, client=client, now=now)
        return Response(sealed, headers=[("Content-Type", "application/jwt"), *NO_STORE[1:]])

    def _live(self, token: str, direct: Direct) -> LiveToken:
        live = self._access_tokens.live(token, direct.context.at)
        if live is None or live.granted.user_id is None or self._issuer not in live.audience:
            raise OAuthError(
                "invalid_token", "The access token is unknown, expired or revoked.", status=401
            )
        if "openid" not in live.scope:
            raise OAuthError("insufficient_scope", "The scope openid is needed.", status=403)
        return live

    def _claims(self, live: LiveToken) -> Mapping[str, object]:
        requested = live.asked.claims.userinfo
        groups = "groups" in live.scope or "groups" in requested
        profile = profile_of(live.granted.person, groups=groups)
        claims = select_claims(profile, scopes=live.scope, requested=requested)
        return {"sub": live.granted.subject, **claims}


def bearer_token(direct: Direct) -> str | None:
    """The access token of a request, from its header or its form; None when it brought none.

    Raises ``OAuthError`` ``invalid_request`` when it came in the query (OAuth 2.1 section 5.1: an
    address is logged), or twice (RFC 6750 section 2).
    """
    if "access_token" in parse_qs(direct.query, keep_blank_values=True):
        raise OAuthError("invalid_request", "An access token must not be in the query.")
    found = [direct.credentials] if direct.scheme == "bearer" else []
    if direct.method == "POST" and direct.content_type == FORM:
        found += read_form(direct).all("access_token")
    if len(found) > 1:
        raise OAuthError("invalid_request", "The access token was sent in two ways.")
    return found[0] if found else None


def challenge(realm: str, error: OAuthError | None = None) -> Response:
    """A refusal with WWW-Authenticate: Bearer (RFC 6750 section 3).

    Without ``error`` nothing was presented, and section 3.1 wants no reason given.
    """
    members = error.parameters() if error else {}
    if error is not None and error.error == "insufficient_scope":
        members["scope"] = "openid"
    response = _json(members, status=error.status if error else 401)
    if response.status_code >= 500:
        return response  # it was not the token's fault
    quoted = ", ".join(f'{name}="{value}"' for name, value in {"realm": realm, **members}.items())
    response.headers["WWW-Authenticate"] = f"Bearer {quoted}"
    return response


def _json(members: Mapping[str, object], *, status: int = 200) -> Response:
    return Response(json.dumps(members), status=status, headers=list(NO_STORE))
