"""Authorization requests as values: whose they are, what they refer to, what they demand."""

from datetime import datetime

from idp.config import Settings
from idp.models import Transaction
from idp.oidc.asked import Asked
from idp.oidc.confirmation import demanding
from idp.oidc.expected import HintReader, expected_person
from idp.oidc.readings import Readings
from idp.oidc.request_objects import RequestObjects
from idp.oidc.responding import answered_before
from idp.protocol.arrived import Arrived
from idp.protocol.authorization import (
    AuthorizationRequest,
    identify,
    reply_to,
)
from idp.protocol.capabilities import Capabilities
from idp.protocol.errors import OAuthError, not_redirectable
from idp.protocol.operations import read_operation
from idp.protocol.parameters import Parameters
from idp.protocol.responses import ReplyTo
from idp.services import demands, transactions
from idp.services.clients import Clients, RegisteredClient
from idp.services.live import Seen
from idp.services.pushed import PREFIX, PushedRequests
from idp.services.subjects import Subjects


class Requests:
    """Reads requests, wherever they come from: an address, a push, a signature, a transaction."""

    def __init__(
        self,
        settings: Settings,
        *,
        capabilities: Capabilities,
        clients: Clients,
        pushed: PushedRequests,
        subjects: Subjects,
        objects: RequestObjects,
        read_hint: HintReader,
    ) -> None:
        self._settings = settings
        self._capabilities = capabilities
        self._readings = Readings(settings, capabilities)
        self._clients = clients
        self._pushed = pushed
        self._subjects = subjects
        self._objects = objects
        self._read_hint = read_hint

    def client_of(self, parameters: Parameters, seen: Seen | None = None) -> RegisteredClient:
        """The client that a request names. Raises ``OAuthError``, not redirectable.

        ``seen`` is what was just read of one, if any was.
        """
        client_id = identify(parameters)
        if seen is not None and seen.client_id == client_id and seen.revision is not None:
            return _let_in(self._clients.at(client_id, seen.revision))
        return _let_in(self._clients.get(client_id))

    def known_client(self, parameters: Parameters) -> RegisteredClient | None:
        """The same as it was when it was read last, not ``confirmed``; None where nothing is known.

        Raises ``OAuthError``.
        """
        client = self._clients.known(identify(parameters))
        return None if client is None or client.disabled else client

    def confirmed(self, client: RegisteredClient) -> RegisteredClient:
        """That one, for whoever has seen that it is still at that revision."""
        return self._clients.confirmed(client)

    def client_in(self, transaction: Transaction) -> RegisteredClient:
        """The same of the request that a transaction is for, which may have been read with it."""
        revision = transactions.client_revision(transaction)
        if revision is None or transaction.client_id is None:
            return self.client_of(Arrived.from_json(transaction.parameters or {}).parameters)
        return _let_in(self._clients.at(transaction.client_id, revision))

    def resolve(self, parameters: Parameters, client: RegisteredClient, now: datetime) -> Arrived:
        """The parameters that count, by what was sent. Writes nothing.

        May fetch: the caller's transaction, which must have read only, is ended before that.
        Raises ``OAuthError``: ``invalid_request_uri`` for a reference to nothing that is there,
        ``invalid_request_object`` for one that is not the client's word.
        """
        reference = parameters.clean("request_uri")
        if reference is None or not reference.startswith(PREFIX):
            return self._objects.resolve(parameters, client, now)
        found = self._pushed.find(reference, client_id=client.id, now=now)
        if found is None:
            raise not_redirectable(
                "invalid_request_uri", "request_uri is unknown, used, expired or another client's."
            )
        # RFC 9126 section 4: what was pushed counts, and nothing that stands beside it.
        return found

    def check_unanswered(self, arrived: Arrived, now: datetime) -> None:
        """Raise ``OAuthError``, not redirectable, where it was pushed and is over."""
        if arrived.pushed is not None and not self._pushed.may_go_on(arrived.pushed, now):
            raise answered_before()

    def reply_to(self, parameters: Parameters, client: RegisteredClient) -> ReplyTo:
        """Where an answer may go. Raises ``OAuthError``, not redirectable."""
        return reply_to(parameters, client.metadata, self._capabilities)

    def names_an_address(self, parameters: Parameters, client: RegisteredClient) -> bool:
        """Is there an address of the client's among them?"""
        try:
            self.reply_to(parameters, client)
        except OAuthError:
            return False
        return True

    def measure(
        self,
        arrived: Arrived,
        client: RegisteredClient,
        *,
        started: datetime,
        transaction_id: str | None,
    ) -> Asked:
        """The request, held against the registration and against what we can do.

        Its demand counts from ``started``. Raises ``OAuthError``.
        """
        reading = self._readings.of(arrived, client)
        request = reading.request
        demand = demands.begun(
            reading.terms,
            client.metadata,
            self._settings,
            started=started,
            transaction_id=transaction_id,
        )
        operation = read_operation(request.authorization_details)
        if operation is not None:
            demand = demanding(demand, client.metadata, self._settings, within=transaction_id)
        return Asked(request, client, demand, operation, arrived)

    def subject_of(self, request: AuthorizationRequest, client: RegisteredClient) -> str | None:
        """The one person it is about, if there is one. Raises ``OAuthError``."""
        return expected_person(request, client, read_hint=self._read_hint, subjects=self._subjects)


def _let_in(client: RegisteredClient | None) -> RegisteredClient:
    if client is None or client.disabled:
        raise not_redirectable("invalid_request", "client_id names no application known here.")
    return client
