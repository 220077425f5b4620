"""A mailed sign-in link, opened: GET shows, POST uses it, and only in the browser that asked."""

from typing import cast

from flask import Blueprint, Response, make_response, render_template, request, url_for
from flask_babel import gettext as _

from idp.audit import record
from idp.factors.magic_link import Link, MagicLink, withdraw_link
from idp.models import Transaction
from idp.services import transactions
from idp.services.transactions import Purpose
from idp.web import cookies, errors, login, under_way
from idp.web.answers import see_other
from idp.web.context import context, services
from idp.web.forms import submitted
from idp.web.models import address, app_of

bp = Blueprint("link", __name__, url_prefix="/login/link")


def _factor() -> MagicLink:
    return cast(MagicLink, services().factors[MagicLink.name])


def _begun_here(link: Link) -> Transaction | None:
    """The sign-in that asked for the link, if it is this browser's and still waits for it."""
    found = transactions.find(link.transaction_id, browser_token=cookies.read(cookies.BROWSER))
    if found is None or found.finished_at or transactions.is_over(found, context().at):
        return None
    return found


@bp.get("/<token>")
def opened(token: str) -> Response:
    """Looked at, nothing is used: scanners open links as well."""
    link = _factor().read_link(token, context().at)
    return _page(token, link) if link else _gone()


def _page(token: str, link: Link) -> Response:
    here = _begun_here(link)
    page = render_template(
        "login/link.html",
        app=app_of(here) if here else {"name": link.app, "logo_url": None} if link.app else None,
        masked=link.address,
        started=link.started,
        device=link.user_agent,
        same=here is not None,
        code=link.code,
        action=url_for("link.use", token=token, sign_in=here.id if here else None),
        links={"report": url_for("link.report", token=token)},
    )
    return make_response(page)


@bp.post("/<token>")
def use(token: str) -> Response:
    """Go on with the sign-in that asked; or, if that is what she wants, sign in here instead.

    The browser that asked gains nothing from a link opened in another: whoever began there may
    not be the one whose mailbox this is.
    """
    link = _factor().read_link(token, context().at)
    if link is None:
        return _used_already(request.args.get("sign_in", ""))
    here = _begun_here(link)
    if here is None:
        return _sign_in_here(token, link) if submitted().get("here") else _page(token, link)
    return _answer(here.id, token)


def _used_already(transaction_id: str) -> Response:
    """Sent twice: what came of it the first time, if that was in this browser."""
    return _stand(transaction_id) if under_way.find(transaction_id) else _gone()


@under_way.in_transaction
def _stand(transaction: Transaction) -> Response:
    return see_other(address(transaction))


@under_way.in_transaction
def _answer(transaction: Transaction, token: str) -> Response:
    remember = transaction.state.get("remember", "")
    return login.answer_to(transaction, MagicLink.name, {"token": token, "remember": remember})


def _sign_in_here(token: str, link: Link) -> Response:
    """A sign-in of this browser's own, to the account's pages, by the same link."""
    started = transactions.begin(
        Purpose(return_to="/me", state={"other_person": True}),
        browser_token=cookies.browser_token(),
        lifetime=services().settings.transaction_lifetime,
        context=context(),
    )
    services().ceremonies.adopt(started, MagicLink.name, _factor().sign_in_here(link))
    return login.answer_to(started, MagicLink.name, {"token": token})


@bp.post("/<token>/report")
def report(token: str) -> Response:
    """ "I didn't ask for this": the link and its code are worth nothing from now on."""
    link = _factor().read_link(token, context().at)
    if link is not None:
        withdraw_link(token, context().at)
        record("login.link.disowned", context(), transaction_id=link.transaction_id)
        services().commit()
    return errors.page(
        _("Thank you. The link no longer works"),
        status=200,
        symbol="check",
        detail=_("Nobody signed in with it. If this happens again, tell your administrator."),
        back={"url": url_for("account.home"), "label": _("Go to your account")},
    )


def _gone() -> Response:
    return errors.page(
        _("This link no longer works"),
        status=410,
        detail=_("It was used, or a newer one replaced it, or ten minutes have passed."),
        back={"url": url_for("login.start"), "label": _("Sign in")},
    )
