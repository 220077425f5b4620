"""What applications ask for in the random sequences, and what is to be expected of it at once."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

from hypothesis import strategies as st

from tests.stateful.browsing import Session
from tests.stateful.checks import is_out_of_reach
from tests.stateful.wants import Wanted

T = TypeVar("T")
UNKNOWN: Final = "urn:example:of-another-world"
ORDER: Final = {"type": "confirm_operation", "id": "order-1", "title": "Pay for your order"}
_NAMES = ("urn:idp:acr:mfa", "phr", "urn:idp:acr:1fa", "phrh", UNKNOWN)
_ACRS = st.lists(st.sampled_from(_NAMES), min_size=1, max_size=3, unique=True)


def rarely(strategy: st.SearchStrategy[T]) -> st.SearchStrategy[T | None]:
    """Mostly None."""
    return st.one_of(*[st.none()] * 5, strategy)


def _now_and_then(strategy: st.SearchStrategy[T]) -> st.SearchStrategy[T | None]:
    return st.one_of(st.none(), st.none(), strategy)


wishes = st.fixed_dictionaries(
    {
        "acr_values": _now_and_then(_ACRS),
        "acr_claim": rarely(st.fixed_dictionaries({"values": _ACRS, "essential": st.booleans()})),
        "max_age": _now_and_then(st.sampled_from((0, 60, 300, 3600, 100_000))),
        "prompt": _now_and_then(st.sampled_from(("none", "login", "select_account", "consent"))),
        "scope": _now_and_then(st.just("openid offline_access")),
        "authorization_details": rarely(st.just([ORDER])),
    }
).map(lambda wish: {name: value for name, value in wish.items() if value is not None})
"""Each part of a request is there or not, independently of the others."""

further_wishes = st.fixed_dictionaries(
    {
        "acr_values": st.sampled_from((None, ["phr"], ["urn:idp:acr:mfa"], ["urn:idp:acr:1fa"])),
        "max_age": st.sampled_from((None, None, 0, 300)),
    }
).map(lambda wish: {name: value for name, value in wish.items() if value is not None})
"""What an application asks for of somebody who has signed in before: more, or anew."""


def parameters(wish: Mapping[str, Any]) -> dict[str, Any]:
    """The wish in the words of an authorization request."""
    sent = {name: value for name, value in wish.items() if name != "acr_claim"}
    if details := sent.pop("authorization_details", None):
        sent["authorization_details"] = json.dumps(details)
    if claim := wish.get("acr_claim"):
        sent["claims"] = {"id_token": {"acr": dict(claim)}}
    return sent


def is_plain(wanted: Wanted, session: Session) -> bool:
    """Does nothing but proof stand between this session and an answer?"""
    wished = wanted.parameters
    return (
        wished.get("prompt") not in ("select_account", "consent")
        and wanted.subject in (None, session.who.id)
        and wished.get("address") in (None, session.who.email)
    )


def silent_outcomes(wanted: Wanted, session: Session | None, now: datetime) -> set[str]:
    """What a request without a page may come to: an error's code, or ``ok``."""
    if wanted.names and not wanted.known and wanted.insists:
        return {"unmet_authentication_requirements"}
    if session is None or wanted.subject not in (None, session.who.id):
        return {"login_required"}
    told = _told_of_her(wanted, session, now)
    consents = wanted.client == "consenting"
    if wanted.parameters.get("address") not in (None, session.who.email):
        # Before she has consented, nobody is told that she is not the one who is meant.
        return {"account_selection_required", *(told - {"ok"} if consents else ())}
    return told


def _told_of_her(wanted: Wanted, session: Session, now: datetime) -> set[str]:
    """The same whoever is meant."""
    given: dict[str, Any] = {"account": session.who.account_floor, "sign_in": None}
    found = wanted.answers(session.proofs, started=now, **given)
    if not found and not wanted.insists:
        found = wanted.lesser_answers(session.proofs, started=now, **given)
    if found:
        return {"ok", "consent_required"} if wanted.client == "consenting" else {"ok"}
    fresh = wanted.fresh(session.proofs, started=now, sign_in=None)
    if is_out_of_reach(wanted, session.who, [one.shows for one in fresh]):
        return {"unmet_authentication_requirements"}
    ageless = wanted.regardless_of_age()
    enough = ageless.answers(session.proofs, started=now, **given)
    if not wanted.insists:
        enough |= ageless.lesser_answers(session.proofs, started=now, **given)
    return {"login_required"} if enough else {"interaction_required"}
