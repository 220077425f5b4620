"""The grant types that follow a sign-in in the browser, and what all grant types share."""

from dataclasses import dataclass

from authlib.oauth2.rfc6749 import BaseGrant
from authlib.oauth2.rfc6749.grants import TokenEndpointMixin

from idp.models import db
from idp.oidc.access_tokens import AccessTokens
from idp.oidc.client_auth import ClientAuthentication
from idp.oidc.direct import DirectRequest
from idp.oidc.issuance import Issuance
from idp.oidc.json_answer import NO_STORE
from idp.oidc.possession import Binder
from idp.protocol import pkce
from idp.protocol.client_metadata import ADMITS_NOBODY
from idp.protocol.errors import OAuthError
from idp.protocol.resources import read_resource
from idp.protocol.scopes import parse_scope
from idp.services import repeated
from idp.services.client_tokens import ClientTokens
from idp.services.clients import RegisteredClient, Unconfirmed
from idp.services.device_polling import DevicePolling
from idp.services.exchange import Exchanging
from idp.services.grants import Grants, Redeemed
from idp.services.refresh import Refreshing
from idp.services.sealing import Sealing
from idp.services.turned_away import NOBODY_ADMITTED, denied

Answer = tuple[int, dict[str, object], list[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class Desk:
    """What every grant works with."""

    authenticate: ClientAuthentication
    codes: Grants
    refreshing: Refreshing
    issuance: Issuance
    bind: Binder
    polling: DevicePolling
    client_tokens: ClientTokens
    exchanging: Exchanging
    access_tokens: AccessTokens
    sealing: Sealing


class Grant(BaseGrant, TokenEndpointMixin):
    """What all grants do alike. A subclass redeems; nothing here reads a cookie or a global."""

    GRANT_TYPE: str
    request: DirectRequest
    REPEATS_NONCE = False
    IDENTIFIES = True
    """May an ID token come of it?"""
    CONFIRMS = False
    """Does the statement that redeems look at whether the client is as it was known to be?"""
    NEEDS_ENTRY = False
    """Does it wait as long as the client is for nobody? What was granted before is kept."""

    HAS_DETAILS = False
    """Are ``authorization_details`` decided in what is redeemed, whatever is sent with it?"""

    def validate_token_request(self) -> None:
        """Let the client in, for a grant type that it registered (RFC 6749 section 5.2)."""
        if self.CONFIRMS:
            self.registered = self.desk.authenticate.provisionally(self.request)
        if not self.CONFIRMS or not self._may(self.registered):
            self._let_in()

    def _let_in(self) -> None:
        self.registered = self.desk.authenticate(self.request)
        if self.GRANT_TYPE not in self.registered.metadata.grant_types:
            raise OAuthError(
                "unauthorized_client", "The client is not registered for this grant_type."
            )
        if not self._may(self.registered):
            raise self._nobody_admitted()

    def _may(self, client: RegisteredClient) -> bool:
        shut = self.NEEDS_ENTRY and client.metadata.admits == ADMITS_NOBODY
        return self.GRANT_TYPE in client.metadata.grant_types and not shut

    def _nobody_admitted(self) -> OAuthError:
        client, reason = self.registered.id, NOBODY_ADMITTED
        repeated.record(
            "token.refused",
            self.request.direct.context,
            alike=(client, reason),
            client_id=client,
            reason=reason,
        )
        db.session.commit()
        return denied(reason, "invalid_grant")

    def create_token_response(self) -> Answer:  # type: ignore[override]  # a str in the stub
        """Redeem, and write the tokens. What was redeemed is committed before it is signed."""
        try:
            redeemed = self._redeemed()
        except Unconfirmed:
            db.session.rollback()
            self._let_in()
            redeemed = self._redeemed()
        body = self.desk.issuance.respond(
            redeemed, self.registered, repeats_nonce=self.REPEATS_NONCE
        )
        return 200, body, list(NO_STORE)

    def _redeemed(self) -> Redeemed:
        self._check_details()
        self.prepare(self.registered)
        self.binding = self.desk.bind(self.request.direct, self.registered)
        redeemed = self.redeem(self.registered)
        if redeemed.tokens.binding != self.binding:
            raise RuntimeError("a grant lost whom its tokens are bound to")
        return redeemed

    def _check_details(self) -> None:
        """RFC 9396 section 6: more than was granted is refused, and not left out in silence."""
        if self.request.parameters.get("authorization_details") and not self.HAS_DETAILS:
            raise OAuthError(
                "invalid_authorization_details",
                "authorization_details can be had by an authorization request alone.",
            )

    def prepare(self, client: RegisteredClient) -> None:
        """Find what answering will take, before anything is used up. Raises ``OAuthError``."""
        now = self.request.direct.context.at
        self.desk.issuance.ready(now)
        if self.IDENTIFIES:
            self.desk.sealing.ready(client, "id_token", now=now)

    def redeem(self, client: RegisteredClient) -> Redeemed:
        """Exchange what the client presented. Raises ``OAuthError``."""
        raise NotImplementedError

    @property
    def desk(self) -> Desk:
        """The server's own."""
        desk: Desk = self.server.desk
        return desk

    def required(self, name: str) -> str:
        """A parameter that must be there."""
        value = self.request.parameters.get(name)
        if value is None:
            raise OAuthError("invalid_request", f"{name} is missing.")
        return value

    def scope(self) -> tuple[str, ...] | None:
        """The scope asked for; None where none was named."""
        text = self.request.parameters.get("scope")
        try:
            return None if text is None else parse_scope(text)
        except ValueError as error:
            raise OAuthError("invalid_scope", f"scope {error}.") from None


class AuthorizationCodeGrant(Grant):
    """RFC 6749 section 4.1.3, with PKCE (RFC 7636) checked against the grant's own row."""

    GRANT_TYPE = "authorization_code"
    HAS_DETAILS = True
    REPEATS_NONCE = True
    CONFIRMS = True
    NEEDS_ENTRY = True

    def redeem(self, client: RegisteredClient) -> Redeemed:
        """Exchange the code."""
        verifier = self.request.parameters.get("code_verifier")
        if verifier is not None and not pkce.is_verifier(verifier):
            raise OAuthError("invalid_grant", "code_verifier is malformed.")
        return self.desk.codes.redeem_code(
            self.required("code"),
            client=client,
            redirect_uri=self.request.parameters.get("redirect_uri"),
            code_verifier=verifier,
            context=self.request.direct.context,
            binding=self.binding,
            resource=read_resource(self.request.parameters),
        )


class RefreshTokenGrant(Grant):
    """RFC 6749 section 6. The new ID token repeats no nonce (OIDC Core 12.2)."""

    GRANT_TYPE = "refresh_token"
    CONFIRMS = True
    NEEDS_ENTRY = True

    def redeem(self, client: RegisteredClient) -> Redeemed:
        """Exchange the refresh token."""
        return self.desk.refreshing.redeem(
            self.required("refresh_token"),
            client=client,
            scope=self.scope(),
            context=self.request.direct.context,
            binding=self.binding,
            resource=read_resource(self.request.parameters),
        )
