"""The names that specifications give to the ways of doing things."""

from enum import StrEnum
from typing import Final

RESPONSE_TYPES: Final = (
    "code",
    "token",
    "id_token",
    "id_token token",
    "code id_token",
    "code token",
    "code id_token token",
    "none",
)
"""RFC 6749, and OAuth 2.0 Multiple Response Type Encoding Practices, in their usual spelling."""

JWT_MODES: Final = ("jwt", "query.jwt", "fragment.jwt", "form_post.jwt")
"""JARM section 2.3: the same ways, with the parameters in one signed JWT."""

RESPONSE_MODES: Final = ("query", "fragment", "form_post", *JWT_MODES)

DEVICE_CODE: Final = "urn:ietf:params:oauth:grant-type:device_code"
TOKEN_EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105  a name

GRANT_TYPES: Final = (
    "authorization_code",
    "implicit",
    "refresh_token",
    "client_credentials",
    DEVICE_CODE,
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
    TOKEN_EXCHANGE,
    "urn:openid:params:grant-type:ciba",
)
"""Without ``password``: RFC 9700 section 2.4 forbids it."""

REDIRECT_GRANTS: Final = ("authorization_code", "implicit")

AUTH_METHODS: Final = (
    "client_secret_basic",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
    "tls_client_auth",
    "self_signed_tls_client_auth",
    "none",
)

SYMMETRIC_ALGS: Final = ("HS256", "HS384", "HS512")
ASYMMETRIC_ALGS: Final = (
    *("RS256", "RS384", "RS512"),
    *("PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512"),
    *("EdDSA", "Ed25519", "Ed448"),
)
SIGNING_ALGS: Final = (*ASYMMETRIC_ALGS, *SYMMETRIC_ALGS)
SIGNING_ALGS_OR_NONE: Final = (*SIGNING_ALGS, "none")

SYMMETRIC_ENCRYPTION_ALGS: Final = (
    *("dir", "A128KW", "A192KW", "A256KW", "A128GCMKW", "A192GCMKW", "A256GCMKW"),
)
ENCRYPTION_ALGS: Final = (
    *("RSA-OAEP", "RSA-OAEP-256", "RSA-OAEP-384", "RSA-OAEP-512"),
    *("ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW"),
    *SYMMETRIC_ENCRYPTION_ALGS,
)
"""RFC 7518 section 4.1 without RSA1_5 (padding oracles) and PBES2 (work chosen by the sender)."""

ENCRYPTION_ENCS: Final = (
    *("A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512"),
    *("A128GCM", "A192GCM", "A256GCM"),
)

SUBJECT_TYPES: Final = ("public", "pairwise")
APPLICATION_TYPES: Final = ("web", "native")
DISPLAY_VALUES: Final = ("page", "popup", "touch", "wap")

MAX_AGE_CEILING: Final = 100 * 365 * 24 * 3600
"""A century in seconds: a longer maximum age is no limit, and would leave the calendar."""


class Prompt(StrEnum):
    """OIDC Core 3.1.2.1, and Initiating User Registration 1.0 for ``create``."""

    NONE = "none"
    LOGIN = "login"
    CONSENT = "consent"
    SELECT_ACCOUNT = "select_account"
    CREATE = "create"


_SPELLING: Final = {frozenset(name.split()): name for name in RESPONSE_TYPES}


def response_type_named(text: str) -> str | None:
    """The usual spelling of a response type whose words may come in any order, or ``None``.

    OAuth 2.0 Multiple Response Types, section 5: the order of the values does not matter.
    """
    parts = text.split(" ")
    return _SPELLING.get(frozenset(parts)) if len(set(parts)) == len(parts) else None


def issues_at_authorization(response_type: str) -> bool:
    """Whether a token of either kind comes back from the authorization endpoint itself."""
    return "token" in response_type.split() or "id_token" in response_type.split()


def default_response_mode(response_type: str | None) -> str:
    """Multiple Response Types, sections 3 and 5: ``fragment`` where a token comes back."""
    return "fragment" if response_type and issues_at_authorization(response_type) else "query"


def grants_needed(response_type: str) -> tuple[str, ...]:
    """The grant types a client needs for ``response_type`` (OIDC Registration 2)."""
    code = ("authorization_code",) if "code" in response_type.split() else ()
    return (*code, "implicit") if issues_at_authorization(response_type) else code
