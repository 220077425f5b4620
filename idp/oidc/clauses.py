"""Which clause an error stands on, for whoever has to repair a relying party."""

from typing import Final

from idp.protocol.errors import OAuthError

_OUR_OWN_PAGE: Final = (
    "RFC 6749 section 4.1.2.1, RFC 9700 section 4.1: nothing is sent to an address that was not"
    " found among the registered ones"
)

# The first that fits: a word of the description, or the code alone.
_BY_WORD: Final = (
    ("sent more than once", "RFC 6749 section 3.1"),
    ("code_challenge", "RFC 7636 section 4.4.1, RFC 9700 section 2.1.1"),
    ("response_mode", "OAuth 2.0 Multiple Response Type Encoding Practices section 2.1"),
    ("response_type is missing", "RFC 6749 section 3.1.1"),
    ("max_age", "OpenID Connect Core 3.1.2.1"),
    ("prompt", "OpenID Connect Core 3.1.2.1"),
    ("nonce", "OpenID Connect Core 3.2.2.1"),
    ("id_token_hint", "OpenID Connect Core 3.1.2.1"),
    ("claims", "OpenID Connect Core 5.5"),
    ("must push", "RFC 9126 section 6"),
    ("must sign", "RFC 9101 section 10.5"),
)
REFERENCE_ERRORS: Final = {
    "invalid_request_uri": "RFC 9126 section 4, OpenID Connect Core 6.2",
    "invalid_request_object": "RFC 9101 sections 5 and 6",
}
"""By code: what a request refers to, where that is why nothing is known of it."""

_BY_CODE: Final = {
    "unmet_authentication_requirements": (
        "OpenID Connect Core Error Code unmet_authentication_requirements 1.0, RFC 9470 section 5"
    ),
    "login_required": "OpenID Connect Core 3.1.2.6",
    "interaction_required": "OpenID Connect Core 3.1.2.6",
    "consent_required": "OpenID Connect Core 3.1.2.6",
    "account_selection_required": "OpenID Connect Core 3.1.2.6",
    "request_not_supported": "OpenID Connect Core 3.1.2.6",
    "request_uri_not_supported": "OpenID Connect Core 3.1.2.6",
    "registration_not_supported": "OpenID Connect Core 3.1.2.6",
    **REFERENCE_ERRORS,
    "invalid_target": "RFC 8707 section 2",
    "invalid_authorization_details": "RFC 9396 section 5",
}


def clause_of(error: OAuthError) -> str:
    """The clause, or clauses, that say this must fail."""
    if not error.redirectable and error.error not in REFERENCE_ERRORS:
        return _OUR_OWN_PAGE
    if error.error in _BY_CODE:
        return _BY_CODE[error.error]
    for word, clause in _BY_WORD:
        if word in error.description:
            return clause
    return "RFC 6749 section 4.1.2.1"
