"""Which ways to sign in are in use here: the settings may change while the program runs."""

from collections.abc import Iterable
from typing import Final

from idp.assurance import MAILBOX, Trait
from idp.config import Settings
from idp.factors.base import Factor

_OPENS: Final = frozenset({Trait.KNOWLEDGE, Trait.PHISHING_RESISTANT})
"""What a sign-in can begin with, beside the mailbox."""


Way = Factor | type[Factor]


def in_use(way: Way, settings: Settings) -> bool:
    """Is it neither refused, nor out of place?

    Where there are to be only passkeys, nothing that can be known is asked for. The mailbox stays:
    somebody who has lost her passkey, or has none yet, gets in by it.
    """
    return is_left(way, refused=settings.refused_methods, login_style=settings.login_style)


def is_left(way: Way, *, refused: Iterable[str], login_style: str) -> bool:
    """The same by what the settings may become."""
    if way.name in refused:
        return False
    return login_style != "passkey_only" or Trait.KNOWLEDGE not in way.can_prove


def problem(
    ways: Iterable[Way], *, refused: Iterable[str], login_style: str, mails: bool
) -> str | None:
    """Why these ways cannot be refused; None when they can. Nobody is locked out altogether."""
    there, named = {way.name: way for way in ways}, frozenset(refused)
    if unknown := sorted(named - there.keys()):
        return f"names a way to sign in that there is not: {', '.join(unknown)}"
    left = [way for way in there.values() if is_left(way, refused=named, login_style=login_style)]
    if not any(_opens(way, mails=mails) for way in left):
        return "must leave a way that a sign-in can begin with"
    return None


def _opens(way: Way, *, mails: bool) -> bool:
    if way.can_prove == MAILBOX.proves:
        return mails
    return not _OPENS.isdisjoint(way.can_prove)
