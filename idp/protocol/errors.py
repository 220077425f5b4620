"""One error for everything the protocol refuses, and the codes it may carry."""

import re
from typing import Final

_OAUTH: Final = (  # RFC 6749 sections 4.1.2.1 and 5.2
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "unsupported_response_type",
    "invalid_scope",
    "access_denied",
    "server_error",
    "temporarily_unavailable",
)
_OPENID: Final = (  # OIDC Core 3.1.2.6, and OIDC Unmet Authentication Requirements 1.0
    "interaction_required",
    "login_required",
    "account_selection_required",
    "consent_required",
    "invalid_request_uri",
    "invalid_request_object",
    "request_not_supported",
    "request_uri_not_supported",
    "registration_not_supported",
    "unmet_authentication_requirements",
)
_EXTENSIONS: Final = (
    "invalid_token",  # RFC 6750 section 3.1
    "insufficient_scope",
    "unsupported_token_type",  # RFC 7009 section 2.2.1
    "invalid_redirect_uri",  # RFC 7591 section 3.2.2
    "invalid_client_metadata",
    "invalid_software_statement",
    "unapproved_software_statement",
    "authorization_pending",  # RFC 8628 section 3.5
    "slow_down",
    "expired_token",
    "invalid_target",  # RFC 8707 section 2
    "invalid_authorization_details",  # RFC 9396 section 5
    "invalid_dpop_proof",  # RFC 9449 section 5
    "use_dpop_nonce",
    "insufficient_user_authentication",  # RFC 9470 section 3
)

ERROR_CODES: Final[frozenset[str]] = frozenset((*_OAUTH, *_OPENID, *_EXTENSIONS))
"""Every registered code this provider may answer with."""

# RFC 6749 section 4.1.2.1: error_description is %x20-21 / %x23-5B / %x5D-7E.
_NOT_DESCRIPTION: Final = re.compile(r"[^\x20-\x21\x23-\x5b\x5d-\x7e]")


class OAuthError(Exception):
    """A refusal with a registered code.

    ``redirectable`` says whether it may travel to the client's redirect address: only an error
    found after that address was validated may. ``status`` is the HTTP status where the error is
    answered directly. ``uri`` becomes ``error_uri``. ``reason`` is what the refusal is known by in
    here, whatever its words; it does not travel.

    Raises ``ValueError`` when ``error`` is not a registered code: that is our mistake, not the
    client's.
    """

    def __init__(
        self,
        error: str,
        description: str,
        *,
        redirectable: bool = True,
        status: int = 400,
        uri: str | None = None,
        reason: str | None = None,
    ) -> None:
        if error not in ERROR_CODES:
            raise ValueError(f"not a registered error code: {error!r}")
        super().__init__(error, description)
        self.error = error
        self.description = _as_description(description)
        self.redirectable = redirectable
        self.status = status
        self.uri = uri
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.error}: {self.description}"

    def parameters(self) -> dict[str, str]:
        """The members of an error response: ``error``, ``error_description``, ``error_uri``."""
        members = {"error": self.error, "error_description": self.description}
        return members if self.uri is None else {**members, "error_uri": self.uri}


def not_redirectable(error: str, description: str) -> OAuthError:
    """An error for our own page: the redirect address is unknown, or not the client's."""
    return OAuthError(error, description, redirectable=False)


def _as_description(text: str) -> str:
    """``text`` with what the grammar forbids replaced, so that no caller can get it wrong."""
    return _NOT_DESCRIPTION.sub("?", text.replace('"', "'"))
