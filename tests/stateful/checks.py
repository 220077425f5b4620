"""What must hold after each step: every token is true, every error is right, no page is an end."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from tests.helpers import base64url
from tests.helpers.relying_party import Tokens
from tests.helpers.user_agent import Page
from tests.stateful.browsing import Browser, Session, SignIn
from tests.stateful.proofs import TOTP, Answer, Shows, fewest_further, passkey, reaches
from tests.stateful.town import Resident
from tests.stateful.wants import Wanted

COULD_SET_UP = {"totp": TOTP, "passkey": passkey(verified=True)}


def said(claims: Mapping[str, Any]) -> Answer:
    """What a token says of the sign-in."""
    return Answer(claims["acr"], frozenset(claims["amr"]), claims["auth_time"])


def check_leads_on(page: Page) -> None:
    """No page is a dead end: there is a form, or a link to another page."""
    if "html" not in page.response.headers.get("Content-Type", ""):
        return
    here = page.url.partition("#")[0]
    onward = [address for _, address in page.document.links if address.partition("#")[0] != here]
    assert page.document.forms or onward, f"a dead end: {page.url} {page.document.text[:300]}"


def check_tokens(
    tokens: Tokens, wanted: Wanted, browser: Browser, sign_ins: Iterable[SignIn], now: datetime
) -> Session:
    """Is all of it supported by what was proved, and does it answer what was asked?"""
    claims = tokens.claims
    session = browser.sessions.get(claims["sid"])
    assert session is not None, "a session that this browser never had"
    assert session.who.id == claims["sub"], "somebody else"
    assert session.can_be_alive(now), "the session was over"
    assert wanted.subject in (None, claims["sub"]), "not who was asked for"
    check_supported(said(claims), wanted, session)
    check_exact(said(claims), wanted, session, sign_ins, now)
    assert ("authorization_details" in claims) is wanted.confirms, "another confirmation"
    access = claims_of(tokens.access_token)
    if access is not None:
        assert said(access) == said(claims), "the access token says something else"
    return session


def claims_of(access_token: str) -> Mapping[str, Any] | None:
    """What a JWT holds; None for another token."""
    parts = access_token.split(".")
    found: Mapping[str, Any] | None = json.loads(base64url.decode(parts[1])) if parts[1:] else None
    return found


def check_supported(answer: Answer, wanted: Wanted, session: Session) -> None:
    """By some proofs of this session, fresh enough for whoever sent the request."""
    since = wanted.since(wanted.at)
    fresh = [one for one in session.proofs if since is None or one.at >= since]
    for name in answer.amr - {"mfa"}:
        assert any(name in one.shows.amr for one in fresh), f"{name}: never, or too long ago"
    assert any(int(one.at.timestamp()) == answer.auth_time for one in fresh), "nothing then"
    if wanted.known and wanted.insists:
        assert answer.acr in wanted.known, "an acr that was not asked for"


def check_exact(
    answer: Answer,
    wanted: Wanted,
    session: Session,
    sign_ins: Iterable[SignIn],
    now: datetime,
) -> None:
    """Just what the semantics say, for one of the sign-ins that may have come to it."""
    floor = session.who.account_floor
    possible: set[Answer] = set()
    for one in [*sign_ins, SignIn("", now, wanted)]:
        given: dict[str, Any] = {"account": floor, "started": one.started, "sign_in": one.id}
        found = wanted.answers(session.proofs, **given)
        if not found and not wanted.insists and not _grantable(wanted, session.who):
            found = wanted.lesser_answers(session.proofs, **given)
        possible |= found
    assert answer in possible, f"{answer}, where it should be one of {possible}"


def _grantable(wanted: Wanted, who: Resident) -> bool:
    """Could the wish come true? A silent request does not wait for it."""
    if wanted.silent:
        return False
    could = who.could_show(refused=wanted.policy.refused)
    levels = [level for _, level in wanted.targets(who.account_floor)]
    return bool(wanted.known) and any(reaches(level, could) for level in levels)


def check_error(error: str, wanted: Wanted, who: Resident | None, proved: Iterable[Shows]) -> None:
    """Is it the error that belongs here?"""
    if error == "access_denied":
        assert wanted.cancelled, "nobody cancelled"
    elif error == "unmet_authentication_requirements":
        check_unmet(wanted, who, list(proved))
    elif error == "login_required":
        assert wanted.silent or wanted.subject, "she could have been asked"
    elif error in ("interaction_required", "consent_required", "account_selection_required"):
        assert wanted.silent, "she could have been asked"
    else:
        raise AssertionError(f"no reason for {error}")


def check_unmet(wanted: Wanted, who: Resident | None, proved: list[Shows]) -> None:
    """Was it really out of reach, for her and for what she might have set up?"""
    if wanted.insists and not wanted.known:
        return
    assert who is not None, "nobody knows yet what she has"
    assert is_out_of_reach(wanted, who, proved), "it could be reached"


def is_out_of_reach(wanted: Wanted, who: Resident, proved: list[Shows]) -> bool:
    """Does nothing that she has, or may set up on this occasion, lead there?"""
    could = who.could_show(refused=wanted.policy.refused)
    floor = who.account_floor
    targets = wanted.targets(floor) if wanted.insists else wanted.unasked(floor)
    if wanted.policy.sets_up and not wanted.confirms:
        could += [one for name, one in COULD_SET_UP.items() if name not in wanted.policy.refused]
    return all(fewest_further(level, proved, could) is None for _, level in targets)


def check_enrolment(who_could: list[Shows], proved_here: list[Shows]) -> None:
    """Whoever sets something up has proved, in this very sign-in, the most that she could."""
    strongest = max(level for level in (1, 2, 3, 4) if reaches(level, who_could))
    assert reaches(strongest, proved_here), "something was set up on too little"
