"""Who was signed in here last, for who asked to be kept signed in on this device.

It spares typing an address and proves nothing. It is made only after a whole sign-in with the tick,
so that what it shows tells nobody at another browser whether an address has an account.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Response

from idp.models import Transaction
from idp.secrecy import Unreadable
from idp.services.sessions import Live
from idp.web import cookies
from idp.web.context import services
from idp.web.models import ChoiceView


@dataclass(frozen=True, slots=True)
class Remembered:
    """An address, and the method that its last sign-in began with."""

    email: str
    method: str


def remembered(values: Mapping[str, str]) -> Remembered | None:
    """Who this page is likely for; None when another address was typed, or named by the app."""
    found = _held()
    typed = values.get("username")
    return found if found is not None and typed in (None, "", found.email) else None


def _held() -> Remembered | None:
    """What this browser holds; None for nothing, or for what is not ours."""
    sealed = cookies.read(cookies.REMEMBERED)
    try:
        email, method = services().box.open(sealed) if sealed else ("", "")
    except (Unreadable, TypeError, ValueError):
        return None
    return Remembered(str(email), str(method)) if email else None


def prefilled(values: Mapping[str, str], last: Remembered | None) -> dict[str, str]:
    """What stands in the fields: what was typed, or else the address remembered here."""
    known = {"username": last.email} if last is not None and not values.get("username") else {}
    return {**values, **known}


def is_last(view: ChoiceView, last: Remembered | None) -> bool:
    """Is it the way that was used here last?"""
    return last is not None and view.method == last.method


def after_sign_in(response: Response, live: Live, transaction: Transaction) -> None:
    """Remember who was kept signed in; forget whoever it was, when somebody else signs in."""
    if any(proof.transaction_id != transaction.id for proof in live.evidence):
        return  # she was signed in before this
    if live.persistent:
        began = min(live.evidence, key=lambda proof: proof.at)
        cookies.write_remembered(response, services().box.seal([live.email, began.method]))
        return
    before = _held()
    if before is not None and before.email != live.email:
        cookies.clear(response, cookies.REMEMBERED)


def forget(response: Response) -> Response:
    """Somebody else is going to sign in here."""
    if cookies.read(cookies.REMEMBERED):
        cookies.clear(response, cookies.REMEMBERED)
    return response
