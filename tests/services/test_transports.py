"""Handing mails over: to real servers that accept, refuse, stall or drop; to folders; to nobody."""

import os
import socket
import ssl
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from flask import Flask
from sqlalchemy import select

from idp.config import Settings
from idp.factors.base import Mail
from idp.models import AuditEvent, OutboxMessage, db
from idp.secrecy import Box
from idp.services.mail import Mailer
from idp.services.outbox import Outbox
from idp.services.postman import mail_handlers
from idp.services.transports import Console, Folder, Nowhere, Smtp, transport_for
from tests.helpers.clock import NOON
from tests.helpers.ports import free_port
from tests.helpers.smtp import Mood, links
from tests.helpers.smtp import Outbox as Server
from tests.services.certificate import localhost_certificate

URL = "https://id.example.com/login/reset/t0ken"
LATER = timedelta(seconds=20)


@pytest.fixture
def server(outbox: Server) -> Server:
    return outbox


class House:
    """A provider with this ``mail_url``. ``send`` queues and delivers; ``retry`` delivers again."""

    def __init__(self, settings: Settings, box: Box, url: str | None) -> None:
        settings = replace(settings, mail_url=url)
        self._mailer = Mailer(settings, box)
        self._outbox = Outbox(box, mail_handlers(settings))

    def queue(self, to: str = "ann@example.com", *, decoy: bool = False) -> None:
        mail = Mail("reset", to, {"url": URL, "minutes": 60})
        self._mailer.queue(mail, now=NOON, decoy=decoy)
        db.session.commit()

    def send(self, to: str = "ann@example.com", *, decoy: bool = False) -> int:
        self.queue(to, decoy=decoy)
        return self._outbox.deliver_due(NOON)

    def retry(self) -> int:
        return self._outbox.deliver_due(NOON + LATER)


@pytest.fixture
def house(app: Flask, settings: Settings, box: Box, server: Server) -> House:
    return House(settings, box, server.url)


def state() -> tuple[bool, bool, str | None]:
    """Sent? Given up? Why?"""
    db.session.expire_all()
    row = db.session.scalars(select(OutboxMessage)).one()
    return row.sent_at is not None, row.failed_at is not None, row.last_error


def test_arrives(house: House, server: Server) -> None:
    assert house.send() == 1
    mail = server.latest(to="ann@example.com")
    assert links(mail) == [URL]
    assert state() == (True, False, None)


def test_decoy_goes_nowhere(house: House, server: Server) -> None:
    assert house.send(decoy=True) == 1
    assert server.messages == []
    assert state() == (True, False, None)


def test_refused_for_now_is_sent_later(house: House, server: Server) -> None:
    server.mood = Mood.REFUSE
    assert house.send() == 0
    sent, given_up, why = state()
    assert (sent, given_up) == (False, False)
    assert "451" in str(why)
    server.mood = Mood.ACCEPT
    assert house.retry() == 1
    assert len(server.messages) == 1


def test_refused_for_good_is_given_up(house: House, server: Server) -> None:
    server.mood = Mood.REJECT
    assert house.send() == 0
    assert state()[:2] == (False, True)
    (event,) = db.session.scalars(select(AuditEvent)).all()
    assert event.name == "mail.failed"
    assert "550" in event.data["error"]


def test_unknown_mailbox_is_given_up(app: Flask, settings: Settings, box: Box) -> None:
    with listening(NoMailboxes()) as port:
        House(settings, box, f"smtp://127.0.0.1:{port}").send()
    assert state()[:2] == (False, True)


def test_server_that_drops_after_taking_gets_the_same_mail_again(
    house: House, server: Server
) -> None:
    server.mood = Mood.ACCEPT_THEN_DROP
    assert house.send() == 0
    server.mood = Mood.ACCEPT
    assert house.retry() == 1
    assert len({mail["Message-ID"] for mail in server.messages}) == 1


def test_nobody_listening_is_tried_again(app: Flask, settings: Settings, box: Box) -> None:
    assert House(settings, box, f"smtp://127.0.0.1:{free_port()}").send() == 0
    assert state()[:2] == (False, False)


@contextmanager
def mute() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_silent_server_is_left_after_the_timeout(app: Flask) -> None:
    with mute() as port:
        smtp = Smtp(f"smtp://127.0.0.1:{port}", timeout=0.2)
        began = time.monotonic()
        with pytest.raises(OSError, match="timed out"):
            send(smtp)
        assert time.monotonic() - began < 5


def test_dripping_server_is_cut_off_at_the_deadline() -> None:
    with dripping() as port:
        smtp = Smtp(f"smtp://127.0.0.1:{port}", timeout=5, deadline=0.5)
        began = time.monotonic()
        with pytest.raises(OSError, match=r"closed|not connected"):
            send(smtp)
        assert time.monotonic() - began < 4


@contextmanager
def dripping() -> Iterator[int]:
    """A server that greets, then answers one byte at a time and never comes to an end."""
    stop = threading.Event()

    def talk(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"220 hello\r\n")
            while not stop.wait(0.05):
                try:
                    connection.sendall(b"2")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=talk, args=[listener])
        thread.start()
        yield listener.getsockname()[1]
        stop.set()
        thread.join()


def send(transport: Smtp | Folder | Console, number: int = 1) -> None:
    raw = b"From: a@example.com\r\nTo: b@example.com\r\nSubject: Hi\r\n\r\nHello\r\n"
    mail = message_from_bytes(raw, policy=policy.default)
    transport.send(mail, sender="a@example.com", to="b@example.com", number=number)


