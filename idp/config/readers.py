"""From what a file or a variable says to a value, or a ``ValueError`` that says what it must be."""

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from importlib.util import find_spec
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from idp.config.colours import ENOUGH, is_colour, least_contrast

T = TypeVar("T")

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


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


def issuer(value: object) -> str:
    """An issuer: https, or http on a loopback host (OpenID Connect Discovery 3)."""
    address = text(value).rstrip("/")
    parts = urlsplit(address)
    if parts.query or parts.fragment or parts.username or not parts.hostname:
        raise ValueError("must be an address without query, fragment or user name")
    if parts.path:
        raise ValueError("must have no path: cookies and passkeys belong to a whole host")
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS):
        return address
    raise ValueError("must start with https:// (http:// only on a loopback host)")


def flag(value: object) -> bool:
    """True or false."""
    if isinstance(value, bool):
        return value
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if isinstance(value, str) and value.strip().lower() in words:
        return words[value.strip().lower()]
    raise ValueError("must be true or false")


def whole(value: object) -> int:
    """A whole number from 1."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError("must be a whole number")
    try:
        number = int(value)
    except ValueError:
        raise ValueError("must be a whole number") from None
    if number < 1:
        raise ValueError("must be at least 1")
    return number


def duration(value: object) -> timedelta:
    """Whole seconds."""
    return timedelta(seconds=whole(value))


def duration_or_none_at_all(value: object) -> timedelta:
    """Whole seconds, zero among them."""
    zero = not isinstance(value, bool) and value in (0, "0")
    return timedelta(0) if zero else duration(value)


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


def mail_url(value: object) -> str:
    """Where mail goes."""
    address = text(value)
    if urlsplit(address).scheme not in ("smtp", "smtps", "file", "console"):
        raise ValueError("must start with smtp://, smtps://, file:/// or console:")
    return address


_UPLOADED = re.compile(r"/pictures/[A-Za-z0-9_-]{43}")


def page_url(value: object) -> str:
    """A page for people."""
    address = text(value)
    if urlsplit(address).scheme not in ("https", "http") or not urlsplit(address).hostname:
        raise ValueError("must be an address, such as https://example.org/privacy")
    return address


def logo_url(value: object) -> str:
    """An image of somewhere else, of which no page of ours could be made; or one uploaded here."""
    address = text(value)
    if _UPLOADED.fullmatch(address):
        return address
    parts = urlsplit(address)
    if parts.scheme != "https" or not parts.hostname or parts.username or len(address) > 2000:
        raise ValueError("must start with https://, such as https://example.org/logo.svg")
    return address


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
    number = 0 if not isinstance(value, bool) and value in (0, "0") else whole(value)
    if number > 24:
        raise ValueError("must be from 0 to 24")
    return number


def redis_url(value: object) -> str:
    """Where Redis answers."""
    address = text(value)
    if urlsplit(address).scheme not in ("redis", "rediss", "unix"):
        raise ValueError("must start with redis://, rediss:// or unix://")
    return address


def database_url(value: object) -> str:
    """An SQLAlchemy URL of a database that this program knows; a SQLite file by its whole path."""
    address = text(value)
    if not address.startswith((_SQLITE, "postgresql+psycopg://")):
        raise ValueError("must start with sqlite:/// or postgresql+psycopg://")
    if not address.startswith(_SQLITE):
        return address
    file, mark, query = address.removeprefix(_SQLITE).partition("?")
    if file in ("", ":memory:"):
        raise ValueError("must name a file: every process and thread has to see the same database")
    # Flask-SQLAlchemy would take what is relative to be in Flask's instance folder.
    return f"{_SQLITE}{Path(file).absolute()}{mark}{query}"


_SQLITE = "sqlite:///"


def sqlite_within(address: str, folder: Path) -> str:
    """The same address, with a relative file of SQLite's taken to be in ``folder``."""
    file = address.removeprefix(_SQLITE)
    if file == address or file.partition("?")[0] in ("", ":memory:"):
        return address
    return f"{_SQLITE}{(folder / file).absolute()}"


def one_of(*allowed: str) -> Callable[[object], str]:
    """One of these words."""

    def parse(value: object) -> str:
        if value not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return str(value)

    return parse


def origins(value: object) -> tuple[str, ...]:
    """Web origins."""
    found = words(value)
    if any(urlsplit(word).path or not urlsplit(word).hostname for word in found):
        raise ValueError("must be origins, such as https://id.example.org")
    return found


def origin(value: object) -> str:
    """One web origin over TLS."""
    address = text(value).rstrip("/")
    parts = urlsplit(address)
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.path:
        raise ValueError("must be an origin, such as https://mtls.id.example.org")
    if parts.query or parts.fragment:
        raise ValueError("must be an origin, without a query or fragment")
    return address


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
