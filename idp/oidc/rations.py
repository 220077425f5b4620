"""How often anybody at all may have us keep something: by their network, as they have no name."""

from idp.models import db
from idp.oidc.direct import DirectRequest
from idp.services import repeated
from idp.services.clients import RegisteredClient
from idp.services.not_now import NotNow
from idp.services.throttle import Throttle, Wait


class Rations:
    """For endpoints that write a row for whoever asks."""

    def __init__(self, throttle: Throttle) -> None:
        self._throttle = throttle

    def take(self, what: str, client: RegisteredClient, request: DirectRequest) -> None:
        """Count a request of a client without credentials. Raises ``NotNow``; commits.

        One that authenticates answers for itself: it is known whom to shut out. ``what`` names
        the count, and the audit event of a request that was too many.
        """
        if not client.metadata.is_public:
            return
        context = request.direct.context
        reserved = self._throttle.reserve_request(what, context=context)
        if isinstance(reserved, Wait):
            repeated.record(f"{what}.throttled", context, alike=(), client_id=client.id)
        db.session.commit()
        if isinstance(reserved, Wait):
            raise NotNow(reserved, "Too many requests came from this network. Try again later.")
