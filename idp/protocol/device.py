"""Device authorization requests (RFC 8628), and the codes that people type for them."""

import re
import secrets
from typing import Final

from idp.protocol import authorization_checks as checks
from idp.protocol.authorization import AuthorizationRequest
from idp.protocol.capabilities import Capabilities
from idp.protocol.client_metadata import ClientMetadata
from idp.protocol.errors import OAuthError
from idp.protocol.parameters import Parameters
from idp.protocol.resources import read_resource

ALPHABET: Final = "BCDFGHJKLMNPQRSTVWXZ"
"""RFC 8628 section 6.1: no vowels, so no words, and nothing that looks like a digit."""

LENGTH: Final = 8
"""20 to the 8th is 34.5 bits, for ten minutes and with tries that are counted (section 5.1)."""

KEPT: Final = ("scope", "acr_values", "max_age", "resource")
"""The parameters that count. No other is kept: a client's credentials come in the same form."""

_NOT_LETTERS: Final = re.compile(r"[^A-Z]")
_LONGEST_TYPED: Final = 40


def new_user_code() -> str:
    """A random code as ``read_user_code`` returns it."""
    return "".join(secrets.choice(ALPHABET) for _place in range(LENGTH))


def grouped(user_code: str) -> str:
    """As it is shown: ``WDJB-MJHT``."""
    return f"{user_code[: LENGTH // 2]}-{user_code[LENGTH // 2 :]}"


def read_user_code(typed: str) -> str | None:
    """The code that somebody typed, whatever the case and the marks between; None for none."""
    letters = _NOT_LETTERS.sub("", typed[:_LONGEST_TYPED].upper())
    return letters if len(letters) == LENGTH and set(letters) <= set(ALPHABET) else None


def parse_device_request(
    parameters: Parameters, client_id: str, metadata: ClientMetadata, capabilities: Capabilities
) -> AuthorizationRequest:
    """RFC 8628 section 3.1, and what else a client may ask of a sign-in.

    It is an authorization request without an address to answer at: nothing of it is ever
    redirected. Raises ``OAuthError`` as ``parse_authorization_request`` does for the same members.
    """
    parameters.check_form()
    if parameters.get("authorization_details"):  # a confirmation is bound to the page it is on
        raise OAuthError("invalid_request", "authorization_details cannot be had by a device.")
    return AuthorizationRequest(
        client_id=client_id,
        redirect_uri="",
        response_type="",
        response_mode="",
        # As for a code: what is redeemed at the token endpoint may come with a refresh token.
        scopes=checks.read_scopes(parameters, metadata, capabilities, "code"),
        max_age=checks.read_max_age(parameters),
        acr_values=checks.read_words(parameters, "acr_values"),
        resource=read_resource(parameters, metadata.allowed_resources),
        parameters=parameters,
    )
