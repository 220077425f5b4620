"""Who may do what in the administration: each role as the set of what it permits."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from idp.protocol.scopes import ADMIN_SCOPES


class Area(StrEnum):
    """What is administered; also the middle of a scope's name."""

    CLIENTS = "clients"
    PEOPLE = "people"
    GROUPS = "groups"
    KEYS = "keys"
    AUDIT = "audit"
    HEALTH = "health"
    SETTINGS = "settings"


@dataclass(frozen=True, slots=True)
class Permission:
    """To read an area, or to change what is in it."""

    area: Area
    writes: bool = False

    @property
    def scope(self) -> str:
        """The scope that lets a token do the same: ``admin:clients:read``."""
        return f"admin:{self.area}:{'write' if self.writes else 'read'}"


ADMINISTRATOR: Final = "administrator"
AUDITOR: Final = "auditor"
CLIENT_MANAGER: Final = "client_manager"

READ_ALL: Final = frozenset(Permission(area) for area in Area)
CHANGE_ALL: Final = frozenset(Permission(area, writes=True) for area in Area)

ROLES: Final[Mapping[str, frozenset[Permission]]] = {
    ADMINISTRATOR: READ_ALL | CHANGE_ALL,
    AUDITOR: READ_ALL,
    CLIENT_MANAGER: frozenset(
        (Permission(Area.CLIENTS), Permission(Area.CLIENTS, writes=True), Permission(Area.GROUPS))
    ),
}
"""Nobody's role permits to change roles but the administrator's, so none can raise its own."""


def permits(role: str | None, permission: Permission) -> bool:
    """Does the role, if it is one, permit this?"""
    return permission in ROLES.get(role or "", frozenset())


def scopes_of(role: str | None) -> frozenset[str]:
    """The scopes that stand for all that the role permits; none without one."""
    return frozenset(one.scope for one in ROLES.get(role or "", frozenset())) & ADMIN_SCOPES


def handed_on_by(role: str | None) -> frozenset[str]:
    """What somebody of this role may let an application do by itself.

    Only an administrator: a client manager may be limited to some applications, a token is not.
    """
    return scopes_of(role) if role == ADMINISTRATOR else frozenset()
