"""The sign-in pages. No factor is named here: a step is whatever the decision asks for."""

from functools import partial
from typing import Final

from flask import Blueprint, Response, abort, jsonify, url_for

from idp.assurance import Choice
from idp.factors.base import Refused
from idp.models import Transaction
from idp.protocol.errors import OAuthError
from idp.services import transactions
from idp.services.signin import Accepted, Attempt, Declined
from idp.services.throttle import Wait
from idp.services.turned_away import CANCELLED, NOT_ALLOWED, denied
from idp.services.weighing import Standing
from idp.web import asking, cookies, enrol, errors, flow, remembered
from idp.web.answers import problem, see_other, wants_json
from idp.web.context import context, live_session, present_anew, services
from idp.web.delivering import sent_back
from idp.web.forms import left_empty, submitted
from idp.web.models import NO_ADDRESS, NOT_SAVED, NOTHING_SENT, address, addressed_to, too_many
from idp.web.under_way import find, in_transaction, made_for
from idp.web.words import refusal

bp = Blueprint("login", __name__, url_prefix="/login")
OTHER: Final = "other"
"""Whoever is to go on, where it is not who is signed in."""
_POSTED_TO: Final = frozenset({"account", "cancel", "consent", "forgotten", "identify", "leave"})


@bp.get("/")
def start() -> Response:
    """Sign in to the provider's own pages."""
    url = flow.begin(transactions.Purpose(return_to="/me"))
    services().commit()
    return see_other(url)


@bp.get("/<transaction_id>")
@in_transaction
def show(transaction: Transaction) -> Response:
    """The step that is due."""
    return flow.proceed(transaction)


@bp.get("/<transaction_id>/state")
def state(transaction_id: str) -> Response:
    """For a tab that was looked away from: has somebody signed in beside it? Changes nothing.

    An application's page cannot tell our other tabs that a sign-in ended there, so they ask.
    """
    found = find(transaction_id)
    try:
        return jsonify(signed_in=found is not None and flow.is_done(found))
    except OAuthError:  # the registration has changed since: that is for the page to tell
        return jsonify(signed_in=False)


@bp.post("/<transaction_id>")
@in_transaction
def answer(transaction: Transaction) -> Response:
    """An answer that tells by its fields which factor it is for."""
    return answer_to(transaction, None, submitted())


@bp.post("/<transaction_id>/identify")
@in_transaction
def identify(transaction: Transaction) -> Response:
    """The address first. What follows does not depend on whether anybody has it."""
    login_name = submitted().get("username", "").strip()[:320]
    if not login_name:
        return flow.proceed(transaction, refused=NO_ADDRESS, status=422)
    state = {**transaction.state, "login_name": login_name}
    method = state.get("by_address")
    if method:  # she chose her way before the address was asked for
        fields = {"username": login_name, "remember": state.get("remember", "")}
        return asking.begin_anew(flow.standing_of(transaction), method, fields)
    transactions.advance(transaction, state=state)
    services().commit()
    return flow.go_on(transaction)


@bp.post("/<transaction_id>/account")
@in_transaction
def account(transaction: Transaction) -> Response:
    """Who goes on: the person signed in here, or another; only where that was asked."""
    if not transaction.state.get("choose"):
        return see_other(address(transaction))
    live = live_session()
    chosen = submitted().get("account", "")
    if live is not None and chosen not in (live.user_id, OTHER):
        return _undecided(transaction)
    state = {key: value for key, value in transaction.state.items() if key != "choose"}
    other = live is None or chosen == OTHER
    if live is not None and not other:
        transactions.next_step(transaction, state=state, user_id=live.user_id)
    else:
        transactions.next_step(transaction, state={**state, "other_person": True})
    services().commit()
    response = flow.go_on(transaction)
    return remembered.forget(response) if other else response


@bp.post("/<transaction_id>/forgotten")
@in_transaction
def forgotten(transaction: Transaction) -> Response:
    """To the page for a new password, and the address that was typed goes along."""
    typed = submitted().get("username", "").strip()[:320]
    if typed:
        transactions.advance(transaction, state={**transaction.state, transactions.TYPED: typed})
        services().commit()
    return see_other(url_for("reset.forgotten", sign_in=transaction.id))


@bp.post("/<transaction_id>/leave")
@in_transaction
def leave(transaction: Transaction) -> Response:
    """ "Not you?": this sign-in keeps its person; another one starts, for anybody else.

    Where the application asked for one person, nobody else can be the answer (OIDC Core 3.1.2.1,
    ``id_token_hint``), so it is told that she has left.
    """
    if transaction.state.get(transactions.SUBJECT):
        return flow.refuse(
            transaction, OAuthError("login_required", "The person left to use another account.")
        )
    return remembered.forget(flow.for_another(transaction))


@bp.post("/<transaction_id>/cancel")
@in_transaction
def cancel(transaction: Transaction) -> Response:
    """Back to where the request came from, empty-handed."""
    return flow.refuse(transaction, denied(CANCELLED))


@bp.get("/<transaction_id>/return")
def go_back(transaction_id: str) -> Response:
    """Back to an application that admits nobody yet, from the page that said so."""
    found = find(transaction_id)
    try:
        response = sent_back(found) if found else None
    except OAuthError as error:
        return errors.authorization_refused(error, (found and found.parameters) or {})
    return response or see_other(url_for("login.show", transaction_id=transaction_id))


