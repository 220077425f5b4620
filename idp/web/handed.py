"""/login/handed: a sign-in link that an administrator made. GET shows, POST uses it."""

from flask import Blueprint, Response, make_response, render_template, url_for
from flask_babel import gettext as _

from idp.factors.base import Refused
from idp.factors.magic_link import masked
from idp.services import transactions
from idp.services.transactions import Purpose
from idp.web import cookies, errors, flow, login
from idp.web.context import context, live_session, services

bp = Blueprint("handed", __name__, url_prefix="/login/handed")


@bp.get("/<token>")
def opened(token: str) -> Response:
    """Looked at, nothing is used: what shows links a preview opens them as well."""
    user = services().handed_links.whose(token, context().at)
    if user is None:
        return _gone()
    here = live_session()
    page = render_template(
        "login/handed.html",
        masked=masked(user.email),
        replaces=here.user_id != user.id if here else False,
        action=url_for("handed.use", token=token),
    )
    return make_response(page)


@bp.post("/<token>")
def use(token: str) -> Response:
    """A sign-in of this browser's own, to the account's pages; a second step is asked for next."""
    if services().handed_links.whose(token, context().at) is None:
        return _gone()
    started = transactions.begin(
        Purpose(return_to="/me", state={"other_person": True}),
        browser_token=cookies.browser_token(),
        lifetime=services().settings.transaction_lifetime,
        context=context(),
    )
    outcome = services().handed_links.use(
        token, flow.standing_of(started), presented=live_session(), context=context()
    )
    return _gone() if isinstance(outcome, Refused) else login.accepted(started, outcome)


def _gone() -> Response:
    return errors.page(
        _("This link no longer works"),
        status=410,
        detail=_("It was used, or a newer one replaced it, or ten minutes have passed."),
        back={"url": url_for("login.start"), "label": _("Sign in")},
    )
