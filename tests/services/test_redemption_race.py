"""However many redeem one value at once, on however many nodes, one of them gets something."""

from collections import Counter
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import func, select

from idp.audit import Context
from idp.config import Settings
from idp.models import Grant, RefreshToken, db
from idp.secrecy import Box
from idp.services.device_codes import DeviceCodes
from idp.services.grants import Grants
from tests.helpers.clock import FakeClock
from tests.services.people import (
    CALLBACK,
    VERIFIER,
    add_client,
    add_person,
    agree,
    as_registered,
    granted_to,
    request_of,
)
from tests.services.racing import PROCESSES, THREADS, What, race

ROUNDS = 5
ONE_WINNER = Counter({"won": 1, "invalid_grant": PROCESSES * THREADS - 1})


@pytest.fixture
def new_code(
    app: Flask, settings: Settings, clock: FakeClock, context: Context
) -> Callable[[], str]:
    add_person(clock())
    add_client(settings, context, "shop")
    agree("shop", clock())

    def make() -> str:
        scope = ("openid", "offline_access")
        granted = granted_to("shop", clock(), scope=scope)
        code = Grants(settings).issue_code(granted, request_of(), now=clock())
        db.session.commit()
        return code

    return make


def allowed_to_a_device(settings: Settings, context: Context) -> str:
    """A device code that Ann has just allowed."""
    codes = DeviceCodes(settings, Box(settings.keys), Grants(settings))
    scope = ("openid", "offline_access")
    asked = request_of(scopes=scope)
    issued = codes.issue(asked, context)
    waiting = codes.find(issued.user_code, context.at)
    assert waiting is not None
    assert codes.allow(waiting, granted_to("shop", context.at, scope=scope), asked, context)
    db.session.commit()
    return issued.device_code


def values_of(what: What, new_code: Callable[[], str], settings: Settings, now) -> list[str]:
    if what == "device code":
        return [allowed_to_a_device(settings, Context(at=now)) for _ in range(ROUNDS)]
    codes = [new_code() for _ in range(ROUNDS)]
    if what != "refresh token":
        return codes
    grants, shop = Grants(settings), as_registered("shop")
    return [
        grants.redeem_code(
            code,
            client=shop,
            redirect_uri=CALLBACK,
            code_verifier=VERIFIER,
            context=Context(at=now),
        ).tokens.refresh
        or ""
        for code in codes
    ]


@pytest.mark.parametrize("what", ["code", "device code"])
def test_exactly_one_of_many_redemptions_of_a_code_wins(
    what: What, new_code: Callable[[], str], settings: Settings, clock: FakeClock
):
    values = values_of(what, new_code, settings, clock())
    assert race(settings, what, values, clock()) == [ONE_WINNER] * ROUNDS
    assert len(db.session.scalars(select(RefreshToken)).all()) == ROUNDS


def test_all_uses_of_a_refresh_token_at_once_are_given_the_same_successor(
    new_code: Callable[[], str], settings: Settings, clock: FakeClock
):
    values = values_of("refresh token", new_code, settings, clock())
    outcomes = race(settings, "refresh token", values, clock())
    assert [list(one.values()) for one in outcomes] == [[PROCESSES * THREADS]] * ROUNDS
    assert not set(values) & {successor for one in outcomes for successor in one}
    assert living_in_each_line() == [1] * ROUNDS


def living_in_each_line() -> list[int]:
    unused = select(func.count()).where(RefreshToken.used_at.is_(None))
    return list(db.session.scalars(unused.group_by(RefreshToken.grant_id)))


def test_those_who_lost_were_a_replay_so_the_grant_is_over(
    new_code: Callable[[], str], settings: Settings, clock: FakeClock
):
    race(settings, "code", [new_code()], clock())
    assert db.session.scalars(select(Grant.ended_at)).all() == [clock()]


def test_the_race_finds_a_redemption_that_looks_first_and_writes_later(
    new_code: Callable[[], str], settings: Settings, clock: FakeClock
):
    (outcome,) = race(settings, "code, queried and then saved", [new_code()], clock())
    assert outcome["won"] == PROCESSES * THREADS


def test_exactly_one_of_many_uses_of_an_assertion_wins(
    app: Flask, settings: Settings, clock: FakeClock
):
    jtis = [f"assertion-{number}" for number in range(ROUNDS)]
    won = Counter({"won": 1, "invalid_client": PROCESSES * THREADS - 1})
    assert race(settings, "jti", jtis, clock()) == [won] * ROUNDS


def test_exactly_one_of_many_uses_of_a_proof_wins(app: Flask, settings: Settings, clock: FakeClock):
    jtis = [f"proof-{number}" for number in range(ROUNDS)]
    won = Counter({"won": 1, "invalid_dpop_proof": PROCESSES * THREADS - 1})
    assert race(settings, "proof", jtis, clock()) == [won] * ROUNDS
