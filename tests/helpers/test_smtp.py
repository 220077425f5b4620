import smtplib
import threading
from email.message import EmailMessage

import pytest

from tests.helpers.smtp import Mood, Outbox, code, links, text


def send(outbox: Outbox, to: str, body: str, *, timeout: float = 5) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "idp@example.org", to, "Grüße"
    mail.set_content(body)
    mail.add_alternative(f"<p>{body}</p>", subtype="html")
    with smtplib.SMTP("127.0.0.1", outbox.port, timeout=timeout) as server:
        server.send_message(mail)


def test_mails_are_kept_and_parsed(outbox: Outbox) -> None:
    send(outbox, "ana@example.org", "Für Ana")
    send(outbox, "bob@example.org", "Für Bob")
    assert text(outbox.latest(to="ana@example.org")).strip() == "Für Ana"
    assert outbox.latest()["To"] == "bob@example.org"
    assert outbox.latest()["Subject"] == "Grüße"


def test_links_and_codes_are_found(outbox: Outbox) -> None:
    body = "Open https://idp.test/login/link/a1_123456?x=1. Or type 048213.\nhttps://idp.test/"
    send(outbox, "ana@example.org", body)
    mail = outbox.latest()
    assert links(mail) == ["https://idp.test/login/link/a1_123456?x=1", "https://idp.test/"]
    assert code(mail) == "048213"


def test_a_mail_without_a_code_says_so(outbox: Outbox) -> None:
    send(outbox, "ana@example.org", "Nothing here, not even 1234567")
    with pytest.raises(LookupError):
        code(outbox.latest())


@pytest.mark.parametrize(("mood", "status"), [(Mood.REFUSE, 451), (Mood.REJECT, 550)])
def test_it_can_refuse(outbox: Outbox, mood: Mood, status: int) -> None:
    outbox.mood = mood
    with pytest.raises(smtplib.SMTPDataError) as refused:
        send(outbox, "ana@example.org", "Hello")
    assert refused.value.smtp_code == status
    assert outbox.messages == []


def test_it_can_stall_until_told_otherwise(outbox: Outbox) -> None:
    outbox.mood = Mood.STALL
    sending = threading.Thread(target=send, args=(outbox, "ana@example.org", "Hello"))
    sending.start()
    sending.join(timeout=0.3)
    assert sending.is_alive()
    assert outbox.messages == []
    outbox.mood = Mood.ACCEPT
    sending.join(timeout=5)
    assert len(outbox.messages) == 1


def test_a_sender_of_little_patience_gives_up_on_a_stalled_server(outbox: Outbox) -> None:
    outbox.mood = Mood.STALL
    with pytest.raises(OSError, match="timed out"):
        send(outbox, "ana@example.org", "Hello", timeout=0.3)


def test_it_can_take_a_mail_and_drop_the_connection(outbox: Outbox) -> None:
    outbox.mood = Mood.ACCEPT_THEN_DROP
    with pytest.raises(smtplib.SMTPServerDisconnected):
        send(outbox, "ana@example.org", "Hello")
    assert len(outbox.messages) == 1


def test_waiting_for_a_mail_that_never_comes_ends(outbox: Outbox) -> None:
    with pytest.raises(TimeoutError, match="a mail to ana"):
        outbox.latest(to="ana@example.org", seconds=0.1)
