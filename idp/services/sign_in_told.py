"""What the event of an accepted proof tells of the session it went into: was somebody signed in?"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from idp.assurance import Evidence
from idp.services.live import Live

Told = Literal["opened", "pending", "added"]

OPENED: Final = "opened"
"""The proof finished a sign-in: from here on a cookie presents the session."""
PENDING: Final = "pending"
"""A first step, of which nobody is signed in yet."""
ADDED: Final = "added"
"""The session was open before: something more was proved in it."""


def told_of(live: Live | None, ledger: Sequence[Evidence], *, opens: bool) -> dict[str, Any]:
    """Data for the event of a proof that went into ``live``, or into a new session.

    ``ledger`` is all that the session then holds. Where that opened it, ``methods`` names what
    it was opened with, each once, in order.
    """
    if live is not None and live.opened:
        return {"session": ADDED}
    if not opens:
        return {"session": PENDING}
    return {"session": OPENED, "methods": list(dict.fromkeys(one.method for one in ledger))}


def told_by(data: Mapping[str, Any]) -> Told:
    """The same of an event as it was kept; one of an older version told of every proof alike."""
    told = data.get("session")
    return told if told in {PENDING, ADDED} else "opened"


def methods_in(data: Mapping[str, Any], last: str) -> Sequence[str]:
    """With what somebody signed in; ``last`` is what the event itself is about."""
    named = data.get("methods")
    return named if named and isinstance(named, list) else (last,)
