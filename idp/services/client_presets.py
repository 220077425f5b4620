"""What an application can be, and what that decides in its registration."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from idp.protocol.client_metadata import ClientMetadata
from idp.protocol.vocabulary import DEVICE_CODE, REDIRECT_GRANTS, TOKEN_EXCHANGE

SIGNING_IN: Final = frozenset({*REDIRECT_GRANTS, DEVICE_CODE})
"""The grant types in which a person signs in."""
_CODE: Final = ["authorization_code", "refresh_token"]


@dataclass(frozen=True, slots=True)
class Preset:
    """One kind of application; ``members`` are what a registration says for it."""

    name: str
    members: Mapping[str, object]
    redirects: bool = True
    """Do people come back to an address of its own?"""


def _preset(name: str, *, redirects: bool = True, **members: object) -> Preset:
    return Preset(name, MappingProxyType(members), redirects)


PRESETS: Final[Mapping[str, Preset]] = {
    one.name: one
    for one in (
        _preset(
            "web",
            application_type="web",
            grant_types=_CODE,
            token_endpoint_auth_method="client_secret_basic",  # noqa: S106  a method
        ),
        _preset(
            "browser",
            application_type="web",
            grant_types=_CODE,
            token_endpoint_auth_method="none",  # noqa: S106
        ),
        _preset(
            "native",
            application_type="native",
            grant_types=_CODE,
            token_endpoint_auth_method="none",  # noqa: S106
        ),
        _preset(
            "device",
            redirects=False,
            application_type="native",
            grant_types=[DEVICE_CODE, "refresh_token"],
            response_types=[],
            token_endpoint_auth_method="none",  # noqa: S106
        ),
        _preset(
            "machine",
            redirects=False,
            application_type="web",
            grant_types=["client_credentials"],
            response_types=[],
            token_endpoint_auth_method="client_secret_basic",  # noqa: S106
        ),
    )
}


def kind_of(metadata: ClientMetadata) -> str:
    """The preset that a registration is nearest to."""
    if not metadata.redirect_uris:
        return "device" if DEVICE_CODE in metadata.grant_types else "machine"
    if metadata.application_type == "native":
        return "native"
    return "browser" if metadata.is_public else "web"


def signs_people_in(metadata: ClientMetadata) -> bool:
    """Does a person sign in by a grant type of it? Not to an API, nor to what acts by itself."""
    return not SIGNING_IN.isdisjoint(metadata.grant_types)


def acts_for_people(metadata: ClientMetadata) -> bool:
    """The same, or by the tokens of people who signed in elsewhere (RFC 8693)."""
    return signs_people_in(metadata) or TOKEN_EXCHANGE in metadata.grant_types
