"""An authorization request together with what it was measured against."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from idp.assurance import Demand, Satisfied
from idp.frozen import made_often
from idp.oidc.confirmation import confirmed
from idp.protocol.arrived import Arrived
from idp.protocol.authorization import AuthorizationRequest
from idp.protocol.operations import Operation, digest
from idp.services.clients import RegisteredClient


@made_often
@dataclass(frozen=True, slots=True)
class Asked:
    """What one relying party asks for, and what that demands of the person."""

    request: AuthorizationRequest
    client: RegisteredClient
    demand: Demand
    operation: Operation | None
    arrived: Arrived

    @property
    def pushed(self) -> str | None:
        """What the pushed request it came by is filed under."""
        return self.arrived.pushed

    @property
    def scope(self) -> tuple[str, ...]:
        """What is granted. A confirmation is no standing permission: nothing refreshes it."""
        scopes = self.request.scopes
        if self.operation is None:
            return scopes
        return tuple(scope for scope in scopes if scope != "offline_access")

    @property
    def binding(self) -> str | None:
        """The digest that a proof has to cover, where an operation is being confirmed."""
        return digest(self.operation, client_id=self.client.id) if self.operation else None

    def details(self, satisfied: Satisfied, now: datetime) -> tuple[Mapping[str, Any], ...]:
        """The authorization details as they are granted."""
        if self.operation is None:
            return ()
        return (confirmed(self.operation, satisfied, client_id=self.client.id, now=now),)
