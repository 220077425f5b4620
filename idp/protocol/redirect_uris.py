"""Redirect addresses: which may be registered, and when one that was sent is one of them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

from idp.protocol.urls import NOT_A_URL, split, web_problems, without_loopback_port

NATIVE_ONLY: Final = (
    "must start with https:// (a scheme of its own is for applications on a device,"
    ' application_type "native")'
)
NO_WILDCARD: Final = "must not hold a * : wildcards are off, add each address by itself"


def matches(registered: str, sent: str) -> bool:
    """Whether ``sent`` is ``registered``: the same text, except a loopback address's port.

    RFC 9700 section 2.1 (exact), RFC 8252 section 7.3 (the port of a loopback may vary). Nothing
    is decoded, normalised or compared in parts: that is how look-alikes get through.
    """
    if registered == sent:
        return True
    portless = without_loopback_port(registered)
    return portless is not None and portless == without_loopback_port(sent)


def is_registered(sent: str, among: Iterable[str]) -> bool:
    """Whether ``sent`` matches one of the registered addresses."""
    return any(matches(registered, sent) for registered in among)


def check_redirect_uri(uri: str, application_type: str = "web") -> tuple[str, ...]:
    """What is wrong with registering ``uri``, as sentences that say how to fix it.

    https for every application, http on a loopback host; a ``native`` one may use a scheme of
    its own in reverse-DNS form (RFC 8252 sections 7.1 to 7.3). No fragment (RFC 6749 section
    3.1.2), no wildcard.
    """
    if "*" in uri:
        return (NO_WILDCARD,)
    parts = split(uri)
    if parts is None:
        return (NOT_A_URL,)
    if parts.scheme in ("http", "https") or (application_type != "native" and not _is_app(parts)):
        return tuple(web_problems(uri, parts))
    if application_type != "native":
        return (NATIVE_ONLY,)
    return tuple(_native_problems(uri, parts))


def _is_app(parts: SplitResult) -> bool:
    return "." in parts.scheme.strip(".")


def _native_problems(uri: str, parts: SplitResult) -> Iterator[str]:
    if not _is_app(parts):
        yield (
            "needs a scheme that is your domain name reversed, such as com.example.app:/callback"
        )
    if not uri.partition(":")[2].strip("/"):
        yield "needs a path after the scheme, such as com.example.app:/callback"
    if "#" in uri:
        yield "must not have a # part: remove it and what follows it"


@dataclass(frozen=True, slots=True)
class Note:
    """Something about one of several addresses; ``number`` counts from one."""

    number: int
    sentence: str
    blocks: bool


def notes_on(uris: Sequence[str], application_type: str = "web") -> Iterator[Note]:
    """What is wrong with each address, and what is allowed and mostly a slip."""
    for number, uri in enumerate(uris, start=1):
        problems = check_redirect_uri(uri, application_type)
        yield from (Note(number, sentence, blocks=True) for sentence in problems)
        if uri in uris[: number - 1]:
            yield Note(number, "is there already", blocks=False)
        elif not problems:
            yield from (Note(number, sentence, blocks=False) for sentence in _slips(uri))


def _slips(uri: str) -> Iterator[str]:
    parts = urlsplit(uri)
    if parts.scheme in ("http", "https") and parts.path in ("", "/") and not parts.query:
        yield "looks like a homepage: callbacks usually end in /callback"
    elif uri.endswith("/"):
        yield "ends in / : applications often send it without, and it must match exactly"
