"""What a response of the authorization endpoint itself grants: a code, tokens, or both."""

from collections.abc import Mapping
from datetime import datetime

from idp.clock import epoch
from idp.config import Settings
from idp.models import db
from idp.oidc.issuance import Issuance, Statement, personal, said_scope
from idp.protocol.authorization import AuthorizationRequest
from idp.protocol.claims import select_claims
from idp.protocol.client_metadata import ClientMetadata
from idp.protocol.errors import OAuthError
from idp.secrecy import new_secret_at
from idp.services.binding import UNBOUND
from idp.services.clients import RegisteredClient
from idp.services.code_claims import is_trusted
from idp.services.granted import stands
from idp.services.grants import Granted, Grants
from idp.services.profiles import for_client, profile_of
from idp.services.tokens import Tokens, issue_tokens


class FrontChannel:
    """OIDC Core 3.1.2.5, 3.2.2.5 and 3.3.2.5, and Multiple Response Types."""

    def __init__(self, settings: Settings, grants: Grants, issuance: Issuance) -> None:
        self._settings = settings
        self._grants = grants
        self._issuance = issuance

    def parameters(
        self,
        granted: Granted,
        request: AuthorizationRequest,
        client: RegisteredClient,
        *,
        now: datetime,
        ends: bool = False,
    ) -> Mapping[str, str]:
        """Write the grant, in the caller's transaction; returns what the client receives of it.

        ``ends``: nothing is to be written after it, so that it may commit where that is cheaper.
        Raises ``OAuthError`` where an access token is due and the session has ended meanwhile, or
        what was allowed was taken back; nothing is written then.

        Whatever leaves here belongs to that one grant: ending it, as a replayed code does, ends
        the access token as well.
        """
        code = new_secret_at(now) if request.wants_code else None
        grant_id = self._grants.open(
            granted, request, code=code, now=now, policy=client.metadata.policy, ends=ends
        )
        found = {} if code is None else {"code": code}
        if request.wants_token:
            _insist(grant_id, client)
            tokens = self._tokens(grant_id, granted, request, client, now)
            found |= self._access_token(tokens, granted)
        if request.wants_id_token:
            statement = Statement(
                granted=granted,
                now=now,
                nonce=request.nonce,
                claims=_of_the_person(granted, request, client.metadata),
                access_token=found.get("access_token"),
                code=code,
            )
            found["id_token"] = self._issuance.id_token(statement, client)
        return found

    def _tokens(
        self,
        grant_id: str,
        granted: Granted,
        request: AuthorizationRequest,
        client: RegisteredClient,
        now: datetime,
    ) -> Tokens:
        return issue_tokens(
            self._settings,
            client=client,
            grant_id=grant_id,
            scope=granted.scope,
            resource=request.resource,
            now=now,
            # Nothing can be shown here to bind to: whose tokens must be bound gets none here.
            binding=UNBOUND,
        )

    def _access_token(self, tokens: Tokens, granted: Granted) -> dict[str, str]:
        """RFC 6749 section 4.2.2. Never with a refresh token."""
        return {
            "access_token": self._issuance.access_token(tokens, granted, granted.scope),
            "token_type": "Bearer",
            "expires_in": str(epoch(tokens.expires_at) - epoch(tokens.issued_at)),
            **said_scope(granted.scope),
        }


def _insist(grant_id: str, client: RegisteredClient) -> None:
    # A code is looked at once more when it is redeemed. This token is good as soon as it is sent.
    if not stands(grant_id, trusted=is_trusted(client)):
        db.session.rollback()
        raise OAuthError("login_required", "The sign-in has ended meanwhile.")


def _of_the_person(
    granted: Granted, request: AuthorizationRequest, client: ClientMetadata
) -> Mapping[str, object]:
    """What the ID token says of the person.

    OIDC Core 5.4: the claims of the scopes only where no access token is issued, at once or for
    the code, that could fetch them from userinfo; else what the ``claims`` parameter names.
    """
    scopes = granted.scope if request.response_type == "id_token" else ()
    requested = personal(request.claims.id_token)
    if not requested and not set(scopes) - {"openid"}:
        return {}
    groups = "groups" in scopes or "groups" in requested
    profile = profile_of(granted.person, groups=groups)
    told = for_client(profile, client, scopes=granted.scope, requested=requested)
    return select_claims(told, scopes=scopes, requested=requested)
