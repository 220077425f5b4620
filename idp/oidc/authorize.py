"""The authorization endpoint's decisions: answer at once, ask a person first, or refuse."""

from datetime import datetime

from idp import audit
from idp.assurance import Satisfied, Unmet
from idp.audit import Context
from idp.config import Settings
from idp.models import Transaction, db
from idp.oidc.answers import Answered, AskConsent, Interact, keep, kept
from idp.oidc.asked import Asked
from idp.oidc.confirmation import demanding, record_step_up
from idp.oidc.hints import HintReader
from idp.oidc.permission import check_entry, still_to_allow
from idp.oidc.silent import decide_silently, unmet
from idp.protocol.authorization import (
    AuthorizationRequest,
    identify,
    parse_authorization_request,
    reply_to,
)
from idp.protocol.capabilities import Capabilities
from idp.protocol.errors import OAuthError, not_redirectable
from idp.protocol.operations import read_operation
from idp.protocol.parameters import Parameters
from idp.protocol.responses import AuthorizationResponse, ReplyTo
from idp.protocol.vocabulary import Prompt
from idp.secrecy import Box
from idp.services import demands, transactions
from idp.services.clients import Clients, RegisteredClient
from idp.services.consents import Consents
from idp.services.grants import Granted, Grants
from idp.services.session_state import SessionStates
from idp.services.sessions import Live
from idp.services.transactions import Purpose
from idp.services.weighing import Standing, Weighing

_TO_COME = "to come"
"""Stands for the transaction that a request will become, should it need one."""


