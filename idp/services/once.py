"""Secrets that are shown once: sealed meanwhile, for one session, and gone when it has them.

A page that shows codes is the answer to a GET, so that a reload asks nobody to send a form again.
Until the person says that she has saved them, or ten minutes have passed, they wait here.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from idp.secrecy import Box
from idp.services import kept

PURPOSE: Final = "show_once"
LIFETIME: Final = timedelta(minutes=10)


class Once:
    """Keeps what is to be shown, by the session that may see it. Nothing here commits."""

    def __init__(self, box: Box) -> None:
        self._box = box

    def keep(self, session_id: str, method: str, values: Mapping[str, Any], now: datetime) -> None:
        """In place of what was kept of this method before."""
        sealed = kept.sealed(self._box, values)
        kept.keep(PURPOSE, _owner(session_id, method), sealed, now=now, lifetime=LIFETIME)

    def show(self, session_id: str, method: str, now: datetime) -> Mapping[str, Any] | None:
        """What there is to be shown, if it has not been saved or has not been shown for long."""
        return kept.opened(self._box, kept.find(PURPOSE, _owner(session_id, method), now))

    def saved(self, session_id: str, method: str, now: datetime) -> bool:
        """She has them: never again. False when there was nothing."""
        return kept.claim(PURPOSE, _owner(session_id, method), now)


def _owner(session_id: str, method: str) -> str:
    return f"{session_id}:{method}"
