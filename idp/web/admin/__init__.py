"""The console, /admin: for people with a role, each page for those whom it permits."""

from idp.web.admin import clients, explain, home
from idp.web.admin.blueprint import bp

__all__ = ["bp", "clients", "explain", "home"]
