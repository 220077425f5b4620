"""The parameters of a request as they came, before anything is believed of them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from types import MappingProxyType
from typing import Final, Self

from idp.protocol.errors import OAuthError, not_redirectable
from idp.protocol.text import is_clean, is_clean_json

REPEATABLE: Final = frozenset({"resource"})
"""RFC 6749 section 3.1 forbids repeating a parameter; RFC 8707 section 2 excepts this one."""

MAX_PARAMETERS: Final = 100
MAX_TOTAL: Final = 65536

LIMITS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "client_id": 255,
        "redirect_uri": 2000,
        "state": 4096,
        "nonce": 1024,
        "claims": 8192,
        "id_token_hint": 8192,
        "authorization_details": 8192,
        "registration": 8192,
        "request": 32768,
    }
)
"""Longest value per parameter, in characters; ``OTHER_LIMIT`` for all others."""

OTHER_LIMIT: Final = 2048
_SHORT: Final = min(*LIMITS.values(), OTHER_LIMIT)

JSON_PARAMETERS: Final = frozenset({"claims", "authorization_details", "registration"})
_SAYABLE: Final = re.compile(r"[a-z_]{1,40}")


@dataclass(frozen=True, slots=True)
class Parameters:
    """Names to the values each was given, in order. Immutable."""

    values: Mapping[str, tuple[str, ...]]
    _sound: bool = field(init=False, repr=False, compare=False)
    """Are they few, each given once and well-formed? Then none has to be looked at again."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_sound", _is_sound(self.values))

    @property
    def is_sound(self) -> bool:
        """Are they few, each given once, none of them long, and without control characters?"""
        return self._sound

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> Self:
        """From (name, value) pairs, as a query string or a form holds them."""
        given = list(pairs)
        once = {name: (value,) for name, value in given}
        return cls(MappingProxyType(once if len(once) == len(given) else _gathered(given)))

    @classmethod
    def from_json(cls, stored: Mapping[str, object]) -> Self:
        """From what ``to_json`` gave: a name to its value, or to the list of its values."""
        return cls.of(_stored_pairs(stored))

    def to_json(self) -> dict[str, str | list[str]]:
        """A name to its value, or to the list of its values where there is more than one."""
        return {
            name: values[0] if len(values) == 1 else list(values)
            for name, values in self.values.items()
        }

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of ``name`` that is not empty."""
        # RFC 6749 section 3.1: a parameter without a value is treated as omitted.
        return tuple(value for value in self.values.get(name, ()) if value)

    def get(self, name: str) -> str | None:
        """The one value of ``name``; ``None`` when it is absent or empty.

        Raises ``OAuthError`` ``invalid_request`` when it was sent more than once.
        """
        values = self.values.get(name, ())
        if len(values) > 1:
            raise OAuthError("invalid_request", f"{sayable(name)} was sent more than once.")
        return values[0] or None if values else None

    def clean(self, name: str) -> str | None:
        """The one value of ``name`` if it is well-formed, and ``None`` otherwise; never raises."""
        values = self.values.get(name, ())
        if self._sound:
            return values[0] or None if values else None
        if len(values) != 1 or _value_problem(name, values[0]) is not None:
            return None
        return values[0] or None

    def without(self, *names: str) -> Self:
        """The same without ``names``: for whoever resolved a request object or a pushed request."""
        if self.values.keys().isdisjoint(names):
            return self
        kept = {name: values for name, values in self.values.items() if name not in names}
        return type(self)(MappingProxyType(kept))

    def having(self, name: str, value: str) -> Self:
        """The same with ``value`` as the one value of ``name``."""
        return type(self)(MappingProxyType({**self.values, name: (value,)}))

    @property
    def length(self) -> int:
        """Characters in all, of names (each as often as it was sent) and values."""
        if self._sound:  # each was sent once
            return len("".join(chain(self.values, *self.values.values())))
        return sum(
            len(name) * len(values) + sum(map(len, values)) for name, values in self.values.items()
        )

    def check_size(self) -> None:
        """Raise ``OAuthError``, not redirectable, for more parameters or text than anyone needs."""
        if self._sound:
            return
        count = sum(map(len, self.values.values()))
        if count > MAX_PARAMETERS or self.length > MAX_TOTAL:
            raise not_redirectable("invalid_request", "The request is too large.")

    def check_form(self) -> None:
        """Raise ``OAuthError`` ``invalid_request`` for the first parameter, known or not, that is
        repeated, too long, or holds control characters."""
        if self._sound:
            return
        for name, values in self.values.items():
            if len(values) > 1 and name not in REPEATABLE:
                raise OAuthError("invalid_request", f"{sayable(name)} was sent more than once.")
            for value in values:
                _check_value(name, value)


def sayable(name: str) -> str:
    """``name`` if it may be repeated in a message, else a word for it."""
    return name if _SAYABLE.fullmatch(name) else "A parameter"


def _check_value(name: str, value: str) -> None:
    problem = _value_problem(name, value)
    if problem is not None:
        raise OAuthError("invalid_request", f"{sayable(name)} {problem}.")


def _gathered(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return {name: tuple(all_) for name, all_ in values.items()}


def _is_sound(given: Mapping[str, tuple[str, ...]]) -> bool:
    pieces = [*given, *chain.from_iterable(given.values())]
    text = "".join(pieces)
    if len(given) > MAX_PARAMETERS or len(text) > MAX_TOTAL or not is_clean(text):
        return False
    if not {*map(len, given.values())} <= {1}:
        return False
    # What is no longer than any may be needs no look at which it is.
    return max(map(len, pieces), default=0) <= _SHORT or all(
        len(value) <= LIMITS.get(name, OTHER_LIMIT) and len(name) <= OTHER_LIMIT
        for name, (value,) in given.items()
    )


def _value_problem(name: str, value: str) -> str | None:
    limit = LIMITS.get(name, OTHER_LIMIT)
    if len(value) > limit or len(name) > OTHER_LIMIT:
        return f"is longer than {limit} characters"
    clean = is_clean_json(value) if name in JSON_PARAMETERS else is_clean(value)
    return None if clean and is_clean(name) else "holds control characters"


def _stored_pairs(stored: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, value in stored.items():
        for one in value if isinstance(value, list) else [value]:
            yield name, str(one)
