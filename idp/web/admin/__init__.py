"""The console, /admin: for people with a role, each page for those whom it permits."""

from idp.web.admin import (
    audit,
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
    settings,
)
from idp.web.admin.blueprint import bp

__all__ = [
    "audit",
    "bp",
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
    "settings",
]
