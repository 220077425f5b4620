"""What a person holds to sign in with, and what would be left of it without one credential."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select

from idp.assurance import (
    Demand,
    Evidence,
    Offer,
    Rung,
    Satisfied,
    Trait,
    account_floor,
    decide,
    enrolment_demand,
    holds,
    ways,
)
from idp.config import Settings
from idp.factors.base import Factor
from idp.factors.password import KIND as PASSWORD
from idp.models import Credential, User, db
from idp.passwords import requirement_for
from idp.services.methods import in_use

_OPENS = frozenset({Trait.KNOWLEDGE, Trait.PHISHING_RESISTANT})


def credentials_of(user: User | None) -> Sequence[Credential]:
    """All of a person's credentials; none for nobody."""
    if user is None:
        return ()
    return db.session.scalars(select(Credential).where(Credential.user_id == user.id)).all()


@dataclass(frozen=True, slots=True)
class Loss:
    """What it would mean to give up one credential."""

    is_last_way: bool
    """Nothing would be left that a sign-in can begin with but the mailbox, which is a way back
    for who has lost something and no reason to give the last thing away."""
    ways: tuple[tuple[str, ...], ...]
    """What could still be signed in with: methods that are needed together, the fewest first."""
    by_code: tuple[str, ...] | None
    """And what if even that is lost: the methods with a code that stands in for it. None where no
    code leads anywhere."""
    ends_second_step: bool
    """It is the last second step. Recovery codes stand in for one, so they go with it."""
    password_minimum: int | None
    """How many characters the password then has to have, where that is more than now."""


class Holdings:
    """Looks at credentials through the offers that factors make of them; writes nothing."""

    def __init__(self, settings: Settings, factors: Mapping[str, Factor]) -> None:
        self._settings = settings
        self._all = factors

    @property
    def _factors(self) -> Mapping[str, Factor]:
        return {name: one for name, one in self._all.items() if in_use(one, self._settings)}

    def uses(self, method: str) -> bool:
        """Is there such a way to sign in, and is it in use here?"""
        return method in self._factors

    @property
    def last_resorts(self) -> tuple[str, ...]:
        """The methods that stand in for a lost second step."""
        return tuple(
            name
            for name, factor in self._factors.items()
            if any(offer.last_resort for offer in factor.offers(None, ()))
        )

    def offers(self, user: User, credentials: Sequence[Credential]) -> tuple[Offer, ...]:
        """What she can prove with these."""
        return tuple(
            offer for factor in self._factors.values() for offer in factor.offers(user, credentials)
        )

    def has_second_step(self, user: User, credentials: Sequence[Credential]) -> bool:
        """Has she enrolled one? Codes that stand in for it do not count."""
        return account_floor(self.offers(user, credentials)) > Rung.ONE_FACTOR

    def strongest(self, user: User, credentials: Sequence[Credential]) -> Rung:
        """The most she can prove: what changing any of it is asked to stand on."""
        return enrolment_demand(self.offers(user, credentials), within="").floor

    def demanded(
        self, user: User, credentials: Sequence[Credential], evidence: Sequence[Evidence]
    ) -> Rung:
        """What a change of how she signs in is asked to stand on, in a session with this evidence.

        The strongest proof that she can give. Where a code stood in for something lost, that is no
        more than the session has shown: the codes are the way back to an account whose keys are
        gone (NIST SP 800-63B-4, 4.2), no use of one goes untold, and a password alone does not
        come that far.
        """
        strongest = self.strongest(user, credentials)
        if not any(proof.method in self.last_resorts for proof in evidence):
            return strongest
        shown = decide(Demand(), evidence, ())
        return min(strongest, shown.rung) if isinstance(shown, Satisfied) else strongest

    def demanded_by_code(
        self, user: User, credentials: Sequence[Credential], evidence: Sequence[Evidence]
    ) -> Rung | None:
        """The same once she has given a code in this session as well.

        None where she has none left, or where that would be as much as without, or one step alone.
        """
        codes = [offer for offer in self.offers(user, credentials) if offer.last_resort]
        if not codes or not evidence:
            return None
        code = replace(evidence[-1], method=codes[0].method, proves=codes[0].proves)
        by_code = self.demanded(user, credentials, (*evidence, code))
        is_less = by_code < self.demanded(user, credentials, evidence)
        return by_code if is_less and by_code >= Rung.SECOND_STEP else None

    def comes_back_by_code(
        self, user: User, credentials: Sequence[Credential], *, least: Rung = Rung.ONE_FACTOR
    ) -> bool:
        """Could she sign in anew without what cannot be phished, with a code beside that, and would
        the two be ``least``?"""
        offers = self.offers(user, credentials)
        begins = {Trait.KNOWLEDGE, Trait.MAILBOX}
        return any(
            holds(least, [one.proves, code.proves])
            for one in offers
            for code in offers
            if code.last_resort and not begins.isdisjoint(one.proves)
        )

    def ways(self, user: User, credentials: Sequence[Credential]) -> tuple[tuple[str, ...], ...]:
        """Which methods together are a sign-in, by what the account itself asks for.

        Nothing superfluous is in any of them, and no code that stands in for something lost.
        """
        offers = self.offers(user, credentials)
        return ways(self._floor(offers), [offer for offer in offers if not offer.last_resort])

    def way_by_code(self, user: User, credentials: Sequence[Credential]) -> tuple[str, ...] | None:
        """The first sign-in of hers that takes a code in place of what is lost."""
        offers = self.offers(user, credentials)
        codes = {offer.method for offer in offers if offer.last_resort}
        found = ways(self._floor(offers), offers) if codes else ()
        return next((way for way in found if not codes.isdisjoint(way)), None)

    def _floor(self, offers: Sequence[Offer]) -> Rung:
        return account_floor(offers) if self._settings.account_second_step else Rung.ONE_FACTOR

    def loss(self, user: User, lost: Credential, credentials: Sequence[Credential]) -> Loss:
        """What it would mean to be without ``lost``, which is one of ``credentials``."""
        rest = [one for one in credentials if one.id != lost.id]
        ends = self._ends_second_step(user, credentials, rest)
        if ends:
            rest = [one for one in rest if one.kind not in self.last_resorts]
        had, has = self._held(user, credentials), self._held(user, rest)
        return Loss(
            is_last_way=bool(had) and not has,
            ways=self.ways(user, rest),
            by_code=self.way_by_code(user, rest),
            ends_second_step=ends,
            password_minimum=_longer_password(credentials, rest),
        )

    def _ends_second_step(
        self, user: User, before: Sequence[Credential], after: Sequence[Credential]
    ) -> bool:
        return self.has_second_step(user, before) and not self.has_second_step(user, after)

    def _held(self, user: User, credentials: Sequence[Credential]) -> list[Offer]:
        return [
            offer for offer in self.offers(user, credentials) if not _OPENS.isdisjoint(offer.proves)
        ]


def _longer_password(before: Iterable[Credential], after: Sequence[Credential]) -> int | None:
    """NIST SP 800-63B-4, 3.1.1.1: a password that stands alone has to be longer."""
    kinds = kinds_of(after)
    minimum = requirement_for(kinds).length
    return (
        minimum
        if PASSWORD in kinds and minimum > requirement_for(kinds_of(before)).length
        else None
    )


def kinds_of(credentials: Iterable[Credential]) -> set[str]:
    """The kinds that are still of use."""
    return {one.kind for one in credentials if one.used_at is None}
