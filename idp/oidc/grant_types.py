"""The grant types of the token endpoint: each is registered by being in ``GRANTS``."""

from typing import Final

from idp.oidc.client_credentials import ClientCredentialsGrant
from idp.oidc.device import DeviceCodeGrant
from idp.oidc.grants import AuthorizationCodeGrant, Grant, RefreshTokenGrant
from idp.oidc.token_exchange import TokenExchangeGrant

GRANTS: Final[tuple[type[Grant], ...]] = (
    AuthorizationCodeGrant,
    RefreshTokenGrant,
    ClientCredentialsGrant,
    DeviceCodeGrant,
    TokenExchangeGrant,
)
