"""The console, /admin: for people with a role, each page for those whom it permits."""

from idp.web.admin import explain, health, home, keys, settings
from idp.web.admin.blueprint import bp

__all__ = ["bp", "explain", "health", "home", "keys", "settings"]
