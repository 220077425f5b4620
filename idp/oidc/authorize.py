"""The authorization endpoint's decisions: answer at once, ask a person first, or refuse."""

from dataclasses import replace
from datetime import datetime

from idp.assurance import Satisfied, Unmet
from idp.audit import Context
from idp.models import Transaction, db
from idp.oidc.answers import Answered, AskConsent, Interact
from idp.oidc.asked import Asked
from idp.oidc.confirmation import record_step_up
from idp.oidc.interaction import interact, must_choose
from idp.oidc.permission import check_entry, still_to_allow
from idp.oidc.requests import Requests
from idp.oidc.responding import Responder
from idp.oidc.resumed import TO_COME, Resumed
from idp.oidc.silent import decide_silently, not_allowed, unmet
from idp.protocol.arrived import Arrived
from idp.protocol.client_metadata import ADMITS_NOBODY
from idp.protocol.errors import OAuthError, not_redirectable
from idp.protocol.parameters import Parameters
from idp.protocol.responses import ReplyTo
from idp.protocol.vocabulary import Prompt
from idp.services import refused_requests, transactions
from idp.services.clients import RegisteredClient
from idp.services.consents import Consents
from idp.services.grants import Granted
from idp.services.session_state import SessionStates
from idp.services.sessions import Live
from idp.services.subjects import Subjects
from idp.services.weighing import Standing, Weighing


