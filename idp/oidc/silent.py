"""prompt=none: an answer without a page, and exactly why not (OpenID Connect Core 3.1.2.1)."""

from dataclasses import replace

from idp.assurance import Satisfied, Unmet
from idp.oidc.asked import Asked
from idp.oidc.interaction import hints_at_other
from idp.protocol.errors import OAuthError
from idp.services.sessions import Live
from idp.services.weighing import Weighing


def decide_silently(
    weighing: Weighing, asked: Asked, live: Live, *, allowed: bool = True
) -> Satisfied:
    """What the session proves, if it is enough as it is, and of whom the request hints at.

    A wish is no reason to fail. Raises ``OAuthError``: ``account_selection_required`` when the
    session is another person's, ``login_required`` when the same proofs would do if they were
    younger, ``interaction_required`` when others are needed, and
    ``unmet_authentication_requirements`` when there are none that would do.

    ``allowed``: has she allowed what is asked for? Else it is not said whether the hint is hers:
    whoever frames this address could try which of many people is here.
    """
    if allowed and hints_at_other(asked.request, live):
        raise OAuthError("account_selection_required", "Another account is signed in.")
    demand = asked.demand
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


def not_allowed() -> OAuthError:
    """What is asked for would have to be allowed on a page."""
    return OAuthError("consent_required", "The person has not allowed this yet.")


def unmet() -> OAuthError:
    """OpenID Connect Core Unmet Authentication Requirements 1.0."""
    return OAuthError(
        "unmet_authentication_requirements", "The requested authentication cannot be reached."
    )
