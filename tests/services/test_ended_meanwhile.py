"""What is written while a session ends, or a consent, is not seen by what ends them: it is worth
nothing all the same.

Each test leaves behind what such a race does: the end first, and then what began before it.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

from idp.audit import Context
from idp.config import Settings
from idp.factors.base import Refused
from idp.models import Credential, Grant, User, db, release
from idp.protocol.errors import OAuthError
from idp.secrecy import Box
from idp.services import sessions
from idp.services.consents import Consents
from idp.services.device_codes import DeviceCodes
from idp.services.endings import end_everything
from idp.services.granted import stands
from idp.services.grants import Grants, Redeemed
from idp.services.live import Live
from idp.services.sessions import Sessions
from idp.services.signing_out import end_session, sign_out
from idp.services.transactions import Overtaken
from tests.factors.race import services_with
from tests.helpers.clock import FakeClock
from tests.helpers.ports import wait_until
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

OFFLINE = ("openid", "offline_access")
AT_ONCE: dict[str, Any] = {}
APART: dict[str, Any] = {"resource": ("https://api.example.com",)}
"""Narrowed, so that even PostgreSQL claims the code in one statement and commits in another."""

both_ways = pytest.mark.parametrize("narrowed", [AT_ONCE, APART], ids=["at once", "apart"])


@dataclass(frozen=True)
class Bench:
    """Ann, signed in, and a shop that she allowed to act while she is away."""

    settings: Settings
    context: Context
    grants: Grants

    def code(self, *, of_session: bool = True) -> str:
        """As an authorization writes it that looked at the session a moment ago."""
        granted = granted_to("shop", self.context.at, scope=OFFLINE)
        granted = granted if of_session else replace(granted, session_id=None)
        asked = request_of(scopes=OFFLINE, resource=APART["resource"])
        code = self.grants.issue_code(granted, asked, now=self.context.at)
        db.session.commit()
        return code

    def redeem(self, code: str, narrowed: dict[str, Any], **members: Any) -> Redeemed:
        return self.grants.redeem_code(
            code,
            client=as_registered("shop", **members),
            redirect_uri=CALLBACK,
            code_verifier=VERIFIER,
            context=self.context,
            **narrowed,
        )


@pytest.fixture
def bench(app: Flask, settings: Settings, clock: FakeClock, context: Context) -> Iterator[Bench]:
    add_person(clock())
    add_client(settings, context, "shop")
    agree("shop", clock())
    yield Bench(settings, context, Grants(settings))
    release()


def refused(bench: Bench, code: str, narrowed: dict[str, Any]) -> str:
    with pytest.raises(OAuthError) as error:
        bench.redeem(code, narrowed)
    return error.value.error


def by_a_reset(context: Context) -> None:
    end_everything("ann", context=context, reason="password_reset")


def from_elsewhere(context: Context) -> None:
    assert end_session("ann", user_id="ann", context=context, reason="by_owner")


def by_herself(context: Context) -> None:
    assert sign_out("ann", user_id="ann", context=context, reason="signed_out")


on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
"""SQLite has one writer at a time."""

every_end = pytest.mark.parametrize("end", [by_a_reset, from_elsewhere, by_herself])


@both_ways
@every_end
def test_a_code_that_was_written_while_its_session_ended_buys_nothing(
    bench: Bench, end: Any, narrowed: dict[str, Any]
) -> None:
    end(bench.context)
    db.session.commit()
    assert refused(bench, bench.code(), narrowed) == "invalid_grant"


@both_ways
def test_a_code_that_was_written_while_its_application_was_disconnected_buys_nothing(
    bench: Bench, narrowed: dict[str, Any]
) -> None:
    assert Consents().revoke("ann", "shop", context=bench.context)
    code = bench.code()
    assert refused(bench, code, narrowed) == "invalid_grant"
    agree("shop", bench.context.at)
    assert bench.redeem(code, narrowed).tokens.refresh, "nothing was used up"


@both_ways
def test_who_is_never_asked_for_consent_needs_none(bench: Bench, narrowed: dict[str, Any]) -> None:
    Consents().revoke("ann", "shop", context=bench.context)
    assert bench.redeem(bench.code(), narrowed, consent="never").tokens.refresh


@both_ways
def test_a_trial_asks_nobody(bench: Bench, narrowed: dict[str, Any]) -> None:
    Consents().revoke("ann", "shop", context=bench.context)
    assert bench.redeem(bench.code(of_session=False), narrowed).tokens.refresh


def given_at_once(bench: Bench, *, trusted: bool = False) -> bool:
    """May an access token go straight to the browser, for what is being written? No commit."""
    now = bench.context.at
    granted = granted_to("shop", now)
    return stands(bench.grants.open(granted, request_of(), code=None, now=now), trusted=trusted)


@every_end
def test_an_access_token_is_not_given_at_once_in_a_session_that_has_ended(
    bench: Bench, end: Any
) -> None:
    assert given_at_once(bench)
    db.session.rollback()
    end(bench.context)
    db.session.commit()
    assert not given_at_once(bench)
    assert not given_at_once(bench, trusted=True)


def test_an_access_token_is_not_given_at_once_to_what_was_disconnected(bench: Bench) -> None:
    assert Consents().revoke("ann", "shop", context=bench.context)
    assert not given_at_once(bench)
    assert given_at_once(bench, trusted=True)


def allowed(bench: Bench) -> bool:
    """Does Ann, whose session was looked at a moment ago, allow a device something? No commit."""
    codes = DeviceCodes(bench.settings, Box(bench.settings.keys), bench.grants)
    asked = request_of(scopes=OFFLINE)
    waiting = codes.find(codes.issue(asked, bench.context).user_code, bench.context.at)
    assert waiting is not None
    granted = granted_to("shop", bench.context.at, scope=OFFLINE)
    return codes.allow(waiting, granted, asked, bench.context)


@every_end
def test_a_device_is_allowed_nothing_in_a_session_that_has_ended(bench: Bench, end: Any) -> None:
    end(bench.context)
    db.session.commit()
    assert not allowed(bench)
    db.session.rollback()
    assert db.session.scalars(select(Grant.id)).all() == []


@on_postgresql
def test_whoever_ends_the_session_waits_for_what_a_device_is_allowed(bench: Bench) -> None:
    assert allowed(bench)
    with db.engine.connect() as other:
        other.execute(text("SET lock_timeout = '100ms'"))
        with pytest.raises(OperationalError, match="lock timeout"):
            other.execute(text("UPDATE sessions SET ended_at = now()"))
    db.session.commit()


@on_postgresql
@both_ways
@pytest.mark.parametrize("end", ["UPDATE sessions SET ended_at = now()", "DELETE FROM consents"])
def test_a_redemption_waits_for_an_end_under_way(
    app: Flask, bench: Bench, narrowed: dict[str, Any], end: str
) -> None:
    """Which has looked for grants already, and found none."""
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    code = bench.code()
    release()

    def redeemed() -> str:
        with app.app_context():
            return refused(bench, code, narrowed)

    with ThreadPoolExecutor() as threads, db.engine.connect() as ending:
        ending.execute(text(end))
        found = threads.submit(redeemed)
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as looking:
            wait_until(lambda: bool(looking.scalar(waiting)), seconds=20, what="the lock")
        ending.commit()
        assert found.result(timeout=30) == "invalid_grant"


def test_a_session_that_has_ended_is_given_no_new_token(bench: Bench) -> None:
    kept = Sessions(bench.settings, second_steps=())
    assert kept.rotate("ann", bench.context.at)
    assert sessions.end("ann", user_id="ann", context=bench.context, reason="by_owner")
    db.session.commit()
    with pytest.raises(Overtaken):
        kept.rotate("ann", bench.context.at)


@pytest.mark.parametrize("goes_on", [True, False], ids=["it goes on", "it has ended"])
def test_nothing_is_set_up_in_a_session_that_has_ended(bench: Bench, goes_on: bool) -> None:
    enrolment = services_with(bench.settings.keys[0]).enrolment
    user = db.session.get_one(User, "ann")
    public = enrolment.begin(user, "totp", session_id="ann", context=bench.context)
    if not goes_on:
        by_a_reset(bench.context)
        db.session.commit()
    answer = {"otp": pyotp.TOTP(secret_of(public)).at(bench.context.at)}
    outcome = enrolment.finish(user, "totp", answer, live=live(bench), context=bench.context)
    assert isinstance(outcome, Refused) is not goes_on
    held = db.session.scalars(select(Credential.kind)).all()
    assert ("totp" in held) is goes_on


def secret_of(public: Any) -> str:
    return str(public["secret"]).replace(" ", "")


def live(bench: Bench) -> Live:
    now = bench.context.at
    return Live(
        id="ann",
        user_id="ann",
        email="ann@example.com",
        name=None,
        role=None,
        has_second_step=False,
        opened=True,
        persistent=False,
        last_seen_at=now - timedelta(seconds=1),
        evidence=(),
    )
