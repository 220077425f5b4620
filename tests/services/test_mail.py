"""Mails: rendered with what caused them, sealed until they are sent, and safe in every header."""

import re
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from flask import Flask
from jinja2 import UndefinedError
from sqlalchemy import func, select

from idp.config import Settings
from idp.factors.base import Mail
from idp.models import OutboxMessage, db
from idp.models.outbox import DECOY
from idp.resources import resource_dir
from idp.secrecy import Box
from idp.services.mail import KIND, Letter, Mailer, Words
from idp.services.outbox import Undeliverable
from idp.services.postman import Postman
from tests.helpers.clock import NOON
from tests.helpers.smtp import links, text

RESET = Mail(
    "reset",
    "ann@example.com",
    {"url": "https://id.example.com/login/reset/t0ken", "minutes": 60},
    not_after=NOON + timedelta(hours=1),
)


@pytest.fixture
def mailer(app: Flask, settings: Settings, box: Box) -> Mailer:
    return Mailer(settings, box)


def queued(box: Box) -> tuple[OutboxMessage, Letter]:
    message = db.session.scalars(select(OutboxMessage)).one()
    return message, Letter(**box.open(message.payload))


def posted(settings: Settings, letter: Letter) -> EmailMessage:
    """As the recipient's program reads it."""
    composed = Postman(settings, NoTransport()).compose(letter, written=NOON)
    return message_from_bytes(composed.as_bytes(), policy=policy.default)


class NoTransport:
    def send(self, message: EmailMessage, *, sender: str, to: str, number: int) -> None:
        raise AssertionError("nothing is to be sent here")


def letter(**changes: str) -> Letter:
    plain = {"id": "i", "to": "ann@example.com", "subject": "Hello", "text": "A", "html": "B"}
    return Letter(**{**plain, "template": "reset", **changes})


def test_is_kept_with_what_caused_it(mailer: Mailer, box: Box) -> None:
    mailer.queue(RESET, now=NOON, user_id="u")
    message, kept = queued(box)
    assert (message.kind, message.recipient) == (KIND, "ann@example.com")
    assert (message.created_at, message.next_attempt_at) == (NOON, NOON)
    assert message.not_after == NOON + timedelta(hours=1)
    assert (kept.template, kept.user_id) == ("reset", "u")
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(OutboxMessage)) == 0


def test_is_sealed(mailer: Mailer) -> None:
    mailer.queue(RESET, now=NOON)
    db.session.flush()
    row = db.session.execute(select(OutboxMessage.__table__)).one()
    assert "t0ken" not in repr(tuple(row))


@pytest.mark.parametrize(("url", "kept"), [("console:", 2), (None, 0)], ids=["with", "without"])
def test_where_no_mail_is_sent_none_is_kept_to_be_tried_in_vain(
    app: Flask, settings: Settings, box: Box, url: str | None, kept: int
) -> None:
    made = Mailer(replace(settings, mail_url=url), box)
    made.queue(RESET, now=NOON)
    made.queue(RESET, now=NOON, decoy=True)
    assert db.session.scalar(select(func.count()).select_from(OutboxMessage)) == kept


def test_decoy_is_the_same_but_for_its_kind(mailer: Mailer, box: Box) -> None:
    mailer.queue(RESET, now=NOON, decoy=True)
    message, kept = queued(box)
    assert message.kind == DECOY
    assert kept.text.count("t0ken") == 1


def test_has_both_parts_and_what_servers_want(settings: Settings, mailer: Mailer, box: Box) -> None:
    mailer.queue(RESET, now=NOON)
    _, kept = queued(box)
    message = posted(settings, kept)
    assert message["Subject"] == "Set a new password for Gatehouse"
    assert message["From"] == "Gatehouse <no-reply@id.example.com>"
    assert message["To"] == "ann@example.com"
    assert message["Date"] == "Sat, 01 Jun 2030 12:00:00 +0000"
    assert message["Message-ID"] == f"<{kept.id}@id.example.com>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert links(message) == ["https://id.example.com/login/reset/t0ken"]
    assert "1 hour" in text(message)
    html = message.get_body(preferencelist=("html",))
    assert html is not None
    assert 'href="https://id.example.com/login/reset/t0ken"' in html.get_content()


def test_every_mail_is_a_new_one(mailer: Mailer, box: Box) -> None:
    for _ in range(2):
        mailer.queue(RESET, now=NOON)
    ids = [box.open(one)["id"] for one in db.session.scalars(select(OutboxMessage.payload))]
    assert len(set(ids)) == 2


