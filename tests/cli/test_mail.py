"""``idp mail``: whether one arrives, and what is told where it does not."""

import pytest

from tests.cli.command import Command
from tests.helpers.ports import free_port
from tests.helpers.smtp import Mood, Outbox

ANN = "ann@example.com"


@pytest.fixture
def idp(sqlite_idp: Command) -> Command:
    """With somebody to send to."""
    sqlite_idp.done("users", "create", ANN)
    return sqlite_idp


def test_a_mail_that_the_server_takes(idp: Command, outbox: Outbox) -> None:
    sending = idp.with_(IDP_MAIL_URL=outbox.url)
    assert sending.done("mail", "try", ANN) == f"The mail server took a mail to {ANN}.\n"
    (message,) = outbox.messages
    assert message["To"] == ANN
    assert sending.json("mail", "try", ANN) == {"email": ANN}
    (first, second) = idp.json("audit", "search", "--event", "mail.trial")
    assert {first["name"], second["name"]} == {"mail.trial.sent"}


def test_a_refusal_is_told_in_the_servers_words(idp: Command, outbox: Outbox) -> None:
    outbox.mood = Mood.REJECT
    told = idp.with_(IDP_MAIL_URL=outbox.url).refused("mail", "try", ANN)
    assert "550" in told
    assert "Not wanted" in told
    assert outbox.messages == []


def test_nobody_who_answers_and_nobody_set(idp: Command) -> None:
    dead = idp.with_(IDP_MAIL_URL=f"smtp://127.0.0.1:{free_port()}")
    assert "refused" in dead.refused("mail", "try", ANN)
    assert idp.refused("mail", "try", ANN) == "No mail can be sent: mail_url is not set."
    assert "There is nobody called" in dead.refused("mail", "try", "bob@example.com")


def test_what_waits_is_counted(idp: Command) -> None:
    assert idp.json("mail", "outbox") == {"waiting": 0, "oldest": None, "stuck": []}
    assert idp.done("mail", "outbox").splitlines() == ["0 wait.", "Nothing was tried in vain."]
    idp.with_(IDP_MAIL_URL=f"smtp://127.0.0.1:{free_port()}").done("users", "invite", ANN)
    assert idp.json("mail", "outbox")["waiting"] == 1
