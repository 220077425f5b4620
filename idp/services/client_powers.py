"""What a registration lets an application do here by itself, and to people who are not asked."""

from collections.abc import Mapping
from typing import Any, Final

from idp.protocol.scopes import ACCOUNT, ADMIN_SCOPES, SCOPE_NAMES
from idp.services.roles import Area, Permission

OVER_PEOPLE: Final = Permission(Area.PEOPLE, writes=True).scope


def worth(registration: Mapping[str, Any]) -> frozenset[str]:
    """The scopes of the administration that it is worth to hold this application's secret.

    Those that it has for itself; and that over people, where it may see their sessions and end
    them, and none of them is asked.
    """
    named = ADMIN_SCOPES & scopes(registration)
    acts_unasked = asks_nobody(registration) and ACCOUNT.name in scopes(registration)
    return named | ({OVER_PEOPLE} if acts_unasked else frozenset())


def scopes(registration: Mapping[str, Any]) -> frozenset[str]:
    """What it may ask for: one that names nothing may ask for what is usual."""
    return frozenset(str(registration.get("scope") or "").split()) or frozenset(SCOPE_NAMES)


def asks_nobody(registration: Mapping[str, Any]) -> bool:
    """Is it told of people without a question to them?"""
    return registration.get("consent") == "never"
