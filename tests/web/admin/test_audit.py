"""The audit log in the console: found again, told in sentences, taken along without harm."""

import ast
import csv
import io
import json
import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest

from idp import audit
from idp.audit import Context
from idp.web.admin.audit import PAGE
from idp.web.admin.sentences import SENTENCES
from tests.helpers.house import House
from tests.helpers.user_agent import Page, UserAgent
from tests.web.admin.people import signed_in_as
from tests.web.walking import events

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def auditor(town: House) -> UserAgent:
    agent = signed_in_as(town, "auditor")
    bob = town.person("=1+1@example.com", name="Bob")
    earlier = Context(at=town.clock() - timedelta(days=2), address="192.0.2.1")
    now = Context(at=town.clock(), address="192.0.2.2", actor_id="command:root")

    def happen(services: object) -> None:
        audit.record("login.password.refused", earlier, user_id=bob.id, client_id="till")
        audit.record("login.password.accepted", now, user_id=bob.id, client_id="till")
        audit.record("user.disabled", now, user_id=bob.id)
        audit.record("authorization.refused", now, reference="7KQ2M0XN", error="invalid_request")
        for number in range(PAGE + 3):
            audit.record("key.retired", now, kid=str(number))
        town.services.commit()

    town.do(happen)
    return agent


def found(agent: UserAgent, **filters: str) -> Page:
    return agent.page(f"/admin/audit?{urlencode(filters)}")


def names(page: Page) -> list[str]:
    return re.findall(r'"name": "([a-z_.]+)"', page.document.text)


BOB = "=1+1@example.com"
REFUSED, ACCEPTED = "login.password.refused", "login.password.accepted"
FILTERS = {
    "by person and event": ({"person": BOB, "event": "login"}, [ACCEPTED, REFUSED]),
    "by person and outcome": ({"person": BOB, "outcome": "refused"}, [REFUSED]),
    "by application": ({"client": "till"}, [ACCEPTED, REFUSED]),
    "by event and time": ({"event": "login.password", "until": "2020-01-01"}, []),
    "by reference, however it was typed": (
        {"reference": "7kq2m0xn"},
        ["authorization.refused"],
    ),
    "by outcome alone": ({"outcome": "refused"}, ["authorization.refused", REFUSED]),
    "not by half a word": ({"event": "login.pass"}, []),
    "by nobody's address": ({"person": "nobody@example.com"}, []),
}


@pytest.mark.parametrize(("filters", "wanted"), FILTERS.values(), ids=FILTERS)
def test_events_are_found(auditor: UserAgent, filters: dict[str, str], wanted: list[str]) -> None:
    assert names(found(auditor, **filters)) == wanted


def test_by_time(town: House, auditor: UserAgent) -> None:
    day = f"{town.clock() - timedelta(days=1):%Y-%m-%d %H:%M}"
    assert names(found(auditor, person=BOB, event="login", since=day)) == [ACCEPTED]
    assert names(found(auditor, person=BOB, event="login", until=day)) == [REFUSED]
    wrong = found(auditor, since="yesterday")
    assert wrong.status == 422
    assert "Write a time like" in wrong.document.text
    assert wrong.form("/audit").fields["since"] == "yesterday"


def test_one_sentence_each_and_the_record_behind_it(auditor: UserAgent) -> None:
    text = found(auditor, person=BOB).document.text
    assert f"Root, by the command, disabled {BOB}." in text
    assert f"A sign-in of {BOB} with a password failed." in text
    assert '"address": "192.0.2.1"' in text


def test_page_after_page_everything_comes_once(auditor: UserAgent) -> None:
    first = found(auditor, event="key.retired")
    second = auditor.page(first.link("Older"))
    both = [*re.findall(r'"kid": "(\d+)"', first.document.text)]
    both += re.findall(r'"kid": "(\d+)"', second.document.text)
    assert both == [str(number) for number in reversed(range(PAGE + 3))]
    assert found(auditor).link("Older")


def test_it_is_taken_along_whole_and_harmless(town: House, auditor: UserAgent) -> None:
    url = found(auditor, event="key.retired").link("Export as CSV")
    rows = list(csv.DictReader(io.StringIO(auditor.client.get(url).text)))
    assert [json.loads(row["data"])["kid"] for row in rows] == [
        str(number) for number in reversed(range(PAGE + 3))
    ]
    answer = auditor.client.get(found(auditor, person=BOB).link("Export as CSV"))
    assert answer.headers["Content-Type"].startswith("text/csv")
    person = [row["person"] for row in csv.DictReader(io.StringIO(answer.text))]
    assert set(person) == {f"'{BOB}"}
    assert events(town, event="audit.exported")[0].data["filter"] == {"person": BOB}


def test_every_event_has_a_sentence() -> None:
    """Whatever the program records under a fixed name, taken from its source."""
    recorded = {
        node.args[0].value
        for path in (ROOT / "idp").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
        and getattr(node.func, "attr", getattr(node.func, "id", "")) == "record"
    }
    assert len(recorded) > 40
    assert recorded - set(SENTENCES) == set()
