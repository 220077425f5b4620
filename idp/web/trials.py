"""Trials of clients in words, the same on every way to try one."""

from collections.abc import Mapping
from typing import Any, Final

from flask_babel import lazy_gettext as later

from idp.oidc.examination import NOBODY_IN_THEM, OUT_OF_REACH, Examination
from idp.oidc.trial import Trial
from idp.services.turned_away import NOBODY_ADMITTED

NAMES: Final[Mapping[str, Any]] = {
    "registration": later("Registration"),
    "credentials": later("What it proves itself with"),
    "addresses": later("Redirect addresses"),
    "entry": later("Who may sign in"),
    "authorization": later("Authorization request"),
    "token": later("Token request"),
    "userinfo": later("Userinfo request"),
}
FIXES: Final[Mapping[str, Any]] = {
    "access_denied": later(
        "You are in none of the groups that may sign in. Add yourself to one, or change who may."
    ),
    "interaction_required": later(
        "It asks for more than you proved when you signed in here. Sign in with a passkey, or lower"
        " what it asks for under Access and strength."
    ),
    "login_required": later(
        "It takes a fresher sign-in than yours. Sign in again, or raise the oldest sign-in under"
        " Access and strength."
    ),
    "unmet_authentication_requirements": later(
        "The strength asked for cannot be reached. Set up a stronger factor, or lower the least"
        " strength under Access and strength."
    ),
    "unauthorized_client": later(
        "It is disabled, or not registered for this. Enable it under Danger, or let its grant"
        " types name it."
    ),
    "invalid_client": later(
        "It has nothing to prove itself with. Add a secret under Secrets, or look at where its keys"
        " are published."
    ),
    "invalid_redirect_uri": later("An address is not allowed: put it right under Details."),
    "unsupported_response_type": later("Its registration does not name the response type code."),
    "invalid_scope": later("A scope is asked for that is not in its registration."),
    "invalid_request": later("A parameter is not as the registration wants it: see the answer."),
    "invalid_client_metadata": later(
        "Tokens cannot be made as registered: look at its keys and algorithms."
    ),
    "temporarily_unavailable": later("Its keys could not be read: look at its jwks_uri."),
}


_CLOSED: Final[Mapping[str | None, Any]] = {
    NOBODY_ADMITTED: later(
        "Nobody may sign in to it yet, and so cannot you. Choose who may under Access and strength."
    ),
    OUT_OF_REACH: later(
        "Lower what it asks for, take back a way to sign in that it refuses, or let passkeys be"
        " asked for their attestation (webauthn_attestation)."
    ),
    NOBODY_IN_THEM: later(
        "Nobody is in a group that may sign in. Put somebody into one, or change who may under"
        " Access and strength."
    ),
}


def admits_nobody(trial: Trial) -> bool:
    """Did it fail because nobody may sign in yet?"""
    return trial.steps[-1].reason == NOBODY_ADMITTED


def fix_of(trial: Trial) -> str | None:
    """What to do about what failed; None where nothing did."""
    if (closed := _CLOSED.get(trial.steps[-1].reason)) is not None:
        return str(closed)
    return str(FIXES.get(trial.error, FIXES["invalid_request"])) if trial.error else None


def told(found: Examination) -> dict[str, Any]:
    """An examination as programs are told it; instants as they are."""
    trial, last = found.trial, found.last
    return {
        "passed": trial.passed,
        "error": trial.error,
        "fix": fix_of(trial),
        "steps": [
            {"name": one.name, "sent": one.sent, "answer": one.answer, "error": one.error}
            for one in trial.steps
        ],
        "address": found.address,
        "last": {"at": last.at, "outcome": last.outcome} if last else None,
    }
