"""What tests of the account pages do over and over: sign in, look, answer, read the mail."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import select

from idp.models import AuditEvent, Credential, OutboxMessage, db
from idp.services.mail import KIND
from tests.helpers.authenticator import SoftAuthenticator
from tests.helpers.house import House, Person
from tests.helpers.html import find_object
from tests.helpers.sign_in import Answer, Stuck, sign_in
from tests.helpers.user_agent import Page, UserAgent

JSON = {"Accept": "application/json"}
_LINK = re.compile(r"https?://\S+")


def visit(
    agent: UserAgent, path: str, person: Person, answers: Mapping[str, Answer] | None = None
) -> Page:
    """Go to a page of one's own, answering whatever is asked on the way."""
    with pytest.raises(Stuck) as end:
        sign_in(agent, path, username=person.email, password=person.password, answers=answers)
    page = end.value.page
    assert not page.path.startswith("/login"), end.value
    return page


def entered(
    house: House,
    person: Person,
    path: str = "/me/security",
    answers: Mapping[str, Answer] | None = None,
) -> tuple[UserAgent, Page]:
    """A browser in which this person has just signed in, and the page."""
    agent = house.browser()
    return agent, visit(agent, path, person, answers)


def press(
    agent: UserAgent, page: Page, path: str, button: str | None = None, **values: str
) -> Page:
    """Fill in and send the form to ``path``; where that leads stays within the house."""
    place = agent.submit(page, page.form(path), values, button=button)
    assert isinstance(place, Page), place
    return place


def add_passkey(
    agent: UserAgent, page: Page, soft: SoftAuthenticator, **knobs: Any
) -> tuple[Page, dict[str, Any]]:
    """Make a passkey as the page asks; where that led, and what was sent."""
    options = find_object(page.document.data, "challenge")
    assert options is not None
    answer = soft.make_credential(options, **knobs)
    sent = {"passkey_response": json.dumps(answer)}
    return press(agent, page, "/security/passkey", **sent), sent


def listed(agent: UserAgent) -> list[dict[str, Any]]:
    """The passkeys, as scripts are told."""
    response = agent.client.get("/me/passkeys", headers=JSON)
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.json()
    return found


def mails(house: House, to: str | None = None) -> list[dict[str, Any]]:
    """The letters that wait to be sent, oldest first, with the members of ``mail.Letter``."""
    with house.app.app_context():
        rows = db.session.scalars(
            select(OutboxMessage).where(OutboxMessage.kind == KIND).order_by(OutboxMessage.id)
        )
        letters = [house.services.box.open(row.payload) for row in rows]
    return [letter for letter in letters if to in (None, letter["to"])]


def link_in(letter: Mapping[str, Any]) -> str:
    """The first address in a mail."""
    found = _LINK.search(letter["text"])
    assert found is not None, letter["text"]
    return found.group()


def kinds(house: House, person: Person) -> list[str]:
    """Of what kinds her usable credentials are, sorted."""
    with house.app.app_context():
        rows = select(Credential.kind).where(
            Credential.user_id == person.id, Credential.used_at.is_(None)
        )
        return sorted(db.session.scalars(rows))


def events(house: House, person: Person) -> list[str]:
    """The names of what the audit log says about her, oldest first."""
    with house.app.app_context():
        rows = select(AuditEvent.name).where(AuditEvent.user_id == person.id)
        return list(db.session.scalars(rows.order_by(AuditEvent.id)))
