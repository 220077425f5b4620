"""The blueprint of the account pages, and the frame that they stand in."""

from typing import Any

from flask import (
    Blueprint,
    Response,
    current_app,
    get_flashed_messages,
    make_response,
    render_template,
    url_for,
)

from idp.web.again import AGAIN
from idp.web.guards import viewer

bp = Blueprint("account", __name__, url_prefix="/me")

DONE = "message"
"""Flask's own category: a sentence about what just worked."""
_CONSOLE = "admin.home"


def page(*templates: str, status: int = 200, **values: Any) -> Response:
    """A page of the signed-in person; of several templates, the first that there is."""
    return make_response(render_template([*templates], **frame(), **values), status)


def frame() -> dict[str, Any]:
    """What the frame of every account page shows."""
    live, user = viewer()
    is_admin = live.role is not None and _CONSOLE in current_app.view_functions
    return {
        "viewer": {"name": user.name, "email": user.email, "admin": is_admin},
        "nav": {
            "home": url_for("account.home"),
            "security": url_for("account.security"),
            "passkeys": url_for("account.passkeys"),
            "sessions": url_for("account.sessions_page"),
            "apps": url_for("account.apps"),
            "activity": url_for("account.activity_page"),
            "sign_out": url_for("account.sign_out"),
            "admin": url_for(_CONSOLE) if is_admin else None,
        },
        "done": told(DONE),
        "again": told(AGAIN),
    }


def told(category: str) -> str | None:
    """The sentences that an earlier request left for this page."""
    return " ".join(map(str, get_flashed_messages(category_filter=[category]))) or None