class AuthorizationEndpoint:
    """RFC 6749 section 3.1 and OpenID Connect Core 3.1.2, over the sign-in's own decisions."""

    def __init__(
        self,
        settings: Settings,
        *,
        box: Box,
        capabilities: Capabilities,
        clients: Clients,
        consents: Consents,
        grants: Grants,
        weighing: Weighing,
        read_hint: HintReader,
        session_states: SessionStates,
    ) -> None:
        self._settings = settings
        self._box = box
        self._capabilities = capabilities
        self._clients = clients
        self._consents = consents
        self._grants = grants
        self._weighing = weighing
        self._read_hint = read_hint
        self._session_states = session_states

    def arrive(
        self, parameters: Parameters, *, presented: Live | None, context: Context
    ) -> Answered | Interact:
        """Consider a new request; commits what it decides.

        Raises ``OAuthError``, not redirectable, while the client or its address is not certain:
        that is for a page of our own, and nothing is sent anywhere.
        """
        client = self._client(parameters)
        reply = reply_to(parameters, client.metadata, self._capabilities)
        try:
            asked = self._parse(parameters, client, context)
            return self._consider(asked, presented, context)
        except OAuthError as error:
            if not error.redirectable:
                raise
            return Answered(self._failure(reply, error, parameters, presented))

    def _failure(
        self, reply: ReplyTo, error: OAuthError, parameters: Parameters, live: Live | None
    ) -> AuthorizationResponse:
        state = self._session_states.beside_error(reply, parameters, live.id if live else None)
        issuer = self._settings.issuer
        return AuthorizationResponse.failure(reply, error, issuer=issuer, beside=state)

    def _client(self, parameters: Parameters) -> RegisteredClient:
        client = self._clients.get(identify(parameters))
        if client is None or client.disabled:
            raise not_redirectable("invalid_request", "client_id names no application known here.")
        return client

    def _parse(self, parameters: Parameters, client: RegisteredClient, context: Context) -> Asked:
        request = parse_authorization_request(parameters, client.metadata, self._capabilities)
        return self._measure(request, client, started=context.at, transaction_id=_TO_COME)

    def _measure(
        self,
        request: AuthorizationRequest,
        client: RegisteredClient,
        *,
        started: datetime,
        transaction_id: str | None,
    ) -> Asked:
        demand = demands.of_request(
            request,
            client.metadata,
            self._settings,
            started=started,
            transaction_id=transaction_id,
        )
        if isinstance(demand, Unmet):
            raise OAuthError(
                "unmet_authentication_requirements", "None of the requested acr values is known."
            )
        operation = read_operation(request.authorization_details)
        if operation is not None:
            demand = demanding(demand, client.metadata, self._settings, within=transaction_id)
        return Asked(request, client, demand, operation)

    def _consider(
        self, asked: Asked, presented: Live | None, context: Context
    ) -> Answered | Interact:
        request = asked.request
        subject = self._subject(request)
        fitting = presented if presented and subject in (None, presented.user_id) else None
        if Prompt.NONE in request.prompts:
            return self._silently(asked, fitting, context)
        if fitting and not self._must_choose(request, fitting):
            decision = self._weighing.weigh(fitting, asked.demand)
            if isinstance(decision, Satisfied) and self._question(asked, fitting.user_id) is None:
                check_entry(asked.client, fitting.user_id)
                return self._answer(asked, fitting.user_id, fitting.id, decision, context)
            if isinstance(decision, Unmet):
                raise unmet()
            return self._interact(asked, fitting, subject=subject)
        return self._interact(asked, None, subject=subject, choose=presented is not None)

    def _must_choose(self, request: AuthorizationRequest, live: Live) -> bool:
        creating = Prompt.CREATE in request.prompts
        return (
            creating or Prompt.SELECT_ACCOUNT in request.prompts or _hints_at_other(request, live)
        )

    def _interact(
        self, asked: Asked, live: Live | None, *, subject: str | None = None, choose: bool = False
    ) -> Interact:
        state = {
            "choose": choose and not subject,
            transactions.SUBJECT: subject,
            "create": Prompt.CREATE in asked.request.prompts,
            "login_name": asked.request.login_hint,
        }
        purpose = Purpose(
            client_id=asked.client.id,
            parameters=asked.request.parameters.to_json(),
            state={name: value for name, value in state.items() if value},
        )
        return Interact(purpose, live.user_id if live else None, live.id if live else None)

    def _subject(self, request: AuthorizationRequest) -> str | None:
        """The one person it is about, by ``id_token_hint`` or by the ``sub`` that it claims."""
        named = request.claims.subject
        if request.id_token_hint is None:
            return named
        hinted = self._read_hint(request.id_token_hint, client_id=request.client_id)
        if named not in (None, hinted):
            raise OAuthError("invalid_request", "id_token_hint and claims name different people.")
        return hinted

    def _silently(self, asked: Asked, live: Live | None, context: Context) -> Answered:
        """OpenID Connect Core 3.1.2.1: no page is shown, whatever it takes to say why not."""
        if live is None:
            raise OAuthError("login_required", "Nobody fitting is signed in.")
        if _hints_at_other(asked.request, live):
            raise OAuthError("account_selection_required", "Another account is signed in.")
        decision = decide_silently(self._weighing, asked.demand, live)
        check_entry(asked.client, live.user_id)
        if self._question(asked, live.user_id) is not None:
            raise OAuthError("consent_required", "The person has not allowed this yet.")
        return self._answer(asked, live.user_id, live.id, decision, context)

    def resume(self, transaction: Transaction) -> Asked:
        """The request a transaction is for, measured again against what is registered now.

        Its demand counts from when it started, however long it takes. Raises ``OAuthError``: the
        registration may have changed under it.
        """
        parameters = Parameters.from_json(transaction.parameters or {})
        client = self._client(parameters)
        request = parse_authorization_request(parameters, client.metadata, self._capabilities)
        return self._measure(
            request, client, started=transaction.started_at, transaction_id=transaction.id
        )

    def conclude(
        self, standing: Standing, context: Context, *, allowed: bool = False
    ) -> Answered | AskConsent:
        """Answer the request of a satisfied sign-in; ``allowed`` is the person's word to it.

        Commits. Raises ``Overtaken`` when it was answered meanwhile.
        """
        transaction, user, live = standing.transaction, standing.user, standing.live
        if user is None or live is None or not isinstance(standing.decision, Satisfied):
            raise ValueError("only a satisfied sign-in can be concluded")
        asked = self.resume(transaction)
        try:
            check_entry(asked.client, user.id)
        except OAuthError as error:
            return self.refuse(transaction, error, context, presented=live)
        if question := self._question(asked, user.id):
            if not allowed:
                return question
            scopes = asked.request.scopes
            self._consents.give(user.id, asked.client.id, scopes, context=context)
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
        parameters = Parameters.from_json(transaction.parameters or {})
        client = self._client(parameters)
        reply = reply_to(parameters, client.metadata, self._capabilities)
        response = self._failure(reply, error, parameters, presented)
        audit.record(
            "authorization.refused",
            context,
            user_id=transaction.user_id,
            client_id=client.id,
            transaction_id=transaction.id,
            error=error.error,
        )
        transactions.finish(transaction, keep(response, self._box), context.at)
        db.session.commit()
        return Answered(response)

    def answer(self, transaction: Transaction) -> AuthorizationResponse:
        """What a finished transaction was answered with."""
        return kept(transaction, self._box)

    def _question(self, asked: Asked, user_id: str) -> AskConsent | None:
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
            session_id=session_id,
            client_id=asked.client.id,
            scope=asked.scope,
            satisfied=satisfied,
            details=asked.details(satisfied, context.at),
        )
        code = self._grants.issue_code(granted, asked.request, now=context.at)
        members = {"code": code, **self._session_states.beside(asked.request, session_id)}
        response = AuthorizationResponse.success(
            asked.request.reply_to, members, issuer=self._settings.issuer
        )
        if transaction is not None:
            transactions.finish(transaction, keep(response, self._box), context.at)
        db.session.commit()
        return Answered(response)


def _hints_at_other(request: AuthorizationRequest, live: Live) -> bool:
    """Does ``login_hint`` name an address that is not this person's? Known or not: no oracle."""
    hint = (request.login_hint or "").strip().casefold()
    return "@" in hint and hint != live.email.casefold()
