"""Browsers that have signed a person in before: outsiders' guesses do not lock these out."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from idp.clock import epoch
from idp.models import new_id
from idp.secrecy import Box, Unreadable

LIFETIME = timedelta(days=180)
"""How long a browser is remembered after its last sign-in; also the age to give the cookie."""

PEOPLE = 8
"""Whom one browser is remembered for; the one who signed in longest ago makes way."""

_PURPOSE = "device"
_LONGEST = 2000


class Devices:
    """Makes and reads the token that a browser keeps. It proves nothing about a person.

    All it decides is under which count a wrong guess goes, so it is sealed and not stored.
    """

    def __init__(self, box: Box) -> None:
        self._box = box

    def remember(self, token: str | None, user_id: str, now: datetime) -> str:
        """The token to keep from now on, this person included; for a sign-in that succeeded."""
        known = self._read(token, now)
        people = {**known.get("people", {}), user_id: epoch(now)}
        latest = sorted(people.items(), key=lambda one: one[1])[-PEOPLE:]
        device = {"for": _PURPOSE, "id": known.get("id") or new_id(), "people": dict(latest)}
        return self._box.seal(device)

    def recognise(self, token: str | None, user_id: str, now: datetime) -> str | None:
        """The browser's id, if this person has signed in from it; else None."""
        known = self._read(token, now)
        device_id: str | None = known["id"] if user_id in known.get("people", {}) else None
        return device_id

    def _read(self, token: str | None, now: datetime) -> Mapping[str, Any]:
        if not token or len(token) > _LONGEST:
            return {}
        try:
            value = self._box.open(token)
        except Unreadable:
            return {}
        if not isinstance(value, dict) or value.get("for") != _PURPOSE:
            return {}  # sealed by us, for something else
        oldest = epoch(now - LIFETIME)
        people = {who: at for who, at in value["people"].items() if at > oldest}
        return {"id": value["id"], "people": people}
