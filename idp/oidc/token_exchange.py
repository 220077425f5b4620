"""A resource server that goes on in a person's name, and says so (RFC 8693)."""

from idp.oidc.grants import Answer, Grant
from idp.protocol.token_exchange import ACCESS_TOKEN, ExchangeRequest, parse_exchange
from idp.protocol.vocabulary import TOKEN_EXCHANGE
from idp.services.access import LiveToken
from idp.services.clients import RegisteredClient
from idp.services.exchange import Exchange
from idp.services.grants import Redeemed


class TokenExchangeGrant(Grant):
    """RFC 8693 section 2.1; as with client credentials, for no public client."""

    GRANT_TYPE = TOKEN_EXCHANGE
    IDENTIFIES = False
    NEEDS_ENTRY = True

    def redeem(self, client: RegisteredClient) -> Redeemed:
        """Exchange the subject token."""
        asked = self._asked(parse_exchange(self.request.parameters))
        context = self.request.direct.context
        return self.desk.exchanging.exchange(
            asked, client=client, context=context, binding=self.binding
        )

    def create_token_response(self) -> Answer:  # type: ignore[override]  # as in Grant
        """The same as for any grant, and what it is that was issued (section 2.2.1)."""
        status, body, headers = super().create_token_response()
        return status, {**body, "issued_token_type": ACCESS_TOKEN}, headers

    def _asked(self, request: ExchangeRequest) -> Exchange:
        return Exchange(
            subject=self._live(request.subject_token),
            actor=self._live(request.actor_token) if request.actor_token else None,
            has_actor=request.actor_token is not None,
            scope=self.scope(),
            audience=request.audience,
        )

    def _live(self, token: str) -> LiveToken | None:
        return self.desk.access_tokens.live(token, self.request.direct.context.at)
