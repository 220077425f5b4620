"""Links that let somebody in, or move an account, and were not used yet, whoever made them."""

from datetime import datetime
from typing import Final

from idp.factors.rows import hold
from idp.state import supersede

PASSWORD_RESET: Final = "password_reset"  # noqa: S105 - what it is for
HANDED: Final = "handed_link"
EMAIL_CHANGE: Final = "email_change"


def end(user_id: str, now: datetime) -> None:
    """Make all of a person's worthless, in the caller's transaction, and hold her.

    Whoever asked for one was allowed to as things were. For an account that may do more by now,
    that was shut meanwhile, that has another address, or that is signed in to by other means, it
    is to be asked for anew. The way back from another address stays: its owner needs it most where
    a thief has ended the rest.

    Who asks for a change of address, or confirms one, or sets a password, holds her first as well:
    it is done wholly before this, or after it.
    """
    hold(user_id)
    for purpose in (PASSWORD_RESET, HANDED, EMAIL_CHANGE):
        supersede(purpose, user_id, now=now)
