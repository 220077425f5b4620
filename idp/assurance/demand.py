"""Demand: everything that can ask for more, as one value."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from idp.assurance.acr import Acr, canonical_name
from idp.assurance.evidence import Evidence
from idp.assurance.ladder import Rung
from idp.frozen import made_often


@made_often
@dataclass(frozen=True, slots=True)
class Demand:
    """What a sign-in must come to. Made once, when the request starts.

    Its instants are fixed then, so however slowly somebody answers, her answers stay fresh and
    she is never asked twice.
    """

    acceptable: tuple[Acr, ...] = ()
    """What was asked for by name, most wanted first; empty when nothing was."""
    since: datetime | None = None
    """Proofs from before this instant do not count. None: a proof of any age does."""
    necessary: bool = False
    """Does failing `acceptable` fail the request (RFC 9470, 5), or is it only a wish?"""
    floor: Rung = Rung.ONE_FACTOR
    """The least that the client, the account or the page takes; never only a wish."""
    rung_since: Mapping[Rung, datetime] = field(default_factory=dict, hash=False)
    """Policy: proofs from before this instant do not carry this rung, nor any above it."""
    refused: frozenset[str] = frozenset()
    """Methods that the client does not accept, neither proved nor offered."""
    within: str | None = None
    """A transaction: only what is proved in it counts, as when one operation is confirmed."""
    enrol_within: str | None = None
    """The transaction in which a missing factor may be enrolled. None: not on this occasion."""
    verify_user: bool = False
    """The client's policy: an authenticator that can verify its user always must."""

    @property
    def wish(self) -> bool:
        """Is something asked for that the sign-in may go on without?"""
        return bool(self.acceptable) and not self.necessary

    @property
    def targets(self) -> tuple[Acr, ...]:
        """The rungs to be tested, each with its answer, most wanted first.

        A floor raises what was asked for and leaves its name: whoever asked for `mfa` is told
        `mfa`, though `phr` was required and reached. With nothing asked, the highest comes first.
        """
        if self.acceptable:
            return tuple(Acr(acr.name, max(acr.rung, self.floor)) for acr in self.acceptable)
        return _UNASKED[self.floor]

    @property
    def wanted(self) -> Rung:
        """The lowest rung that would do. Each implies those below, so every way passes here."""
        return min(target.rung for target in self.targets)

    def cutoff(self, rung: Rung) -> datetime | None:
        """The instant before which a proof is too old for `rung`."""
        if not self.rung_since:
            return self.since
        # A rung implies those below, so it inherits their age limits: a proof too old to show
        # two factors cannot still show two factors and phishing resistance.
        limits = [limit for step, limit in self.rung_since.items() if step <= rung]
        return _latest(self.since, *limits)

    def fresh(self, rung: Rung, evidence: Iterable[Evidence]) -> list[Evidence]:
        """The proofs that count towards `rung`, in the order given."""
        cutoff = self.cutoff(rung)
        return [
            proof
            for proof in evidence
            if (cutoff is None or proof.at >= cutoff)
            and proof.method not in self.refused
            and (self.within is None or proof.transaction_id == self.within)
        ]

    def raised(
        self,
        *,
        floor: Rung = Rung.ONE_FACTOR,
        since: datetime | None = None,
        rung_since: Mapping[Rung, datetime] | None = None,
        refused: frozenset[str] = frozenset(),
        within: str | None = None,
        verify_user: bool = False,
    ) -> "Demand":
        """This demand and another one together: never weaker than either.

        Raises ValueError when each is bound to a transaction of its own, for then no evidence at
        all could count.
        """
        if within and self.within and within != self.within:
            raise ValueError("already bound to another transaction")
        return replace(
            self,
            floor=max(self.floor, floor),
            since=_latest(self.since, since),
            rung_since=_tighter(self.rung_since, rung_since or {}),
            refused=self.refused | refused,
            within=self.within or within,
            verify_user=self.verify_user or verify_user,
        )

    def insisted(self) -> "Demand":
        """The same, of which nothing is a wish."""
        return replace(self, necessary=True) if self.wish else self

    def without_wish(self) -> "Demand":
        """What must hold in any case: a wish is dropped, floors and ages stay."""
        return replace(self, acceptable=()) if self.wish else self


def _descending(floor: Rung) -> tuple[Acr, ...]:
    return tuple(Acr(canonical_name(rung), rung) for rung in reversed(Rung) if rung >= floor)


_UNASKED: Mapping[Rung, tuple[Acr, ...]] = {floor: _descending(floor) for floor in Rung}


def _latest(*instants: datetime | None) -> datetime | None:
    return max((instant for instant in instants if instant is not None), default=None)


def _tighter(
    some: Mapping[Rung, datetime], others: Mapping[Rung, datetime]
) -> dict[Rung, datetime]:
    merged = dict(some)
    for rung, instant in others.items():
        merged[rung] = max(instant, merged.get(rung, instant))
    return merged
