"""Refresh tokens: the grace for a lost answer, the limits, and everything that ends a line."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from sqlalchemy import delete, select, update

from idp.audit import Context
from idp.config import Settings, load_settings
from idp.models import AccessToken, AuditEvent, Grant, RefreshToken, User, db
from idp.protocol.errors import OAuthError
from idp.secrecy import digest, new_secret
from idp.services import signing_out
from idp.services.access import live_opaque, live_refresh
from idp.services.binding import Binding
from idp.services.clients import RegisteredClient, Unconfirmed
from idp.services.consents import Consents
from idp.services.endings import end_everything
from idp.services.grants import Grants, Redeemed
from idp.services.refresh import Refreshing
from idp.services.revocation import revoke
from idp.state import mark
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
from tests.services.statements import counted

SCOPE = ("openid", "email", "offline_access")


@dataclass
class Bench:
    """A person, her application, and the line of refresh tokens between them."""

    settings: Settings
    clock: FakeClock
    shop: RegisteredClient

    @property
    def context(self) -> Context:
        return Context(at=self.clock(), address="192.0.2.1")

    def line(self) -> str:
        """The first token of a new line."""
        grants = Grants(self.settings)
        granted = granted_to("shop", self.clock(), scope=SCOPE)
        code = grants.issue_code(granted, request_of(), now=self.clock())
        redeemed = grants.redeem_code(
            code,
            client=self.shop,
            redirect_uri=CALLBACK,
            code_verifier=VERIFIER,
            context=self.context,
        )
        return str(redeemed.tokens.refresh)

    def redeem(self, token: str, scope: tuple[str, ...] | None = None, **changes: Any) -> Redeemed:
        honest = {"client": self.shop, "context": self.context}
        return Refreshing(self.settings).redeem(token, scope=scope, **{**honest, **changes})

    def refresh(self, token: str, **changes: Any) -> str:
        """Use a token; the next of its line."""
        return str(self.redeem(token, **changes).tokens.refresh)

    def refuses(self, token: str, **changes: Any) -> bool:
        with pytest.raises(OAuthError) as error:
            self.redeem(token, **changes)
        return error.value.error == "invalid_grant"

    def living(self) -> int:
        unused = select(RefreshToken.id).where(RefreshToken.used_at.is_(None))
        return len(db.session.scalars(unused).all())

    def events(self, name: str) -> int:
        return len(db.session.scalars(select(AuditEvent).where(AuditEvent.name == name)).all())


@pytest.fixture
def bench(app: Flask, settings: Settings, clock: FakeClock, context: Context) -> Bench:
    add_person(clock())
    add_client(settings, context, "shop")
    agree("shop", clock())
    return Bench(settings, clock, as_registered("shop"))


# --- a lost answer -------------------------------------------------------------------------


def test_within_the_grace_the_same_successor_is_given_again(bench: Bench, clock: FakeClock):
    first = bench.line()
    second = bench.redeem(first)
    clock.advance(seconds=30)
    again = bench.redeem(first)
    assert again.tokens.refresh == second.tokens.refresh != first
    assert again.tokens.jti != second.tokens.jti
    assert again.tokens.issued_at == clock()
    assert bench.living() == 1
    assert bench.refresh(str(again.tokens.refresh))
    assert (bench.events("token.repeated"), bench.events("token.replayed")) == (1, 0)


def test_an_opaque_access_token_of_a_repetition_is_good(bench: Bench, clock: FakeClock):
    bench.shop = as_registered("shop", access_token_format="opaque")
    first = bench.line()
    tokens = [bench.redeem(first).tokens.opaque for _ in range(2)]
    assert len(set(tokens)) == 2
    assert all(live_opaque(str(token), clock()) for token in tokens)


def test_a_repetition_may_ask_for_less_and_never_for_more(bench: Bench):
    first = bench.line()
    bench.redeem(first)
    assert bench.redeem(first, ("openid",)).scope == ("openid",)
    with pytest.raises(OAuthError) as error:
        bench.redeem(first, ("openid", "phone"))
    assert error.value.error == "invalid_scope"
    assert bench.redeem(first).scope == SCOPE


LATE: dict[str, Callable[[Bench, str], object]] = {
    "the grace is over": lambda bench, _: bench.clock.advance(seconds=31),
    "the successor has been used": lambda bench, successor: bench.refresh(successor),
    "a clock set back": lambda bench, _: bench.clock.advance(seconds=-31),
}


@pytest.mark.parametrize("late", LATE.values(), ids=LATE)
def test_too_late_a_repetition_is_theft_and_ends_the_line(
    bench: Bench, late: Callable[[Bench, str], object]
):
    first = bench.line()
    successor = bench.refresh(first)
    assert bench.refresh(first) == successor
    late(bench, successor)
    assert bench.refuses(first)
    assert bench.events("token.replayed") == 1
    assert bench.refuses(successor)


def test_what_came_before_the_last_is_theft_whenever_it_is_used(bench: Bench):
    first = bench.line()
    second = bench.refresh(first)
    third = bench.refresh(second)
    assert bench.refuses(first)
    assert bench.refuses(third)


def test_another_client_is_not_given_the_successor(bench: Bench):
    first = bench.line()
    successor = bench.refresh(first)
    assert bench.refuses(first, client=as_registered("rival"))
    assert bench.refresh(first) == successor


def test_without_a_grace_the_second_use_is_theft(bench: Bench):
    bench.settings = replace(bench.settings, refresh_grace=timedelta(0))
    first = bench.line()
    successor = bench.refresh(first)
    assert bench.refuses(first)
    assert bench.refuses(successor)


def test_the_grace_outlasts_a_change_of_the_deployments_key(bench: Bench):
    first = bench.line()
    successor = bench.refresh(first)
    new_key = Fernet.generate_key().decode()
    bench.settings = replace(bench.settings, keys=(new_key, *bench.settings.keys))
    assert bench.refresh(first) == successor


def test_what_is_stored_does_not_tell_the_successor(bench: Bench):
    first = bench.line()
    successor = bench.refresh(first)
    stranger = load_settings(
        environ={},
        issuer=bench.settings.issuer,
        keys=[Fernet.generate_key().decode()],
        database_url=bench.settings.database_url,
    )
    assert successor not in repr(db.session.execute(select(RefreshToken.__table__)).all())
    assert Bench(stranger, bench.clock, bench.shop).refuses(first)


# --- limits --------------------------------------------------------------------------------


@pytest.mark.parametrize("rotation", [True, False], ids=["rotating", "staying"])
def test_a_token_that_lies_unused_too_long_is_over(bench: Bench, clock: FakeClock, rotation: bool):
    bench.shop = as_registered("shop", refresh_token_rotation=rotation)
    token = bench.line()
    clock.advance(days=29)
    token = bench.refresh(token)
    clock.advance(days=29)
    assert live_refresh(token, clock())
    clock.advance(days=1)
    assert live_refresh(token, clock()) is None
    assert bench.refuses(token)


@pytest.mark.parametrize("rotation", [True, False], ids=["rotating", "staying"])
def test_no_renewal_prolongs_the_line(bench: Bench, clock: FakeClock, rotation: bool):
    bench.shop = as_registered("shop", refresh_token_rotation=rotation)
    token = bench.line()
    for _ in range(3):
        clock.advance(days=19, hours=23)
        token = bench.refresh(token)
    clock.advance(hours=2, minutes=59)
    assert live_refresh(token, clock())
    clock.advance(minutes=1)
    assert bench.refuses(token)


def test_a_row_from_before_there_were_limits_ends_when_it_would_have(
    bench: Bench, clock: FakeClock
):
    token = bench.line()
    ends = clock() + timedelta(days=60)
    db.session.execute(update(RefreshToken).values(expires_at=ends, line_ends_at=None))
    db.session.commit()
    clock.advance(days=45)
    successor = bench.refresh(token)
    clock.advance(days=15)
    assert bench.refuses(successor)


# --- rotation is a policy ------------------------------------------------------------------


def test_a_client_registered_so_keeps_its_token(bench: Bench, clock: FakeClock):
    bench.shop = as_registered("shop", refresh_token_rotation=False)
    token = bench.line()
    for _ in range(3):
        clock.advance(hours=1)
        assert bench.refresh(token) == token
    assert bench.living() == 1
    assert bench.refuses(token, client=as_registered("rival", refresh_token_rotation=False))


def test_a_token_that_was_replaced_does_not_come_back_when_rotation_is_given_up(
    bench: Bench, clock: FakeClock
):
    first = bench.line()
    bench.refresh(first)
    clock.advance(seconds=31)
    bench.shop = as_registered("shop", refresh_token_rotation=False)
    assert bench.refuses(first)


def test_a_renewal_is_one_statement_where_one_can_write_twice(bench: Bench):
    first = bench.line()
    with counted() as statements:
        bench.redeem(first)
    assert len(statements) == {"postgresql": 1, "sqlite": 3}[db.engine.dialect.name], statements


def test_what_is_bound_is_not_renewed_without_its_key(bench: Bench):
    """Its client may have been public when it was bound, and not be by now."""
    token, key = bench.line(), Binding(jkt="k" * 43)
    db.session.execute(update(Grant).values(cnf=key.cnf))
    db.session.commit()
    assert bench.refuses(token)
    assert live_refresh(token, bench.clock())  # it was not used up
    assert bench.refresh(token, binding=key)


def test_what_was_used_up_for_a_renewal_that_came_to_nothing_is_not(bench: Bench):
    token = bench.line()
    db.session.execute(update(Grant).values(cnf=Binding(jkt="k" * 43).cnf))
    db.session.commit()
    for _ in range(2):  # an assertion's name, say, in the transaction of what it is sent for
        assert mark("once", "a name", now=bench.clock(), lifetime=timedelta(minutes=1))
        assert bench.refuses(token)


def test_a_client_that_is_not_as_it_was_known_to_be_is_looked_at_first(bench: Bench):
    token, seen = bench.line(), replace(bench.shop, revision=bench.shop.revision + 1)
    with pytest.raises(Unconfirmed):
        bench.redeem(token, client=replace(seen, confirmed=False))
    db.session.rollback()
    successor = bench.refresh(token, client=seen)  # read for this very request
    assert bench.living() == 1
    assert live_refresh(successor, bench.clock())


# --- what ends a line ----------------------------------------------------------------------


def _disable(bench: Bench) -> None:
    db.session.execute(update(User).values(disabled_at=bench.clock()))


def _delete(_: Bench) -> None:
    db.session.execute(delete(User).where(User.id == "ann"))


DEATHS: dict[str, Callable[[Bench], object]] = {
    "the person is disabled": _disable,
    "the account is deleted": _delete,
    "the password is reset": lambda bench: end_everything(
        "ann", context=bench.context, reason="password_reset"
    ),
    "the consent is taken back": lambda bench: Consents().revoke(
        "ann", "shop", context=bench.context
    ),
    "the session is ended from afar": lambda bench: signing_out.end_session(
        "ann", user_id="ann", context=bench.context, reason="by_owner"
    ),
    "the client is deleted": lambda _: db.session.execute(
        delete(db.metadata.tables["clients"]).where(db.metadata.tables["clients"].c.id == "shop")
    ),
}
NO_DEATHS: dict[str, Callable[[Bench], object]] = {
    "nothing": lambda _: None,
    "somebody else's password is reset": lambda bench: end_everything(
        "bob", context=bench.context, reason="password_reset"
    ),
    "consent to another client is taken back": lambda bench: Consents().revoke(
        "ann", "rival", context=bench.context
    ),
    "an access token is revoked": lambda bench: revoke(
        "nonsense", None, client=bench.shop, context=bench.context
    ),
}


@pytest.mark.parametrize("rotation", [True, False], ids=["rotating", "staying"])
@pytest.mark.parametrize("death", DEATHS.values(), ids=DEATHS)
def test_a_line_is_over_when(bench: Bench, death: Callable[[Bench], object], rotation: bool):
    bench.shop = as_registered("shop", refresh_token_rotation=rotation)
    used = bench.line()
    unused = bench.refresh(used)
    death(bench)
    db.session.commit()
    assert live_refresh(unused, bench.clock()) is None
    assert bench.refuses(used)
    assert bench.refuses(unused)


@pytest.mark.parametrize("event", NO_DEATHS.values(), ids=NO_DEATHS)
def test_a_line_goes_on_when_it_is(bench: Bench, event: Callable[[Bench], object]):
    used = bench.line()
    unused = bench.refresh(used)
    event(bench)
    db.session.commit()
    assert bench.refresh(used) == unused
    assert bench.refresh(unused)


def test_revoking_a_token_that_was_used_ends_its_line_all_the_same(bench: Bench):
    first = bench.line()
    successor = bench.refresh(first)
    revoke(first, None, client=bench.shop, context=bench.context)
    assert bench.refuses(successor)
    assert db.session.scalars(select(AccessToken)).all() == []


# --- tokens made before there was a time in them ----------------------------------------------


def test_a_token_without_a_time_is_as_good_as_it_was(bench: Bench):
    old = new_secret()
    bench.line()
    db.session.execute(update(RefreshToken).values(token_hash=digest(old)))
    db.session.commit()
    assert live_refresh(old, bench.clock())
    second = bench.refresh(old)
    assert bench.refresh(old) == second  # its answer got lost
    assert len(old) < len(second) == len(bench.refresh(second))
    bench.clock.advance(seconds=31)
    assert bench.refuses(old)
    assert bench.events("token.replayed") == 1