@bp.post("/<transaction_id>/consent")
@in_transaction
def consent(transaction: Transaction) -> Response:
    """Allow, or not, what the application asks for."""
    decision = submitted().get("decision")
    if decision == "allow":
        return flow.go_on(transaction, allowed=True)
    if decision == "cancel":
        return flow.refuse(transaction, denied(NOT_ALLOWED))
    return _undecided(transaction)


def _undecided(transaction: Transaction) -> Response:
    """None of the answers that the page has: nothing follows from it, and it is asked again."""
    if wants_json():
        return problem(422, NOTHING_SENT.reason, refusal(NOTHING_SENT))
    return see_other(address(transaction))


@bp.get("/<transaction_id>/<method>/saved")
@in_transaction
def back_to_saved(transaction: Transaction, method: str) -> Response:
    """Gone back to: the step that is due."""
    return see_other(address(transaction))


@bp.post("/<transaction_id>/<method>/saved")
@in_transaction
def saved(transaction: Transaction, method: str) -> Response:
    """What was shown once has been saved: not again."""
    live = live_session()
    if not submitted().get("saved"):
        page = enrol.to_be_shown(flow.standing_of(transaction), NOT_SAVED)
        return page or see_other(address(transaction))
    if live is not None:
        services().once.saved(live.id, method, context().at)
        services().commit()
    return see_other(address(transaction))


@bp.get("/<transaction_id>/<method>")
@in_transaction
def step(transaction: Transaction, method: str) -> Response:
    """One way to prove it, as a page of its own; or what else is posted to and gone back to."""
    if method in _POSTED_TO:
        return see_other(address(transaction))
    if method not in services().factors:
        abort(404)
    return flow.proceed(transaction, method=method)


@bp.post("/<transaction_id>/<method>")
@in_transaction
def answer_with(transaction: Transaction, method: str) -> Response:
    """An answer to one factor, or the wish to begin with it."""
    if method not in services().factors:
        abort(404)
    return answer_to(transaction, method, submitted())


def answer_to(transaction: Transaction, named: str | None, fields: dict[str, str]) -> Response:
    """Judge what was sent to a factor (or tells by its fields which one), and go on from there."""
    method, answers = services().ceremonies.addressed(named, fields)
    if method is None:
        return flow.proceed(transaction, refused=NOTHING_SENT, status=422)
    answers = _is_answer(method, fields, answers)
    standing = flow.standing_of(transaction)
    choice = standing.choice(method)
    if choice is not None and choice.enrol:
        return _enrolled(standing, choice, fields)
    if not answers and made_for() not in (None, transaction.version):
        return see_other(url_for("login.step", transaction_id=transaction.id, method=method))
    if not answers:
        return asking.begin_anew(standing, method, fields)
    attempt = Attempt(
        method=method,
        answer=fields,
        presented=live_session(),
        device_token=cookies.read(cookies.DEVICE),
        foresee=partial(services().authorization.foresee, transaction),
    )
    outcome = services().signin.attempt(standing, attempt, context())
    if isinstance(outcome, Accepted):
        return accepted(transaction, outcome)
    if isinstance(outcome, Declined):
        status = 401 if wants_json() else 422
        return flow.proceed(
            transaction,
            method=method,
            refused=addressed_to(standing.user, outcome.refused),
            values=fields,
            status=status,
        )
    return _wait(standing, method, outcome, fields)


def _is_answer(method: str, fields: dict[str, str], answers: bool) -> bool:
    """Where one form holds a code and the button for a new mail, the button pressed decides.

    A code left empty does not ask for a mail: that would end the one just received.
    """
    factor = services().factors[method]
    if not factor.on_request:
        return answers
    return "send" not in fields and (answers or left_empty(factor.answer_fields))


def _enrolled(standing: Standing, choice: Choice, fields: dict[str, str]) -> Response:
    outcome = enrol.finish(standing, choice, fields)
    if not isinstance(outcome, Refused):
        return outcome
    status = 401 if wants_json() else 422
    return flow.proceed(standing.transaction, method=choice.method, refused=outcome, status=status)


def accepted(transaction: Transaction, outcome: Accepted) -> Response:
    """On from a proof that counts, with the session's cookie where it may be presented. Commits."""
    token = outcome.session_token
    if token is None:
        return flow.go_on(transaction, known=outcome.known)
    present_anew(token, outcome.live)
    response = flow.go_on(transaction, known=outcome.known)
    cookies.write_session(response, token, persistent=outcome.persistent)
    live = live_session()
    if live is not None:
        remembered.after_sign_in(response, live, transaction)
    known = cookies.read(cookies.DEVICE)
    cookies.write_device(
        response, services().devices.remember(known, outcome.user.id, context().at)
    )
    return response


def _wait(standing: Standing, method: str, wait: Wait, fields: dict[str, str]) -> Response:
    page = flow.proceed(
        standing.transaction,
        method=method,
        refused=too_many(wait, standing, method),
        values=fields,
        status=429,
    )
    return asking.slowed(page, wait)
