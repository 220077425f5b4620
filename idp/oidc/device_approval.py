"""What a person decides about a device, by the same rules as any authorization request."""

from typing import Any

from idp import audit
from idp.assurance import Decision, Demand, Satisfied, Unmet
from idp.audit import Context
from idp.config import Settings
from idp.models import db
from idp.oidc.permission import check_entry
from idp.protocol.authorization import AuthorizationRequest
from idp.protocol.capabilities import Capabilities
from idp.protocol.device import parse_device_request
from idp.protocol.errors import OAuthError, not_redirectable
from idp.protocol.parameters import Parameters
from idp.services import demands
from idp.services.clients import Clients, RegisteredClient
from idp.services.consents import Consents
from idp.services.device_codes import DeviceCodes, Waiting
from idp.services.grants import Granted
from idp.services.sessions import Live
from idp.services.subjects import Subjects
from idp.services.weighing import Weighing


class DeviceApproval:
    """RFC 8628 section 3.3: the request is answered in a row, which the device polls for."""

    def __init__(
        self,
        settings: Settings,
        *,
        capabilities: Capabilities,
        clients: Clients,
        consents: Consents,
        codes: DeviceCodes,
        weighing: Weighing,
        subjects: Subjects,
    ) -> None:
        self._settings = settings
        self._capabilities = capabilities
        self._clients = clients
        self._consents = consents
        self._codes = codes
        self._weighing = weighing
        self._subjects = subjects

    def client(self, waiting: Waiting) -> RegisteredClient:
        """Whose device it is. Raises ``OAuthError`` for a client that was disabled meanwhile."""
        client = self._clients.get(waiting.client_id)
        if client is None or client.disabled:
            raise not_redirectable("invalid_request", "The application is no longer known here.")
        return client

    def request(self, waiting: Waiting) -> AuthorizationRequest:
        """What it asks for, held against what is registered now. Raises ``OAuthError``."""
        client = self.client(waiting)
        return parse_device_request(
            Parameters.from_json(waiting.parameters),
            client.id,
            client.metadata,
            self._capabilities,
        )

    def demand(self, request_id: str, transaction_id: str) -> Demand:
        """What the sign-in for a request demands. What is gone demands nothing: its page says so.

        ``transaction_id`` as in ``demands.of_request``.
        """
        waiting = self._codes.get(request_id)
        try:
            return self._demand(waiting, transaction_id) if waiting else Demand()
        except OAuthError:
            return Demand()

    def _demand(self, waiting: Waiting, transaction_id: str | None = None) -> Demand:
        demand = demands.of_request(
            self.request(waiting),
            self.client(waiting).metadata,
            self._settings,
            started=waiting.created_at,
            transaction_id=transaction_id,
        )
        if isinstance(demand, Unmet):
            raise not_redirectable(
                "unmet_authentication_requirements", "None of the requested acr values is known."
            )
        return demand

    def weigh(self, waiting: Waiting, live: Live) -> Decision:
        """Is what this session proves enough for it? Raises ``OAuthError`` like ``request``."""
        return self._weighing.weigh(live, self._demand(waiting))

    def check_entry(self, waiting: Waiting, live: Live) -> None:
        """Raise ``OAuthError`` ``access_denied`` when the person may not use the application."""
        check_entry(self.client(waiting), live.user_id)

    def allow(self, waiting: Waiting, live: Live, context: Context) -> bool:
        """Grant what was asked for, on the strength of what this session proves now. Commits.

        False when it is decided already, or its time or the session is over. Raises ``OAuthError``
        like ``check_entry``, and ``ValueError`` when the session does not suffice.
        """
        satisfied = self.weigh(waiting, live)
        if not isinstance(satisfied, Satisfied):
            raise ValueError("only a satisfied sign-in can allow anything")
        self.check_entry(waiting, live)
        request = self.request(waiting)
        granted = Granted(
            user_id=live.user_id,
            session_id=live.id,
            client_id=waiting.client_id,
            scope=request.scopes,
            satisfied=satisfied,
            pairwise=self._subjects.pairwise(self.client(waiting), live.user_id),
        )
        if not self._codes.allow(waiting, granted, request, context):
            db.session.rollback()
            return False
        self._remember(waiting, live, request, context)
        proved = {"acr": satisfied.acr, "amr": list(satisfied.amr)}
        _record("device.approved", waiting, live, context, **proved)
        db.session.commit()
        return True

    def _remember(
        self, waiting: Waiting, live: Live, request: AuthorizationRequest, context: Context
    ) -> None:
        """So that she finds it among her connected applications; no device rests on it."""
        if self.client(waiting).metadata.consent != "never":
            self._consents.give(live.user_id, waiting.client_id, request.concerns, context=context)

    def deny(self, waiting: Waiting, live: Live, context: Context) -> bool:
        """Say no, for good. Commits. False as in ``allow``."""
        denied = self._codes.deny(waiting, live.user_id, context)
        if denied:
            _record("device.denied", waiting, live, context)
        db.session.commit()
        return denied


def _record(name: str, waiting: Waiting, live: Live, context: Context, **data: Any) -> None:
    audit.record(
        name,
        context,
        user_id=live.user_id,
        client_id=waiting.client_id,
        session_id=live.id,
        asked_from=waiting.address,
        **data,
    )
