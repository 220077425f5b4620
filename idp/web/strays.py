"""Addresses that lead nowhere: what is said there, what was meant, and the way on."""

from typing import Final
from urllib.parse import quote

from flask import current_app, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as later


def way_back() -> dict[str, str]:
    """To the console from what is not there in it, and else to one's account."""
    if request.path.startswith("/admin/"):
        return {"url": url_for("admin.home"), "label": _("Back to the administration")}
    return {"url": url_for("account.home"), "label": _("Go to your account")}


def without_last_slash() -> str | None:
    """The page of ours that was meant by whoever typed a slash too many.

    Only under prefixes of ours: what begins with two slashes would be another site's address.
    """
    path, adapter = request.path.rstrip("/"), current_app.create_url_adapter(request)
    ours = (
        request.method == "GET"
        and path != request.path
        and path.startswith(("/me", "/admin", "/device"))
    )
    return quote(path) if ours and adapter and adapter.test(path, "GET") else None


HEADINGS: Final = {
    404: later("There is nothing at this address"),
    405: later("This address does not work that way"),
    413: later("That was too large"),
}
DETAILS: Final = {
    404: later("If you typed it, check that it is right."),
    405: later("It only takes what its form sends. Nothing was done."),
    413: later("Nothing was saved. Go back and send less: a smaller file, or a shorter text."),
}
