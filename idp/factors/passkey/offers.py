"""What a person could show with the passkeys she has."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from idp.assurance import Offer, Trait, Traits, proofs
from idp.factors.passkey.attestation import AttestationPolicy
from idp.factors.passkey.credentials import KIND
from idp.models import Credential

_WORTH = (Trait.USER_VERIFICATION, Trait.HARDWARE_PROTECTED)
"""With it a passkey is two factors in one; that comes before where its key is kept."""


def anybodys(policy: AttestationPolicy) -> Traits:
    """The most that a passkey could show here: in hardware only where somebody can vouch for it."""
    return proofs.passkey(
        user_verified=True, backup_eligible=False, attested=bool(policy.roots)
    ).proves


def shown_by(passkey: Credential, policy: AttestationPolicy) -> Traits:
    """The most that this one could show, asked with user verification."""
    return proofs.passkey(
        user_verified=passkey.data["uv"],
        backup_eligible=passkey.data["be"],
        attested=policy.still_trusts(passkey.data),
    ).proves


def offers_of(passkeys: Sequence[Credential], policy: AttestationPolicy) -> tuple[Offer, ...]:
    """One offer for each sort of passkey, best first: what two show is not shown by either."""
    sorts: dict[Traits, list[Credential]] = {}
    for passkey in passkeys:
        sorts.setdefault(shown_by(passkey, policy), []).append(passkey)
    offers = [Offer(KIND, traits, last_used=_last(alike)) for traits, alike in sorts.items()]
    return tuple(sorted(offers, key=lambda offer: _worth(offer.proves), reverse=True))


def _worth(traits: Traits) -> tuple[bool, ...]:
    return tuple(trait in traits for trait in _WORTH)


def _last(passkeys: Iterable[Credential]) -> datetime | None:
    return max((each.last_used_at for each in passkeys if each.last_used_at), default=None)
