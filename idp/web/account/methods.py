"""Any way to sign in: looked at, set up, replaced, renamed, given up.

Nothing here knows one from another. Each has its fields in its own template, and where its page
shows more than the rest, a template under ``account/methods``.
"""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

from flask import Response, abort, flash, get_flashed_messages, jsonify, url_for
from flask_babel import gettext as _

from idp.assurance import MAILBOX, Trait
from idp.factors.base import Refused
from idp.models import Credential, User
from idp.services.enrolment import Made
from idp.services.holdings import credentials_of
from idp.services.notices import sentence
from idp.services.passkeys import signals
from idp.services.removal import NOT_HERS
from idp.services.sessions import Live
from idp.services.signing_out import end_others
from idp.web import cookies
from idp.web.account.blueprint import bp, page
from idp.web.account.credentials import as_json, credential_views
from idp.web.account.rows import method_url
from idp.web.answers import problem, see_other, wants_json
from idp.web.context import context, present_anew, services
from idp.web.forms import submitted
from idp.web.guards import secured, viewer
from idp.web.models import NOT_SAVED, ChoiceView, errors_of
from idp.web.words import refusal

P = ParamSpec("P")
View = Callable[Concatenate[str, P], Response]
_GONE = "gone"
"""The category under which the name of a deleted credential waits for the next page."""


def managed(view: View[P]) -> View[P]:
    """404 for a method that there is not, or that has no credentials to manage."""

    @wraps(view)
    def resolved(method: str, *args: P.args, **kwargs: P.kwargs) -> Response:
        factor = services().factors.get(method)
        if factor is None or factor.can_prove == MAILBOX.proves:
            abort(404)
        return view(method, *args, **kwargs)

    return cast("View[P]", resolved)


@bp.get("/security/<method>")
@secured()
@managed
def method_page(method: str) -> Response:
    """What there is of it, and what can be done with it."""
    return manage(method)


@bp.get("/security/<method>/new")
@secured()
@managed
def new(method: str) -> Response:
    """Set it up, or set up another in its place."""
    _insist_on_use(method)
    return manage(method, anew=True)


def _insist_on_use(method: str) -> None:
    """What is refused here is given up, and not set up."""
    if not services().holdings.uses(method):
        abort(404)


def manage(
    method: str, *, anew: bool = False, refused: Refused | None = None, status: int = 200
) -> Response:
    """The page of one method, or the same for a script."""
    live, user = viewer()
    if refused is not None and wants_json():
        return problem(status, refused.reason, refusal(refused))
    credentials = credentials_of(user)
    mine = credential_views(method, user, credentials, live)
    named = any(one.name is not None for one in mine)
    sets_up = services().holdings.uses(method) and (anew or named or not mine)
    choice = _choice(method, user, live) if sets_up else None
    shown = services().once.show(live.id, method, context().at)
    if wants_json():
        return jsonify(
            method=method,
            credentials=[as_json(one) for one in mine],
            options=dict(choice.public) if choice else None,
            shown_once=dict(shown) if shown else None,
        )
    return page(
        f"account/methods/{method}.html",
        "account/method.html",
        status=status,
        method=method,
        credentials=mine,
        total=sum(one.kind == method for one in credentials),
        choice=choice,
        in_use=services().holdings.uses(method),
        shown=shown,
        urls=_urls(method),
        errors=errors_of(refused),
        **_for_providers(user, credentials),
    )


def _choice(method: str, user: User, live: Live) -> ChoiceView:
    """The ceremony of setting it up: begun here, or begun before and not yet answered."""
    public = services().enrolment.begin(user, method, session_id=live.id, context=context())
    url = url_for("account.enrol", method=method)
    return ChoiceView(method=method, url=url, enrol=True, public=public, begun=True)


def _urls(method: str) -> dict[str, str]:
    return {
        "enrol": url_for("account.enrol", method=method),
        "new": url_for("account.new", method=method),
        "saved": url_for("account.saved", method=method),
    }


def _for_providers(user: User, credentials: Sequence[Credential]) -> dict[str, Any]:
    gone = get_flashed_messages(category_filter=[_GONE])
    return {
        "signals": signals(services().settings, user, credentials),
        "deleted": gone[0] if gone else None,
    }


@bp.post("/security/<method>")
@secured(back="account.new")
@managed
def enrol(method: str) -> Response:
    """The answer to what was asked for setting it up."""
    _insist_on_use(method)
    live, user = viewer()
    fields = submitted()
    outcome = services().enrolment.finish(user, method, fields, live=live, context=context())
    if isinstance(outcome, Refused):
        return manage(method, anew=True, refused=outcome, status=422)
    if fields.get("end_others") and Trait.KNOWLEDGE in services().factors[method].can_prove:
        end_others(user.id, except_id=live.id, context=context(), reason="by_owner")
        services().commit()
    return _made(outcome, live)


def _made(made: Made, live: Live) -> Response:
    """To the codes that came with it, where there are any; with the session's new cookie."""
    flash(_(sentence(made.method, made.action, made.enrolled.credential.label)))
    response = see_other(method_url(next(iter(made.show), made.method)))
    if made.session_token is not None:
        present_anew(made.session_token)
        cookies.write_session(response, made.session_token, persistent=live.persistent)
    return response


@bp.post("/security/<method>/saved")
@secured(back="account.method_page")
@managed
def saved(method: str) -> Response:
    """What was shown once has been kept elsewhere."""
    live, _user = viewer()
    if not submitted().get("saved"):
        return manage(method, refused=NOT_SAVED, status=422)
    services().once.saved(live.id, method, context().at)
    services().commit()
    return see_other(url_for("account.security"))


@bp.post("/security/<method>/<credential_id>/remove")
@secured(back="account.method_page")
@managed
def remove(method: str, credential_id: str) -> Response:
    """Give one up."""
    live, user = viewer()
    outcome = services().removal.remove(
        user,
        method,
        credential_id,
        live=live,
        context=context(),
        new_password=submitted().get("new_password", ""),
    )
    if isinstance(outcome, Refused):
        return _not_done(method, outcome)
    flash(_(sentence(outcome.method, "removed", outcome.label)))
    if outcome.label:
        flash(outcome.label, _GONE)
        return see_other(method_url(method))
    return see_other(url_for("account.security"))


@bp.post("/security/<method>/<credential_id>/rename")
@secured(back="account.method_page")
@managed
def rename(method: str, credential_id: str) -> Response:
    """Call one something else."""
    live, user = viewer()
    name = submitted().get("name", "")
    outcome = services().removal.rename(
        user, method, credential_id, name, live=live, context=context()
    )
    if isinstance(outcome, Refused):
        return _not_done(method, outcome, at_field=f"name-{credential_id}")
    flash(_("Renamed: %(name)s.", name=outcome))
    return see_other(method_url(method))


def _not_done(method: str, refused: Refused, at_field: str | None = None) -> Response:
    """404 for what is not hers, which is all that anybody learns of other people's."""
    if refused is NOT_HERS:
        abort(404)
    if at_field is not None:
        refused = Refused(refused.reason, refused.message, at_field, counts=False)
    return manage(method, refused=refused, status=422)
