"""What codes mean, said to people."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

ACR: Final[Mapping[str, tuple[str, str]]] = {
    "urn:idp:acr:1fa": ("One proof", "Something like a password or a mailed link, on its own."),
    "urn:idp:acr:mfa": ("Two factors", "Two different kinds of proof."),
    "phr": ("Phishing-resistant", "Two factors, one of which works on the genuine site only."),
    "phrh": ("Phishing-resistant, in hardware", "And its key cannot leave the device."),
}

AMR: Final[Mapping[str, str]] = {
    "pwd": "a password",
    "otp": "a code from an app",
    "pop": "a key you hold",
    "hwk": "the key is in hardware",
    "swk": "the key is kept in software",
    "user": "you were there",
    "mfa": "more than one kind",
    "email": "a link or code by email",
    "recovery": "a recovery code",
}

DONE: Final[Mapping[str, str]] = {
    "sign_in": "Welcome in. The lamps are lit.",
    "fresh": "You have just signed in afresh.",
    "two_factors": "Confirmed with two factors.",
    "phishing_resistant": "Confirmed in a way that cannot be phished.",
    "confirm": "The order is confirmed. Thank you!",
    "ledger": "Confirmed for the ledger.",
}

_NOT_DONE: Final[Mapping[str, str]] = {
    "sign_in": "You are not signed in.",
    "confirm": "The order was not placed.",
    "ledger": "No money has moved.",
}

_WRONG: Final[Mapping[str, tuple[str, str]]] = {
    "access_denied": ("You turned back", "That is all right."),
    "unmet_authentication_requirements": (
        "That proof could not be given",
        "Your account has nothing set up that would be strong enough for this.",
    ),
    "login_required": ("The sign-in was not finished", "Please try again."),
    "unknown_state": (
        "This way in has been used",
        "It was for one time only, or was begun in another browser. Please start again.",
    ),
    "other_issuer": (
        "That came from somewhere else",
        "The answer was not from the sign-in service that the shop works with.",
    ),
    "other_person": (
        "Somebody else came back",
        "You are signed in here as one person, and another one answered. Sign out to change over.",
    ),
    "bad_id_token": ("The answer did not add up", "The shop could not verify who signed in."),
    "not_strong_enough": (
        "That was not strong enough",
        "You came back, but without the kind of proof that was asked for.",
    ),
    "not_recent_enough": (
        "That was too long ago",
        "You came back, but with an earlier sign-in.",
    ),
    "not_confirmed": (
        "The order came back unconfirmed",
        "The sign-in service let you through, and said nothing about the order.",
    ),
    "not_signed_in": ("Please sign in again", "Your sign-in with the shop has run out."),
    "unreachable": (
        "The sign-in service does not answer",
        "It may be starting, or having a short rest. Please try again in a moment.",
    ),
    "temporarily_unavailable": (
        "The sign-in service is busy",
        "Please try again in a moment.",
    ),
    "ledger_unreachable": ("The ledger does not answer", "Please try again in a moment."),
    "ledger_refused": ("The ledger said no", ""),
    "ledger_insists": (
        "The ledger still asks for more",
        "You did confirm it's you, and the ledger wants another kind of proof.",
    ),
}

_SIGNED_IN: Final = (
    "You are signed in already",
    "This way in was for one time only, or was begun in another browser.",
)

_OTHERWISE: Final = (
    "The sign-in service did not agree",
    "It could not do what the shop asked of it.",
)


def acr_in_words(acr: object) -> tuple[str, str]:
    """A name for an ``acr`` value, and what it means."""
    return ACR.get(str(acr), (str(acr), "A kind of sign-in that the shop has no words for."))


def amr_in_words(amr: object) -> str:
    """A sentence without its stop, out of the methods."""
    names: Iterable[object] = amr if isinstance(amr, list) else []
    said = [AMR.get(str(name), str(name)) for name in names]
    return ", ".join(said) if said else "nothing was said about how"


def ago(seconds: float) -> str:
    """How long ago that is, roughly."""
    if seconds < 10:
        return "just now"
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if seconds >= size:
            number = int(seconds // size)
            return f"{number} {name}{'' if number == 1 else 's'} ago"
    return "just now"


def wrong(error: str, purpose: str, *, signed_in: bool) -> tuple[str, str]:
    """A heading and a text about ``error``, with what it means for what was going on.

    ``signed_in``: is the person that here, whatever came of it? An answer opened again, from the
    browser's history say, ends no sign-in.
    """
    if signed_in and purpose == "sign_in":
        purpose = "signed_in"
    heading, text = _WRONG.get(error, _OTHERWISE)
    if signed_in and error == "unknown_state":
        heading, text = _SIGNED_IN
    return heading, f"{text} {_NOT_DONE.get(purpose, 'Nothing has changed.')}".strip()


def clock_time(seconds: float) -> str:
    """A time as people write it, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%-d %B %Y, %H:%M:%S UTC")


def as_text(value: object) -> str:
    """A claim's value as JSON; a plain text as it is."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