class AuthorizationEndpoint:
    """RFC 6749 section 3.1 and OpenID Connect Core 3.1.2, over the sign-in's own decisions."""

    def __init__(
        self,
        *,
        requests: Requests,
        responder: Responder,
        consents: Consents,
        weighing: Weighing,
        subjects: Subjects,
        session_states: SessionStates,
        resumed: Resumed,
    ) -> None:
        self._requests = requests
        self.resumed = resumed
        self.responder = responder
        self._consents = consents
        self._weighing = weighing
        self.subjects = subjects
        self._session_states = session_states

    def arrive(
        self, parameters: Parameters, *, presented: Live | None, context: Context
    ) -> Answered | Interact:
        """Consider a new request; the caller commits.

        Raises ``OAuthError``, not redirectable, while the client or its address is not certain:
        that is for a page of our own, and nothing is sent anywhere.
        """
        client = self._requests.client_of(parameters, presented.seen if presented else None)
        try:
            arrived = self.resolve(parameters, client, context.at)
        except OAuthError as error:
            if not error.redirectable:
                raise
            to = self._reply_to(parameters, client, presented)
            return self.responder.refuse_at_once(error, to, client, presented, context)
        if presented and arrived.parameters is not parameters:
            presented = replace(presented, seen=None)  # it may have been fetched, from far away
        return self._take_up(arrived, client, presented, context)

    def suppose(self, parameters: Parameters, context: Context, *, becomes: str) -> Interact | None:
        """The same for nobody, if the client is registered as it was when it was read last.

        That is for the caller to see: in the statement that does something for it. None for all
        that is no plain request for a sign-in. Writes nothing; ``becomes`` is that sign-in's id.
        """
        if Arrived.refers(parameters):
            return None
        try:
            client = self._requests.known_client(parameters)
            arrived = Arrived.plainly(parameters)
            asked = client and self._measure(arrived, client, context, becomes)
            # Getting ready to sign or encrypt may have to fetch, from where the client says.
            if not asked or self.responder.messages(asked):
                return None
            outcome = self._consider(asked, None, context)
        except OAuthError:
            return None  # which has to be told by what is registered now
        return outcome if isinstance(outcome, Interact) else None

    def begun(self, transaction: Transaction, asked: Asked, now: datetime) -> None:
        """A request that arrived, or was supposed to have, has become this sign-in."""
        client = self._requests.confirmed(asked.client)
        self.resumed.become(transaction, asked, client, now)

    def resolve(self, parameters: Parameters, client: RegisteredClient, now: datetime) -> Arrived:
        """The parameters that count. Writes nothing.

        Raises ``OAuthError``: what a reference would have said is not known, so that it may be
        redirected only where an address of the client's stands beside it.
        """
        try:
            return self._requests.resolve(parameters, client, now)
        except OAuthError as error:
            if error.redirectable and not self._requests.names_an_address(parameters, client):
                raise not_redirectable(error.error, error.description) from None
            raise

    def _reply_to(
        self, parameters: Parameters, client: RegisteredClient, live: Live | None
    ) -> ReplyTo:
        to = self._requests.reply_to(parameters, client)
        state = self._session_states.beside_error(to, parameters, live.id if live else None)
        return replace(to, beside=state)

    def again(
        self, arrived: Arrived, *, presented: Live | None, context: Context
    ) -> Answered | Interact:
        """Consider a request once more that became a transaction before. Raises like ``arrive``."""
        client = self._requests.client_of(arrived.parameters)
        self._requests.check_unanswered(arrived, context.at)
        return self._take_up(arrived, client, presented, context)

    def _take_up(
        self, arrived: Arrived, client: RegisteredClient, presented: Live | None, context: Context
    ) -> Answered | Interact:
        try:
            asked = self._measure(arrived, client, context, TO_COME)
            return self._consider(asked, presented, context)
        except OAuthError as error:
            if not error.redirectable:
                raise
            to = self._reply_to(arrived.parameters, client, presented)
            return self.responder.refuse_at_once(error, to, client, presented, context, arrived)

    def _measure(
        self, arrived: Arrived, client: RegisteredClient, context: Context, becomes: str
    ) -> Asked:
        return self._requests.measure(arrived, client, started=context.at, transaction_id=becomes)

    def _consider(
        self, asked: Asked, presented: Live | None, context: Context
    ) -> Answered | Interact:
        request = asked.request
        self.responder.ready(asked, context.at)
        subject = self._requests.subject_of(request, asked.client)
        fitting = presented if presented and subject in (None, presented.user_id) else None
        if Prompt.NONE in request.prompts:
            return self._silently(asked, fitting, context)
        if fitting and not must_choose(request, fitting):
            decision = self._weighing.weigh(fitting, asked.demand)
            if isinstance(decision, Satisfied) and not self._is_shown_first(fitting, asked):
                check_entry(asked.client, fitting.user_id)
                return self._answer(asked, fitting.user_id, fitting.id, decision, context)
            if isinstance(decision, Unmet):
                raise unmet()
            return interact(asked, fitting, subject=subject)
        return interact(asked, None, subject=subject, choose=presented is not None)

    def _silently(self, asked: Asked, live: Live | None, context: Context) -> Answered:
        """OpenID Connect Core 3.1.2.1: no page is shown, whatever it takes to say why not."""
        if live is None:
            raise OAuthError("login_required", "Nobody fitting is signed in.")
        allowed = not self._is_shown_first(live, asked)
        decision = decide_silently(self._weighing, asked, live, allowed=allowed)
        check_entry(asked.client, live.user_id)
        if not allowed:
            raise not_allowed()
        return self._answer(asked, live.user_id, live.id, decision, context)

    def resume(self, transaction: Transaction) -> Asked:
        """The request a transaction is for, measured again against what is registered now.

        Its demand counts from its start. Raises ``OAuthError``: the registration may differ now.
        """
        client = self._requests.client_in(transaction)
        if known := self.resumed.find(transaction, client):
            return known
        asked = self._requests.measure(
            Arrived.from_json(transaction.parameters or {}),
            client,
            started=transaction.started_at,
            transaction_id=transaction.id,
        )
        self.resumed.keep(transaction, asked)
        return asked

    def foresee(self, transaction: Transaction, user_id: str) -> None:
        """It is likely to be concluded with this person, once she has proved who she is."""
        if transaction.client_id is not None:
            self._consents.expect(user_id, transaction.client_id)

    def conclude(
        self,
        standing: Standing,
        context: Context,
        *,
        asked: Asked | None = None,
        allowed: bool = False,
    ) -> Answered | AskConsent:
        """Answer the request of a satisfied sign-in; ``allowed`` is the person's word to it.

        ``asked`` is that request, for whoever has just resumed it. Commits, unless there is a
        question. Raises ``Overtaken`` when it was answered meanwhile.
        """
        transaction, user, live = standing.transaction, standing.user, standing.live
        if user is None or live is None or not isinstance(standing.decision, Satisfied):
            raise ValueError("only a satisfied sign-in can be concluded")
        asked = asked or self.resume(transaction)
        if asked.pushed is not None or self.responder.messages(asked):
            # Who else may have answered it already: what was proved here stays, whatever comes.
            transactions.settle(transaction)
            db.session.commit()
        try:
            check_entry(asked.client, user.id)
            self.responder.ready(asked, context.at)
        except OAuthError as error:
            if not error.redirectable:
                raise
            return self.refuse(transaction, error, context, presented=live)
        if question := self.question(asked, user.id):
            if not allowed:
                return question
            self._consents.give(user.id, asked.client.id, asked.request.concerns, context=context)
        if standing.stepped_up:
            record_step_up(standing, standing.decision, context)
        return self._answer(
            asked, user.id, live.id, standing.decision, context, transaction=transaction
        )

    def refuse(
        self,
        transaction: Transaction,
        error: OAuthError,
        context: Context,
        *,
        presented: Live | None = None,
    ) -> Answered:
        """Answer the request with an error; commits. Raises ``Overtaken`` like ``conclude``."""
        arrived = Arrived.from_json(transaction.parameters or {})
        client = self._requests.client_of(arrived.parameters)
        refused_requests.record(
            error,
            context,
            alike=(transaction.user_id or "", client.id),
            user_id=transaction.user_id,
            client_id=client.id,
            transaction_id=transaction.id,
        )
        answered = self.responder.refuse(
            error,
            self._reply_to(arrived.parameters, client, presented),
            client,
            now=context.at,
            pushed=arrived.pushed,
            transaction=transaction,
        )
        db.session.commit()
        return answered

    def _is_shown_first(self, live: Live, asked: Asked) -> bool:
        """Is there a page for whoever has proved enough: a question, or that nobody may sign in?"""
        # Getting ready to sign or encrypt may have taken long: then what was seen is old.
        seen = None if self.responder.messages(asked) else live.seen
        client, user_id = asked.client, live.user_id
        return client.metadata.admits == ADMITS_NOBODY or bool(
            still_to_allow(self._consents, asked.request, client, user_id, seen=seen)
        )

    def question(self, asked: Asked, user_id: str) -> AskConsent | None:
        """What she is asked once she has proved who she is; None where nothing is."""
        return still_to_allow(self._consents, asked.request, asked.client, user_id)

    def _answer(
        self,
        asked: Asked,
        user_id: str,
        session_id: str,
        satisfied: Satisfied,
        context: Context,
        *,
        transaction: Transaction | None = None,
    ) -> Answered:
        granted = Granted(
            user_id=user_id,
            pairwise=self.subjects.pairwise(asked.client, user_id),
            session_id=session_id,
            client_id=asked.client.id,
            scope=asked.scope,
            satisfied=satisfied,
            details=asked.details(satisfied, context.at),
        )
        return self.responder.grant(granted, asked, now=context.at, transaction=transaction)
