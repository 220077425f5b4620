"""An explanation in words, and as JSON."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from idp.assurance import Acr, Choice, Demand, Evidence, Rung, Trait
from idp.models import User
from idp.oidc.explain import Explanation
from idp.protocol.arrived import Arrived
from idp.protocol.errors import OAuthError
from idp.services.clients import RegisteredClient

_PAGES = {
    "create": "the page that makes an account (prompt=create)",
    "select_account": "the choice of an account (prompt=select_account)",
}


def as_json(found: Explanation, user: User | None) -> dict[str, Any]:
    """The whole explanation; ``outcome`` is ``asks``, ``tokens`` or ``error``."""
    return {
        "outcome": _outcome(found),
        "client_id": found.client_id,
        "came": came(found.asked.arrived) if found.asked else None,
        "user": user.email if user else None,
        "demand": _demand_json(found.demand) if found.demand else None,
        "evidence": [_evidence_json(one) for one in found.evidence],
        "pages": found.pages,
        "choices": [_choice_json(one, found) for one in _choices(found)],
        "consent": found.consent,
        "tokens": _tokens_json(found),
        "error": _error_json(found),
    }


def _outcome(found: Explanation) -> str:
    if found.error:
        return "error"
    return "asks" if found.challenge else "tokens"


def _demand_json(demand: Demand) -> dict[str, object]:
    return {
        "acceptable": [acr.name for acr in demand.acceptable],
        "necessary": demand.necessary,
        "floor": demand.floor.name.lower(),
        "since": demand.since,
        "rung_since": {rung.name.lower(): at for rung, at in demand.rung_since.items()},
        "refused": sorted(demand.refused),
        "in_this_sign_in": demand.within is not None,
    }


def _evidence_json(one: Evidence) -> dict[str, object]:
    return {"method": one.method, "amr": one.amr, "at": one.at, "proves": sorted(one.proves)}


def _choices(found: Explanation) -> tuple[Choice, ...]:
    return found.challenge.choices if found.challenge else ()


def _choice_json(choice: Choice, found: Explanation) -> dict[str, object]:
    return {
        "method": choice.method,
        "suffices": choice.method not in found.beginnings,
        "user_verification": choice.user_verification,
        "steps": choice.steps,
        "enrol": choice.enrol,
        "needs": sorted(choice.needs),
    }


def _tokens_json(found: Explanation) -> dict[str, object] | None:
    if found.answer is None:
        return None
    answer = found.answer
    return {"id_token": answer.id_token, "scope": answer.scope, "userinfo": answer.userinfo}


def _error_json(found: Explanation) -> dict[str, object] | None:
    if found.error is None:
        return None
    return {
        **found.error.parameters(),
        "clause": found.clause,
        "answered_at": "redirect_uri" if found.error.redirectable else "our own page",
        "registered_redirect_uris": found.registered,
    }


def came(arrived: Arrived) -> str:
    """How the request reached us."""
    how = [name for name, is_so in _CAME.items() if is_so(arrived)]
    return " and ".join(how) or "in the address"


_CAME: Final[Mapping[str, Callable[[Arrived], bool]]] = {
    "pushed": lambda arrived: arrived.pushed is not None,
    "signed": lambda arrived: arrived.signed,
}


def called(client: RegisteredClient) -> str:
    """Its name, and its id where that is another."""
    return client.id if client.name == client.id else f"{client.name} ({client.id})"


def demands(demand: Demand, now: datetime) -> Iterator[str]:
    """What is asked for, a phrase each; ages are told as of ``now``."""
    if demand.acceptable:
        how = "or the request fails" if demand.necessary else "where it can be had"
        yield f"{' or '.join(map(_wanted, demand.acceptable))}, {how}"
    yield f"at least {_RUNGS[demand.floor]}"
    if demand.since:
        yield f"proofs no older than {_age(now - demand.since)}"
    for rung, at in demand.rung_since.items():
        yield f"for {_RUNGS[rung]}, no older than {_age(now - at)}"
    if demand.refused:
        yield f"not by {', '.join(sorted(demand.refused))}"
    if demand.within:
        yield "proved in this sign-in"


def _wanted(acr: Acr) -> str:
    return f"{acr.name} ({_RUNGS[acr.rung]})"


_RUNGS: Final[Mapping[Rung, str]] = {
    Rung.ONE_FACTOR: "one proof",
    Rung.SECOND_STEP: "the second step that the account has",
    Rung.MFA: "two factors",
    Rung.PHR: "phishing-resistant",
    Rung.PHRH: "phishing-resistant, in attested hardware",
}


def _age(age: timedelta) -> str:
    seconds = int(age.total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def proved(one: Evidence, now: datetime) -> str:
    """The method of a proof, and how long ago it was given."""
    return f"{one.method} {_age(now - one.at)} ago" if one.at < now else f"{one.method} now"


def lines(found: Explanation) -> Iterator[str]:
    """What would come of the request, a line each; those of a list are indented by two spaces."""
    if found.error:
        yield from _error_lines(found, found.error)
        return
    yield from (f"First comes {_PAGES[page]}." for page in found.pages)
    if found.challenge:
        # Of somebody unknown it is not known what she has: the page's order is nobody's best.
        order = "as the page has them" if found.beginnings else "the best first"
        yield f"Would be asked, any one of, {order}:"
        yield from (f"  {_choice(one, found)}" for one in found.challenge.choices)
    if found.consent:
        yield f"Would have to allow: {', '.join(found.consent)}"
    if found.answer:
        yield "Tokens would say:"
        claims = {**found.answer.id_token, "scope": " ".join(found.answer.scope)}
        yield from (f"  {name}: {json.dumps(value)}" for name, value in claims.items())
        if found.answer.userinfo:
            yield f"Userinfo would tell: {', '.join(found.answer.userinfo)}"


def _error_lines(found: Explanation, error: OAuthError) -> Iterator[str]:
    yield f"Error: {error}"
    yield f"Clause: {found.clause}"
    if error.redirectable:
        yield "Answered at the redirect address, with state and iss."
        return
    yield "Answered by a page of our own: nothing is sent to the client."
    yield from (f"Registered: {uri}" for uri in found.registered)


def _choice(choice: Choice, found: Explanation) -> str:
    verified = ""
    if Trait.USER_VERIFICATION in choice.needs:
        verified = ", which must verify its user"
    enrolled = ", to be set up first" if choice.enrol else ""
    return f"{choice.method}{verified}{enrolled}: {_steps(choice, found)}"


def _steps(choice: Choice, found: Explanation) -> str:
    if choice.method in found.beginnings:
        return "a beginning; the rest depends on who it is"
    return "enough by itself" if choice.steps == 1 else f"one of {choice.steps} steps"
