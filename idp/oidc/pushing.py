"""Pushed authorization requests (RFC 9126): read and held against the registration right away."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from authlib.oauth2.rfc6749 import OAuth2Request, TokenEndpoint

from idp.models import db
from idp.oidc.client_auth import ClientAuthentication
from idp.oidc.direct import DirectRequest
from idp.oidc.grants import Answer
from idp.oidc.json_answer import NO_STORE
from idp.oidc.possession import ASKS_FOR_NONCE, Binder
from idp.oidc.rations import Rations
from idp.oidc.requests import Requests
from idp.protocol.arrived import Arrived
from idp.protocol.errors import OAuthError
from idp.protocol.parameters import Parameters
from idp.services import refused_requests
from idp.services.clients import RegisteredClient
from idp.services.dpop import Proof
from idp.services.pushed import PushedRequests

CREDENTIALS: Final = ("client_secret", "client_assertion", "client_assertion_type")
"""Parameters of the client's authentication: no part of the request that is kept."""

_CHECKED: Final = "checked"
"""Stands for the push in a request that is not kept yet, and for its sign-in."""


class Pushing(TokenEndpoint):
    """POST /oauth/par. Nothing is ever redirected from here: every error is JSON."""

    ENDPOINT_NAME = "pushed_authorization_request"

    def __init__(
        self,
        authenticate: ClientAuthentication,
        requests: Requests,
        pushed: PushedRequests,
        bind: Binder,
        rations: Rations,
    ) -> None:
        super().__init__()
        self._rations = rations
        self._bind = bind
        self._authenticate = authenticate
        self._requests = requests
        self._pushed = pushed

    def create_endpoint_response(self, request: OAuth2Request) -> Answer:
        """Authenticate the client as at the token endpoint, and keep its request.

        Raises ``OAuthError`` with the code that the authorization endpoint would have answered
        with (section 2.3), and ``NotNow``. Commits.
        """
        if not isinstance(request, DirectRequest):
            raise TypeError("not a request of this server")
        client, now = self._authenticate(request), request.direct.context.at
        self._rations.take("authorization", client, request)
        try:
            proof = self._bind.proof_of(request.direct, client)
            arrived = self._check(request.parameters, client, now, proof)
            self._bind.spend(proof, request.direct)
        except OAuthError as error:
            _record(error, client, request)
            raise
        request_uri = self._pushed.keep(arrived, client_id=client.id, now=now)
        db.session.commit()
        lifetime = int(self._pushed.lifetime.total_seconds())
        return 201, {"request_uri": request_uri, "expires_in": lifetime}, list(NO_STORE)

    def _check(
        self, sent: Parameters, client: RegisteredClient, now: datetime, proof: Proof | None
    ) -> Arrived:
        """The request as it will be found later on; raises ``OAuthError`` where it would fail."""
        if sent.values.get("request_uri"):  # RFC 9126 section 2.1
            raise OAuthError("invalid_request", "request_uri must not be pushed.")
        named = sent.without(*CREDENTIALS).having("client_id", client.id)
        arrived = bound_to(proof, self._requests.resolve(named, client, now))
        checked = replace(arrived, pushed=_CHECKED)
        asked = self._requests.measure(checked, client, started=now, transaction_id=_CHECKED)
        self._requests.subject_of(asked.request, client)
        return arrived


def bound_to(proof: Proof | None, arrived: Arrived) -> Arrived:
    """RFC 9449 section 10.1: a proof that comes with a push says the same as ``dpop_jkt``."""
    if proof is None:
        return arrived
    if arrived.parameters.get("dpop_jkt") not in (None, proof.jkt):
        raise OAuthError("invalid_request", "dpop_jkt names another key than the DPoP proof.")
    return replace(arrived, parameters=arrived.parameters.having("dpop_jkt", proof.jkt))


def _record(error: OAuthError, client: RegisteredClient, request: DirectRequest) -> None:
    db.session.rollback()
    if error.error == ASKS_FOR_NONCE:
        return
    refused_requests.record(
        error, request.direct.context, alike=(client.id,), client_id=client.id, pushed=True
    )
    db.session.commit()
