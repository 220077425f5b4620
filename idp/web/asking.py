"""The page, or the JSON, that asks a person for what is missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import Response, jsonify, make_response, render_template, url_for

from idp.assurance import Choice
from idp.factors.base import Refused, Task, UserVerification
from idp.models import Transaction, User
from idp.oidc.asked import Asked
from idp.services import transactions
from idp.services.throttle import Wait
from idp.services.weighing import Standing
from idp.web import enrol
from idp.web.answers import problem, see_other, wants_json
from idp.web.context import context, live_session, services
from idp.web.models import (
    NO_ADDRESS,
    ChoiceView,
    address,
    app_of,
    asked_of,
    errors_of,
    links_of,
    too_many,
)
from idp.web.operation import operation_view
from idp.web.remembered import is_last, prefilled, remembered
from idp.web.user_agents import device_name
from idp.web.words import refusal, why


def task_of(standing: Standing, choice: Choice) -> Task:
    """What the ceremony of this choice has to achieve."""
    app = app_of(standing.transaction)
    asked = asked_of(standing.transaction)
    anonymous = standing.user is None
    return Task(
        transaction_id=standing.transaction.id,
        user_verification=_user_verification(choice, asked),
        binding=asked.binding if asked else None,
        login_name=standing.transaction.state.get("login_name") if anonymous else None,
        app=app.name if app else services().settings.site_name,
        user_agent=device_name(context().user_agent),
    )


def _user_verification(choice: Choice, asked: Asked | None) -> UserVerification:
    """What the decision needs; where it needs none, as little as the registration wishes."""
    wished = asked.client.metadata.user_verification if asked else None
    if choice.user_verification == "preferred" and wished == "discouraged":
        return "discouraged"
    return choice.user_verification


def shown(standing: Standing, choice: Choice) -> ChoiceView:
    """A choice with the public part of its ceremony, begun where looking may begin it."""
    task = task_of(standing, choice)
    public = None if choice.enrol else services().ceremonies.ask(standing, choice, task, context())
    return ChoiceView(
        method=choice.method,
        url=url_for("login.step", transaction_id=standing.transaction.id, method=choice.method),
        enrol=choice.enrol,
        public=public or {},
        begun=bool(public),
    )


def begin_anew(standing: Standing, method: str, fields: Mapping[str, str]) -> Response:
    """She asked for this way: begin it (a mail is sent), then show where its answer goes."""
    choice = standing.choice(method)
    if choice is None:
        return see_other(address(standing.transaction))
    login_name = fields.get("username", "").strip()[:320]
    if standing.user is None and not (login_name or standing.transaction.state.get("login_name")):
        return _ask_address(standing, method, fields)
    _remember_wish(standing.transaction, fields)
    wait = services().ceremonies.request(
        standing, choice, task_of(standing, choice), login_name, context()
    )
    if isinstance(wait, Wait):
        refused = too_many(wait, standing, method)
        return slowed(ask(standing, refused=refused, values=fields, status=429), wait)
    target = url_for("login.step", transaction_id=standing.transaction.id, method=method)
    return ask(standing, method=method) if wants_json() else see_other(target)


def slowed(response: Response, wait: Wait) -> Response:
    """``response``, saying when to come back (RFC 6585 section 4)."""
    response.headers["Retry-After"] = str(wait.minutes * 60)
    return response


def _ask_address(standing: Standing, method: str, fields: Mapping[str, str]) -> Response:
    """The way she chose needs to know whom to write to; the page may not have asked.

    It is begun as soon as the address is there.
    """
    if services().settings.login_style != "passkey_only" or wants_json():
        return ask(standing, refused=NO_ADDRESS, status=422)
    wish = {"by_address": method, "remember": fields.get("remember", "")}
    transactions.advance(standing.transaction, state={**standing.transaction.state, **wish})
    services().commit()
    return see_other(address(standing.transaction))


def _remember_wish(transaction: Transaction, fields: Mapping[str, str]) -> None:
    """A link may be what is answered with, and that has no tick to keep the browser signed in."""
    state = {**transaction.state, "remember": fields.get("remember", "")}
    if state["remember"] != transaction.state.get("remember", ""):
        transactions.advance(transaction, state=state)


def ask(
    standing: Standing,
    *,
    method: str | None = None,
    refused: Refused | None = None,
    values: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    """The page, or the JSON, that asks for what is missing."""
    if wants_json():
        return _ask_json(standing, method, refused, status)
    transaction = standing.transaction
    chosen = standing.choice(method) if method else None
    page = _page(standing, chosen, asked=refused is not None)
    return make_response(page.render(standing, chosen, refused, _kept(transaction, values)), status)


def _ask_json(
    standing: Standing, method: str | None, refused: Refused | None, status: int
) -> Response:
    if refused is not None:
        return problem(status, refused.reason, refusal(refused))
    choices = [shown(standing, choice) for choice in standing.choices]
    first = method if method and standing.choice(method) else choices[0].method
    body = {
        "next": first,
        "choices": [choice.method for choice in choices],
        "url": address(standing.transaction),
        "options": {choice.method: dict(choice.public) for choice in choices},
    }
    return jsonify(body)


def _kept(transaction: Transaction, values: Mapping[str, str] | None) -> dict[str, str]:
    """What stays in the fields after a refusal: never a secret."""
    values = values or {}
    typed = values.get("username") or transactions.typed_in(transaction)
    ticked = values.get("remember") or transaction.state.get("remember") or ""
    return {"username": typed, "remember": ticked}


@dataclass(frozen=True, slots=True)
class _Page:
    """A template, and which choices it shows: all in one form, or one with the others below."""

    template: str
    one_form: bool = False
    addressless: bool = False

    def render(
        self,
        standing: Standing,
        chosen: Choice | None,
        refused: Refused | None,
        values: Mapping[str, str],
    ) -> str:
        transaction = standing.transaction
        last = remembered(values) if standing.user is None else None
        views = [shown(standing, choice) for choice in self._ordered(standing, chosen)]
        to_enrol = [] if chosen else [view for view in views if view.enrol]
        if to_enrol:
            views = []
        elif views:
            views = [_asked_now(standing, chosen, view, refused) for view in views]
            views = [replace(one, last_used=is_last(one, last)) for one in views]
        return render_template(
            self.template,
            app=app_of(transaction),
            **_shown_user(self, standing),
            choices=views,
            choice=views[0] if views else None,
            others=views[1:],
            enrol=to_enrol,
            action=self._action(transaction, views),
            identifier=services().settings.login_style != "passkey_only",
            values=prefilled(values, last),
            remembered=last,
            remember=_remember(standing, values),
            why=why(standing),
            operation=operation_view(asked_of(transaction)),
            links=links_of(standing),
            errors=errors_of(refused),
            notice=_notice(standing),
            resume_url=address(transaction),
            form_token=str(transaction.version),
        )

    def _ordered(self, standing: Standing, chosen: Choice | None) -> list[Choice]:
        factors = services().factors
        # What stands beside the fields of the one form does not take their place.
        if chosen is None or (self.one_form and _stands_beside(chosen)):
            found = list(standing.choices)
        else:
            found = [chosen, *(choice for choice in standing.choices if choice is not chosen)]
        if self.addressless:
            return [one for one in found if factors[one.method].names_its_user]
        return found

    def _action(self, transaction: Transaction, views: Sequence[ChoiceView]) -> str:
        if self.addressless:
            return url_for("login.identify", transaction_id=transaction.id)
        return views[0].url if views else address(transaction)


def _stands_beside(choice: Choice) -> bool:
    """A passkey, or what waits for a button: neither has fields on the page that is for all."""
    factor = services().factors[choice.method]
    return factor.names_its_user or factor.on_request


def _asked_now(
    standing: Standing, chosen: Choice | None, view: ChoiceView, refused: Refused | None
) -> ChoiceView:
    """The chosen one is begun, if it is to be set up, and told what came of the last answer."""
    if chosen is None or view.method != chosen.method:
        return view
    public = dict(view.public)
    if chosen.enrol:
        public = dict(enrol.begin(standing, chosen))
    elif refused is not None and services().factors[chosen.method].on_request:
        # What was mailed is over, and its ceremony with it; whom it was mailed to stays said.
        public = {"address": _whom(standing), **public}
    return replace(view, public={**public, **(refused.public if refused else {})})


_COMBINED = _Page("login/sign_in.html", one_form=True)
_IDENTIFY = _Page("login/identify.html", addressless=True)
_STEP = _Page("login/step.html")
_CONFIRM = _Page("login/confirm.html")


def _page(standing: Standing, chosen: Choice | None, *, asked: bool) -> _Page:
    """``asked``: something came of an answer, so that there was something to be answered."""
    if standing.is_step_up:
        return _CONFIRM
    if standing.user is not None:
        return _STEP
    named = bool(standing.transaction.state.get("login_name"))
    style = services().settings.login_style
    if style == "identifier_first" or standing.transaction.state.get("by_address"):
        return _STEP if named else _IDENTIFY
    # One screen for all, until a mail was asked for: its code has a page of its own.
    waiting = chosen is not None and services().factors[chosen.method].on_request and named
    begun = chosen is not None and chosen.method in standing.transaction.state.get("ceremonies", {})
    return _STEP if waiting and (begun or asked) else _COMBINED


def _notice(standing: Standing) -> str | None:
    """Why somebody is asked who thought that she would not be."""
    state, live = standing.transaction.state, live_session()
    if state.get("restarted"):
        return "restarted"
    meant = state.get(transactions.SUBJECT)
    return "other_account" if meant and live and live.user_id != meant else None


def _who(standing: Standing) -> User | dict[str, str | None] | None:
    if standing.user is not None:
        return standing.user
    typed = standing.transaction.state.get("login_name")
    return {"name": None, "email": typed} if typed else None


def _whom(standing: Standing) -> str | None:
    """The address that a mail of this sign-in goes to."""
    typed: str | None = standing.transaction.state.get("login_name")
    return standing.user.email if standing.user is not None else typed


def _shown_user(page: _Page, standing: Standing) -> dict[str, Any]:
    """Who is asked; the first page has nobody, and by that factors tell it from a step's."""
    return {} if page.one_form or page.addressless else {"user": _who(standing)}


def _remember(standing: Standing, values: Mapping[str, str]) -> bool | None:
    """The tick's state; none where a session is kept already, or will not be begun here."""
    return None if standing.live is not None else bool(values.get("remember"))
