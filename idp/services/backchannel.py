"""Tells a client that a session is over (OpenID Connect Back-Channel Logout 1.0)."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from idp.clock import Clock, epoch
from idp.config import Settings
from idp.models import only_reads, release
from idp.services import jose
from idp.services.clients import Clients, RegisteredClient
from idp.services.fetch import Answer
from idp.services.keys import SigningKeys
from idp.services.logout_notices import KIND
from idp.services.outbox import Delivery, Handler, Undeliverable
from idp.services.subjects import Subjects

LOGOUT_TOKEN_TYPE: Final = "logout+jwt"  # noqa: S105  section 2.4
EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
LIFETIME: Final = timedelta(minutes=2)
"""Of a logout token (section 2.4): it is made for one attempt, and the next has one of its own."""

_PERHAPS_LATER: Final = frozenset({408, 425, 429})
"""Answers of the 4xx kind that another attempt may change."""

Post = Callable[[str, Mapping[str, str]], Answer]
"""Posts a form to an address: ``Fetcher.post``, which never reaches inside."""


class NotTaken(Exception):
    """The client did not say yes; it may the next time."""


class BackChannel:
    """Delivers notices of the kind ``logout.notice``; a handler for the outbox."""

    def __init__(
        self,
        settings: Settings,
        *,
        keys: SigningKeys,
        clients: Clients,
        subjects: Subjects,
        clock: Clock,
        post: Post,
    ) -> None:
        self._issuer = settings.issuer
        self._keys = keys
        self._clients = clients
        self._subjects = subjects
        self._clock = clock
        self._post = post

    def __call__(self, delivery: Delivery) -> None:
        """Send one. Raises ``Undeliverable`` when no later attempt will fare better."""
        # Nothing of the database is held while another party takes its time to answer.
        only_reads()
        client = self._clients.get(delivery.recipient)
        if client is None or client.metadata.backchannel_logout_uri is None:
            release()
            raise Undeliverable("the client takes no logout tokens any more")
        token = self.logout_token(delivery.payload, client)
        release()
        # Section 2.5: a form with the one parameter and no other.
        answer = self._post(client.metadata.backchannel_logout_uri, {"logout_token": token})
        _insist_on_success(answer.status)

    def logout_token(self, notice: Mapping[str, Any], client: RegisteredClient) -> str:
        """Section 2.4: both ``sub`` and ``sid``, no ``nonce``, one event with nothing in it."""
        now = self._clock()
        claims = {
            "iss": self._issuer,
            "aud": client.id,
            "iat": epoch(now),
            "exp": epoch(now + LIFETIME),
            "jti": notice["jti"],
            "sub": self._subjects.of(client, notice["user_id"]),
            "sid": notice["session_id"],
            "events": {EVENT: {}},
        }
        algorithm = client.metadata.id_token_signed_response_alg
        if algorithm not in jose.ALGORITHMS:
            algorithm = "RS256"  # section 2.6: never "none", whatever ID tokens are
        return self._keys.sign(claims, algorithm=algorithm, now=now, typ=LOGOUT_TOKEN_TYPE)


def _insist_on_success(status: int) -> None:
    if 200 <= status < 300:  # section 2.8: 200, and 204 is as good
        return
    told = f"it answered {status}"
    if 400 <= status < 500 and status not in _PERHAPS_LATER:
        raise Undeliverable(told)
    raise NotTaken(told)


def logout_handlers(backchannel: BackChannel) -> dict[str, Handler]:
    """What an outbox needs to deliver notices."""
    return {KIND: backchannel}
