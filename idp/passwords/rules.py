"""Which passwords will do: length, and not what is tried first (NIST SP 800-63B-4, 3.1.1.2)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from threading import Lock
from typing import Any

from zxcvbn import zxcvbn
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from idp.passwords.hashing import LONGEST, normalise

_ESTIMATED = 72
"""zxcvbn takes time with the square of the length, and refuses more than this."""

_COMMON = frozenset(FREQUENCY_LISTS["passwords"])
"""The 30,000 passwords found most often in breaches, as zxcvbn ships them."""

_TELLING = 3
"""Letters of a word about the person that are no coincidence."""
_OWN = 6
"""Letters and digits that a password has besides such words."""

_USER_INPUTS = "user_inputs"
_one_at_a_time = Lock()

EMPTY = "Enter a new password."
TOO_COMMON = "This is one of the passwords that are tried first. Choose another."
TOO_CLOSE = (
    "This is too close to your name, your address or the name of this site. Add words that have"
    " nothing to do with them."
)
REPEATED = "This repeats the same characters. Add words that have nothing to do with each other."
SEQUENCE = "This is a run of neighbours, such as abc or 654. Choose something less predictable."
TOO_LONG = f"Use at most {LONGEST:,} characters."
GUESSABLE = "This would be guessed quickly. Add a word or two that have nothing to do with it."


@dataclass(frozen=True, slots=True)
class Requirement:
    """The least a password must have: ``length`` in code points, and ``guesses`` to find it."""

    length: int
    guesses: float


ALONE = Requirement(length=15, guesses=1e8)
"""For somebody whom nothing but the password stands for."""

BESIDE_ANOTHER = Requirement(length=8, guesses=1e6)
"""For somebody who has a second step as well."""

_NO_SECOND_STEP = frozenset({"password", "recovery_code"})
"""Recovery codes stand in for a second step that is lost; by themselves they are none."""


def requirement_for(kinds: Iterable[str]) -> Requirement:
    """What is required of the password of a person with credentials of these ``kinds``."""
    return ALONE if _NO_SECOND_STEP.issuperset(kinds) else BESIDE_ANOTHER


def problem(password: str, required: Requirement, *, words: Sequence[str] = ()) -> str | None:
    """Why this password will not do, as a sentence for the person; None when it will.

    ``words`` are what anybody would try for this very person: her names, her address, the site.
    There are no rules about kinds of characters.
    """
    if not password:
        return EMPTY
    if len(password) > LONGEST:
        return TOO_LONG
    password = normalise(password)
    if len(password) < required.length:
        return f"Use at least {required.length} characters; this has {len(password)}."
    folded = password.casefold()
    return _listed(folded, words) or _patterned(folded) or _guessable(password, required, words)


def _listed(folded: str, words: Iterable[str]) -> str | None:
    if folded in _COMMON:
        return TOO_COMMON
    rest = folded
    for word in sorted({word.casefold() for word in words}, key=len, reverse=True):
        rest = rest.replace(word, "") if len(word) >= _TELLING else rest
    is_little = sum(char.isalnum() for char in rest) < _OWN
    return TOO_CLOSE if rest != folded and is_little else None


def _patterned(folded: str) -> str | None:
    if folded in (folded + folded)[1:-1]:
        return REPEATED
    steps = {ord(after) - ord(before) for before, after in pairwise(folded)}
    return SEQUENCE if steps in ({1}, {-1}) else None


def _guessable(password: str, required: Requirement, words: Iterable[str]) -> str | None:
    estimate = _estimate(password[:_ESTIMATED], [word[:_ESTIMATED] for word in words if word])
    if estimate["guesses"] >= required.guesses:
        return None
    parts = [_described(part) for part in estimate["sequence"]]
    return next((sentence for sentence in parts if sentence is not None), GUESSABLE)


def _estimate(password: str, words: list[str]) -> dict[str, Any]:
    # zxcvbn keeps the words in a module-wide dictionary: two threads would mix theirs.
    with _one_at_a_time:
        return dict(zxcvbn(password, user_inputs=words))


def _described(part: dict[str, Any]) -> str | None:
    if part.get("dictionary_name") == _USER_INPUTS or _is_about_person(part):
        return TOO_CLOSE
    if part.get("dictionary_name") == "passwords":
        return TOO_COMMON
    return {"repeat": REPEATED, "sequence": SEQUENCE}.get(part["pattern"])


def _is_about_person(part: dict[str, Any]) -> bool:
    inside = part.get("base_matches") or ()
    return any(one.get("dictionary_name") == _USER_INPUTS for one in inside)