def test_subject_is_one_line_and_html_is_escaped(app: Flask, settings: Settings, box: Box) -> None:
    named = replace(settings, site_name="A & <b>\r\nBcc: everybody@example.com\x00")
    Mailer(named, box).queue(RESET, now=NOON)
    _, kept = queued(box)
    # The template breaks off at the line end; what follows it is text, not a header.
    assert kept.subject == "Set a new password for A & <b>"
    assert "A &amp; &lt;b&gt;" in kept.html
    assert "<b>" not in kept.html


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "Hello\r\nBcc: everybody@example.com"},
        {"subject": "Hello\nBcc: everybody@example.com"},
        {"to": "ann\r\nBcc: everybody@example.com"},
        {"to": "ann@example.com\nBcc: everybody"},
        {"id": "i\r\nBcc: everybody@example.com"},
    ],
)
def test_line_end_in_a_header_is_never_sent(settings: Settings, changes: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"(?i)CR|LF|linefeed|carriage"):
        Postman(settings, NoTransport()).compose(letter(**changes), written=NOON)
    delivery: Any = Delivered(letter(**changes))
    with pytest.raises(Undeliverable):
        Postman(settings, NoTransport())(delivery)


class Delivered:
    """A claimed message."""

    def __init__(self, content: Letter) -> None:
        self.payload = {name: getattr(content, name) for name in Letter.__slots__}
        self.created_at = NOON
        self.id = 1


@pytest.mark.parametrize(
    ("mail_from", "shown"),
    [
        (None, "Gatehouse <no-reply@id.example.com>"),
        ("login@example.org", "Gatehouse <login@example.org>"),
        ("Sign-in <login@example.org>", "Sign-in <login@example.org>"),
    ],
)
def test_sender(settings: Settings, mail_from: str | None, shown: str) -> None:
    assert posted(replace(settings, mail_from=mail_from), letter())["From"] == shown


def test_text_outside_ascii_arrives(settings: Settings) -> None:
    sent = letter(to="müller@xn--mnchen-3ya.example", subject="Grüße ☃", text="Привет\n")
    message = posted(settings, sent)
    assert (message["Subject"], text(message).strip()) == ("Grüße ☃", "Привет")


def test_missing_value_is_an_error_where_it_is_caused(mailer: Mailer) -> None:
    with pytest.raises(UndefinedError):
        mailer.queue(Mail("reset", "ann@example.com", {"minutes": 5}), now=NOON)


def test_addresses_come_from_the_issuer(mailer: Mailer) -> None:
    assert mailer.url("/login/reset/x") == "https://id.example.com/login/reset/x"


def test_words_may_be_another_language(app: Flask, settings: Settings, box: Box) -> None:
    def upper(message: str) -> str:
        return re.sub(r"%\(\w+\)S", lambda name: name.group().lower(), message.upper())

    words = Words(upper, lambda one, many, n: upper(many), lambda at, size: f"{at:%Y}")
    Mailer(settings, box, words=words).queue(RESET, now=NOON)
    _, kept = queued(box)
    assert kept.subject == "SET A NEW PASSWORD FOR Gatehouse"


VALUES: dict[str, Any] = {
    "url": "https://id.example.com/x",
    "minutes": 1,
    "address": "ann@example.com",
    "code": "123456",
    "app": "Shop",
    "started": NOON,
    "device": None,
    "place": None,
    "event": "A passkey was added.",
    "at": NOON,
}


TEMPLATES = sorted(path.stem for path in (resource_dir("templates") / "mail").glob("*.txt"))


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_template_can_be_sent(
    settings: Settings, mailer: Mailer, box: Box, template: str
) -> None:
    mailer.queue(Mail(template, "ann@example.com", VALUES), now=NOON)
    _, kept = queued(box)
    message = posted(settings, kept)
    assert 5 < len(message["Subject"]) < 100
    assert "https://id.example.com/x" in text(message)
    assert "{{" not in kept.text + kept.html


LASTING = [(1, "1 minute"), (10, "10 minutes"), (60, "1 hour"), (90, "90 minutes")]
LASTING += [(1440, "24 hours"), (2160, "36 hours"), (4320, "3 days")]


@pytest.mark.parametrize(("minutes", "words"), LASTING, ids=[words for _, words in LASTING])
def test_how_long_a_link_works_is_said_as_people_say_it(
    mailer: Mailer, box: Box, minutes: int, words: str
) -> None:
    mailer.queue(Mail("verify", "ann@example.com", {**VALUES, "minutes": minutes}), now=NOON)
    _, kept = queued(box)
    assert f"The link works for {words}, once." in kept.text
    assert f"The link works for {words}, once." in kept.html
    assert kept.subject.startswith("Confirm your email address")


def test_instants_are_written_for_people(mailer: Mailer, box: Box) -> None:
    mailer.queue(Mail("security_notice", "ann@example.com", VALUES), now=NOON)
    assert "1 June 2030, 12:00 UTC" in queued(box)[1].text
