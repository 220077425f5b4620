"""The console, /admin: for people with a role, each page for those whom it permits."""

from idp.web.admin import explain, home, keys
from idp.web.admin.blueprint import bp

__all__ = ["bp", "explain", "home", "keys"]
