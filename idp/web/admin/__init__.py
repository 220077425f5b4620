"""The console, /admin: for people with a role, each page for those whom it permits."""

from idp.web.admin import (
    audit,
    clients,
    explain,
    groups,
    health,
    home,
    keys,
    people,
    people_import,
    person,
    person_changes,
    person_links,
    person_profile,
    settings,
)
from idp.web.admin.blueprint import bp

__all__ = [
    "audit",
    "bp",
    "clients",
    "explain",
    "groups",
    "health",
    "home",
    "keys",
    "people",
    "people_import",
    "person",
    "person_changes",
    "person_links",
    "person_profile",
    "settings",
]
