"""Idempotency-Key: a call that comes again is answered as before, and not done again."""

from collections import Counter

import pytest
from sqlalchemy import select

from idp.models import Entry, db
from idp.services.idempotency import LIFETIME, PURPOSE
from tests.helpers.house import House
from tests.web.api.calling import Tool, as_machine, as_role
from tests.web.walking import events

WIKI = {"client_name": "Once", "redirect_uris": ["https://wiki.example/callback"]}


def registered(tool: Tool) -> int:
    return len(tool.ok("GET", "/clients?q=Once&limit=100")["items"])


def test_the_same_call_is_done_once_and_answered_alike(admin: Tool) -> None:
    before = registered(admin)
    first = admin("POST", "/clients", WIKI, key="one")
    again = admin("POST", "/clients", WIKI, key='"one"')
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()  # the secret as well
    for name in ("Location", "ETag", "Content-Type"):
        assert again.headers[name] == first.headers[name]
    assert registered(admin) == before + 1


def test_without_a_key_or_with_another_it_is_done_again(admin: Tool) -> None:
    before = registered(admin)
    for key in (None, None, "two", "three"):
        assert admin("POST", "/clients", WIKI, key=key).status_code == 201
    assert registered(admin) == before + 4


def test_a_key_stands_for_one_call(admin: Tool) -> None:
    admin.ok("POST", "/clients", WIKI, key="four")
    other = admin("POST", "/clients", {**WIKI, "client_name": "Once other"}, key="four")
    elsewhere = admin("POST", "/groups", {"name": "of the key"}, key="four")
    assert (other.status_code, elsewhere.status_code) == (422, 422)
    assert "Idempotency-Key" in other.json()["detail"]


def test_another_callers_key_is_another(town: House, admin: Tool) -> None:
    mine = admin.ok("POST", "/clients", WIKI, key="five")
    for tool in (as_role(town, "administrator"), as_machine(town)):
        theirs = tool.ok("POST", "/clients", WIKI, key="five")
        assert theirs["client"]["client_id"] != mine["client"]["client_id"]


def test_a_refused_call_may_come_again(admin: Tool) -> None:
    sent = {**WIKI, "allowed_groups": ["of tomorrow"]}
    assert admin("POST", "/clients", sent, key="six").status_code == 422
    admin.ok("POST", "/groups", {"name": "of tomorrow"})
    assert admin("POST", "/clients", sent, key="six").status_code == 201


def test_whoever_may_no_more_is_not_answered_either(town: House, admin: Tool) -> None:
    tool = as_role(town, "client_manager")
    assert tool("POST", "/clients", WIKI, key="seven").status_code == 201
    assert tool.person is not None
    path = f"/people/{tool.person.id}"
    admin.ok("PUT", f"{path}/role", {"role": None}, match=admin.tag(path))
    assert tool("POST", "/clients", WIKI, key="seven").status_code == 403


def test_neither_key_nor_answer_can_be_read_where_they_are_kept(town: House, admin: Tool) -> None:
    secret = admin.ok("POST", "/clients", WIKI, key="a-key-of-mine")["client_secret"]

    def kept(_services: object) -> str:
        rows = db.session.execute(select(Entry).where(Entry.purpose == PURPOSE)).scalars()
        return "".join(f"{row.handle_hash} {row.owner} {row.data}" for row in rows)

    stored = town.do(kept)
    assert stored
    assert secret not in stored
    assert "a-key-of-mine" not in stored
    assert "Once" not in stored


@pytest.mark.parametrize("key", [" ", '""', "x" * 256])
def test_a_key_that_is_none_is_refused(admin: Tool, key: str) -> None:
    answer = admin("POST", "/clients", WIKI, headers={"Idempotency-Key": key})
    assert answer.status_code == 400


def test_a_call_whose_answer_is_lost_is_not_done_again(town: House, admin: Tool) -> None:
    """As when the process dies between the two: see ``idp/services/idempotency.py``."""
    admin.ok("POST", "/groups", {"name": "of the lost answer"}, key="eight")

    def lose(_services: object) -> None:
        for row in db.session.scalars(select(Entry).where(Entry.purpose == PURPOSE)):
            row.data = {"call": row.data["call"]}
        db.session.commit()

    town.do(lose)
    again = admin("POST", "/groups", {"name": "of the lost answer"}, key="eight")
    assert again.status_code == 409
    assert again.headers["Retry-After"] == "1"


def test_after_a_day_it_is_a_new_call(town: House, admin: Tool) -> None:
    tool = as_machine(town)
    first = tool.ok("POST", "/clients", WIKI, key="nine")
    town.clock.advance(seconds=LIFETIME.total_seconds() + 1)
    later = Tool(town, as_machine_again(town, tool))
    assert later.token != tool.token
    second = later.ok("POST", "/clients", WIKI, key="nine")
    assert second["client"]["client_id"] != first["client"]["client_id"]


def as_machine_again(town: House, tool: Tool) -> str:
    """A new token of the same application."""
    assert tool.app is not None
    form = {"grant_type": "client_credentials"}
    return str(tool.app.token_request(**form).json()["access_token"])


def test_one_event_is_on_record_for_two_calls(town: House, admin: Tool) -> None:
    tool = as_role(town, "administrator")
    for _ in range(2):
        tool.ok("POST", "/groups", {"name": "on record"}, key="ten")
    assert tool.person is not None
    found = [one for one in events(town, event="group.created") if one.actor_id == tool.person.id]
    assert Counter(one.data["group"] for one in found) == {"on record": 1}
