"""The registration endpoint (RFC 7591), and a registration's own address (RFC 7592)."""

from collections.abc import Callable
from typing import Final

from flask import Response

from idp.clock import epoch
from idp.config import Settings
from idp.oidc.direct import MAX_BODY, Direct
from idp.oidc.json_answer import NO_STORE, json_answer
from idp.protocol.errors import OAuthError
from idp.protocol.json_values import Json, parse_json
from idp.services.client_registration import ClientRegistration, SelfRegistered
from idp.services.not_now import NotNow
from idp.services.self_registered import told

REGISTRATION: Final = "/oauth/register"


class RegistrationEndpoint:
    """Reads a request, asks the service, writes the answer: JSON that nobody stores."""

    def __init__(self, settings: Settings, service: ClientRegistration) -> None:
        self._issuer = settings.issuer
        self._service = service

    def register(self, direct: Direct) -> Response:
        """POST to the endpoint: 201 and what was registered (RFC 7591 section 3.2.1)."""

        def answer() -> Response:
            sent, token = read_json(direct), bearer(direct)
            made = self._service.register(sent, direct.context, token=token)
            return self._told(made, status=201)

        return self._answering(answer, direct)

    def read(self, direct: Direct, client_id: str) -> Response:
        """GET of a registration (RFC 7592 section 2.1)."""
        return self._answering(
            lambda: self._told(self._service.read(client_id, bearer(direct), direct.context)),
            direct,
        )

    def update(self, direct: Direct, client_id: str) -> Response:
        """PUT of a whole registration (RFC 7592 section 2.2)."""

        def answer() -> Response:
            sent, token = read_json(direct), bearer(direct)
            return self._told(self._service.update(client_id, token, sent, direct.context))

        return self._answering(answer, direct)

    def delete(self, direct: Direct, client_id: str) -> Response:
        """DELETE: 204 and nothing left (RFC 7592 section 2.3)."""

        def answer() -> Response:
            self._service.delete(client_id, bearer(direct), direct.context)
            return Response(status=204, headers=list(NO_STORE))

        return self._answering(answer, direct)

    def _told(self, made: SelfRegistered, *, status: int = 200) -> Response:
        members: dict[str, object] = {
            "client_id": made.client_id,
            "client_id_issued_at": epoch(made.issued_at),
            "registration_access_token": made.token,
            "registration_client_uri": f"{self._issuer}{REGISTRATION}/{made.client_id}",
        }
        if made.secret is not None:
            # RFC 7591 section 3.2.1: required beside a secret; 0 means that it does not expire.
            members |= {"client_secret": made.secret, "client_secret_expires_at": 0}
        return json_answer({**members, **told(made.metadata)}, status)

    def _answering(self, answer: Callable[[], Response], direct: Direct) -> Response:
        try:
            return answer()
        except OAuthError as error:
            response = json_answer(error.parameters(), error.status)
            if error.status == 401:
                # RFC 6750 section 3.1: where nothing was presented, no reason is given.
                reason = f', error="{error.error}"' if direct.authorization else ""
                response.headers["WWW-Authenticate"] = f'Bearer realm="{self._issuer}"{reason}'
            if isinstance(error, NotNow):
                response.headers.add(*error.header)
            return response


def read_json(direct: Direct) -> Json:
    """The body as a JSON document, bounded in size and depth, no member named twice.

    Raises ``OAuthError`` ``invalid_request``.
    """
    if direct.content_type != "application/json":  # RFC 7591 section 3.1
        raise OAuthError("invalid_request", "The body must be application/json.")
    if len(direct.body) > MAX_BODY:
        raise OAuthError("invalid_request", "The request is too large.", status=413)
    try:
        return parse_json(direct.body.decode())
    except ValueError:
        raise OAuthError(
            "invalid_request", "The body is not JSON in UTF-8, or names a member twice."
        ) from None


def bearer(direct: Direct) -> str | None:
    """The token in the header; "" for credentials of another kind, None where there are none."""
    if direct.authorization is None:
        return None
    return direct.credentials if direct.scheme == "bearer" else ""
