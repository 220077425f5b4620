"""What a case needs of the issuer under test: people, clients, browsers, time, and its names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from tests.helpers.relying_party import RelyingParty
from tests.helpers.user_agent import UserAgent
from tests.step_up.drive import Drive
from tests.step_up.people import Person

Holdings = frozenset[str]
"""``password``, ``totp``, ``passkey``, ``recovery_code``, ``magic_link``: what somebody can use."""

ROLES: Final[Mapping[str, str]] = {
    "plain": "may refresh; a person can allow it what it asks for; nothing special",
    "other": "the same, and another application",
    "voluntary": "its acr_values are a wish, not a condition",
    "two_factors": "is content with nothing below two factors, whatever a request says",
    "recent": "is content with no proof older than `pace` seconds, whatever a request says",
    "defaults": "default_acr_values names two factors",
    "no_passkeys": "accepts no passkey",
    "no_setting_up": "nothing is set up along its sign-ins",
    "not_allowed": "nobody has allowed it anything, and nobody does so here",
    "opaque": "its access tokens are opaque",
    "confirming": "sends operations to be confirmed",
}
"""Clients by what a case wants of them."""


@dataclass(frozen=True, kw_only=True)
class Names:
    """``acr`` values. ``beyond`` is one that nobody here can reach, and nobody can set up."""

    one_factor: str = "urn:idp:acr:1fa"
    two_factors: str = "urn:idp:acr:mfa"
    phishing_resistant: str = "phr"
    beyond: str = "phrh"
    unknown: str = "urn:example:of-another-world"
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Other names by which the issuer knows one of these."""


class Issuer(Protocol):
    """One provider, as the cases see it."""

    url: str
    drive: Drive
    names: Names
    pace: int
    """Seconds: the unit of age. Twice as much is old, half as much is fresh."""

    def person(self, *has: str, besides: Person | None = None) -> Person:
        """Somebody with just these ways, who is not ``besides``."""

    def client(self, role: str = "plain") -> RelyingParty:
        """A client of that role (``ROLES``)."""

    def agent(self) -> UserAgent:
        """A browser that was never here."""

    def wait(self, seconds: float) -> None:
        """Let time pass."""

    def now(self) -> int:
        """Seconds since 1970 by the issuer's clock, or by one that agrees with it."""


def registration(role: str, names: Names, pace: int) -> dict[str, Any]:
    """How this provider would register a client of that role (RFC 7591 and its own members)."""
    special: Mapping[str, dict[str, Any]] = {
        "voluntary": {"acr_values_voluntary": True},
        "two_factors": {"minimum_acr": names.two_factors},
        "recent": {"max_auth_age": pace},
        "defaults": {"default_acr_values": [names.two_factors]},
        "no_passkeys": {"refused_methods": ["passkey"]},
        "no_setting_up": {"enrol_in_step_up": False},
        "opaque": {"access_token_format": "opaque"},
    }
    refreshes = {"grant_types": ["authorization_code", "refresh_token"]}
    return {"client_name": "Shop", **refreshes, **special.get(role, {})}
