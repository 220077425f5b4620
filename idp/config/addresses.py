"""Addresses that settings name, or a ``ValueError`` that says what they must be."""

import re
from email.headerregistry import Address
from email.utils import getaddresses
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlsplit

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from idp.config.readers import text, words

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})

_STARTTLS: Final = ("required", "offered", "never")

_USUAL_PORTS: Final = {"https": 443, "http": 80}
_HOST: Final = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]+)?")
_NO_HOST: Final = "must be an address: its host or its port is not one"


def issuer(value: object) -> str:
    """An issuer: https, or http on a loopback host (OpenID Connect Discovery 3)."""
    address = text(value).rstrip("/")
    parts = _split(address)
    is_near = parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS
    if not is_near and (parts.scheme != "https" or not parts.hostname):
        raise ValueError("must start with https:// (http:// only on a loopback host)")
    if not {"?", "#", "@"}.isdisjoint(address):
        raise ValueError("must be an address without query, fragment or user name")
    if parts.path:
        raise ValueError("must have no path: cookies and passkeys belong to a whole host")
    return _as_browsers_write_it(address, parts)


def mail_url(value: object) -> str:
    """Where mail goes."""
    address = text(value)
    parts = _split(address)
    if parts.scheme not in ("smtp", "smtps", "file", "console"):
        raise ValueError("must start with smtp://, smtps://, file:/// or console:")
    if parts.scheme == "file" and (parts.netloc or not parts.path.startswith("/")):
        raise ValueError("a folder is written file:///absolute/path")
    if parts.scheme.startswith("smtp"):
        _mail_server(parts)
    return address


def _mail_server(parts: SplitResult) -> None:
    if not parts.hostname or parts.path.strip("/") or parts.fragment:
        raise ValueError(
            f"must be {parts.scheme}://[user:password@]host[:port], and percent-encoded what means"
            " something in an address"
        )
    asked = dict(parse_qsl(parts.query, keep_blank_values=True))
    if asked.pop("starttls", _STARTTLS[0]) not in _STARTTLS:
        raise ValueError(f"starttls must be one of {', '.join(_STARTTLS)}")
    if asked:
        raise ValueError(f"knows no {', '.join(asked)}: only starttls may stand after the ?")


def mail_from(value: object) -> str:
    """A sender: one mailbox (RFC 5322 section 3.4)."""
    sender = text(value)
    (name, address), *others = getaddresses([sender])
    local, _, domain = address.rpartition("@")
    if not others and local and domain and sender.isprintable():
        try:
            Address(display_name=name, username=local, domain=domain)
        except (ValueError, IndexError):  # the standard library's, of what it cannot read
            pass
        else:
            return sender
    raise ValueError("must be an address, or Name <address>")


_UPLOADED: Final = re.compile(r"/pictures/[A-Za-z0-9_-]{43}")


def page_url(value: object) -> str:
    """A page for people."""
    address = text(value)
    parts = _split(address)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError("must be an address, such as https://example.org/privacy")
    return address


def logo_url(value: object) -> str:
    """An image of somewhere else, of which no page of ours could be made; or one uploaded here."""
    address = text(value)
    if _UPLOADED.fullmatch(address):
        return address
    parts = _split(address)
    if parts.scheme != "https" or not parts.hostname or parts.username or len(address) > 2000:
        raise ValueError("must start with https://, such as https://example.org/logo.svg")
    return address


def redis_url(value: object) -> str:
    """Where Redis answers."""
    address = text(value)
    if _split(address).scheme not in ("redis", "rediss", "unix"):
        raise ValueError("must start with redis://, rediss:// or unix://")
    return address


_SQLITE: Final = "sqlite:///"


def database_url(value: object) -> str:
    """An SQLAlchemy URL of a database that this program knows; a SQLite file by its whole path."""
    address = text(value)
    if not address.startswith((_SQLITE, "postgresql+psycopg://")):
        raise ValueError("must start with sqlite:/// or postgresql+psycopg://")
    if not address.startswith(_SQLITE):
        _insist_on_database(address)
        return address
    file, mark, query = address.removeprefix(_SQLITE).partition("?")
    if file in ("", ":memory:"):
        raise ValueError("must name a file: every process and thread has to see the same database")
    # Flask-SQLAlchemy would take what is relative to be in Flask's instance folder.
    return f"{_SQLITE}{Path(file).absolute()}{mark}{query}"


def _insist_on_database(address: str) -> None:
    try:
        make_url(address)
    except (ArgumentError, ValueError):
        # Not what SQLAlchemy says of it: that shows the password.
        raise ValueError(
            "must be postgresql+psycopg://user:password@host:port/database, and percent-encoded"
            " what means something in an address"
        ) from None


def sqlite_within(address: str, folder: Path) -> str:
    """The same address, with a relative file of SQLite's taken to be in ``folder``."""
    file = address.removeprefix(_SQLITE)
    if file == address or file.partition("?")[0] in ("", ":memory:"):
        return address
    return f"{_SQLITE}{(folder / file).absolute()}"


def origins(value: object) -> tuple[str, ...]:
    """Web origins."""
    return tuple(_origin(word) for word in words(value))


def _origin(word: str) -> str:
    parts = _split(word)
    if parts.scheme not in ("https", "http") or not parts.hostname or _has_more(word, parts):
        raise ValueError("must be origins, such as https://id.example.org")
    return _as_browsers_write_it(word, parts)


def origin(value: object) -> str:
    """One web origin over TLS."""
    address = text(value).rstrip("/")
    parts = _split(address)
    if parts.scheme != "https" or not parts.hostname or _has_more(address, parts):
        raise ValueError("must be an origin, such as https://mtls.id.example.org")
    return address


def _has_more(address: str, parts: SplitResult) -> bool:
    """Is there anything beside scheme, host and port?"""
    return bool(parts.path) or not {"?", "#", "@"}.isdisjoint(address)


def _as_browsers_write_it(address: str, parts: SplitResult) -> str:
    """The same; refused where a browser's ``Origin`` and its passkeys would be spelt otherwise."""
    if not address.isascii() or address != address.lower():
        raise ValueError("must be in lower case, with a name of other letters in its xn-- form")
    if not _HOST.fullmatch(parts.netloc):
        raise ValueError(_NO_HOST)
    if parts.port == _USUAL_PORTS[parts.scheme]:
        raise ValueError(f"must not name port {parts.port}: browsers leave it out")
    return address


def _split(address: str) -> SplitResult:
    if not address.isprintable() or " " in address or "\\" in address:
        raise ValueError("must be an address, without spaces")
    try:
        parts = urlsplit(address)
        _ = parts.port  # looked at only when it is asked for
    except ValueError:
        raise ValueError(_NO_HOST) from None
    return parts
