"""A mail server that keeps what it is sent, and can misbehave on request."""

import asyncio
import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from enum import Enum, auto
from typing import Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.helpers.ports import free_port, wait_until

_LINK = re.compile(r"https?://[^\s<>\"']+")
_CODE = re.compile(r"(?<![\w/=&-])\d{6}(?![\w/=&-])")


class Mood(Enum):
    """How the server treats the next mails."""

    ACCEPT = auto()
    REFUSE = auto()
    """Answers 451, which asks the sender to try again later."""
    REJECT = auto()
    """Answers 550, which is final."""
    STALL = auto()
    """Takes the mail and does not answer until the mood changes; then it accepts."""
    ACCEPT_THEN_DROP = auto()
    """Keeps the mail, but the connection breaks before the sender hears so."""


class _Handler:
    def __init__(self, outbox: "Outbox") -> None:
        self._outbox = outbox

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self._outbox.held += 1
        while self._outbox.mood is Mood.STALL:
            await asyncio.sleep(0.02)
        self._outbox.held -= 1
        if self._outbox.mood is Mood.REFUSE:
            return "451 4.3.0 Try again later"
        if self._outbox.mood is Mood.REJECT:
            return "550 5.7.1 Not wanted"
        self._outbox.keep(envelope)
        if self._outbox.mood is Mood.ACCEPT_THEN_DROP and server.transport is not None:
            server.transport.close()
        return "250 2.0.0 Kept"


class Outbox:
    """An SMTP server on a loopback port, as a context manager. ``messages`` is oldest first.

    ``held`` is how many mails it was sent whole and has not answered.
    """

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.mood = Mood.ACCEPT
        self.held = 0
        self.port = free_port()
        self._controller = Controller(_Handler(self), hostname="127.0.0.1", port=self.port)

    @property
    def url(self) -> str:
        """What ``IDP_MAIL_URL`` wants."""
        return f"smtp://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    def keep(self, envelope: Envelope) -> None:
        """Parse and store one mail."""
        content = envelope.content
        raw = content.encode() if isinstance(content, str) else content or b""
        self.messages.append(message_from_bytes(raw, policy=policy.default))

    def wait_held(self, *, seconds: float = 5) -> None:
        """Wait until it stalls with a mail. Raises ``TimeoutError``."""
        wait_until(lambda: self.held > 0, seconds=seconds, what="a mail that is held")

    def to(self, address: str | None) -> list[EmailMessage]:
        """The mails addressed to ``address``, oldest first; with None, all."""
        return [m for m in self.messages if address is None or address in str(m["To"])]

    def latest(self, *, to: str | None = None, seconds: float = 5) -> EmailMessage:
        """The newest mail (to that address); waits for the first. Raises ``TimeoutError``."""
        wait_until(lambda: bool(self.to(to)), seconds=seconds, what=f"a mail to {to or 'anybody'}")
        return self.to(to)[-1]

    def wait(self, number: int, *, to: str | None = None, seconds: float = 5) -> list[EmailMessage]:
        """Wait until at least ``number`` mails are there. Raises ``TimeoutError``."""
        what = f"{number} mails to {to or 'anybody'}"
        wait_until(lambda: len(self.to(to)) >= number, seconds=seconds, what=what)
        return self.to(to)


def text(message: EmailMessage) -> str:
    """The plain-text part; raises ``LookupError`` where a mail has none."""
    part = message.get_body(preferencelist=("plain",))
    if part is None:
        raise LookupError("the mail has no plain-text part")
    return str(part.get_content())


def links(message: EmailMessage) -> list[str]:
    """The addresses in the plain-text part, in order, without the full stop after a sentence."""
    return [found.rstrip(".,;:)") for found in _LINK.findall(text(message))]


def code(message: EmailMessage) -> str:
    """The six-digit code in the plain-text part; raises ``LookupError`` where there is none."""
    found = _CODE.search(_LINK.sub(" ", text(message)))
    if found is None:
        raise LookupError("the mail has no six-digit code")
    return found.group()
