"""What a deployment can do: the one set of tuples that parsing, registering and discovery share."""

from dataclasses import dataclass
from typing import Final

from idp.protocol import pkce
from idp.protocol.claims import PERSONAL_CLAIMS
from idp.protocol.scopes import SCOPE_NAMES
from idp.protocol.vocabulary import RESPONSE_MODES, Prompt

ID_TOKEN_CLAIMS: Final = (
    *("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "azp", "sid"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """Names as the specifications spell them; an empty tuple or ``False`` means "not here".

    The defaults are those of a provider with the code flow alone. Whoever registers a grant or
    an authentication method passes the very tuple it registers.
    """

    response_types: tuple[str, ...] = ("code",)
    response_modes: tuple[str, ...] = RESPONSE_MODES
    grant_types: tuple[str, ...] = ("authorization_code",)
    scopes: tuple[str, ...] = SCOPE_NAMES
    claims: tuple[str, ...] = (*ID_TOKEN_CLAIMS, *PERSONAL_CLAIMS)
    acr_values: tuple[str, ...] = ()
    prompts: tuple[str, ...] = tuple(prompt.value for prompt in Prompt)
    displays: tuple[str, ...] = ("page",)
    ui_locales: tuple[str, ...] = ()
    subject_types: tuple[str, ...] = ("public",)
    code_challenge_methods: tuple[str, ...] = pkce.METHODS
    authorization_details_types: tuple[str, ...] = ()

    token_endpoint_auth_methods: tuple[str, ...] = (
        *("client_secret_basic", "client_secret_post", "none"),
    )
    token_endpoint_auth_signing_algs: tuple[str, ...] = ()
    id_token_signing_algs: tuple[str, ...] = ("RS256", "ES256", "EdDSA")
    id_token_encryption_algs: tuple[str, ...] = ()
    id_token_encryption_encs: tuple[str, ...] = ()
    userinfo_signing_algs: tuple[str, ...] = ()
    userinfo_encryption_algs: tuple[str, ...] = ()
    userinfo_encryption_encs: tuple[str, ...] = ()
    request_object_signing_algs: tuple[str, ...] = ()
    request_object_encryption_algs: tuple[str, ...] = ()
    request_object_encryption_encs: tuple[str, ...] = ()
    authorization_signing_algs: tuple[str, ...] = ()
    authorization_encryption_algs: tuple[str, ...] = ()
    authorization_encryption_encs: tuple[str, ...] = ()
    introspection_signing_algs: tuple[str, ...] = ()
    introspection_encryption_algs: tuple[str, ...] = ()
    introspection_encryption_encs: tuple[str, ...] = ()
    dpop_signing_algs: tuple[str, ...] = ()

    request_parameter: bool = False
    request_uri_parameter: bool = False
    require_request_uri_registration: bool = False
    certificate_bound_access_tokens: bool = False
    frontchannel_logout: bool = False
    backchannel_logout: bool = False


DEFAULT: Final = Capabilities()