class Keeper:
    """An SMTP handler that notes who delivered, and whether over TLS."""

    def __init__(self) -> None:
        self.seen: list[tuple[bool, object]] = []

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _way: str, data: object
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        right = (data.login, data.password) == (b"ann@house", b"p/w:d")
        return AuthResult(success=right, handled=False, auth_data=data.login)

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:
        self.seen.append((session.ssl is not None, session.auth_data))
        return "250 OK"


class NoMailboxes:
    async def handle_RCPT(self, *_: object) -> str:
        return "550 5.1.1 No such mailbox"


@contextmanager
def listening(handler: object, **options: Any) -> Iterator[int]:
    port = free_port()
    controller = Controller(handler, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


def test_signs_in_with_the_decoded_password() -> None:
    keeper = Keeper()
    options = {"authenticator": keeper.authenticate, "auth_require_tls": False}
    with listening(keeper, **options) as port:
        send(Smtp(f"smtp://ann%40house:p%2Fw%3Ad@127.0.0.1:{port}"))
        with pytest.raises(OSError, match="535"):
            send(Smtp(f"smtp://ann%40house:wrong@127.0.0.1:{port}"))
    assert keeper.seen == [(False, b"ann@house")]


def test_password_never_travels_without_tls_where_it_is_required() -> None:
    keeper = Keeper()
    with listening(keeper) as port, pytest.raises(OSError, match="STARTTLS"):
        send(Smtp(f"smtp://ann:secret@127.0.0.1:{port}?starttls=required"))
    assert keeper.seen == []


@pytest.mark.parametrize(
    ("url", "way"),
    [
        ("smtp://mail.example.com", "offered"),
        ("smtp://ann:pw@mail.example.com", "required"),
        ("smtp://localhost", "never"),
        ("smtp://ann:pw@127.0.0.1", "never"),
        ("smtp://ann:pw@mail.example.com?starttls=never", "never"),
        ("smtp://127.0.0.1?starttls=required", "required"),
    ],
)
def test_when_starttls_is_used(url: str, way: str) -> None:
    assert Smtp(url)._starttls == way


def test_folder_holds_one_private_file_a_mail(tmp_path: Path) -> None:
    folder = tmp_path / "sent mail"
    transport = Folder(f"file://{str(folder).replace(' ', '%20')}")
    for number in (7, 7, 12):
        send(transport, number)
    assert sorted(path.name for path in folder.iterdir()) == ["0000000007.eml", "0000000012.eml"]
    file = folder / "0000000007.eml"
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
    assert message_from_bytes(file.read_bytes(), policy=policy.default)["Subject"] == "Hi"


def test_folder_that_cannot_be_written_is_tried_again(
    app: Flask, settings: Settings, box: Box, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    house = House(settings, box, f"file://{tmp_path}/file")
    assert house.send() == 0
    assert state()[:2] == (False, False)


def test_console(capsys: pytest.CaptureFixture[str]) -> None:
    send(Console("console:"))
    assert "Subject: Hi" in capsys.readouterr().out


def test_without_a_mail_url_what_was_to_be_sent_waits(
    app: Flask, settings: Settings, box: Box
) -> None:
    House(settings, box, "console:").queue()
    assert House(settings, box, None).send() == 0
    assert state() == (False, False, "OSError: mail_url is not set")


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        (None, Nowhere),
        ("smtp://mail.example.com", Smtp),
        ("smtps://mail.example.com", Smtp),
        ("file:///var/mail", Folder),
        ("console:", Console),
    ],
)
def test_chosen_by_the_url(settings: Settings, url: str | None, kind: type) -> None:
    assert type(transport_for(replace(settings, mail_url=url))) is kind


@pytest.fixture
def tls(tmp_path: Path) -> tuple[ssl.SSLContext, Path]:
    return localhost_certificate(tmp_path)


@pytest.mark.parametrize("starttls", ["required", "offered"])
def test_starttls_with_a_server_we_trust(
    tls: tuple[ssl.SSLContext, Path], monkeypatch: pytest.MonkeyPatch, starttls: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tls[1]))
    keeper = Keeper()
    with listening(keeper, tls_context=tls[0]) as port:
        send(Smtp(f"smtp://localhost:{port}?starttls={starttls}"))
    assert keeper.seen == [(True, None)]


@pytest.mark.parametrize("starttls", ["required", "offered"])
def test_starttls_with_a_server_we_do_not_trust_sends_nothing(
    tls: tuple[ssl.SSLContext, Path], starttls: str
) -> None:
    keeper = Keeper()
    with listening(keeper, tls_context=tls[0]) as port, pytest.raises(ssl.SSLError):
        send(Smtp(f"smtp://localhost:{port}?starttls={starttls}"))
    assert keeper.seen == []


def test_without_starttls_where_it_is_not_offered() -> None:
    keeper = Keeper()
    with listening(keeper) as port:
        send(Smtp(f"smtp://localhost:{port}?starttls=offered"))
    assert keeper.seen == [(False, None)]


@pytest.mark.parametrize("trusted", [True, False])
def test_implicit_tls(
    tls: tuple[ssl.SSLContext, Path], monkeypatch: pytest.MonkeyPatch, trusted: bool
) -> None:
    keeper = Keeper()
    url = "smtps://localhost:{}"
    with listening(keeper, ssl_context=tls[0]) as port:
        if not trusted:
            with pytest.raises(ssl.SSLError):
                send(Smtp(url.format(port)))
        monkeypatch.setenv("SSL_CERT_FILE", str(tls[1]))
        send(Smtp(url.format(port)))
    assert len(keeper.seen) == 1
