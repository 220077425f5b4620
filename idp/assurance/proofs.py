"""The proof table: what each kind of proof shows, and how `amr` names it."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from idp.assurance.evidence import Evidence
from idp.assurance.trait import Trait, Traits, two_kinds


@dataclass(frozen=True, slots=True)
class Shown:
    """What one proof shows, with the `amr` values (RFC 8176, 2, and two of our own) it earns."""

    proves: Traits
    amr: tuple[str, ...]


PASSWORD = Shown(frozenset({Trait.KNOWLEDGE}), ("pwd",))
TOTP = Shown(frozenset({Trait.POSSESSION}), ("otp",))
# RFC 8176 has no value for these two, and both would be a lie as `otp`.
RECOVERY_CODE = Shown(frozenset({Trait.POSSESSION}), ("recovery",))
MAILBOX = Shown(frozenset({Trait.MAILBOX}), ("email",))


def passkey(*, user_verified: bool, backup_eligible: bool, attested: bool) -> Shown:
    """What one WebAuthn ceremony shows; user presence is taken for granted (WebAuthn L3, 7.2).

    `user_verified` is the UV flag of this very assertion and `backup_eligible` its BE flag.
    `attested` says that the credential's attestation chain was verified when it was made.
    """
    in_hardware = attested and not backup_eligible
    verification = {Trait.USER_VERIFICATION} if user_verified else set()
    hardware = {Trait.HARDWARE_PROTECTED} if in_hardware else set()
    return Shown(
        frozenset({Trait.POSSESSION, Trait.PHISHING_RESISTANT} | verification | hardware),
        ("pop", "user", *_key_storage(backup_eligible=backup_eligible, in_hardware=in_hardware)),
    )


def _key_storage(*, backup_eligible: bool, in_hardware: bool) -> tuple[str, ...]:
    # A key that may be copied to other devices is a software key, whatever holds it just now. One
    # that stays where it is, unattested, could be either: then `amr` says neither.
    if backup_eligible:
        return ("swk",)
    return ("hwk",) if in_hardware else ()


_AMR_ORDER = {
    value: place
    for place, value in enumerate(("pwd", "pop", "user", "swk", "hwk", "otp", "recovery", "email"))
}


def amr_of(relied_upon: Collection[Evidence]) -> tuple[str, ...]:
    """The `amr` claim for these proofs: their own values in a fixed order, `mfa` last.

    `mfa` is there exactly when they show two different kinds; no proof may claim it for itself.
    """
    return _amr_of(tuple([(proof.proves, proof.amr) for proof in relied_upon]))


@lru_cache(maxsize=1024)  # the same few proofs are told of all the time
def _amr_of(shown: tuple[tuple[Traits, tuple[str, ...]], ...]) -> tuple[str, ...]:
    named = sorted({value for _proves, amr in shown for value in amr} - {"mfa"}, key=_place)
    return (*named, "mfa") if two_kinds([proves for proves, _amr in shown]) else tuple(named)


def _place(value: str) -> tuple[int, str]:
    # Values of factors that this table does not know follow, by alphabet.
    return _AMR_ORDER.get(value, len(_AMR_ORDER)), value
