"""The one place that calls out on behalf of registrations, whose addresses strangers wrote.

``jwks_uri``, ``request_uri``, ``sector_identifier_uri`` and back-channel logout lead here. They
may not reach inside, by a name, a redirect, or a second DNS answer; keep us waiting; fill memory.
"""

import http.client
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from threading import BoundedSemaphore, Lock, Thread
from typing import Final
from urllib.parse import urlencode, urlsplit

from idp.config import Settings
from idp.protocol.urls import check_web_url
from idp.services.outside import LOOPBACK, Address, Network, is_outside, is_within, parsed
from idp.services.unfetchable import NOWHERE, NotAsked, Unfetchable

Resolve = Callable[[str], Sequence[str]]
"""From a host name to its addresses, as text. Raises ``OSError``."""

MAX_ADDRESSES: Final = 8
"""Addresses of one host that are looked at, and at most tried; more is no honest answer."""


@dataclass(frozen=True, slots=True)
class Limits:
    """``seconds`` bound the whole of it, from the name to the last byte of the body.

    At most ``at_once`` are fetched, others wait ``turn`` seconds: lest every thread wait for one.
    """

    seconds: float = 5.0
    body: int = 64 * 1024
    at_once: int = 2
    turn: float = 0.3


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. ``content_type`` is in lower case and without parameters."""

    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class _Target:
    """An address taken apart; ``path`` has the query, and never the fragment."""

    secure: bool
    host: str
    port: int
    path: str


def system_resolver(host: str) -> Sequence[str]:
    """The addresses that the machine's own resolver knows."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(info[4][0]) for info in found]


