"""Where a sign-in stands: what was proved in this browser, weighed against what is demanded."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from idp.assurance import (
    Challenge,
    Choice,
    Decision,
    Demand,
    Evidence,
    Offer,
    Rung,
    Satisfied,
    Unmet,
    account_floor,
    decide,
)
from idp.audit import Context
from idp.config import Settings
from idp.factors.base import Factor
from idp.factors.rows import HELD
from idp.frozen import made_often
from idp.models import Credential, Transaction, User
from idp.services import persons
from idp.services.methods import in_use
from idp.services.offering import beside, new_offers
from idp.services.sessions import Live, Sessions
from idp.services.transactions import subject_of

_MOST_KNOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Known:
    """A person and what she holds, as they have just been read."""

    user: User
    held: Sequence[Credential]
    offers: tuple[Offer, ...]
    """What she could prove with it."""
    floor: Rung
    """The account's own, by policy."""


@made_often
@dataclass(frozen=True, slots=True)
class Standing:
    """Where a sign-in stands: who is pinned, what was proved, what is demanded, what follows."""

    transaction: Transaction
    user: User | None
    live: Live | None
    demand: Demand
    decision: Decision
    sets_up: bool = False
    """Nothing the person has would do: the way leads over setting something up."""

    @property
    def choices(self) -> tuple[Choice, ...]:
        """What may be answered with now, best first."""
        return self.decision.choices if isinstance(self.decision, Challenge) else ()

    def choice(self, method: str) -> Choice | None:
        """The choice of that method, where it leads on."""
        return next((one for one in self.choices if one.method == method), None)

    @property
    def is_step_up(self) -> bool:
        """Had this person signed in before this request came?"""
        return self.user is not None and self.live is not None and self.live.opened

    @property
    def stepped_up(self) -> bool:
        """Was something added, for this request, to what a session held before it?"""
        proved_in = {one.transaction_id for one in self.live.evidence} if self.live else set()
        return self.transaction.id in proved_in and len(proved_in) > 1


