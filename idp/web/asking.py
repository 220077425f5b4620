"""The page, or the JSON, that asks a person for what is missing."""

from collections.abc import Mapping
from typing import Final

from flask import Response, jsonify, url_for

from idp.factors.base import Correctable, Refused
from idp.models import Transaction
from idp.services import transactions
from idp.services.throttle import Wait
from idp.services.weighing import Standing
from idp.web import enrol, responses
from idp.web.answers import problem, see_other, wants_json
from idp.web.context import context, services
from idp.web.models import NO_ADDRESS, address, asked_of, in_place, too_many
from idp.web.step_pages import page_of
from idp.web.ways import begun, task_of
from idp.web.words import refusal

_LONGEST: Final = 100


def begin_anew(standing: Standing, method: str, fields: Mapping[str, str]) -> Response:
    """She asked for this way: begin it (a mail is sent), then show where its answer goes."""
    choice = standing.choice(method)
    if choice is None:
        return see_other(address(standing.transaction))
    login_name = fields.get("username", "").strip()[:320]
    if standing.user is None and not (login_name or standing.transaction.state.get("login_name")):
        return _ask_address(standing, method, fields)
    _remember_wish(standing.transaction, fields)
    task = task_of(standing, choice, asked_of(standing.transaction))
    wait = services().ceremonies.request(standing, choice, task, login_name, context())
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
    refused = in_place(refused, standing, method)
    if wants_json():
        return _ask_json(standing, method, refused, status)
    transaction = standing.transaction
    chosen = standing.choice(method) if method else None
    page = page_of(standing, chosen, asked=refused is not None)
    shown = page.render(
        standing, chosen, refused, {**_kept(transaction, values), **_to_correct(refused, values)}
    )
    return responses.Response(shown, status, content_type="text/html; charset=utf-8")


def _ask_json(
    standing: Standing, method: str | None, refused: Refused | None, status: int
) -> Response:
    if refused is not None:
        return problem(status, refused.reason, refusal(refused))
    chosen = standing.choice(method) if method else None
    methods = [choice.method for choice in standing.choices]
    publics = begun(standing, standing.choices, asked_of(standing.transaction))
    options = dict(zip(methods, map(dict, publics), strict=True))
    body: dict[str, object] = {
        "next": (chosen or standing.choices[0]).method,
        "choices": methods,
        "url": address(standing.transaction),
        "options": options,
    }
    if new := [choice.method for choice in standing.choices if choice.enrol]:
        body["enrol"] = new
    if chosen is not None and chosen.enrol:
        options[chosen.method] = dict(enrol.begin(standing, chosen))
    return jsonify(body)


def _kept(transaction: Transaction, values: Mapping[str, str] | None) -> dict[str, str]:
    """What stays in the fields whatever comes of them: never a secret."""
    values = values or {}
    typed = values.get("username") or transactions.typed_in(transaction)
    ticked = values.get("remember") or transaction.state.get("remember") or ""
    return {"username": typed, "remember": ticked}


def _to_correct(refused: Refused | None, values: Mapping[str, str] | None) -> dict[str, str]:
    """What stays in the field that it was wrong in, so that only the slip is typed again."""
    field = refused.at_field if refused else None
    if not values or field is None:
        return {}
    longer = [one for one in services().factors.values() if isinstance(one, Correctable)]
    if all(field != one.corrected_field for one in longer):
        return {}
    return {field: values.get(field, "")[:_LONGEST]}
