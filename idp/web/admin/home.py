"""The console's first page."""

from flask import Response

from idp.services.roles import Area
from idp.web.admin.blueprint import bp, page
from idp.web.admin.guard import console


@bp.get("")
@console(Area.CLIENTS)
def home() -> Response:
    """What there is to do here."""
    return page("admin/home.html", section="admin.home")