class Weighing:
    """Reads the ledger and decides; writes nothing."""

    def __init__(
        self, settings: Settings, *, factors: Mapping[str, Factor], sessions: Sessions
    ) -> None:
        self._settings = settings
        self._all = factors
        self._sessions = sessions
        self._in_use: tuple[Hashable, Mapping[str, Factor]] = None, {}
        self._anybodys = _Anybodys({}, ())
        self._enrolable: tuple[Mapping[str, Factor], Mapping[str, tuple[Offer, ...]]] = {}, {}

    @property
    def _factors(self) -> Mapping[str, Factor]:
        """Those in use: the settings may change while the program runs."""
        settings = self._settings
        asked = settings.refused_methods, settings.login_style
        known, found = self._in_use
        if known != asked:
            found = {name: one for name, one in self._all.items() if in_use(one, settings)}
            self._in_use = asked, found
        return found

    def known(self, user: User, held: Sequence[Credential] | None = None) -> Known:
        """What this person holds: ``held``, for whoever has just read it."""
        held = _held_by(user) if held is None else held
        offers = self._offers(user, held)
        return Known(user, held, offers, self.floor(offers))

    def standing(
        self,
        transaction: Transaction,
        demand: Demand,
        *,
        presented: Live | None,
        context: Context,
        known: Known | None = None,
    ) -> Standing:
        """Weigh what was proved in this browser against ``demand`` and the account's own floor.

        ``known`` is who has just been read, if anybody was: it need not be she who is pinned.
        """
        live = self._relied_on(transaction, presented, context)
        user_id = transaction.user_id or (live.user_id if live else None)
        if user_id is None:
            return Standing(transaction, None, None, demand, self._anonymous(demand))
        if known is None or known.user.id != user_id:
            known = self.known(persons.the(user_id))
        user, held, offers = known.user, known.held, known.offers
        # A factor made along this very sign-in is asked for from the next one on.
        made = transaction.state.get("prompted", {}).get("made", ())
        kept = [one for one in held if one.id not in made] if made else held
        floor = known.floor if kept is held else self.floor(self._offers(user, kept))
        if floor > demand.floor:
            demand = demand.raised(floor=floor)
        evidence = live.evidence if live else ()
        decision = decide(demand, evidence, offers)
        sets_up = isinstance(decision, Challenge) and isinstance(
            decide(replace(demand, enrol_within=None), evidence, offers), Unmet
        )
        return Standing(transaction, user, live, demand, decision, sets_up)

    def weigh(self, live: Live, demand: Demand) -> Decision:
        """The decision on a session alone, without a transaction: a silent sign-in, or a page.

        Where the evidence suffices even with a second step demanded, nothing more is read.
        """
        strict = demand
        if live.has_second_step and self._settings.account_second_step:
            strict = demand.raised(floor=Rung.SECOND_STEP)
        # As if necessary: no wish is dropped before it was looked at what she could still show.
        evidence = live.by_now()
        decision = decide(strict.insisted(), evidence, ())
        if isinstance(decision, Satisfied):
            return decision
        offers = self.offers(persons.the(live.user_id))
        return decide(demand.raised(floor=self.floor(offers)), evidence, offers)

    def _relied_on(
        self, transaction: Transaction, presented: Live | None, context: Context
    ) -> Live | None:
        """The session whose evidence counts here.

        An opened session counts only while this browser still presents it: one that was ended, or
        replaced by another person's in another tab, brings nothing into a resumed sign-in. And
        once she is signed in here, that is what counts: a second tab does not begin a second one.
        """
        expected = (subject_of(transaction) or presented.user_id) if presented else None
        if presented and presented.user_id == expected and not _somebody_else(transaction):
            return presented
        if transaction.session_id is None:
            return None
        pending = self._sessions.by_id(transaction.session_id, context.at)
        return pending if pending is not None and not pending.opened else None

    def _anonymous(self, demand: Demand) -> Decision:
        """What to ask somebody unknown: whatever opens a session, the ways that suffice first.

        What else she has is not known yet, so a way that falls short is a beginning, not an end.
        """
        anybodys = self._what_anybody_has()
        # Nothing has been proved, so that no instant has a part in it.
        key = (
            *(demand.acceptable, demand.necessary, demand.floor, demand.refused),
            *(demand.enrol_within is None, demand.verify_user),
        )
        found = anybodys.asked.get(key)
        if found is None:
            if len(anybodys.asked) >= _MOST_KNOWN:
                anybodys.asked.clear()
            found = anybodys.asked[key] = self._weigh_nothing(demand, anybodys.offers)
        return found.by(demand)

    def _what_anybody_has(self) -> "_Anybodys":
        """What anybody might prove is the same as long as the same factors are in use."""
        factors, found = self._factors, self._anybodys
        if found.factors is not factors:
            found = self._anybodys = _Anybodys(factors, self.offers(None))
        return found

    def _weigh_nothing(self, demand: Demand, offers: Sequence[Offer]) -> "_FirstAsked":
        best = decide(demand, (), offers)
        anything = decide(Demand(refused=demand.refused), (), offers)
        if not isinstance(anything, Challenge):
            return _FirstAsked(anything)
        reaching = best.choices if isinstance(best, Challenge) else ()
        known = {choice.method for choice in reaching}
        rest = [choice for choice in anything.choices if choice.method not in known]
        ordered = (*self._in_house_order(reaching), *self._in_house_order(rest))
        if isinstance(best, Challenge):
            return _FirstAsked(Challenge(ordered, best.reason), as_demanded=True)
        return _FirstAsked(Challenge(ordered, anything.reason))

    def _in_house_order(self, choices: Sequence[Choice]) -> list[Choice]:
        return sorted(choices, key=lambda choice: list(self._factors).index(choice.method))

    def offers(self, user: User | None) -> tuple[Offer, ...]:
        """What this person could prove next; with nobody known, what anybody might."""
        return self._offers(user, _held_by(user))

    def _offers(self, user: User | None, credentials: Sequence[Credential]) -> tuple[Offer, ...]:
        factors = self._factors
        new = self._to_enrol(factors) if user is not None else {}
        return tuple(
            offer
            for name, factor in factors.items()
            for offer in beside(factor.offers(user, credentials), new.get(name, ()))
        )

    def _to_enrol(self, factors: Mapping[str, Factor]) -> Mapping[str, tuple[Offer, ...]]:
        """What anybody could show with these if she set them up now; alike like ``_anybodys``."""
        known, offers = self._enrolable
        if known is not factors:
            offers = {name: new_offers(one) for name, one in factors.items() if one.enrolable}
            self._enrolable = factors, offers
        return offers

    def floor(self, offers: Sequence[Offer]) -> Rung:
        """The account's own floor, by policy."""
        return account_floor(offers) if self._settings.account_second_step else Rung.ONE_FACTOR

    def reaches(self, demand: Demand) -> bool:
        """Could anybody come to this who had set up everything that is in use here?"""
        new = [offer for one in self._factors.values() for offer in new_offers(one)]
        held = [replace(one, enrolled=True) for one in new]
        return not isinstance(decide(demand, (), held), Unmet)

    def opens(self, known: Known, evidence: Sequence[Evidence]) -> bool:
        """Is this enough for the session to be presented at all?"""
        return isinstance(decide(_AT_LEAST[known.floor], evidence, ()), Satisfied)


_AT_LEAST: Final = {floor: Demand(floor=floor) for floor in Rung}


@dataclass(frozen=True, slots=True)
class _Anybodys:
    """What anybody might prove by these factors, and what of it to ask for, by the demand."""

    factors: Mapping[str, Factor]
    offers: tuple[Offer, ...]
    asked: dict[Hashable, "_FirstAsked"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _FirstAsked:
    """A decision on nothing at all, for every demand that differs only in its instants."""

    decision: Decision
    as_demanded: bool = False

    def by(self, demand: Demand) -> Decision:
        """The same with the instants of this one."""
        if not isinstance(self.decision, Challenge) or not self.as_demanded:
            return self.decision
        reason = self.decision.reason
        since = demand.cutoff(reason.wanted)
        if since == reason.since:
            return self.decision
        return Challenge(self.decision.choices, replace(reason, since=since))


def _somebody_else(transaction: Transaction) -> bool:
    """Did the person say that she is not who is signed in here?"""
    return bool(transaction.state.get("other_person"))


def _held_by(user: User | None) -> Sequence[Credential]:
    """The same as values: nothing that is done to them is stored."""
    return () if user is None else HELD.all({"user": user.id})
