"""Answers to authorization requests: made, secured, and written together with what they grant."""

from datetime import datetime, timedelta
from typing import Final

from idp import measures
from idp.audit import Context
from idp.clock import epoch
from idp.config import Settings
from idp.models import Transaction, db, release
from idp.oidc.answers import Answered, keep, kept
from idp.oidc.asked import Asked
from idp.oidc.front_channel import FrontChannel
from idp.protocol.arrived import Arrived
from idp.protocol.authorization import check_registered
from idp.protocol.errors import OAuthError, not_redirectable
from idp.protocol.responses import AuthorizationResponse, ReplyTo
from idp.protocol.text import words
from idp.protocol.vocabulary import Prompt
from idp.secrecy import Box
from idp.services import refused_requests, transactions
from idp.services.clients import RegisteredClient
from idp.services.grants import Granted
from idp.services.pushed import PushedRequests
from idp.services.sealing import Message, Sealing
from idp.services.session_state import SessionStates
from idp.services.sessions import Live
from idp.services.turned_away import NOBODY_ADMITTED

JARM_LIFETIME: Final = timedelta(minutes=5)
"""JARM section 2.1: at most ten minutes are recommended."""


class Responder:
    """The only way an answer leaves for a client."""

    def __init__(
        self,
        settings: Settings,
        *,
        box: Box,
        sealing: Sealing,
        front_channel: FrontChannel,
        pushed: PushedRequests,
        session_states: SessionStates,
    ) -> None:
        self._issuer = settings.issuer
        self._box = box
        self._sealing = sealing
        self._front_channel = front_channel
        self._pushed = pushed
        self._session_states = session_states

    def ready(self, asked: Asked, now: datetime) -> None:
        """Find what ``grant`` will take, before it writes anything. Raises ``OAuthError``.

        It may fetch, and what was written before then is committed first.
        """
        if messages := self.messages(asked):
            release()
            self._sealing.ready(asked.client, *messages, now=now)

    def messages(self, asked: Asked) -> tuple[Message, ...]:
        """What of the answer is signed or encrypted."""
        messages: tuple[Message, ...] = ("id_token",) if asked.request.wants_id_token else ()
        return (*messages, "authorization") if _is_jwt(asked) else messages

    def grant(
        self,
        granted: Granted,
        asked: Asked,
        *,
        now: datetime,
        transaction: Transaction | None = None,
    ) -> Answered:
        """Answer with what was asked for. Commits.

        Raises ``Overtaken`` when the sign-in was answered meanwhile, and ``OAuthError``, not
        redirectable, when the pushed request behind it was answered in another.
        """
        # A code that goes as it is takes one statement, and nothing that could fail after it.
        alone = transaction is None and asked.pushed is None and not self.messages(asked)
        ends = alone and not asked.request.wants_token
        front = self._front_channel
        parameters = {
            **front.parameters(granted, asked.request, asked.client, now=now, ends=ends),
            **self._session_states.beside(asked.request, granted.session_id),
        }
        to = asked.request.reply_to
        response = self._secured(
            AuthorizationResponse.success(to, parameters, issuer=self._issuer), asked.client, now
        )
        if transaction is not None:
            answer, last = keep(response, self._box), asked.pushed is None
            transactions.finish(transaction, answer, now, ends=last)
        if asked.pushed is not None and not self._pushed.use_up(asked.pushed, now):
            db.session.rollback()
            raise answered_before()
        if not ends:
            db.session.commit()
        return Answered(response)

    def refuse(
        self,
        error: OAuthError,
        to: ReplyTo,
        client: RegisteredClient,
        *,
        now: datetime,
        pushed: str | None = None,
        transaction: Transaction | None = None,
    ) -> Answered:
        """Answer with an error; the caller commits. Raises ``Overtaken`` like ``grant``.

        ``OAuthError``, not redirectable, where it cannot be encrypted for the client.
        """
        measures.error(error.error)
        response = self._secured(
            AuthorizationResponse.failure(to, error, issuer=self._issuer), client, now
        )
        away = transaction is not None and error.reason == NOBODY_ADMITTED
        if transaction is not None:
            answer = keep(response, self._box)
            transactions.finish(transaction, answer, now, turned_away=away)
        if pushed is not None:
            self._pushed.use_up(pushed, now)
        return Answered(response, turned_away=away)

    def refuse_at_once(
        self,
        error: OAuthError,
        to: ReplyTo,
        client: RegisteredClient,
        presented: Live | None,
        context: Context,
        arrived: Arrived | None = None,
    ) -> Answered:
        """``refuse`` a request that became no sign-in; ``presented`` is whoever is signed in.

        ``arrived`` is None where it could not even be read.
        """
        pushed = arrived.pushed if arrived else None
        answered = self.refuse(error, to, client, now=context.at, pushed=pushed)
        refused_requests.record_at_once(
            error,
            context,
            client_id=client.id,
            user_id=presented.user_id if presented else None,
            silent=arrived is not None and _is_silent(arrived),
        )
        return answered

    def given(self, transaction: Transaction) -> AuthorizationResponse:
        """What a finished transaction was answered with."""
        return kept(transaction, self._box)

    def given_anew(
        self, transaction: Transaction, client: RegisteredClient, now: datetime
    ) -> AuthorizationResponse:
        """The same for whoever goes back with it only now: a JWT of then may have expired.

        Raises ``OAuthError``, not redirectable, where the client no longer has that address, or no
        key to encrypt it with.
        """
        response = self.given(transaction)
        check_registered(response.redirect_uri, client.metadata)
        return self._secured(response, client, now)

    def _secured(
        self, response: AuthorizationResponse, client: RegisteredClient, now: datetime
    ) -> AuthorizationResponse:
        """JARM section 2.1: all of it in a JWT for this client, where that is how it travels."""
        if not response.wants_jwt:
            return response
        claims = {
            **response.parameters,
            "iss": self._issuer,
            "aud": client.id,
            "exp": epoch(now + JARM_LIFETIME),
        }
        sealed = self._sealing.seal("authorization", claims, client=client, now=now)
        return response.secured(sealed)


def _is_silent(arrived: Arrived) -> bool:
    return Prompt.NONE in words(arrived.parameters.clean("prompt") or "")


def _is_jwt(asked: Asked) -> bool:
    return asked.request.response_mode.endswith("jwt")


def answered_before() -> OAuthError:
    """RFC 9126 section 4: a pushed request is good for one answer."""
    return not_redirectable(
        "invalid_request_uri",
        "This request was answered before, or is too old. Start again from the application.",
    )
