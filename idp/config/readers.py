"""From what a file or a variable says to a value, or a ``ValueError`` that says what it must be."""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from importlib.util import find_spec
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Final, TypeVar
from uuid import UUID

from idp.config.colours import ENOUGH, is_colour, least_contrast

T = TypeVar("T")


def text(value: object) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be a text that is not empty")
    return value.strip()


def long_secret(value: object) -> str:
    """A secret that nobody guesses."""
    secret = text(value)
    if len(secret) < 16 or not secret.isascii() or not secret.isprintable() or " " in secret:
        raise ValueError("must be at least 16 characters, without spaces")
    return secret


def with_extra(module: str, extra: str, parse: Callable[[object], T]) -> Callable[[object], T]:
    """What ``parse`` makes of it, where the package is installed that it is good for."""

    def parsed(value: object) -> T:
        wanted = parse(value)
        if wanted and not _is_installed(module):
            raise ValueError(f"needs what comes with gatehouse-idp[{extra}]: pip install it")
        return wanted

    return parsed


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # not even what it is part of
        return False


def flag(value: object) -> bool:
    """True or false."""
    if isinstance(value, bool):
        return value
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if isinstance(value, str) and value.strip().lower() in words:
        return words[value.strip().lower()]
    raise ValueError("must be true or false")


MOST: Final = 2**31 - 1
"""Of anything that is counted: as seconds it is 68 years, and every clock reaches as far."""


def whole(value: object, *, least: int = 1) -> int:
    """A whole number from ``least``, by default 1."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError("must be a whole number")
    try:
        number = int(value)
    except ValueError:
        raise ValueError("must be a whole number") from None
    if number < least:
        raise ValueError(f"must be at least {least}")
    if number > MOST:
        raise ValueError(f"must be at most {MOST}")
    return number


def duration(value: object) -> timedelta:
    """Whole seconds."""
    return timedelta(seconds=whole(value))


def duration_or_none_at_all(value: object) -> timedelta:
    """Whole seconds, zero among them."""
    return timedelta(seconds=whole(value, least=0))


def words(value: object) -> tuple[str, ...]:
    """A list of texts, or one text with spaces or commas between them."""
    if isinstance(value, str):
        return tuple(value.replace(",", " ").split())
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise ValueError("must be a list of texts")


def table(value: object) -> Mapping[str, str]:
    """A table of texts; JSON in a variable."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except json.JSONDecodeError:
            raise ValueError("must be a JSON object in an environment variable") from None
    if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
        raise ValueError("must be a table of texts")
    return value


def networks(value: object) -> tuple[IPv4Network | IPv6Network, ...]:
    """Addresses or networks."""
    try:
        return tuple(ip_network(word, strict=False) for word in words(value))
    except ValueError:
        raise ValueError("must be addresses or networks, such as 10.0.0.0/8") from None


def accent(value: object) -> str:
    """A colour that text can be read in, and on."""
    colour = text(value).lower()
    if not is_colour(colour):
        raise ValueError("must be a colour such as #2f5bd8")
    if (found := least_contrast(colour)) < ENOUGH:
        raise ValueError(
            f"must be darker: its contrast with white pages is {found:.1f} to 1, and {ENOUGH} is"
            " the least that people can read"
        )
    return colour


def radius(value: object) -> int:
    """Pixels of a corner."""
    number = whole(value, least=-MOST)
    if not 0 <= number <= 24:
        raise ValueError("must be from 0 to 24")
    return number


def one_of(*allowed: str) -> Callable[[object], str]:
    """One of these words."""

    def parse(value: object) -> str:
        if value not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return str(value)

    return parse


def header_name(value: object) -> str:
    """The name of an HTTP header (RFC 9110 section 5.1)."""
    name = text(value)
    if not name.isascii() or not name.replace("-", "").isalnum():
        raise ValueError("must be the name of a header, such as Client-Cert")
    return name


def path(value: object) -> Path:
    """A path."""
    return Path(text(value))


def aaguids(value: object) -> tuple[str, ...]:
    """Models of authenticators."""
    try:
        return tuple(str(UUID(word)) for word in words(value))
    except ValueError:
        raise ValueError(
            "must be model ids, such as 2fc0579f-8113-47ea-b116-bb5a8db9202a"
        ) from None


def keys(value: object) -> tuple[str, ...]:
    """Keys that encrypt what is stored."""
    found = words(value)
    if not found or not all(_is_key(word) for word in found):
        raise ValueError("must be keys as `idp init` writes them (32 bytes, base64url)")
    return found


def _is_key(word: str) -> bool:
    try:
        return len(base64.urlsafe_b64decode(word)) == 32
    except (binascii.Error, ValueError):
        return False
