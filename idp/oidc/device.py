"""The device's two endpoints (RFC 8628): where it asks, and the grant type it polls with."""

from typing import Final

from authlib.oauth2.rfc6749 import OAuth2Request, TokenEndpoint

from idp.assurance import Unmet
from idp.config import Settings
from idp.oidc.client_auth import ClientAuthentication
from idp.oidc.direct import DirectRequest
from idp.oidc.grants import Answer, Grant
from idp.oidc.json_answer import NO_STORE
from idp.oidc.rations import Rations
from idp.protocol.capabilities import Capabilities
from idp.protocol.device import parse_device_request
from idp.protocol.errors import OAuthError
from idp.protocol.resources import read_resource
from idp.protocol.vocabulary import DEVICE_CODE
from idp.services import demands
from idp.services.clients import RegisteredClient
from idp.services.device_codes import DeviceCodes, Issued
from idp.services.grants import Redeemed

VERIFICATION: Final = "/device"
"""Where people type the code. Short, for it is typed as well."""


class DeviceAuthorization(TokenEndpoint):
    """POST /oauth/device."""

    ENDPOINT_NAME = "device_authorization"

    def __init__(
        self,
        settings: Settings,
        authenticate: ClientAuthentication,
        capabilities: Capabilities,
        codes: DeviceCodes,
        rations: Rations,
    ) -> None:
        super().__init__()
        self._rations = rations
        self._settings = settings
        self._authenticate = authenticate
        self._capabilities = capabilities
        self._codes = codes

    def create_endpoint_response(self, request: OAuth2Request) -> Answer:
        """Two codes (RFC 8628 section 3.2). Raises ``OAuthError``, ``NotNow`` among them."""
        if not isinstance(request, DirectRequest):
            raise TypeError("not a request of this server")
        client = self._authenticate(request)
        if DEVICE_CODE not in client.metadata.grant_types:
            raise OAuthError("unauthorized_client", "The client is not registered for devices.")
        self._rations.take("device", client, request)
        return 200, self._told(self._issue(client, request)), list(NO_STORE)

    def _issue(self, client: RegisteredClient, request: DirectRequest) -> Issued:
        context = request.direct.context
        asked = parse_device_request(
            request.parameters, client.id, client.metadata, self._capabilities
        )
        demand = demands.of_request(asked, client.metadata, self._settings, started=context.at)
        if isinstance(demand, Unmet):  # nobody is asked in vain
            raise OAuthError(
                "unmet_authentication_requirements", "None of the requested acr values is known."
            )
        return self._codes.issue(asked, context)

    def _told(self, issued: Issued) -> dict[str, object]:
        page = f"{self._settings.issuer.removesuffix('/')}{VERIFICATION}"
        return {
            "device_code": issued.device_code,
            "user_code": issued.user_code,
            "verification_uri": page,
            "verification_uri_complete": f"{page}?user_code={issued.user_code}",
            "expires_in": issued.expires_in,
            "interval": issued.interval,
        }


class DeviceCodeGrant(Grant):
    """RFC 8628 section 3.4."""

    GRANT_TYPE = DEVICE_CODE

    def redeem(self, client: RegisteredClient) -> Redeemed:
        """Exchange the device code, once somebody has allowed it."""
        return self.desk.polling.redeem(
            self.required("device_code"),
            client=client,
            resource=read_resource(self.request.parameters),
            context=self.request.direct.context,
            binding=self.binding,
        )
