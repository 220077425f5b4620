"""The userinfo endpoint (OIDC Core 5.3)."""

from collections.abc import Mapping
from datetime import datetime

from flask import Response

from idp.config import Settings
from idp.oidc.direct import Direct
from idp.oidc.json_answer import NO_STORE, json_answer
from idp.oidc.possession import Holders
from idp.oidc.presented import challenge_with
from idp.protocol.claims import select_claims
from idp.protocol.errors import OAuthError
from idp.services.access import PERSON, LiveToken
from idp.services.clients import Clients, RegisteredClient
from idp.services.profiles import for_client, groups_of
from idp.services.sealing import Manner, Sealing


class UserInfo:
    """GET and POST /oauth/userinfo."""

    def __init__(
        self, settings: Settings, holders: Holders, clients: Clients, sealing: Sealing
    ) -> None:
        self._issuer = settings.issuer
        self._holders = holders
        self._clients = clients
        self._sealing = sealing

    def answer(self, direct: Direct) -> Response:
        """The claims of the person whose token came, or why not (RFC 6750 section 3.1)."""
        try:
            live = self._live(direct)
            if live is None:
                return self._challenge(direct)
            return self._told(live, direct.context.at)
        except OAuthError as error:
            return self._challenge(direct, error)

    def _told(self, live: LiveToken, now: datetime) -> Response:
        """As JSON, or in a JWT where the client registered that (OIDC Core 5.3.2)."""
        client = self._clients.at(live.granted.client_id, live.client_revision)
        claims = self._claims(live, client)
        if client is None or Manner.of("userinfo", client.metadata).is_plain:
            return json_answer(claims)
        members = {"iss": self._issuer, "aud": client.id, **claims}
        sealed = self._sealing.seal("userinfo", members, client=client, now=now)
        return Response(sealed, headers=[("Content-Type", "application/jwt"), *NO_STORE[1:]])

    def _live(self, direct: Direct) -> LiveToken | None:
        live = self._holders.token(direct, PERSON)
        if live is not None and live.granted.user_id is None:
            raise OAuthError("invalid_token", "The access token is nobody's.", status=401)
        if live is not None and "openid" not in live.scope:
            raise OAuthError("insufficient_scope", "The scope openid is needed.", status=403)
        return live

    def _claims(self, live: LiveToken, client: RegisteredClient | None) -> Mapping[str, object]:
        requested = live.asked.claims.userinfo
        groups = "groups" in live.scope or "groups" in requested
        profile = live.profile
        if groups:
            profile = {**profile, **groups_of(live.granted.person)}
        if client is not None:
            profile = for_client(profile, client.metadata, scopes=live.scope, requested=requested)
        claims = select_claims(profile, scopes=live.scope, requested=requested)
        return {"sub": live.granted.subject, **claims}

    def _challenge(self, direct: Direct, error: OAuthError | None = None) -> Response:
        """Without ``error`` nothing was presented, and RFC 6750 section 3.1 wants no reason."""
        members = error.parameters() if error else {}
        if error is not None and error.error == "insufficient_scope":
            members["scope"] = "openid"
        response = json_answer(members, error.status if error else 401)
        if response.status_code >= 500:
            return response  # it was not the token's fault
        challenge_with(response, self._issuer, members, direct.scheme)
        return response
