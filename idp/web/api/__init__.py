"""Our own HTTP API, /api/v1: people about themselves, and whoever administers about everything.

It is a resource server like any other: RFC 6750 for the token, RFC 9449 where that is bound, and
RFC 9470's challenge where the sign-in behind it is too weak or too old. Errors are problem details
(RFC 9457). What administers is in a registry, from which routes and document are made.
"""

from idp.web.api import (
    audit,
    client_secrets,
    client_trials,
    clients,
    explain,
    groups,
    health,
    keys,
    logos,
    me,
    people,
    people_import,
    person_access,
    person_apps,
    registration_tokens,
    routes,
    settings,
)
from idp.web.api.blueprint import bp

routes.add_all()

__all__ = [
    "audit",
    "bp",
    "client_secrets",
    "client_trials",
    "clients",
    "explain",
    "groups",
    "health",
    "keys",
    "logos",
    "me",
    "people",
    "people_import",
    "person_access",
    "person_apps",
    "registration_tokens",
    "routes",
    "settings",
]
