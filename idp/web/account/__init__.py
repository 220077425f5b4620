"""A person's own pages. They show what the ledger and the tables hold, and call services."""

from idp.web.account import (
    activity,
    apps,
    email,
    email_links,
    home,
    leaving,
    methods,
    passkeys,
    security,
    sessions,
)
from idp.web.account.blueprint import bp

__all__ = [
    "activity",
    "apps",
    "bp",
    "email",
    "email_links",
    "home",
    "leaving",
    "methods",
    "passkeys",
    "security",
    "sessions",
]
