"""Links that let somebody in and were not used yet, whoever made them."""

from datetime import datetime
from typing import Final

from idp.state import supersede

PASSWORD_RESET: Final = "password_reset"  # noqa: S105 - what it is for
HANDED: Final = "handed_link"


def end(user_id: str, now: datetime) -> None:
    """Make all of a person's worthless, in the caller's transaction.

    Whoever made one was allowed to as things were: for an account that may do more by now, or that
    was shut meanwhile, it is to be made anew.
    """
    for purpose in (PASSWORD_RESET, HANDED):
        supersede(purpose, user_id, now=now)
