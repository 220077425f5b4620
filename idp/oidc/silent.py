"""prompt=none: an answer without a page, and exactly why not (OpenID Connect Core 3.1.2.1)."""

from dataclasses import replace

from idp.assurance import Demand, Satisfied, Unmet
from idp.protocol.errors import OAuthError
from idp.services.sessions import Live
from idp.services.weighing import Weighing


def decide_silently(weighing: Weighing, demand: Demand, live: Live) -> Satisfied:
    """What the session proves, if it is enough as it is.

    A wish is no reason to fail. Raises ``OAuthError``: ``login_required`` when the same proofs
    would do if they were younger, ``interaction_required`` when others are needed, and
    ``unmet_authentication_requirements`` when there are none that would do.
    """
    decision = weighing.weigh(live, demand)
    if not isinstance(decision, Satisfied) and demand.wish:
        decision = weighing.weigh(live, demand.without_wish())
    if isinstance(decision, Satisfied):
        return decision
    if isinstance(decision, Unmet):
        raise unmet()
    ageless = replace(demand, since=None, rung_since={})
    if isinstance(weighing.weigh(live, ageless), Satisfied):
        raise OAuthError("login_required", "The sign-in is too long ago.")
    raise OAuthError("interaction_required", "A further proof is needed.")


def unmet() -> OAuthError:
    """OpenID Connect Core Unmet Authentication Requirements 1.0."""
    return OAuthError(
        "unmet_authentication_requirements", "The requested authentication cannot be reached."
    )
