"""A few words to write ledgers, offers and demands with, and to read decisions by.

A proof is written ``totp@11:00/noon``: by what, when, and in which sign-in ("first" unless said).
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from idp.assurance import (
    MAILBOX,
    PASSWORD,
    RECOVERY_CODE,
    TOTP,
    Challenge,
    Choice,
    Decision,
    Demand,
    Evidence,
    Offer,
    Rung,
    Satisfied,
    Shown,
    Unmet,
    passkey,
    resolve_acr_values,
)

REFEDS = "https://refeds.org/profile/mfa"
ALIASES = {REFEDS: "urn:idp:acr:mfa", "2": "urn:idp:acr:mfa", "gold": "phrh"}

SYNCED = passkey(user_verified=True, backup_eligible=True, attested=False)
TOUCHED = passkey(user_verified=False, backup_eligible=True, attested=False)
ATTESTED = passkey(user_verified=True, backup_eligible=False, attested=True)
ATTESTED_TOUCH = passkey(user_verified=False, backup_eligible=False, attested=True)
BOUND = passkey(user_verified=True, backup_eligible=False, attested=False)

WAYS: Mapping[str, tuple[str, Shown]] = {
    "password": ("password", PASSWORD),
    "totp": ("totp", TOTP),
    "recovery": ("recovery_code", RECOVERY_CODE),
    "link": ("magic_link", MAILBOX),
    "passkey": ("passkey", SYNCED),
    "touch": ("passkey", TOUCHED),
    "attested": ("passkey", ATTESTED),
    "attested-touch": ("passkey", ATTESTED_TOUCH),
    "bound": ("passkey", BOUND),
}
"""Everything that can happen, by a short name: the method and what it shows."""


def at(time: str) -> datetime:
    """The instant of "10:00" on the day on which everything here happens."""
    return datetime.fromisoformat(f"2030-03-04T{time}+00:00").astimezone(UTC)


def ledger(*proofs: str) -> list[Evidence]:
    return [proof(each) for each in proofs]


def proof(text: str) -> Evidence:
    way, _, when = text.partition("@")
    time, _, sign_in = when.partition("/")
    method, shown = WAYS[way]
    return Evidence(method, f"{way}-1", shown.proves, shown.amr, at(time), sign_in or "first")


def offers(*ways: str) -> list[Offer]:
    """Offers by name; ``+passkey`` is one that could be enrolled, ``totp@10:00`` was used then."""
    return [_offer(way) for way in ways]


def _offer(text: str) -> Offer:
    way, _, used = text.removeprefix("+").partition("@")
    method, shown = WAYS[way]
    return Offer(
        method,
        shown.proves,
        enrolled=not text.startswith("+"),
        last_used=at(used) if used else None,
        last_resort=way == "recovery",
    )


def wants(
    *acr_values: str,
    since: str | None = None,
    voluntary: bool = False,
    floor: Rung = Rung.ONE_FACTOR,
    rung_since: Mapping[Rung, str] | None = None,
    refused: str = "",
    within: str | None = None,
    enrol: bool = False,
    verify_user: bool = False,
) -> Demand:
    """A demand for these `acr` values; with `enrol`, in the sign-in "now"."""
    return Demand(
        acceptable=resolve_acr_values(acr_values, ALIASES),
        since=at(since) if since else None,
        necessary=bool(acr_values) and not voluntary,
        floor=floor,
        rung_since={rung: at(time) for rung, time in (rung_since or {}).items()},
        refused=frozenset(refused.split()),
        within=within,
        enrol_within="now" if enrol else None,
        verify_user=verify_user,
    )


def said(decision: Decision) -> str:
    """The decision as a line: ``phr by pop user swk mfa at 12:00``, or ``passkey! | password +1``.

    After a choice, ``!`` says that user verification is required, ``?`` that it is preferred;
    ``+1`` that one more step will follow; before it, ``enrol`` that it is to be set up.
    """
    match decision:
        case Satisfied():
            return f"{decision.acr} by {' '.join(decision.amr)} at {decision.auth_time:%H:%M}"
        case Challenge():
            return " | ".join(map(_choice, decision.choices))
        case Unmet():
            return f"unmet: {decision.reason}"


def _choice(choice: Choice) -> str:
    mark = {"required": "!", "preferred": "?", "discouraged": ""}[choice.user_verification]
    more = f" +{choice.steps - 1}" if choice.steps > 1 else ""
    return f"{'enrol ' if choice.enrol else ''}{choice.method}{mark}{more}"
