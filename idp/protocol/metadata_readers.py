"""Readers of single registration members: decoded JSON in, a typed value or a sentence out.

Every reader raises ``ValueError`` whose text completes "<member> ..." and says how to fix it.
"""

from collections.abc import Callable, Container, Iterable, Mapping
from typing import Final, TypeVar

from idp.protocol.json_values import Json, freeze
from idp.protocol.resources import is_resource
from idp.protocol.scopes import parse_scope
from idp.protocol.text import is_clean, is_displayable
from idp.protocol.urls import check_web_url
from idp.protocol.vocabulary import MAX_AGE_CEILING, RESPONSE_TYPES, response_type_named

T = TypeVar("T")
Reader = Callable[[object], T]

MAX_ITEMS: Final = 50
MAX_KEYS: Final = 20

# RFC 7517 and 7518: what a private or symmetric key has and a public one never does.
_PRIVATE_KEY_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"})


class NotOneOf(ValueError):
    """None of the names that a member can be; ``item`` says which of a list it is."""

    def __init__(self, allowed: Iterable[str], item: str = "") -> None:
        self.allowed = tuple(allowed)
        self.item = item
        super().__init__(f"{item}must be one of: {', '.join(self.allowed)}")

    def within(self, offered: Container[str]) -> "NotOneOf":
        """The same, naming only what is ``offered`` here."""
        return NotOneOf((name for name in self.allowed if name in offered), self.item)


def text(at_most: int) -> Reader[str]:
    """Text of one line, not empty, at most ``at_most`` characters."""

    def read(value: object) -> str:
        if not isinstance(value, str):
            raise ValueError("must be text")
        if not value or len(value) > at_most:
            raise ValueError(f"must have 1 to {at_most} characters; leave it out if there is none")
        if not is_clean(value):
            raise ValueError("must not hold control characters or line ends")
        return value

    return read


def shown_text(at_most: int) -> Reader[str]:
    """Text that people will read on our pages, so it must not turn the text around it."""
    read_text = text(at_most)

    def read(value: object) -> str:
        if not is_displayable(read_text(value)):
            raise ValueError("must be readable text without characters that reverse direction")
        return read_text(value)

    return read


def many(read_item: Reader[T], at_most: int = MAX_ITEMS) -> Reader[tuple[T, ...]]:
    """A JSON array, each item read by ``read_item``, repetitions dropped, order kept."""

    def read(value: object) -> tuple[T, ...]:
        if not isinstance(value, list | tuple):
            raise ValueError("must be a list")
        if len(value) > at_most:
            raise ValueError(f"must have at most {at_most} items")
        return tuple(dict.fromkeys(_read_items(read_item, value)))

    return read


def one_of(names: Iterable[str]) -> Reader[str]:
    """One of ``names``."""
    allowed = tuple(names)

    def read(value: object) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise NotOneOf(allowed)
        return value

    return read


def boolean(value: object) -> bool:
    """``true`` or ``false``; the words in quotation marks are not it."""
    if not isinstance(value, bool):
        raise ValueError("must be true or false, without quotation marks")
    return value


def seconds(value: object) -> int:
    """A whole number of seconds, zero or more."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("must be a whole number of seconds, without quotation marks")
    if not 0 <= value <= MAX_AGE_CEILING:
        raise ValueError(f"must be between 0 and {MAX_AGE_CEILING} seconds")
    return value


def web_url(value: object) -> str:
    """https, or http on a loopback host; no fragment."""
    return _checked_url(value, fragment=False)


def request_uri(value: object) -> str:
    """The same with a fragment permitted: it carries the object's hash (OIDC Registration 2)."""
    return _checked_url(value, fragment=True)


def resource(value: object) -> str:
    """RFC 8707 section 2: an absolute URI without a fragment."""
    if not isinstance(value, str) or not is_resource(value):
        raise ValueError("must be an absolute URI without a # part, like https://api.example.com")
    return value


def scope(value: object) -> tuple[str, ...]:
    """RFC 7591 section 2: one string, the scopes separated by spaces."""
    if not isinstance(value, str) or len(value) > 4096:
        raise ValueError("must be one text with the scopes separated by spaces")
    return parse_scope(value)


def response_type(value: object) -> str:
    """A response type, its words in any order; the usual spelling comes out."""
    named = response_type_named(value) if isinstance(value, str) else None
    if named is None:
        raise ValueError(f"must list only: {', '.join(RESPONSE_TYPES)}")
    return named


def jwks(value: object) -> Mapping[str, Json]:
    """A JWK Set of public keys (RFC 7517 section 5), frozen."""
    frozen = freeze(value)
    keys = frozen.get("keys") if isinstance(frozen, Mapping) else None
    if not isinstance(frozen, Mapping) or not isinstance(keys, tuple):
        raise ValueError('must be a JWK Set: an object with a list "keys"')
    if not keys:
        raise ValueError("has no key: give it one, or leave it out")
    if len(keys) > MAX_KEYS:
        raise ValueError(f"must have at most {MAX_KEYS} keys")
    for key in keys:
        _check_key(key)
    _check_key_ids(keys)
    return frozen


def _check_key(key: Json) -> None:
    if not isinstance(key, Mapping) or not isinstance(key.get("kty"), str):
        raise ValueError("has a key that is not an object with kty")
    if key["kty"] == "oct" or not _PRIVATE_KEY_MEMBERS.isdisjoint(key):
        raise ValueError("has a private or symmetric key: register the public keys only")
    if not isinstance(key.get("kid", ""), str):
        raise ValueError("has a key whose kid is not text")


def _check_key_ids(keys: Iterable[Json]) -> None:
    named = [key["kid"] for key in keys if isinstance(key, Mapping) and "kid" in key]
    if len(set(map(str, named))) != len(named):
        raise ValueError("has two keys with the same kid: give each key its own")


def _read_items(read_item: Reader[T], items: Iterable[object]) -> Iterable[T]:
    for number, item in enumerate(items, start=1):
        try:
            yield read_item(item)
        except NotOneOf as error:
            raise NotOneOf(error.allowed, f"item {number} ") from error
        except ValueError as error:
            raise ValueError(f"item {number} {error}") from error


def _checked_url(value: object, *, fragment: bool) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a URL as text")
    problems = check_web_url(value, fragment=fragment)
    if problems:
        raise ValueError("; ".join(problems))
    return value
