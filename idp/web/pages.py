"""The sign-in's quiet pages: who goes on, what is allowed, and ways on where there is no step."""

from collections.abc import Iterable

from flask import Response, jsonify, make_response, render_template, url_for
from flask_babel import gettext as _

from idp.models import Transaction, User
from idp.oidc.answers import AskConsent
from idp.protocol.scopes import sentence
from idp.services.sessions import Live
from idp.services.weighing import Standing
from idp.web.answers import problem, wants_json
from idp.web.models import apis_of, app_of


def choose_account(transaction: Transaction, live: Live) -> Response:
    """Who goes on: the one signed in here, or somebody else."""
    hint = transaction.state.get("login_name")
    wanted = hint if hint and "@" in hint and hint.casefold() != live.email else None
    account = {
        "value": live.user_id,
        "name": live.name,
        "email": live.email,
        "state": _("Signed in"),
    }
    if wants_json():
        return jsonify(next="account", choices=[live.user_id, "other"])
    page = render_template(
        "login/account.html",
        app=app_of(transaction),
        action=url_for("login.account", transaction_id=transaction.id),
        accounts=[account],
        wanted=wanted,
        links={"cancel": url_for("login.cancel", transaction_id=transaction.id)},
        form_token=str(transaction.version),
    )
    return make_response(page)


def ask_consent(standing: Standing, asked: AskConsent) -> Response:
    """What the application will get, in sentences."""
    transaction = standing.transaction
    if wants_json():
        answers = ["allow", "cancel"]
        told = {"scopes": list(asked.new), "resources": list(asked.resources)}
        return jsonify(next="consent", choices=answers, **told)
    page = render_template(
        "login/consent.html",
        app=app_of(transaction),
        user=standing.user,
        scopes=_scope_views(asked.new, standing.user),
        apis=apis_of(asked.resources),
        already=[sentence(scope) or scope for scope in asked.already],
        action=url_for("login.consent", transaction_id=transaction.id),
        links={"switch": url_for("login.leave", transaction_id=transaction.id)},
        form_token=str(transaction.version),
    )
    return make_response(page)


def _scope_views(scopes: Iterable[str], user: User | None) -> list[dict[str, str | None]]:
    """One that nobody here has words for is shown by its name: nothing is allowed unseen."""
    return [
        {"scope": scope, "sentence": sentence(scope) or scope, "detail": None} for scope in scopes
    ]


def finished(transaction: Transaction, way_on: str, *, signed_in: bool) -> Response:
    """Back, or a second tab: this one is done, and here is the way on."""
    page = render_template(
        "login/done.html", app=app_of(transaction), url=way_on, signed_in=signed_in
    )
    return make_response(page)


def lost() -> Response:
    """Nothing is known of this sign-in any more: say so, and lead on."""
    page = render_template(
        "error.html",
        heading=_("This sign-in is no longer here"),
        detail=_(
            "It may have been finished, or begun in another browser, or this one has lost its"
            " cookies since."
        ),
        shared=None,
        back={"url": url_for("login.start"), "label": _("Start again")},
        reference=None,
        at=None,
        hint=None,
    )
    return make_response(page, 404)


def cannot_reach(standing: Standing) -> Response:
    """A page of ours wants what this person cannot show yet."""
    if wants_json():
        return problem(403, "insufficient_user_authentication", _("Set up a stronger way first."))
    page = render_template(
        "error.html",
        heading=_("You need a stronger way to sign in for this"),
        detail=_("Set up a passkey or an authenticator app first."),
        shared=None,
        back={"url": url_for("account.home"), "label": _("Go to your account")},
        reference=None,
        at=None,
        hint=None,
    )
    return make_response(page, 403)
