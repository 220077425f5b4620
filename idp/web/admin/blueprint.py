"""The blueprint of the console, and the frame that its pages stand in."""

from typing import Any, Final

from flask import (
    Blueprint,
    Response,
    current_app,
    make_response,
    render_template,
    url_for,
)
from flask_babel import lazy_gettext as _

from idp.web.account.blueprint import DONE, told
from idp.web.admin.guard import GUARDED, may
from idp.web.again import AGAIN
from idp.web.guards import viewer

HEED: Final = "heed"
"""The category of a sentence about what was saved and may be a slip."""

bp = Blueprint("admin", __name__, url_prefix="/admin")

SECTIONS: Final = (
    ("admin.home", _("Overview")),
    ("admin.clients", _("Applications")),
    ("admin.people", _("People")),
    ("admin.groups", _("Groups")),
    ("admin.audit", _("Audit log")),
    ("admin.keys", _("Keys")),
    ("admin.health", _("Health")),
    ("admin.settings", _("Settings")),
    ("admin.explain", _("Explain")),
)
"""The tabs, by the endpoint that each leads to: shown to whom it permits."""


def page(template: str, *, section: str, status: int = 200, **values: Any) -> Response:
    """A page of the console; ``section`` is the endpoint of the tab that it belongs to."""
    return make_response(render_template(template, **frame(section), **values), status)


def frame(section: str) -> dict[str, Any]:
    """What the frame of every page of the console shows."""
    _live, user = viewer()
    return {
        "viewer": {"name": user.name, "email": user.email},
        "nav": {
            "home": url_for("admin.home"),
            "account": url_for("account.home"),
            "sign_out": url_for("account.sign_out"),
        },
        "sections": [
            {"url": url_for(endpoint), "label": label, "current": endpoint == section}
            for endpoint, label in SECTIONS
            if endpoint in current_app.view_functions and may(GUARDED[endpoint])
        ],
        "done": told(DONE),
        "heed": told(HEED),
        "again": told(AGAIN),
    }
