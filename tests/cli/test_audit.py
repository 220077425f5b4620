"""The audit log, searched by command."""

from datetime import timedelta
from typing import Any

import pytest

from idp import audit
from idp.audit import Context
from idp.clock import system_clock
from tests.cli.command import Command

ANN = "ann@example.com"


@pytest.fixture
def log(idp: Command) -> dict[str, Any]:
    """Ann, and what happened: two guesses yesterday, a sign-in and an error page just now."""
    ann: dict[str, Any] = idp.json("users", "create", ANN)
    now = system_clock()
    earlier, just_now = (Context(at=at, address="192.0.2.1") for at in (now - timedelta(1), now))
    with idp.services() as services:
        for _ in range(2):
            audit.record("login.password.refused", earlier, user_id=ann["id"], client_id="shop")
        audit.record("login.password.accepted", just_now, user_id=ann["id"], client_id="till")
        audit.record("authorization.refused", just_now, reference="7KQ2M0XN", error="invalid")
        services.commit()
    return ann


def names(idp: Command, *criteria: str) -> list[str]:
    return [event["name"] for event in idp.json("audit", "search", *criteria)]


REFUSED, ACCEPTED = "login.password.refused", "login.password.accepted"
CRITERIA = {
    "by person and event": (("--user", ANN, "--event", "login"), [ACCEPTED, REFUSED, REFUSED]),
    "by the words an event begins with": (
        ("--event", "login.password"),
        [ACCEPTED, REFUSED, REFUSED],
    ),
    "not by half a word": (("--event", "login.pass"), []),
    "by a whole event": (("--event", REFUSED), [REFUSED, REFUSED]),
    "by client": (("--client", "till"), [ACCEPTED]),
    "by reference, however it was typed": (
        ("--reference", "7kq2m0xn"),
        ["authorization.refused"],
    ),
    "since an age": (("--since", "2h", "--event", "login"), [ACCEPTED]),
    "until an age": (("--until", "2h"), [REFUSED, REFUSED]),
    "since a day long ago": (("--since", "2020-01-01", "--event", REFUSED), [REFUSED, REFUSED]),
    "at most one": (("--limit", "1", "--event", "login"), [ACCEPTED]),
}


@pytest.mark.parametrize(("criteria", "found"), CRITERIA.values(), ids=CRITERIA)
@pytest.mark.usefixtures("log")
def test_events_are_found(idp: Command, criteria: tuple[str, ...], found: list[str]) -> None:
    assert names(idp, *criteria) == found


@pytest.mark.usefixtures("log")
def test_a_table_names_the_person(idp: Command) -> None:
    told = idp.done("audit", "search", "--event", "login.password.accepted")
    assert ANN in told
    assert "192.0.2.1" in told


def test_a_table_says_who_did_it_where_that_is_somebody_else(idp: Command) -> None:
    ann: dict[str, Any] = idp.json("users", "create", ANN)
    with idp.services() as services:
        by_ann = Context(at=system_clock(), actor_id=ann["id"])
        audit.record("client.registered", by_ann, client_id="till", managed_by="console")
        audit.record("password.set", by_ann, user_id=ann["id"])
        services.commit()
    registered = idp.done("audit", "search", "--event", "client.registered")
    assert registered.splitlines()[-1].split()[2:5] == ["client.registered", ANN, "till"]
    assert idp.done("audit", "search", "--event", "password.set").count(ANN) == 1


def test_whoever_was_deleted_is_still_found_by_the_id(idp: Command, log: dict[str, Any]) -> None:
    idp.done("users", "delete", ANN)
    assert "user.deleted" in names(idp, "--user", log["id"])
    assert "There is nobody called" in idp.refused("audit", "search", "--user", ANN)


def test_nothing_found_is_said(sqlite_idp: Command) -> None:
    assert sqlite_idp.done("audit", "search", "--client", "x") == "There is no such event.\n"
