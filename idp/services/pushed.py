"""Authorization requests that clients pushed to us, until they are answered (RFC 9126)."""

from datetime import UTC, datetime
from typing import Final

from idp.clock import epoch
from idp.config import Settings
from idp.protocol.arrived import Arrived
from idp.secrecy import digest
from idp.state import store

PREFIX: Final = "urn:ietf:params:oauth:request_uri:"
"""RFC 9126 section 2.2."""

_PURPOSE: Final = "pushed request"


class PushedRequests:
    """Keeps them. Filed under the hash of a secret, each is used up by the answer it gets.

    The reference is good for seconds, and only to begin a sign-in with. The sign-in may take the
    person longer, so what it refers to is kept for as long as one that was begun in time can last.
    """

    def __init__(self, settings: Settings) -> None:
        self.lifetime = settings.pushed_request_lifetime
        self._sign_in = settings.transaction_lifetime

    def keep(self, arrived: Arrived, *, client_id: str, now: datetime) -> str:
        """Keep a request that was found in order; returns its ``request_uri``. No commit."""
        handle = store.put(
            _PURPOSE,
            {
                "client_id": client_id,
                "request": arrived.to_json(),
                "until": epoch(now + self.lifetime),
            },
            now=now,
            lifetime=self.lifetime + 2 * self._sign_in,
        )
        return PREFIX + handle

    def find(self, request_uri: str, *, client_id: str, now: datetime) -> Arrived | None:
        """What the client pushed; None when it is unknown, used, expired or another client's."""
        filed = digest(request_uri.removeprefix(PREFIX))
        kept = store.peek_filed(_PURPOSE, filed, now=now)
        if kept is None or kept["client_id"] != client_id:
            return None
        if now >= datetime.fromtimestamp(kept["until"], UTC):
            return None
        pushed = Arrived.from_json(kept["request"])
        return Arrived(pushed.parameters, signed=pushed.signed, pushed=filed)

    def may_go_on(self, filed: str, now: datetime) -> bool:
        """May a sign-in for it begin once more: not answered yet, and begun in time at first?"""
        kept = store.peek_filed(_PURPOSE, filed, now=now)
        if kept is None:
            return False
        return now < datetime.fromtimestamp(kept["until"], UTC) + self._sign_in

    def use_up(self, filed: str, now: datetime) -> bool:
        """Claim it for an answer, in the caller's transaction: True for one caller, ever."""
        return store.take_filed(_PURPOSE, filed, now=now) is not None
