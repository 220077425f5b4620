"""The parameters of a token exchange (RFC 8693 section 2.1), as one value."""

from dataclasses import dataclass
from typing import Final

from idp.protocol.errors import OAuthError
from idp.protocol.parameters import Parameters
from idp.protocol.resources import MAX_RESOURCES, invalid_target, read_resource

ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105  a name
ACCEPTED: Final = (ACCESS_TOKEN, "urn:ietf:params:oauth:token-type:jwt")
"""Section 3; what is presented is an access token of ours, which may be called a JWT as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeRequest:
    """A request that is whole. ``audience`` has what ``audience`` and ``resource`` named."""

    subject_token: str
    actor_token: str | None
    audience: tuple[str, ...]


def parse_exchange(parameters: Parameters) -> ExchangeRequest:
    """Check what can be checked without looking at a token.

    Raises ``OAuthError``: ``invalid_request`` (section 2.2.2), or ``invalid_target``.
    """
    wanted = parameters.get("requested_token_type")
    if wanted not in (None, ACCESS_TOKEN):
        raise _invalid("requested_token_type must be that of an access token, or left out.")
    subject = _token(parameters, "subject_token")
    if subject is None:
        raise _invalid("subject_token is missing.")
    return ExchangeRequest(
        subject_token=subject,
        actor_token=_token(parameters, "actor_token"),
        audience=_audience(parameters),
    )


def _token(parameters: Parameters, name: str) -> str | None:
    """A token that says what it is; the one without the other is a mistake."""
    token, kind = parameters.get(name), parameters.get(f"{name}_type")
    if (token is None) != (kind is None):
        raise _invalid(f"{name} and {name}_type belong together.")
    if kind not in (None, *ACCEPTED):
        raise _invalid(f"{name}_type must be that of an access token.")
    return token


def _audience(parameters: Parameters) -> tuple[str, ...]:
    named = dict.fromkeys((*parameters.all("audience"), *read_resource(parameters)))
    if len(named) > MAX_RESOURCES:
        raise invalid_target("audience was sent too many times.")
    return tuple(named)


def _invalid(description: str) -> OAuthError:
    return OAuthError("invalid_request", description)
