"""What an application can be, and what that decides in its registration."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from idp.protocol.client_metadata import ClientMetadata
from idp.protocol.vocabulary import DEVICE_CODE

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
