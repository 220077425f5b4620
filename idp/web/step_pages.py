"""The pages that ask for a proof: which of them, what is on it, and what it is made from."""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from itertools import repeat
from typing import Any

from flask import render_template, url_for

from idp.assurance import Choice
from idp.factors.base import Refused
from idp.models import Transaction, User
from idp.services import transactions
from idp.services.weighing import Standing
from idp.web import brand, enrol, forms, here, i18n
from idp.web.context import live_session, services
from idp.web.headers import csp_nonce
from idp.web.models import (
    NO_ADDRESS,
    ChoiceView,
    address,
    app_in,
    app_of,
    asked_of,
    errors_of,
    is_alone,
    links_of,
)
from idp.web.operation import operation_view
from idp.web.remembered import Remembered, is_last, prefilled, remembered
from idp.web.skeletons import Values, apart, together
from idp.web.ways import begun, shown
from idp.web.words import why


@dataclass(frozen=True, slots=True)
class Page:
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
    ) -> str | bytes:
        """The page as HTML: what was ``refused`` and the ``values`` typed so far stand in it."""
        last = remembered(values) if standing.user is None else None
        ordered = self._ordered(standing, chosen)
        asked = asked_of(standing.transaction)
        publics = begun(standing, ordered, asked)
        is_first = chosen is None and refused is None and (self.one_form or self.addressless)
        if is_first and (asked is None or asked.operation is None):
            return self._first(standing, ordered, publics, prefilled(values, last), last)
        views = map(shown, repeat(standing), ordered, publics)
        shown_ = self._shown(standing, chosen, list(views), refused, prefilled(values, last), last)
        return render_template(self.template, **shown_)

    def _first(
        self,
        standing: Standing,
        choices: Sequence[Choice],
        publics: Sequence[Mapping[str, Any]],
        values: Mapping[str, str],
        last: Remembered | None,
    ) -> bytes:
        """The page on which everybody begins, which is the same for all but in a few values."""
        unique, rest = apart(publics)
        transaction, settings = standing.transaction, services().settings
        brand.allow_logos(settings)
        key = (
            *(self.template, app_in(transaction), _notice(standing), i18n.language()),
            *(here.asked().root_path, last and last.method, _remember(standing, values)),
            *(settings.changed, *((one.method, one.enrol) for one in choices), *rest),
            len(standing.choices) > 1,
        )
        own = {
            "transaction": transaction.id,
            "form_token": str(transaction.version),
            "csrf_token": forms.token(),
            "csp_nonce": csp_nonce(),
            "username": values["username"],
            **unique,
        }

        def render(marks: Values) -> str:
            """The page with ``marks`` where the values of one browser go."""
            marked = _marked(standing, marks)
            views = map(shown, repeat(marked), choices, together(rest, marks))
            typed = {**values, "username": marks["username"]}
            who = last and replace(last, email=marks["username"])
            return render_template(
                self.template,
                csrf_token=lambda: marks["csrf_token"],
                csp_nonce=lambda: marks["csp_nonce"],
                **self._shown(marked, None, list(views), None, typed, who),
            )

        return services().skeletons.page(key, own, render)

    def _shown(
        self,
        standing: Standing,
        chosen: Choice | None,
        views: list[ChoiceView],
        refused: Refused | None,
        values: Mapping[str, str],
        last: Remembered | None,
    ) -> dict[str, Any]:
        """What the template is handed."""
        transaction = standing.transaction
        to_enrol = [] if chosen else [view for view in views if view.enrol]
        if to_enrol:
            views = []
        elif views:
            views = [_asked_now(standing, chosen, view, refused) for view in views]
            views = [replace(one, last_used=is_last(one, last)) for one in views]
        return {
            "app": app_of(transaction),
            **_shown_user(self, standing),
            "choices": views,
            "choice": views[0] if views else None,
            "others": views[1:],
            "alone": is_alone(standing, views[0].method if views else None),
            "enrol": to_enrol,
            "action": self._action(transaction, views),
            "identifier": services().settings.login_style != "passkey_only",
            "values": values,
            "remembered": last,
            "remember": _remember(standing, values),
            "why": why(standing),
            **_operation(standing, views),
            "links": links_of(standing),
            "errors": self._problems(refused, values),
            "notice": _notice(standing),
            "resume_url": address(transaction),
            "form_token": str(transaction.version),
        }

    def _problems(
        self, refused: Refused | None, values: Mapping[str, str]
    ) -> list[dict[str, str | None]]:
        """What is wrong, in the order of the fields: beside an empty one, an address left out.

        Without an address nothing else that was typed could have been right.
        """
        found = errors_of(refused)
        if (
            refused is None
            or not refused.at_field
            or not self.one_form
            or values["username"].strip()
        ):
            return found
        if refused.at_field == NO_ADDRESS.at_field:
            return found
        return [*errors_of(NO_ADDRESS), *(() if refused.was_tried else found)]

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


def _operation(standing: Standing, views: Sequence[ChoiceView]) -> dict[str, Any]:
    """What is to be confirmed, and ``verb``: what the button says by which that is done."""
    shown_ = operation_view(asked_of(standing.transaction))
    verb = shown_.button if shown_ and _ends_with(standing, views) else None
    return {"operation": shown_, "verb": verb}


def _ends_with(standing: Standing, views: Sequence[ChoiceView]) -> bool:
    """Is the request answered by this step? Where nobody is known yet, nobody knows."""
    user, asked = standing.user, asked_of(standing.transaction)
    now = standing.choice(views[0].method) if views else None
    if user is None or asked is None or now is None or now.steps > 1:
        return False
    return services().authorization.question(asked, user.id) is None


def _marked(standing: Standing, marks: Values) -> Standing:
    """The same in a sign-in of which nothing is known but what is the same for all."""
    marked: Any = copy(standing.transaction)
    marked.id, marked.version = marks["transaction"], marks["form_token"]
    return replace(standing, transaction=marked)


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


_COMBINED = Page("login/sign_in.html", one_form=True)
_IDENTIFY = Page("login/identify.html", addressless=True)
_STEP = Page("login/step.html")
_CONFIRM = Page("login/confirm.html")


def page_of(standing: Standing, chosen: Choice | None, *, asked: bool) -> Page:
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
    sent = chosen is not None and chosen.method in standing.transaction.state.get("ceremonies", {})
    return _STEP if waiting and (sent or asked) else _COMBINED


def _notice(standing: Standing) -> str | None:
    """Why somebody is asked who thought that she would not be."""
    state, live = standing.transaction.state, live_session()
    if state.get("restarted"):
        return "restarted"
    if (note := state.get(transactions.NOTE)) is not None:
        return str(note)
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


def _shown_user(page: Page, standing: Standing) -> dict[str, Any]:
    """Who is asked; the first page has nobody, and by that factors tell it from a step's."""
    return {} if page.one_form or page.addressless else {"user": _who(standing)}


def _remember(standing: Standing, values: Mapping[str, str]) -> bool | None:
    """The tick's state; none where a session is kept already, or will not be begun here."""
    return None if standing.live is not None else bool(values.get("remember"))
