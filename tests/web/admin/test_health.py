"""The console's page of health."""

from collections.abc import Iterator

import pytest
from sqlalchemy import update

from idp.models import OutboxMessage, db
from tests.helpers.clock import FakeClock
from tests.helpers.house import House
from tests.helpers.smtp import Mood, Outbox
from tests.helpers.user_agent import Page, UserAgent
from tests.web.admin.people import signed_in_as
from tests.web.walking import event_names, housed, shown

NEAR = "http://localhost:9"
"""Nobody answers there, and nothing beyond this machine is asked."""


@pytest.fixture
def house(sqlite_url: str, clock: FakeClock, outbox: Outbox) -> Iterator[House]:
    with housed(sqlite_url, clock, issuer=NEAR, mail_url=outbox.url) as made:
        yield made


def send(agent: UserAgent) -> Page:
    page = agent.page("/admin/health")
    return shown(agent.submit(page, page.form("/health/mail")))


def test_every_check_is_told_in_words(house: House) -> None:
    text = signed_in_as(house, "administrator").page("/admin/health").document.text
    for told in ("SQLite answers", "as this version wants it", "127.0.0.1 answers"):
        assert told in text
    assert "One thing needs attention." in text
    assert f"{NEAR} cannot be reached from here" in text


def test_what_stands_beside_the_program_is_called_by_its_name(
    sqlite_url: str, clock: FakeClock
) -> None:
    with housed(sqlite_url, clock, issuer=NEAR, redis_url="redis://127.0.0.1:9/0") as house:
        document = signed_in_as(house, "auditor").page("/admin/health").document
    assert "Metrics In order" in document.text
    assert "Redis Look at this" in document.text


def test_a_mail_to_oneself_arrives(house: House, outbox: Outbox) -> None:
    page = send(signed_in_as(house, "administrator"))
    assert "A mail is on its way to" in page.document.text
    (message,) = outbox.messages
    assert message["Subject"] == "Gatehouse: mail works"
    assert event_names(house, event="mail.trial") == ["mail.trial.sent"]


def test_what_the_mail_server_said_is_told(house: House, outbox: Outbox) -> None:
    outbox.mood = Mood.REJECT
    page = send(signed_in_as(house, "administrator"))
    assert page.status == 422
    assert "550" in page.document.text
    assert "Not wanted" in page.document.text
    assert event_names(house, event="mail.trial") == ["mail.trial.failed"]


def test_what_was_given_up_and_why(house: House) -> None:
    agent = signed_in_as(house, "auditor")
    assert "Nothing waits to be sent." in agent.page("/admin/health").document.text
    person = house.person("lost@example.com")
    with house.app.app_context():
        user = house.services.accounts.find(person.id)
        assert user is not None
        house.services.password_reset.send(user, house.context)
        db.session.execute(
            update(OutboxMessage).values(failed_at=house.clock(), last_error="no such box")
        )
        db.session.commit()
    page = agent.page("/admin/health")
    assert "no such box" in page.document.text
    assert "lost@example.com" in page.document.text
    assert [form.action for form in page.document.forms if "health" in form.action] == []
