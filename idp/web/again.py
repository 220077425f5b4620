"""A form that came with too little proof: once that is given, its page asks for the form again.

The sentence waits in the sign-in itself and not in the browser: who gives up on the way, and looks
at some other page, is told nothing there.
"""

from typing import Any, Final

from flask import flash
from flask_babel import gettext as _

from idp.models import Transaction
from idp.services import transactions

AGAIN: Final = transactions.AGAIN
"""The category of the sentence, too."""


def after(*, is_change: bool) -> dict[str, Any]:
    """For the state of a sign-in that was begun because a change was asked for."""
    return {AGAIN: True} if is_change else {}


def is_due(transaction: Transaction) -> bool:
    """Was it begun for a change? Once it is finished nothing of it says so any more."""
    return bool(transaction.state.get(AGAIN))


def say() -> None:
    """The proof is given, and the form's page is the next that is shown."""
    text = _("We had to make sure that it’s you. Nothing was changed yet: please do it again.")
    flash(text, AGAIN)
