"""What this provider can do, from the very tuples that its endpoints are made of."""

from typing import Final

from idp.assurance import supported_acr_values
from idp.config import Settings
from idp.oidc.client_auth import METHODS
from idp.oidc.grant_types import GRANTS
from idp.protocol.capabilities import Capabilities
from idp.protocol.discovery import Endpoints
from idp.protocol.operations import CONFIRM_OPERATION
from idp.protocol.scopes import ACCOUNT, SCOPE_NAMES
from idp.protocol.vocabulary import Prompt
from idp.services.jose import ALGORITHMS

ENDPOINTS: Final = Endpoints(
    authorization="/oauth/authorize",
    token="/oauth/token",  # noqa: S106  a path, no password
    userinfo="/oauth/userinfo",
    jwks="/oauth/jwks",
    introspection="/oauth/introspect",
    revocation="/oauth/revoke",
    device_authorization="/oauth/device",
)


def capabilities_of(settings: Settings) -> Capabilities:
    """What parsing, registering and discovery go by."""
    return Capabilities(
        grant_types=tuple(grant.GRANT_TYPE for grant in GRANTS),
        token_endpoint_auth_methods=tuple(METHODS),
        id_token_signing_algs=ALGORITHMS,
        scopes=(*SCOPE_NAMES, ACCOUNT.name),
        acr_values=supported_acr_values(settings.acr_aliases),
        prompts=tuple(one for one in Prompt if one is not Prompt.CREATE or settings.registration),
        authorization_details_types=(CONFIRM_OPERATION,),
    )
