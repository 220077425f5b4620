"""Confirming one operation: what it demands, and what tokens say of it (RFC 9396)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from idp import audit
from idp.assurance import Demand, Rung, Satisfied, resolve_acr_values
from idp.audit import Context
from idp.clock import epoch
from idp.config import Settings
from idp.protocol.client_metadata import ClientMetadata
from idp.protocol.errors import OAuthError
from idp.protocol.json_values import thaw
from idp.protocol.operations import Operation, digest
from idp.services.weighing import Standing


def demanding(
    demand: Demand, client: ClientMetadata, settings: Settings, *, within: str | None
) -> Demand:
    """``demand``, and a proof in this very transaction that its person is there.

    By a passkey, whose signature covers what was shown; or by whatever else the registration's
    ``confirm_operation_acr`` is content with. Nothing is set up on the occasion: what was made a
    moment ago covers nothing. Raises ``OAuthError`` where there is no transaction to prove it in.
    """
    if within is None:
        raise OAuthError("interaction_required", "An operation is confirmed by a person.")
    least = resolve_acr_values(filter(None, [client.confirm_operation_acr]), settings.acr_aliases)
    floor = least[0].rung if least else Rung.PHR
    raised = demand.raised(floor=floor, within=within, verify_user=True)
    return replace(raised, enrol_within=None)


def confirmed(
    operation: Operation, satisfied: Satisfied, *, client_id: str, now: datetime
) -> Mapping[str, Any]:
    """The operation as tokens carry it back: as it came, with when and how it was confirmed.

    ``digest`` is what the passkey's challenge was made from; the relying party can compute it.
    """
    detail = thaw(operation.detail)
    if not isinstance(detail, dict):
        raise TypeError("an operation is an object")
    return {
        **detail,
        "confirmed": {
            "at": epoch(now),
            "acr": satisfied.acr,
            "amr": list(satisfied.amr),
            "digest": digest(operation, client_id=client_id),
        },
    }


def record_step_up(standing: Standing, satisfied: Satisfied, context: Context) -> None:
    """Put on record that an application asked for more and got it, in the caller's transaction."""
    audit.record(
        "step_up.satisfied",
        context,
        user_id=standing.user.id if standing.user else None,
        client_id=standing.transaction.client_id,
        session_id=standing.live.id if standing.live else None,
        transaction_id=standing.transaction.id,
        acr=satisfied.acr,
        amr=list(satisfied.amr),
    )
