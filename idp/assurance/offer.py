"""Offers: what a person could prove next."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from idp.assurance.trait import Traits
from idp.frozen import made_often


@made_often
@dataclass(frozen=True, slots=True)
class Offer:
    """One way to prove something, open to this person now.

    `proves` is the most that one such proof could show; with USER_VERIFICATION in it, the
    authenticator can also be asked without. A method whose credentials differ makes an offer for
    each sort of them: what one key shows and what another shows is not shown by either.
    """

    method: str
    proves: Traits
    enrolled: bool = True
    """False: she has none yet, and could set one up during this sign-in."""
    last_used: datetime | None = None
    last_resort: bool = False
    """Ask for it only after everything else: each recovery code spent is one fewer."""


def enrolled_of(offers: Iterable[Offer]) -> list[Offer]:
    """What the person has already."""
    return [offer for offer in offers if offer.enrolled]
