"""The userinfo endpoint (OIDC Core 5.3)."""

import json
from collections.abc import Mapping

from flask import Response

from idp.config import Settings
from idp.models import only_reads
from idp.oidc.direct import Direct
from idp.oidc.grants import NO_STORE
from idp.oidc.possession import Holders
from idp.oidc.presented import DPOP, challenge_with
from idp.protocol.claims import select_claims
from idp.protocol.errors import OAuthError
from idp.services.access import LiveToken
from idp.services.profiles import profile_of


class UserInfo:
    """GET and POST /oauth/userinfo."""

    def __init__(self, settings: Settings, holders: Holders) -> None:
        self._issuer = settings.issuer
        self._holders = holders

    def answer(self, direct: Direct) -> Response:
        """The claims of the person whose token came, or why not (RFC 6750 section 3.1)."""
        try:
            live = self._live(direct)
            if live is None:
                return self._challenge(direct)
            return _json(self._claims(live))
        except OAuthError as error:
            return self._challenge(direct, error)

    def _live(self, direct: Direct) -> LiveToken | None:
        if direct.scheme != DPOP:  # a proof is used up, so that is written
            only_reads()
        live = self._holders.token(direct)
        if live is not None and "openid" not in live.scope:
            raise OAuthError("insufficient_scope", "The scope openid is needed.", status=403)
        return live

    def _claims(self, live: LiveToken) -> Mapping[str, object]:
        requested = live.asked.claims.userinfo
        groups = "groups" in live.scope or "groups" in requested
        profile = profile_of(live.granted.user_id, groups=groups)
        claims = select_claims(profile, scopes=live.scope, requested=requested)
        return {"sub": live.granted.user_id, **claims}

    def _challenge(self, direct: Direct, error: OAuthError | None = None) -> Response:
        """Without ``error`` nothing was presented, and RFC 6750 section 3.1 wants no reason."""
        members = error.parameters() if error else {}
        if error is not None and error.error == "insufficient_scope":
            members["scope"] = "openid"
        response = _json(members, status=error.status if error else 401)
        challenge_with(response, self._issuer, members, direct.scheme)
        return response


def _json(members: Mapping[str, object], *, status: int = 200) -> Response:
    return Response(json.dumps(members), status=status, headers=list(NO_STORE))
