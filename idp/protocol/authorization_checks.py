"""The checks of an authorization request, each one clause; what fails here may be redirected."""

import re
from collections.abc import Mapping
from typing import Final

from idp.protocol import pkce
from idp.protocol.capabilities import Capabilities
from idp.protocol.claims import ClaimsRequest
from idp.protocol.client_metadata import ClientMetadata
from idp.protocol.dpop import is_jkt
from idp.protocol.errors import OAuthError
from idp.protocol.json_values import Json, parse_json
from idp.protocol.parameters import Parameters
from idp.protocol.scopes import ADMIN_SCOPES, parse_scope
from idp.protocol.text import is_language_tag, words
from idp.protocol.vocabulary import (
    DISPLAY_VALUES,
    JWT_MODES,
    MAX_AGE_CEILING,
    Prompt,
    default_response_mode,
    response_type_named,
)

MAX_WORDS: Final = 32

_DIGITS: Final = re.compile(r"[0-9]+")


def refuse_request_objects(parameters: Parameters) -> None:
    """Refuse what has not been resolved before this point (OIDC Core 6 and 3.1.2.6)."""
    # OIDC Core 6.1 and 6.2: the two must not be used together.
    if parameters.get("request") and parameters.get("request_uri"):
        raise _invalid("request and request_uri were both sent; send one of them.")
    for name, error in _NOT_SUPPORTED.items():
        if parameters.get(name):
            raise OAuthError(error, f"The {name} parameter is not supported.")


_NOT_SUPPORTED: Final = {
    "request": "request_not_supported",
    "request_uri": "request_uri_not_supported",
    "registration": "registration_not_supported",  # OIDC Core 7.2.1
}


def check_transport(metadata: ClientMetadata, *, pushed: bool, signed: bool) -> None:
    """Hold the client to the way it registered to send its requests."""
    if metadata.require_pushed_authorization_requests and not pushed:  # RFC 9126 section 6
        raise _invalid("This client must push its authorization requests.")
    if metadata.require_signed_request_object and not signed:  # RFC 9101 section 10.5
        raise _invalid("This client must sign its authorization requests.")


def read_response_type(
    parameters: Parameters, metadata: ClientMetadata, capabilities: Capabilities
) -> str:
    """The response type in its usual spelling, known to us and registered by the client."""
    text = parameters.get("response_type")
    if text is None:
        raise _invalid("response_type is missing.")
    response_type = response_type_named(text)
    if response_type is None or response_type not in capabilities.response_types:
        raise OAuthError("unsupported_response_type", "This response_type is not supported.")
    if response_type not in metadata.response_types:
        raise OAuthError(
            "unauthorized_client", f"This client is not registered for {response_type}."
        )
    return response_type


def read_response_mode(
    parameters: Parameters,
    metadata: ClientMetadata,
    capabilities: Capabilities,
    response_type: str,
) -> str:
    """How the answer travels: what was asked for, or what the response type implies."""
    mode = usable_response_mode(parameters.get("response_mode"), response_type, capabilities)
    # FAPI 2.0 Message Signing section 5.4: answers to such a client are signed (JARM).
    if metadata.policy.signed_responses and mode not in JWT_MODES:
        raise _invalid("response_mode must be jwt, as this client's profile says.")
    return mode


def usable_response_mode(
    asked: str | None, response_type: str | None, capabilities: Capabilities
) -> str:
    """The mode to use. Raises ``invalid_request`` for one that is unknown or would leak a token."""
    default = default_response_mode(response_type)
    if asked is None:
        return default
    if asked not in capabilities.response_modes:
        raise _invalid("This response_mode is not supported.")
    # JARM section 2.3.4: "jwt" is the signed form of whatever the response type implies.
    mode = f"{default}.jwt" if asked == "jwt" else asked
    # Multiple Response Types, section 3, and JARM section 2.3.1: no token in a query string.
    if mode in ("query", "query.jwt") and default == "fragment":
        raise _invalid("response_mode query cannot carry a token; use fragment or form_post.")
    return mode


def read_scopes(
    parameters: Parameters,
    metadata: ClientMetadata,
    capabilities: Capabilities,
    response_type: str,
) -> tuple[str, ...]:
    """The scopes to ask the person for.

    One that nobody knows is ignored (OIDC Core 3.1.2.1); one that we know and the client is not
    registered for is refused (RFC 6749 section 4.1.2.1).
    """
    try:
        asked = parse_scope(parameters.get("scope") or "")
    except ValueError as error:
        raise OAuthError("invalid_scope", f"scope {error}.") from error
    ours = {*capabilities.scopes, *ADMIN_SCOPES}
    known = [one for one in asked if one in ours or one in metadata.scope]
    if not all(one in metadata.scope for one in known):
        raise OAuthError("invalid_scope", "This client is not registered for one of the scopes.")
    # OIDC Core 3.2.2.1 and 3.3.2.1: an ID token is for requests with the scope openid.
    if "id_token" in response_type.split() and "openid" not in known:
        raise OAuthError("invalid_scope", "An ID token needs the scope openid.")
    offline = _may_go_offline(metadata, response_type)
    return tuple(one for one in known if one != "offline_access" or offline)


def _may_go_offline(metadata: ClientMetadata, response_type: str) -> bool:
    # OIDC Core 11: offline_access is ignored unless a code results. A client that cannot redeem
    # a refresh token gets none, so nobody is asked for it.
    return "code" in response_type.split() and "refresh_token" in metadata.grant_types


