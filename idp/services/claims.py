"""The standard claims of a person: which may be stored, and all of them put together."""

from collections.abc import Mapping
from typing import Final

from idp.models import User
from idp.protocol.profile import profile_problems
from idp.services.profiles import profile_of

OWN_FIELDS: Final = frozenset(
    {"name", "preferred_username", "email", "email_verified", "updated_at", "groups"}
)
"""Claims that an account has a place of its own for."""


def problems_with(profile: Mapping[str, object]) -> dict[str, str]:
    """What keeps these claims from being stored, a sentence by claim; empty when nothing does."""
    own = OWN_FIELDS & profile.keys()
    told_twice = dict.fromkeys(own, "is not part of the profile: give it by itself")
    return told_twice | dict(profile_problems(profile))


def without_blanks(profile: Mapping[str, object]) -> dict[str, object]:
    """The claims there are: neither None nor an empty text, inside the address as well."""
    kept = {name: _filled(value) for name, value in profile.items()}
    return {name: value for name, value in kept.items() if value not in (None, "", {})}


def _filled(value: object) -> object:
    if not isinstance(value, Mapping):
        return value
    return {name: text for name, text in value.items() if text not in (None, "")}


def claims_of(user: User) -> dict[str, object]:
    """Every claim about this person but ``sub``: what scopes and requests then select from.

    ``updated_at`` is in seconds since 1970; ``groups`` is the list of names, maybe empty.
    """
    claims = dict(profile_of(user.id, groups=True))
    if "phone_number" in claims:
        claims.setdefault("phone_number_verified", False)
    return {name: value for name, value in claims.items() if value is not None}
