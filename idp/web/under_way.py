"""The sign-in that an address names: found, or whatever leads on where it is not there."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Concatenate, Final, ParamSpec, cast

from flask import Response, request

from idp.models import Transaction
from idp.protocol.errors import OAuthError
from idp.services import transactions
from idp.services.persons import Nobody
from idp.services.transactions import Overtaken
from idp.web import arriving, cookies, errors, flow, here, pages
from idp.web.answers import problem, see_other, wants_json
from idp.web.context import context, services
from idp.web.delivering import turned_away
from idp.web.models import address

SENT_TWICE: Final = timedelta(seconds=10)
"""How long a double submit may take: it gets the answer of the first."""

P = ParamSpec("P")
Step = Callable[Concatenate[Transaction, P], Response]
Routed = Callable[Concatenate[str, P], Response]


def in_transaction(view: Step[P]) -> Routed[P]:
    """Hand the view the transaction of the address, resolving every way it may not be there.

    Another browser's, an expired and a finished one each lead on somewhere; none is a dead end.
    """

    @wraps(view)
    def resolved(transaction_id: str, *args: P.args, **kwargs: P.kwargs) -> Response:
        """What the view answers, or where a sign-in that is not here any more leads."""
        found = find(transaction_id)
        if found is None:
            return _not_here(transaction_id)
        if found.finished_at is not None:
            return _finished(found)
        if transactions.is_over(found, context().at):
            return _pending_is_over() if wants_json() else arriving.restart(found)
        if _is_stale(found):
            return see_other(_step_of(found))
        try:
            return view(found, *args, **kwargs)
        except Overtaken:
            services().rollback()
            return _after_overtaken(transaction_id)
        except Nobody:  # whoever it was for has been deleted
            services().rollback()
            return _not_here(transaction_id)
        except OAuthError as error:
            services().rollback()
            return _refused(found, error)

    return cast(Routed[P], resolved)


def find(transaction_id: str) -> Transaction | None:
    """The transaction of that id, if this browser began it."""
    return transactions.find(transaction_id, browser_token=cookies.read(cookies.BROWSER))


def _finished(transaction: Transaction) -> Response:
    """Sent twice, it is answered the same way; looked at again, or much later, it leads on.

    By then the client has used the code of the first answer, and would take it for a stolen one.
    """
    if page := _read_first(transaction):
        return page
    if (request.method == "POST" or wants_json()) and _just_now(transaction):
        return flow.answer_of(transaction)
    way_on = flow.way_on(transaction)
    if wants_json():
        return see_other(way_on)
    return pages.finished(transaction, way_on, signed_in=flow.was_granted(transaction))


def _read_first(transaction: Transaction) -> Response | None:
    """The page that is read before the answer, or the way to it; None where there is none."""
    page = None if wants_json() else turned_away(transaction)
    return see_other(address(transaction)) if page and request.method == "POST" else page


def _just_now(transaction: Transaction) -> bool:
    """Was it finished so lately that a form may still be under way for the second time?"""
    finished = transaction.finished_at
    return finished is not None and context().at - finished <= SENT_TWICE


def _not_here(transaction_id: str) -> Response:
    """Begun in another browser, or long gone: start where its request would start."""
    if wants_json():
        return _pending_is_over()
    purpose = transactions.purpose_of(transaction_id)
    return arriving.again(purpose) if purpose is not None else pages.lost()


def _pending_is_over() -> Response:
    return problem(401, "login_required", "This sign-in is over. Start again.")


def _is_stale(transaction: Transaction) -> bool:
    """Was the form made for an earlier step? Then it was sent twice, or from an old page.

    What happened beside it in the same step, such as a mail that was asked for, is no matter.
    """
    token = made_for()
    return token is not None and token < transactions.step_of(transaction)


def made_for() -> int | None:
    """The version of the transaction for which the form was made that is being sent."""
    asked = here.asked()
    token = asked.form.get("form_token") if asked.method == "POST" else None
    if token is None:
        return None
    return int(token) if token.isascii() and token.isdigit() and len(token) < 10 else -1


def _step_of(transaction: Transaction) -> str:
    """Where the step is shown that a form was for; past it, that page shows what is due."""
    method = (request.view_args or {}).get("method")
    return request.path if method in services().factors else address(transaction)


def _after_overtaken(transaction_id: str) -> Response:
    found = find(transaction_id)
    if found is not None and found.finished_at is not None:
        return _read_first(found) or flow.answer_of(found)
    return see_other(f"/login/{transaction_id}")


def _refused(transaction: Transaction, error: OAuthError) -> Response:
    """The registration has changed since the request came, and no longer allows it."""
    try:
        if error.redirectable:
            return flow.refuse(transaction, error)
    except OAuthError as newer:
        error = newer
    return errors.authorization_refused(error, transaction.parameters or {})
