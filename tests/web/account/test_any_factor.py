"""The account pages know no factor: one that this test makes up is managed there as any other."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

import pytest
from jinja2 import ChoiceLoader, DictLoader

from idp.assurance import Offer, Trait
from idp.factors import FACTORS
from idp.factors.base import (
    ANY_WAY,
    Answer,
    Ceremony,
    Enrolled,
    Proof,
    Refused,
    Task,
    Tools,
    Wish,
    of_kind,
)
from idp.models import Credential, User, db, new_id
from tests.helpers.clock import FakeClock
from tests.helpers.house import House, Person
from tests.web.account.visits import entered, events, kinds, mails, press
from tests.web.walking import housed

TEMPLATE = """
{% macro title(choice) %}Your charm{% endmacro %}
{% macro label(choice) %}Lucky charm{% endmacro %}
{% macro fields(choice) %}<label for="charm">Touch it</label><input id="charm" name="charm">
<p>{{ choice.public.riddle }}</p>{% endmacro %}
{% macro button(choice, label=none) %}<button>Touch</button>{% endmacro %}
{% macro alternative(choice) %}<a href="{{ choice.url }}">Use your charm</a>{% endmacro %}
"""
_NO = Refused("no_luck", "That is not the charm.", "charm", spent=False)


class Charm:
    """Something one has."""

    name: ClassVar[str] = "charm"
    can_prove: ClassVar[frozenset[Trait]] = frozenset({Trait.POSSESSION})
    enrolable: ClassVar[bool] = True
    answer_fields: ClassVar[frozenset[str]] = frozenset({"charm"})
    names_its_user: ClassVar[bool] = False
    phrase: ClassVar[str] = "your charm"
    on_request: ClassVar[bool] = False

    def __init__(self, tools: Tools) -> None:
        pass

    def offers(self, user: User | None, credentials: Sequence[Credential]) -> tuple[Offer, ...]:
        has_one = user is None or of_kind(credentials, self.name)
        return (Offer(self.name, self.can_prove),) if has_one else ()

    def begin(self, user: User | None, task: Task, now: datetime) -> Ceremony:
        return Ceremony()

    def verify(
        self, user: User | None, secret: Mapping[str, Any], answer: Answer, now: datetime
    ) -> Proof | Refused:
        return _NO

    def begin_enrolment(self, user: User, now: datetime, wish: Wish = ANY_WAY) -> Ceremony:
        return Ceremony(public={"riddle": "What rhymes with farm?"}, secret={"word": "charm"})

    def finish_enrolment(
        self, user: User, secret: Mapping[str, Any], answer: Answer, now: datetime
    ) -> Enrolled | Refused:
        if not secret or answer.get("charm") != secret["word"]:
            return _NO
        made = Credential(id=new_id(), user_id=user.id, kind=self.name, created_at=now)
        db.session.add(made)
        db.session.flush()
        return Enrolled(made, Proof(user.id, made.id, self.can_prove, ("charm",)))


@pytest.fixture
def charmed(sqlite_url: str, clock: FakeClock) -> Iterator[House]:
    with housed(sqlite_url, clock, kinds=(*FACTORS, Charm)) as house:
        assert house.app.jinja_loader is not None
        extra = DictLoader({"factors/charm.html": TEMPLATE})
        house.app.jinja_loader = ChoiceLoader([house.app.jinja_loader, extra])
        yield house


@pytest.fixture
def alice(charmed: House) -> Person:
    return charmed.person()


def test_it_is_listed_set_up_counted_and_given_up(charmed: House, alice: Person) -> None:
    agent, page = entered(charmed, alice)
    assert "Lucky charm" in page.document.headings
    page = agent.page("/me/security/charm")
    assert "What rhymes with farm?" in page.document.text
    refused = press(agent, page, "/security/charm", charm="barn")
    assert refused.status == 422
    assert "That is not the charm." in refused.document.text
    page = press(agent, refused, "/security/charm", charm="charm")
    assert page.path == "/me/security/recovery_code"  # a first second step, whatever it is
    assert "charm" in kinds(charmed, alice)
    assert "charm.added" in events(charmed, alice)
    assert mails(charmed)[0]["subject"] == "Gatehouse: A way to sign in was added."
    page = agent.page("/me/security/charm")
    assert "Set up on 1 Jun 2030" in page.document.text
    press(agent, page, "/remove", new_password=alice.password)
    assert kinds(charmed, alice) == ["password"]
    assert "A way to sign in was removed." in agent.page("/me/activity").document.text