class Fetcher:
    """Makes one request at a time, each over a connection of its own.

    ``networks`` may be reached beside what is public. The name is resolved once, every address of
    it is checked, and the connection goes to an address that was: the certificate is checked
    against the name. No redirect is followed; no proxy, ``.netrc`` or cookie has a part in it.
    """

    def __init__(
        self,
        *,
        networks: Sequence[Network] = (),
        resolve: Resolve = system_resolver,
        trust: ssl.SSLContext | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._networks = tuple(networks)
        self._resolve = resolve
        self._trust = trust
        self._limits = limits or Limits()
        self._places = BoundedSemaphore(self._limits.at_once)

    @classmethod
    def of(cls, settings: Settings, limits: Limits | None = None) -> "Fetcher":
        """As a deployment wants it. One that is on loopback itself may call others there."""
        near = () if settings.secure else LOOPBACK
        return cls(networks=(*settings.outbound_networks, *near), limits=limits)

    def get(self, url: str, *, accept: str = "application/json") -> Answer:
        """The document at ``url``, whose fragment is not sent; its status is 200.

        Call it outside any transaction: it may take seconds. Raises ``Unfetchable``.
        """
        if not self._places.acquire(timeout=self._limits.turn):
            raise NotAsked
        try:
            answer = self._ask("GET", url, None, {"Accept": accept})
        finally:
            self._places.release()
        if answer.status != 200:
            raise Unfetchable(f"the answer was {answer.status} and not 200")
        return answer

    def post(self, url: str, form: Mapping[str, str]) -> Answer:
        """Send a form; what its status means is the caller's to say, 3xx included.

        Call it outside any transaction. Raises ``Unfetchable``.
        """
        kind = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "*/*"}
        return self._ask("POST", url, urlencode(form).encode(), kind)

    def _ask(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        """In a thread of its own: nothing else bounds the DNS, or a byte now and then."""
        target, line, outcome = _taken_apart(url), _Line(), Future[Answer]()

        def work() -> None:
            try:
                outcome.set_result(self._exchange(line, target, method, body, headers))
            except Exception as error:
                outcome.set_exception(_told(error))
            finally:
                line.close()

        Thread(target=work, name="fetch", daemon=True).start()
        try:
            return outcome.result(self._limits.seconds)
        except TimeoutError:
            raise Unfetchable("it took too long") from None
        finally:
            line.cut()

    def _exchange(
        self,
        line: "_Line",
        target: _Target,
        method: str,
        body: bytes | None,
        headers: Mapping[str, str],
    ) -> Answer:
        addresses = self._checked(target)
        trust = self._trust or system_trust()
        connection = _connection(target, trust)
        connection.sock = self._connect(line, target, addresses, trust)
        connection.request(method, target.path, body, {**_HEADERS, **headers})
        with connection.getresponse() as response:
            content = response.read(self._limits.body + 1)
            missing = response.length
        if len(content) > self._limits.body:
            raise Unfetchable("the answer is too large")
        if missing:
            raise Unfetchable("the answer ended early")
        kind = (response.getheader("Content-Type") or "").partition(";")[0].strip().lower()
        return Answer(response.status, kind, content)

    def _checked(self, target: _Target) -> tuple[Address, ...]:
        """The host's addresses, asked for once, if every one of them may be reached."""
        addresses = parsed(self._resolve(target.host))
        if not 0 < len(addresses) <= MAX_ADDRESSES:
            raise Unfetchable(NOWHERE)
        for address in addresses:
            if not (is_outside(address) or is_within(address, self._networks)):
                raise Unfetchable(NOWHERE)
            if not target.secure and not is_within(address, LOOPBACK):
                raise Unfetchable("http is for loopback addresses only")
        return addresses

    def _connect(
        self,
        line: "_Line",
        target: _Target,
        addresses: Sequence[Address],
        trust: ssl.SSLContext,
    ) -> socket.socket:
        """A connection to one of the addresses that were checked, and to nothing else."""
        plain = self._reach(line, target, addresses)
        if not target.secure:
            return plain
        wrapped = trust.wrap_socket(
            plain, server_hostname=target.host, do_handshake_on_connect=False
        )
        line.use(wrapped)
        wrapped.do_handshake()
        return wrapped

    def _reach(self, line: "_Line", target: _Target, addresses: Sequence[Address]) -> socket.socket:
        failed: OSError = OSError("no address")
        for address in addresses:
            family = socket.AF_INET if address.version == 4 else socket.AF_INET6
            attempt = socket.socket(family, socket.SOCK_STREAM)
            attempt.settimeout(self._limits.seconds)
            line.use(attempt)
            try:
                attempt.connect((str(address), target.port))
            except OSError as error:
                failed = error
                attempt.close()
            else:
                return attempt
        raise failed


class _Line:
    """The socket in use, which whoever waits for it may cut from another thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._socket: socket.socket | None = None
        self._is_cut = False

    def use(self, opened: socket.socket) -> None:
        """Go on with this one. Raises ``Unfetchable`` when nobody waits any more."""
        with self._lock:
            if self._is_cut:
                opened.close()
                raise Unfetchable("it took too long")
            self._socket = opened

    def cut(self) -> None:
        """Let whoever reads or writes fail now."""
        with self._lock:
            self._is_cut = True
            if self._socket is not None:
                with suppress(OSError):
                    # Not SSLSocket's own, which would make a reader go on without TLS.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the socket back; only who uses it does that."""
        with self._lock:
            if self._socket is not None:
                self._socket.close()


_HEADERS: Final = {"User-Agent": "Gatehouse", "Connection": "close"}


@cache
def system_trust() -> ssl.SSLContext:
    """The machine's certificate authorities; TLS 1.2 at least, 1.3 where the other side can.

    Made at the first use: reading a few hundred certificates takes its time.
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _taken_apart(url: str) -> _Target:
    problems = check_web_url(url, fragment=True)
    if problems:
        raise Unfetchable(f"its address {problems[0]}")
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return _Target(secure, parts.hostname or "", parts.port or (443 if secure else 80), path)


def _connection(target: _Target, trust: ssl.SSLContext) -> http.client.HTTPConnection:
    """Knows the name for the Host header, and never connects by itself."""
    made: http.client.HTTPConnection = (
        http.client.HTTPSConnection(target.host, target.port, context=trust)
        if target.secure
        else http.client.HTTPConnection(target.host, target.port)
    )
    made.auto_open = 0
    return made


def _told(error: Exception) -> Exception:
    """In general words: an exception's own may quote what the other side sent."""
    for kind, words in _WORDS:
        if isinstance(error, kind):
            return Unfetchable(words)
    return error  # an Unfetchable, or a mistake of ours


_WORDS: Final[tuple[tuple[type[Exception], str], ...]] = (
    (ssl.SSLCertVerificationError, "its certificate is not good for its name"),
    (ssl.SSLError, "TLS failed"),
    (socket.gaierror, NOWHERE),
    (TimeoutError, "it took too long"),
    (OSError, "it cannot be reached"),
    (http.client.HTTPException, "the answer is not HTTP"),
    (ValueError, "the answer is not HTTP"),
)
