"""The dispatcher of direct requests: Authlib finds the grant or endpoint, all answers are ours."""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from authlib.oauth2.rfc6749 import AuthorizationServer, TokenEndpoint
from flask import Response

from idp import measures
from idp.json_text import dump
from idp.oidc.direct import Direct, DirectRequest
from idp.oidc.grant_types import GRANTS
from idp.oidc.grants import Desk, Grant
from idp.oidc.json_answer import NO_STORE, json_answer
from idp.protocol.errors import OAuthError
from idp.services.not_now import NotNow

# Authlib writes whole token responses to its log at DEBUG.
logging.getLogger("authlib").setLevel(logging.INFO)


class Server(AuthorizationServer):
    """The token endpoint, and the others that authenticate clients."""

    def __init__(self, issuer: str, desk: Desk, endpoints: Iterable[TokenEndpoint]) -> None:
        super().__init__()
        self._issuer = issuer
        self.desk = desk
        self._grants = {grant.GRANT_TYPE: grant for grant in GRANTS}
        for endpoint in endpoints:
            self.register_endpoint(endpoint)

    def token(self, direct: Direct) -> Response:
        """POST /oauth/token."""
        return self._answering(self.create_token_response, direct)

    def endpoint(self, name: str, direct: Direct) -> Response:
        """POST to the endpoint registered under ``name``."""
        return self._answering(self.create_endpoint_response, name, direct)

    def create_oauth2_request(self, request: Direct) -> DirectRequest:
        """Never from a global: from what was handed in."""
        return DirectRequest(request)

    def get_token_grant(self, request: DirectRequest) -> Grant:  # type: ignore[override]
        """Find the grant; the value that was sent is not repeated to whoever reads the error."""
        named = request.parameters.get("grant_type")
        if named is None:
            raise OAuthError("invalid_request", "grant_type is missing.")
        found = self._grants.get(named)
        if found is None:
            raise OAuthError("unsupported_grant_type", "This grant_type is not supported.")
        return found(request, self)

    def handle_response(  # type: ignore[override]
        self, status: int, body: Mapping[str, object], headers: Iterable[tuple[str, str]]
    ) -> Response:
        """JSON, not to be stored."""
        given = list(headers)
        if given == list(NO_STORE):
            return json_answer(body, status)
        return Response(dump(body), status=status, headers=given)

    def send_signal(self, name: Any, *args: object, **kwargs: object) -> None:
        """Nobody listens."""

    def _answering(self, answer: Callable[..., Any], *arguments: Any) -> Response:
        try:
            response: Response = answer(*arguments)
        except OAuthError as error:
            return refusal(error, self._issuer)
        return response


def refusal(error: OAuthError, realm: str) -> Response:
    """An error as JSON (RFC 6749 section 5.2): a 401 says how to authenticate, a 429 when."""
    measures.error(error.error)
    response = json_answer(error.parameters(), error.status)
    if error.status == 401:
        response.headers["WWW-Authenticate"] = f'Basic realm="{realm}", charset="UTF-8"'
    if isinstance(error, NotNow):
        response.headers.add(*error.header)
    return response
