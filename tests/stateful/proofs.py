"""What proofs show and what they come to: the tables of the semantics, written a second time.

Nothing here is the program's. Where the two disagree, one of them is wrong.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import Final

LEVELS: Final = {"urn:idp:acr:1fa": 1, "urn:idp:acr:mfa": 3, "phr": 4, "phrh": 5}
NAMES: Final = {level: name for name, level in LEVELS.items()} | {2: "urn:idp:acr:1fa"}
"""2 is an account's own second step, which is nothing to anybody outside."""
HIGHEST_FIRST: Final = (5, 4, 3, 2, 1)


@dataclass(frozen=True)
class Shows:
    """What one right answer shows: ``kinds`` out of ``know``, ``have`` and ``are``."""

    amr: frozenset[str]
    kinds: frozenset[str] = frozenset()
    opens: bool = False
    mailbox: bool = False
    resists_phishing: bool = False


PASSWORD: Final = Shows(frozenset({"pwd"}), frozenset({"know"}), opens=True)
TOTP: Final = Shows(frozenset({"otp"}), frozenset({"have"}))
RECOVERY_CODE: Final = Shows(frozenset({"recovery"}), frozenset({"have"}))
MAIL: Final = Shows(frozenset({"email"}), opens=True, mailbox=True)


def passkey(*, verified: bool) -> Shows:
    """A synced one, as the tests' authenticator makes them."""
    return Shows(
        frozenset({"pop", "user", "swk"}),
        frozenset({"have", "are"}) if verified else frozenset({"have"}),
        opens=True,
        resists_phishing=True,
    )


@dataclass(frozen=True)
class Proved:
    """It happened: this, at that time, in that sign-in."""

    method: str
    shows: Shows
    at: datetime
    sign_in: str
    number: int
    """In the order in which it all happened."""


def two_kinds(shown: Iterable[Shows]) -> bool:
    """Two different kinds out of three; the mailbox is none."""
    return len({kind for one in shown for kind in one.kinds}) >= 2


def reaches(level: int, shown: Collection[Shows]) -> bool:
    """Do these together come to that level?"""
    has = any("have" in one.kinds for one in shown)
    tests = {
        1: any(one.opens for one in shown),
        2: two_kinds(shown) or (has and any(one.mailbox for one in shown)),
        3: two_kinds(shown),
        4: any(one.resists_phishing for one in shown),
        5: False,  # nobody's authenticator is attested here
    }
    return all(tests[one] for one in range(1, level + 1))


@dataclass(frozen=True)
class Answer:
    """What a token may say of a sign-in."""

    acr: str
    amr: frozenset[str]
    auth_time: int


def answer_by(name: str, relied_upon: Sequence[Proved]) -> Answer:
    """What is true of these proofs, under that name."""
    amr = {value for one in relied_upon for value in one.shows.amr}
    if two_kinds([one.shows for one in relied_upon]):
        amr.add("mfa")
    return Answer(name, frozenset(amr), int(min(one.at for one in relied_upon).timestamp()))


def answers_at(name: str, level: int, fresh: Sequence[Proved]) -> set[Answer]:
    """Every answer that may be given at that level; empty when it is not reached.

    The fewest proofs that reach it, and of those the ones whose oldest is newest; with all else
    that was proved in the same sign-ins. More than one where the clock did not move between them.
    """
    for size in (1, 2, 3):
        sets = [some for some in combinations(fresh, size) if reaches(level, _shown(some))]
        if sets:
            newest = max(_times(some) for some in sets)
            best = [some for some in sets if _times(some) == newest]
            return {answer_by(name, _with_company(some, fresh)) for some in best}
    return set()


def _shown(proofs: Iterable[Proved]) -> list[Shows]:
    return [one.shows for one in proofs]


def _times(proofs: Iterable[Proved]) -> list[datetime]:
    return sorted(one.at for one in proofs)


def _with_company(proofs: Collection[Proved], fresh: Sequence[Proved]) -> list[Proved]:
    sign_ins = {one.sign_in for one in proofs}
    return [one for one in fresh if one.sign_in in sign_ins]


def fewest_further(level: int, proved: Sequence[Shows], could: Sequence[Shows]) -> int | None:
    """How many more proofs it takes, out of what somebody could show; None: it cannot be."""
    for size in range(4):
        if any(reaches(level, [*proved, *some]) for some in combinations(could, size)):
            return size
    return None
