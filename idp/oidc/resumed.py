"""Requests under way, as they were measured: for the steps of a sign-in, which all ask for it."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from idp.config.live import LiveSettings
from idp.models import Transaction
from idp.oidc.asked import Asked
from idp.services.clients import RegisteredClient

TO_COME: Final = "to come"
"""Stands for the transaction that a request will become, should it need one."""

MOST: Final = 1000
"""Some ten kilobytes each: what so many people answer at once whom one process serves."""
LONGEST: Final = 8000
"""Characters of a request that is kept: a stranger's may have eight times as many."""


class Resumed:
    """What a request comes to, for as long as all that it was measured by is what it was.

    That is the request and its instant, which never change in a sign-in; the registration, which
    is another value at another revision; and the settings. Nothing is asked of it that it could
    not work out again: it spares the time alone.
    """

    def __init__(self, settings: LiveSettings) -> None:
        self._settings = settings
        self._known: dict[str, tuple[Asked, tuple[object, ...]]] = {}

    def find(self, transaction: Transaction, client: RegisteredClient) -> Asked | None:
        """The request of this sign-in, if it was kept and nothing has changed since."""
        asked, basis = self._known.get(transaction.id, (None, None))
        if asked is None or asked.client is not client:
            return None
        return asked if basis == self._basis(transaction) else None

    def keep(self, transaction: Transaction, asked: Asked) -> None:
        """Keep it for the next step, unless it is a long one."""
        if asked.arrived.parameters.length > LONGEST:
            return
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[transaction.id] = asked, self._basis(transaction)

    def become(
        self, transaction: Transaction, asked: Asked, client: RegisteredClient, now: datetime
    ) -> None:
        """The same for a request that was measured ``now``, and has become this sign-in.

        ``client`` is whose it is, confirmed.
        """
        if asked.operation is not None or transaction.started_at != now:
            return  # its demand is about another instant, or about the sign-in itself
        demand = asked.demand
        if demand.enrol_within == TO_COME:
            demand = replace(demand, enrol_within=transaction.id)
        self.keep(transaction, Asked(asked.request, client, demand, None, asked.arrived))

    def _basis(self, transaction: Transaction) -> tuple[object, ...]:
        return transaction.parameters, transaction.started_at, self._settings.changed
