"""Where mails are handed over: an SMTP server, a folder, the console."""

import smtplib
import socket
import ssl
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from pathlib import Path
from threading import Timer
from time import monotonic
from typing import Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

from idp.config import LOOPBACK_HOSTS, Settings
from idp.secrecy import private_file, private_folder
from idp.services.outbox import Undeliverable

TIMEOUT = 15
"""Seconds without a byte before a server counts as gone."""
DEADLINE = 60
"""Seconds for a whole conversation, however it drips; must stay below the outbox's lease."""


class Transport(Protocol):
    """Hands over one mail. What is not ``Undeliverable`` may be tried again."""

    def send(self, message: EmailMessage, *, sender: str, to: str, number: int) -> None:
        """``number`` is the mail's own, the same at every attempt."""


class Smtp:
    """``smtp://`` and ``smtps://[user:password@]host[:port][?starttls=required|offered|never]``.

    TLS certificates are verified. ``smtp`` uses STARTTLS where it is offered; it insists on it
    once there is a password to protect, and does without on the loopback interface.
    """

    def __init__(self, url: str, *, timeout: float = TIMEOUT, deadline: float = DEADLINE) -> None:
        parts = urlsplit(url)
        self._implicit_tls = parts.scheme == "smtps"
        self._host = parts.hostname or "localhost"
        self._port = parts.port or (465 if self._implicit_tls else 25)
        self._user = unquote(parts.username or "")
        self._password = unquote(parts.password or "")
        self._starttls = dict(parse_qsl(parts.query)).get("starttls", self._usual_starttls())
        self._timeout = timeout
        self._deadline = deadline

    def _usual_starttls(self) -> str:
        if self._host in LOOPBACK_HOSTS:
            return "never"
        return "required" if self._user else "offered"

    def send(self, message: EmailMessage, *, sender: str, to: str, number: int) -> None:
        """One conversation. What it raises may be tried again; ``Undeliverable`` is for good."""
        try:
            with self._conversation() as client:
                self._secure(client)
                if self._user:
                    client.login(self._user, self._password)
                client.send_message(message, from_addr=sender, to_addrs=[to])
        except smtplib.SMTPException as error:
            if _is_final(error):
                raise Undeliverable(_in_words(error)) from error
            raise

    @contextmanager
    def _conversation(self) -> Iterator[smtplib.SMTP]:
        """Connected, for ``deadline`` seconds at most; ends politely where nothing went wrong."""
        began = monotonic()
        client = self._connect()
        cut = Timer(max(0, self._deadline + began - monotonic()), _cut, [client])
        cut.daemon = True
        cut.start()
        try:
            yield client
            with suppress(smtplib.SMTPException, OSError):
                client.quit()  # the mail is theirs by now, whatever becomes of the farewell
        finally:
            cut.cancel()
            client.close()

    def _connect(self) -> smtplib.SMTP:
        if not self._implicit_tls:
            return smtplib.SMTP(self._host, self._port, timeout=self._timeout)
        return smtplib.SMTP_SSL(
            self._host, self._port, timeout=self._timeout, context=ssl.create_default_context()
        )

    def _secure(self, client: smtplib.SMTP) -> None:
        if self._implicit_tls or self._starttls == "never":
            return
        client.ehlo_or_helo_if_needed()
        if self._starttls == "required" or client.has_extn("starttls"):
            client.starttls(context=ssl.create_default_context())


def _cut(client: smtplib.SMTP) -> None:
    if isinstance(client.sock, socket.socket):
        with suppress(OSError):
            client.sock.shutdown(socket.SHUT_RDWR)


def _is_final(error: smtplib.SMTPException) -> bool:
    """Does the server refuse this mail for good, and not us, or only for now (RFC 5321 4.2.1)?"""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    return isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= 500


def _in_words(error: smtplib.SMTPException) -> str:
    return f"{type(error).__name__}: {error}"


class Folder:
    """``file:///path``: one ``.eml`` a mail, readable by its owner only, since links sign in."""

    def __init__(self, url: str) -> None:
        self._path = Path(unquote(urlsplit(url).path))

    def send(self, message: EmailMessage, *, sender: str, to: str, number: int) -> None:
        private_folder(self._path)
        unfinished = self._path / f".{number:010}.part"
        with open(unfinished, "wb", opener=private_file) as file:
            file.write(message.as_bytes())
        # The same name at a second attempt: the folder never holds a mail twice.
        unfinished.rename(self._path / f"{number:010}.eml")


class Console:
    """``console:``: mails are printed, for trying things out."""

    def __init__(self, url: str) -> None:
        self.url = url

    def send(self, message: EmailMessage, *, sender: str, to: str, number: int) -> None:
        sys.stdout.write(f"{message.as_string()}\n")
        sys.stdout.flush()


class Nowhere:
    """No ``mail_url`` is set. Mails wait: somebody may still set one."""

    def send(self, message: EmailMessage, *, sender: str, to: str, number: int) -> None:
        raise OSError("mail_url is not set")


_KINDS: Mapping[str, type[Smtp | Folder | Console]] = {
    "smtp": Smtp,
    "smtps": Smtp,
    "file": Folder,
    "console": Console,
}


def transport_for(settings: Settings) -> Transport:
    """By ``mail_url``."""
    if settings.mail_url is None:
        return Nowhere()
    return _KINDS[urlsplit(settings.mail_url).scheme](settings.mail_url)
