"""Resource indicators (RFC 8707): whom an access token is for, and never for more than that."""

from collections.abc import Collection
from typing import Final

from idp.protocol.errors import OAuthError
from idp.protocol.parameters import Parameters
from idp.protocol.urls import split

MAX_RESOURCES: Final = 16


def is_resource(text: str) -> bool:
    """RFC 8707 section 2: an absolute URI without a fragment."""
    return split(text) is not None and "#" not in text


def read_resource(parameters: Parameters, allowed: Collection[str] = ()) -> tuple[str, ...]:
    """What ``resource`` names, each once. ``allowed`` are the only ones there may be, if any are.

    Raises ``OAuthError`` ``invalid_target`` (section 2).
    """
    resources = tuple(dict.fromkeys(parameters.all("resource")))
    if len(resources) > MAX_RESOURCES:
        raise invalid_target("resource was sent too many times.")
    if not all(map(is_resource, resources)):
        raise invalid_target("resource must be an absolute URI without a # part.")
    if allowed and not set(resources) <= set(allowed):
        raise invalid_target("This client is not registered for one of the resources.")
    return resources


def narrowed(granted: tuple[str, ...], wanted: Collection[str]) -> tuple[str, ...]:
    """Those of ``granted`` that a token request wants, all when it names none (section 2.2).

    Raises ``OAuthError`` ``invalid_target`` for one that was not granted: nobody was asked for it.
    """
    if not set(wanted) <= set(granted):
        raise invalid_target("resource names what was not granted.")
    return tuple(one for one in granted if one in wanted) if wanted else granted


def invalid_target(description: str) -> OAuthError:
    """RFC 8707 section 2, RFC 8693 section 2.2.2."""
    return OAuthError("invalid_target", description)
