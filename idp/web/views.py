"""What the sign-in pages show: view models, and the page each of them belongs to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from flask import Response, jsonify, make_response, render_template, url_for
from flask_babel import gettext as _

from idp.assurance import Challenge, Choice
from idp.factors.base import Refused, Task
from idp.models import Transaction, User
from idp.oidc.authorize import AskConsent
from idp.protocol.client_metadata import ClientMetadata
from idp.protocol.scopes import sentence
from idp.services.sessions import Live
from idp.services.signin import Standing
from idp.services.throttle import Wait
from idp.web import flow, headers
from idp.web.context import context, services
from idp.web.words import refusal, why

NO_ADDRESS = Refused("no_address", "Enter your email address.", at_field="username", counts=False)
NOTHING_SENT = Refused("nothing_sent", "Nothing was sent.", counts=False)


@dataclass(frozen=True, slots=True)
class AppView:
    """The relying party, as pages show it."""

    name: str
    host: str | None
    logo_url: str | None
    policy_url: str | None
    terms_url: str | None


@dataclass(frozen=True, slots=True)
class ChoiceView:
    """One way to prove it, as a factor's template shows it."""

    method: str
    url: str
    enrol: bool = False
    last_used: bool = False
    public: Mapping[str, Any] = field(default_factory=dict)
    begun: bool = False


def address(transaction: Transaction) -> str:
    """Where a transaction's current step is shown."""
    return url_for("login.show", transaction_id=transaction.id)


def app_of(transaction: Transaction) -> AppView | None:
    """The relying party that a transaction is for; None for a page of our own."""
    if transaction.client_id is None:
        return None
    client = services().clients.get(transaction.client_id)
    return app_view(client.id, client.metadata) if client else None


def app_view(client_id: str, metadata: ClientMetadata) -> AppView:
    """A registration, as pages show it."""
    home = metadata.client_uri or next(iter(metadata.redirect_uris), "")
    if metadata.logo_uri:
        headers.allow_image(metadata.logo_uri)
    return AppView(
        name=metadata.client_name or client_id,
        host=urlsplit(home).hostname,
        logo_url=metadata.logo_uri,
        policy_url=metadata.policy_uri,
        terms_url=metadata.tos_uri,
    )


def task_of(standing: Standing, choice: Choice) -> Task:
    """What the ceremony of this choice has to achieve."""
    app = app_of(standing.transaction)
    anonymous = standing.user is None
    return Task(
        transaction_id=standing.transaction.id,
        user_verification=choice.user_verification,
        login_name=standing.transaction.state.get("login_name") if anonymous else None,
        app=app.name if app else services().settings.site_name,
        user_agent=context().user_agent,
    )


def shown(standing: Standing, choice: Choice) -> ChoiceView:
    """A choice with the public part of its ceremony, begun where looking may begin it."""
    public = services().signin.ask(standing, choice, task_of(standing, choice), context())
    identified = standing.user is not None or bool(standing.transaction.state.get("login_name"))
    return ChoiceView(
        method=choice.method,
        url=url_for(
            "login.step", transaction_id=standing.transaction.id, method=choice.method
        ),
        enrol=choice.enrol,
        public={**(public or {}), "autofill": not identified},
        begun=bool(public),
    )


def begin_anew(standing: Standing, method: str, fields: Mapping[str, str]) -> Response:
    """She asked for this way: begin it (a mail is sent), then show where its answer goes."""
    choice = standing.choice(method)
    if choice is None:
        return flow.see_other(address(standing.transaction))
    login_name = fields.get("username", "").strip()[:320]
    if standing.user is None and not (login_name or standing.transaction.state.get("login_name")):
        return ask(standing, refused=NO_ADDRESS, status=422)
    wait = services().signin.request(
        standing, choice, task_of(standing, choice), login_name, context()
    )
    if isinstance(wait, Wait):
        return ask(standing, refused=too_many(wait), values=fields, status=429)
    target = url_for("login.step", transaction_id=standing.transaction.id, method=method)
    return ask(standing, method=method) if flow.wants_json() else flow.see_other(target)


