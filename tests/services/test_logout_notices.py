"""However a session ends, its clients are owed one notice each: no more, no fewer."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from idp.audit import Context
from idp.config import Settings
from idp.factors.base import Tools
from idp.models import BrowserSession, Grant, OutboxMessage, SessionClient, db
from idp.services import grants, session_clients, sessions, signing_out
from idp.services.endings import end_everything
from idp.services.grants import Grants
from idp.services.logout_notices import KIND, PlainText
from tests.factors.race import Racetrack
from tests.factors.storage import KEY
from tests.helpers.clock import NOON, FakeClock
from tests.services.people import add_client, add_person, granted_to, request_of

ROUNDS = 10
TOLD = {"backchannel_logout_uri": "https://shop.example.com/backchannel"}


@pytest.fixture
def shops(app: Flask, settings: Settings, context: Context) -> None:
    """Ann has signed in to three clients, one of which cannot be told."""
    add_person(context.at)
    for name, members in {"shop": TOLD, "wiki": TOLD, "quiet": {}}.items():
        add_client(settings, context, name, **members)
        session_clients.note("ann", name, context.at)
    db.session.commit()


def owed() -> list[tuple[str, str, str]]:
    """Client, session and person of every notice there is."""
    db.session.expire_all()
    rows = db.session.scalars(select(OutboxMessage).where(OutboxMessage.kind == KIND))
    read = [PlainText().open(row.payload) for row in rows]
    assert len({one["jti"] for one in read}) == len(read)
    return sorted((one["client_id"], one["session_id"], one["user_id"]) for one in read)


BOTH = [("shop", "ann", "ann"), ("wiki", "ann", "ann")]
ENDINGS: dict[str, Callable[[Context], object]] = {
    "signed out": lambda c: signing_out.sign_out("ann", user_id="ann", context=c, reason="x"),
    "ended from afar": lambda c: signing_out.end_session(
        "ann", user_id="ann", context=c, reason="x"
    ),
    "all others": lambda c: signing_out.end_others("ann", except_id="-", context=c, reason="x"),
    "everything": lambda c: end_everything("ann", context=c, reason="x"),
}


@pytest.mark.usefixtures("shops")
@pytest.mark.parametrize("end", ENDINGS.values(), ids=ENDINGS)
def test_each_client_is_owed_one(context: Context, end: Callable[[Context], object]) -> None:
    assert owed() == []
    for _ in range(2):
        end(context)
        db.session.commit()
    assert owed() == BOTH


@pytest.mark.usefixtures("shops")
def test_an_end_that_is_taken_back_owes_nothing(context: Context) -> None:
    end_everything("ann", context=context, reason="x")
    db.session.rollback()
    assert owed() == []
    assert db.session.get_one(BrowserSession, "ann").ended_at is None


@pytest.mark.usefixtures("shops")
def test_another_persons_session_ends_nothing(context: Context) -> None:
    assert not signing_out.sign_out("ann", user_id="bob", context=context, reason="x")
    assert sessions.end_all("bob", context=context) == 0
    db.session.commit()
    assert owed() == []


@pytest.mark.usefixtures("shops")
def test_what_is_owed_outlives_person_and_session(context: Context) -> None:
    end_everything("ann", context=context, reason="x")
    db.session.delete(db.session.get_one(BrowserSession, "ann"))
    db.session.commit()
    assert db.session.scalars(select(SessionClient)).all() == []
    assert owed() == BOTH


def test_a_code_makes_a_client_of_the_session(
    app: Flask, settings: Settings, context: Context, clock: FakeClock
) -> None:
    add_person(context.at)
    add_client(settings, context, **TOLD)
    for _ in range(2):
        Grants(settings).issue_code(granted_to("shop", clock()), request_of(), now=clock())
    db.session.commit()
    assert len(db.session.scalars(select(SessionClient)).all()) == 1
    signing_out.sign_out("ann", user_id="ann", context=context, reason="x")
    assert owed() == BOTH[:1]


OUTLIVES: dict[str, tuple[dict[str, Any], tuple[str, ...], bool, bool]] = {
    "nothing allowed for afar": ({}, ("openid",), True, False),
    "allowed for afar": ({}, ("openid", "offline_access"), True, True),
    "another scope of a like name": ({}, ("openid", "xoffline_access"), True, False),
    "allowed, and the code not redeemed yet": ({}, ("openid", "offline_access"), False, False),
    "allowed, and registered to end": (
        {"refresh_token_ends_with_session": True},
        ("openid", "offline_access"),
        True,
        False,
    ),
}


@pytest.mark.parametrize(("members", "scope", "redeemed", "lives"), OUTLIVES.values(), ids=OUTLIVES)
def test_what_outlives_a_sign_out(
    app: Flask,
    settings: Settings,
    context: Context,
    members: dict[str, Any],
    scope: tuple[str, ...],
    redeemed: bool,
    lives: bool,
) -> None:
    add_person(context.at)
    add_client(settings, context, **members)
    Grants(settings).issue_code(
        granted_to("shop", context.at, scope=scope), request_of(), now=context.at
    )
    (grant,) = db.session.scalars(select(Grant))
    grant.code_used_at = context.at if redeemed else None
    db.session.commit()
    signing_out.sign_out("ann", user_id="ann", context=context, reason="x")
    db.session.commit()
    db.session.refresh(grant)
    assert (grant.ended_at is None) is lives


def test_whoever_ends_a_session_from_afar_ends_all_of_it(
    app: Flask, settings: Settings, context: Context
) -> None:
    add_person(context.at)
    add_client(settings, context)
    offline = granted_to("shop", context.at, scope=("openid", "offline_access"))
    Grants(settings).issue_code(offline, request_of(), now=context.at)
    signing_out.end_session("ann", user_id="ann", context=context, reason="x")
    assert grants.end_all(context=context, user_id="ann") == 0


def sign_out(_tools: Tools, session_id: str) -> bool:
    return signing_out.sign_out(
        session_id, user_id="ann", context=Context(at=NOON), reason="signed_out"
    )


def test_of_two_that_end_a_session_one_does(
    track: Racetrack, settings: Settings, context: Context, app: Flask
) -> None:
    url = settings.database_url
    add_person(NOON)
    add_client(settings, context, **TOLD)
    names = [f"session-{number}" for number in range(ROUNDS)]
    times = {"created_at": NOON, "last_seen_at": NOON, "expires_at": NOON}
    db.session.add_all(BrowserSession(id=name, user_id="ann", **times) for name in names)
    db.session.flush()
    for name in names:
        session_clients.note(name, "shop", NOON)
    db.session.commit()
    assert track.run(sign_out, names, url=url, key=KEY) == [1] * ROUNDS
    assert owed() == sorted(("shop", name, "ann") for name in names)