def read_nonce(parameters: Parameters, response_type: str) -> str | None:
    """The nonce. OIDC Core 3.2.2.1 and 3.3.2.11: required when an ID token comes at once."""
    nonce = parameters.get("nonce")
    if nonce is None and "id_token" in response_type.split():
        raise _invalid("nonce is missing; it is required when response_type has id_token.")
    return nonce


def read_code_challenge(
    parameters: Parameters, metadata: ClientMetadata, response_type: str
) -> str | None:
    """The S256 challenge; ``None`` when there is no code, or the client may go without."""
    if "code" not in response_type.split():
        return None
    challenge = parameters.get("code_challenge")
    method = parameters.get("code_challenge_method")
    if challenge is None:
        _check_without_challenge(metadata, method)
        return None
    # RFC 7636 section 4.3: an absent method means plain, and plain is refused.
    if method not in pkce.METHODS:
        raise _invalid("code_challenge_method must be S256.")
    if not pkce.is_challenge(challenge):
        raise _invalid("code_challenge must be 43 characters of base64url.")
    return challenge


def _check_without_challenge(metadata: ClientMetadata, method: str | None) -> None:
    if metadata.pkce_required:
        raise _invalid("code_challenge is missing; PKCE with S256 is required.")
    if method is not None:  # a client that meant to send one must not be downgraded in silence
        raise _invalid("code_challenge_method was sent without code_challenge.")


def read_dpop_jkt(parameters: Parameters, response_type: str) -> str | None:
    """RFC 9449 section 10: the thumbprint of the key that will redeem the code."""
    jkt = parameters.get("dpop_jkt")
    if jkt is not None and not is_jkt(jkt):
        raise _invalid("dpop_jkt must be 43 characters of base64url.")
    return jkt if "code" in response_type.split() else None


def read_prompts(parameters: Parameters, capabilities: Capabilities) -> frozenset[Prompt]:
    """The prompts. OIDC Core 3.1.2.1: ``none`` stands alone; what we do not know is an error."""
    asked = words(parameters.get("prompt") or "")
    known = frozenset(
        prompt for prompt in Prompt if prompt in asked and prompt in capabilities.prompts
    )
    if len(known) != len(asked):
        raise _invalid("prompt has a value that is not supported.")
    if Prompt.NONE in known and len(known) > 1:
        raise _invalid("prompt none cannot be combined with another value.")
    return known


def read_max_age(parameters: Parameters) -> int | None:
    """Seconds, at most ``MAX_AGE_CEILING``. OIDC Core 3.1.2.1: absent max_age is not zero."""
    text = parameters.get("max_age")
    if text is None:
        return None
    if _DIGITS.fullmatch(text) is None:
        raise _invalid("max_age must be a whole number of seconds, zero or more.")
    return min(int(text), MAX_AGE_CEILING)


def read_words(parameters: Parameters, name: str) -> tuple[str, ...]:
    """A space-separated list, each word once, in order."""
    listed = words(parameters.get(name) or "")
    if len(listed) > MAX_WORDS:
        raise _invalid(f"{name} lists more than {MAX_WORDS} values.")
    return listed


def read_locales(parameters: Parameters, name: str) -> tuple[str, ...]:
    """Language tags; OIDC Core 3.1.2.1: what we cannot use is no error."""
    listed = words(parameters.get(name) or "")
    return tuple(tag for tag in listed if is_language_tag(tag))[:MAX_WORDS]


def read_display(parameters: Parameters) -> str | None:
    """How the client would like our pages to look; a value that nobody defined is no error."""
    display = parameters.get("display")
    return display if display in DISPLAY_VALUES else None


def read_claims(parameters: Parameters, metadata: ClientMetadata) -> ClaimsRequest:
    """The claims asked for by name, without those of scopes the client is not registered for."""
    text = parameters.get("claims")
    return ClaimsRequest.parse(text).permitted(metadata.scope) if text else ClaimsRequest()


def read_authorization_details(
    parameters: Parameters, metadata: ClientMetadata, capabilities: Capabilities
) -> tuple[Mapping[str, Json], ...]:
    """RFC 9396 section 5: objects of a type that we support and the client may use.

    Each type's own members are for whoever understands the type.
    """
    text = parameters.get("authorization_details")
    if text is None:
        return ()
    allowed = capabilities.authorization_details_types
    if metadata.authorization_details_types:  # RFC 9396 section 10: what the client may use
        allowed = tuple(one for one in allowed if one in metadata.authorization_details_types)
    details = _detail_objects(text)
    if not all(detail.get("type") in allowed for detail in details):
        raise _invalid_details("has a type that is not supported")
    return details


def _detail_objects(text: str) -> tuple[Mapping[str, Json], ...]:
    try:
        listed = parse_json(text)
    except ValueError as error:
        raise _invalid_details(str(error)) from error
    objects = [one for one in _items(listed) if isinstance(one, Mapping)]
    if not objects or len(objects) != len(_items(listed)):
        raise _invalid_details("must be a JSON array of objects")
    return tuple(objects)


def _items(value: Json) -> tuple[Json, ...]:
    return value if isinstance(value, tuple) else ()


def _invalid_details(problem: str) -> OAuthError:
    return OAuthError("invalid_authorization_details", f"authorization_details {problem}.")


def _invalid(description: str) -> OAuthError:
    return OAuthError("invalid_request", description)