def ask(
    standing: Standing,
    *,
    method: str | None = None,
    refused: Refused | None = None,
    values: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    """The page, or the JSON, that asks for what is missing."""
    if flow.wants_json():
        return _ask_json(standing, method, refused, status)
    transaction = standing.transaction
    chosen = standing.choice(method) if method else None
    page = _page(standing, chosen)
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


def problem(status: int, error: str, message: str) -> Response:
    """A refusal for a script: ``{"error", "message"}``."""
    response = jsonify(error=error, message=message)
    response.status_code = status
    return response


def _kept(transaction: Transaction, values: Mapping[str, str] | None) -> dict[str, str]:
    """What stays in the fields after a refusal: never a secret."""
    typed = (values or {}).get("username") or transaction.state.get("login_name") or ""
    return {"username": typed}


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
        choices = self._ordered(standing, chosen)
        views = [shown(standing, choice) for choice in choices]
        transaction = standing.transaction
        return render_template(
            self.template,
            app=app_of(transaction),
            user=_who(standing),
            choices=views,
            choice=views[0] if views else None,
            others=views[1:],
            enrol=[],
            action=self._action(transaction, views),
            identifier=services().settings.login_style != "passkey_only",
            values=values,
            remember=_remember(standing, values),
            why=why(standing),
            operation=None,
            links=_links(standing),
            errors=_errors(refused),
            notice="restarted" if transaction.state.get("restarted") else None,
            resume_url=address(transaction),
            form_token=str(transaction.version),
        )

    def _ordered(self, standing: Standing, chosen: Choice | None) -> list[Choice]:
        factors = services().factors
        found = [chosen] if chosen else []
        found += [choice for choice in standing.choices if choice is not chosen]
        if self.addressless:
            return [one for one in found if factors[one.method].names_its_user]
        return found

    def _action(self, transaction: Transaction, views: Sequence[ChoiceView]) -> str:
        if self.addressless:
            return url_for("login.identify", transaction_id=transaction.id)
        return views[0].url if views else address(transaction)


_COMBINED = _Page("login/sign_in.html", one_form=True)
_IDENTIFY = _Page("login/identify.html", addressless=True)
_STEP = _Page("login/step.html")
_CONFIRM = _Page("login/confirm.html")


def _page(standing: Standing, chosen: Choice | None) -> _Page:
    if standing.is_step_up:
        return _CONFIRM
    if standing.user is not None or chosen is not None:
        return _STEP
    if services().settings.login_style != "identifier_first":
        return _COMBINED
    return _STEP if standing.transaction.state.get("login_name") else _IDENTIFY


def _who(standing: Standing) -> User | dict[str, str | None] | None:
    if standing.user is not None:
        return standing.user
    typed = standing.transaction.state.get("login_name")
    return {"name": None, "email": typed} if typed else None


def _remember(standing: Standing, values: Mapping[str, str]) -> bool | None:
    """The tick's state; none where a session is kept already, or will not be begun here."""
    return None if standing.live is not None else bool(values.get("remember"))


def _links(standing: Standing) -> dict[str, str | None]:
    transaction = standing.transaction
    settings = services().settings
    return {
        "forgotten": url_for("reset.forgotten"),
        "register": url_for("register.form") if settings.registration else None,
        "cancel": url_for("login.cancel", transaction_id=transaction.id),
        "switch": url_for("login.leave", transaction_id=transaction.id),
    }


def _errors(refused: Refused | None) -> list[dict[str, str | None]]:
    return [{"field": refused.at_field, "message": refusal(refused)}] if refused else []


def too_many(wait: Wait) -> Refused:
    """How long to wait, and the ways that stay open meanwhile."""
    minutes = max(1, round(wait.retry_after.total_seconds() / 60))
    message = _(
        "Too many tries. Wait %(minutes)s minutes, or email yourself a link.", minutes=minutes
    )
    return Refused("too_many", message, counts=False)


def choose_account(transaction: Transaction, live: Live | None) -> Response:
    """Who goes on: the one signed in here, or somebody else."""
    if live is None:
        return flow.without_choice(transaction)
    hint = transaction.state.get("login_name")
    wanted = hint if hint and "@" in hint and hint.casefold() != live.email else None
    account = {
        "value": live.user_id,
        "name": live.name,
        "email": live.email,
        "state": _("Signed in"),
    }
    if flow.wants_json():
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
    if flow.wants_json():
        return jsonify(next="consent", choices=["allow", "cancel"], scopes=list(asked.new))
    request, client = services().authorization.resume(transaction)
    headers.allow_form_target(request.redirect_uri)
    page = render_template(
        "login/consent.html",
        app=app_view(client.id, client.metadata),
        user=standing.user,
        scopes=_scope_views(asked.new, standing.user),
        already=[text for scope in asked.already if (text := sentence(scope))],
        action=url_for("login.consent", transaction_id=transaction.id),
        links={"switch": url_for("login.leave", transaction_id=transaction.id)},
        form_token=str(transaction.version),
    )
    return make_response(page)


def _scope_views(scopes: Iterable[str], user: User | None) -> list[dict[str, str | None]]:
    return [
        {"scope": scope, "sentence": text, "detail": None}
        for scope in scopes
        if (text := sentence(scope))
    ]


def finished(transaction: Transaction) -> Response:
    """Back, or a second tab: this one is done, and here is the way on."""
    if flow.wants_json():
        return flow.answer_of(transaction)
    page = render_template(
        "login/done.html", app=app_of(transaction), url=flow.way_on(transaction)
    )
    return make_response(page)


def lost() -> Response:
    """Nothing is known of this sign-in any more: say so, and lead on."""
    page = render_template(
        "error.html",
        heading=_("This sign-in is no longer here"),
        detail=_("It may have been finished, or it was begun in another browser."),
        shared=None,
        back={"url": url_for("login.start"), "label": _("Start again")},
        reference=None,
        at=None,
        hint=None,
    )
    return make_response(page, 404)


def cannot_reach(standing: Standing) -> Response:
    """A page of ours wants what this person cannot show yet."""
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


__all__ = ["Challenge", "address", "ask", "ask_consent", "choose_account", "finished", "lost"]
