"""Codes and grants: what a code buys, once, and how it ends."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from idp.audit import Context
from idp.config import Settings
from idp.models import AccessToken, AuditEvent, Grant, RefreshToken, User, db
from idp.protocol.claims import ClaimsRequest
from idp.protocol.errors import OAuthError
from idp.services.access import JwtClaims, live_jwt, live_opaque, live_refresh
from idp.services.binding import Binding
from idp.services.clients import RegisteredClient
from idp.services.grants import Grants, Redeemed, end_all
from idp.services.refresh import Refreshing
from idp.services.revocation import revoke
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

OFFLINE = ("openid", "offline_access")


class Bench:
    """A person, two clients, and the two ends of the code flow."""

    def __init__(self, settings: Settings, clock: FakeClock) -> None:
        self.settings, self.clock = settings, clock
        self.grants, self.refreshing = Grants(settings), Refreshing(settings)
        self.shop = as_registered("shop")
        self.rival = as_registered("rival")

    @property
    def context(self) -> Context:
        return Context(at=self.clock(), address="192.0.2.1")

    def code(self, *, scope: tuple[str, ...] = ("openid",), **request: Any) -> str:
        granted = granted_to("shop", self.clock(), scope=scope)
        code = self.grants.issue_code(granted, request_of(**request), now=self.clock())
        db.session.commit()
        return code

    def redeem(self, code: str, **changes: Any) -> Redeemed:
        honest: dict[str, Any] = {
            "client": self.shop,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
            "context": self.context,
        }
        return self.grants.redeem_code(code, **{**honest, **changes})

    def refresh(self, token: str | None, **changes: Any) -> Redeemed:
        honest: dict[str, Any] = {"client": self.shop, "scope": None, "context": self.context}
        return self.refreshing.redeem(token or "", **{**honest, **changes})

    def is_live(self, redeemed: Redeemed) -> bool:
        tokens = redeemed.tokens
        if tokens.opaque is not None:
            return live_opaque(tokens.opaque, self.clock()) is not None
        return live_jwt(claims_of(redeemed)) is not None


def claims_of(redeemed: Redeemed) -> JwtClaims:
    tokens = redeemed.tokens
    return JwtClaims(
        jti=tokens.jti,
        scope=redeemed.scope,
        audience=tokens.audience,
        issued_at=tokens.issued_at,
        expires_at=tokens.expires_at,
    )


@pytest.fixture
def bench(app: Flask, settings: Settings, clock: FakeClock, context: Context) -> Bench:
    add_person(clock())
    add_client(settings, context, "shop")
    add_client(settings, context, "rival")
    agree("shop", clock())
    return Bench(settings, clock)


def events() -> list[str]:
    return list(
        db.session.scalars(
            select(AuditEvent.name)
            .where(AuditEvent.name.not_like("client.%"))
            .order_by(AuditEvent.id)
        )
    )


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(OAuthError) as error:
        call()
    return error.value.error


def test_a_code_buys_what_was_granted_and_proved(bench: Bench, clock: FakeClock):
    claims = ClaimsRequest.parse('{"userinfo": {"name": null}, "id_token": {"email": null}}')
    code = bench.code(nonce="n-7", claims=claims, resource=("https://api.example.com",))
    proved_at = clock()
    clock.advance(seconds=30)
    redeemed = bench.redeem(code)
    assert redeemed.granted.user_id == "ann"
    assert redeemed.granted.session_id == "ann"
    assert redeemed.granted.proved.acr == "urn:idp:acr:mfa"
    assert redeemed.granted.proved.amr == ("pwd", "otp", "mfa")
    assert redeemed.granted.proved.auth_time == proved_at
    assert redeemed.asked.nonce == "n-7"
    assert list(redeemed.asked.claims.userinfo) == ["name"]
    assert list(redeemed.asked.claims.id_token) == ["email"]
    assert redeemed.tokens.audience == ("https://api.example.com", "https://id.example.com")
    assert redeemed.tokens.refresh is None
    assert redeemed.tokens.expires_at == clock() + timedelta(minutes=10)


def test_a_code_is_stored_as_a_hash_only(bench: Bench):
    code = bench.code()
    assert len(code) == 53
    assert code not in repr(db.session.execute(select(Grant.__table__)).all())


def test_redeeming_is_one_statement(bench: Bench):
    code = bench.code()
    with counted() as statements:
        bench.redeem(code)
    assert len(statements) == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"client": "rival"}, "of another client", id="another client"),
        pytest.param({"redirect_uri": CALLBACK + "/"}, "redirect_uri", id="another address"),
        pytest.param({"redirect_uri": None}, "redirect_uri", id="no address"),
        pytest.param({"code_verifier": VERIFIER + "x"}, "code_verifier", id="another verifier"),
        pytest.param({"code_verifier": None}, "code_verifier", id="no verifier"),
    ],
)
def test_what_does_not_fit_is_refused_and_leaves_the_code_to_its_owner(
    bench: Bench, changes: dict[str, Any], reason: str
):
    code = bench.code()
    if changes.get("client") == "rival":
        changes = {"client": bench.rival}
    assert refused(lambda: bench.redeem(code, **changes)) == "invalid_grant"
    event = db.session.scalars(select(AuditEvent).where(AuditEvent.name == "code.refused")).one()
    assert event.data["reason"] == reason
    assert bench.redeem(code)


def test_a_verifier_for_a_code_without_challenge_is_refused(bench: Bench):
    code = bench.code(code_challenge=None)
    assert refused(lambda: bench.redeem(code)) == "invalid_grant"
    assert bench.redeem(code, code_verifier=None)


def test_a_code_for_a_key_is_refused_to_who_does_not_show_it(bench: Bench):
    code = bench.code(dpop_jkt="k" * 43)  # RFC 9449 section 10
    assert refused(lambda: bench.redeem(code)) == "invalid_grant"
    assert bench.redeem(code, binding=Binding(jkt="k" * 43))


def test_an_unknown_code_is_refused(bench: Bench):
    assert refused(lambda: bench.redeem("nonsense")) == "invalid_grant"
    assert events() == ["code.refused"]


def test_a_code_lives_for_a_minute(bench: Bench, clock: FakeClock):
    first, second = bench.code(), bench.code()
    clock.advance(seconds=59)
    assert bench.redeem(first)
    clock.advance(seconds=1)
    assert refused(lambda: bench.redeem(second)) == "invalid_grant"


def test_a_clock_set_back_does_not_revive_a_used_code(bench: Bench, clock: FakeClock):
    code = bench.code()
    bench.redeem(code)
    clock.advance(hours=-1)
    assert refused(lambda: bench.redeem(code)) == "invalid_grant"


def test_a_disabled_person_gets_nothing_for_a_code(bench: Bench, clock: FakeClock):
    code = bench.code()
    db.session.execute(update(User).values(disabled_at=clock()))
    db.session.commit()
    assert refused(lambda: bench.redeem(code)) == "invalid_grant"
    db.session.execute(update(User).values(disabled_at=None))
    db.session.commit()
    assert bench.redeem(code)


def test_a_deleted_person_gets_nothing_for_a_code(bench: Bench):
    code = bench.code()
    db.session.delete(db.session.get_one(User, "ann"))
    db.session.commit()
    assert refused(lambda: bench.redeem(code)) == "invalid_grant"


@pytest.mark.parametrize("access_token_format", ["jwt", "opaque"])
@pytest.mark.parametrize("later", [0, 30, 300], ids=["at once", "after 30 s", "after 5 min"])
def test_a_second_use_ends_what_the_first_bought(
    bench: Bench, clock: FakeClock, access_token_format: str, later: int
):
    shop = as_registered("shop", access_token_format=access_token_format)
    code = bench.code(scope=OFFLINE)
    redeemed = bench.redeem(code, client=shop)
    assert bench.is_live(redeemed)
    clock.advance(seconds=later)
    assert refused(lambda: bench.redeem(code, client=shop)) == "invalid_grant"
    assert not bench.is_live(redeemed)
    assert refused(lambda: bench.refresh(redeemed.tokens.refresh)) == "invalid_grant"
    assert "token.replayed" in events()


def test_another_client_cannot_end_a_grant_with_its_used_code(bench: Bench):
    code = bench.code()
    redeemed = bench.redeem(code)
    assert refused(lambda: bench.redeem(code, client=bench.rival)) == "invalid_grant"
    assert bench.is_live(redeemed)


# --- access tokens -------------------------------------------------------------------------


@pytest.fixture(params=["jwt", "opaque"])
def shop(request: pytest.FixtureRequest) -> RegisteredClient:
    return as_registered("shop", access_token_format=request.param)


def test_an_opaque_token_is_stored_as_a_hash_only(bench: Bench, clock: FakeClock):
    redeemed = bench.redeem(
        bench.code(), client=as_registered("shop", access_token_format="opaque")
    )
    token = redeemed.tokens.opaque
    assert token is not None
    assert token not in repr(db.session.execute(select(AccessToken.__table__)).all())
    live = live_opaque(token, clock())
    assert live is not None
    assert live.granted.satisfied == redeemed.granted.satisfied
    clock.advance(minutes=10)
    assert live_opaque(token, clock()) is None


def test_a_jwt_needs_no_row(bench: Bench):
    redeemed = bench.redeem(bench.code())
    assert redeemed.tokens.opaque is None
    assert db.session.scalars(select(AccessToken)).all() == []


@pytest.mark.parametrize(
    "table", ["users", "clients"], ids=["the person is disabled", "the client is disabled"]
)
def test_tokens_die_at_once_when(
    bench: Bench, shop: RegisteredClient, clock: FakeClock, table: str
):
    redeemed = bench.redeem(bench.code(), client=shop)
    assert bench.is_live(redeemed)
    rows = db.metadata.tables[table]
    db.session.execute(rows.update().values(disabled_at=clock()))
    assert not bench.is_live(redeemed)


@pytest.mark.parametrize(
    "whose",
    [{"user_id": "ann"}, {"client_id": "shop"}, {"user_id": "ann", "session_id": "ann"}],
    ids=["of a person", "of a client", "of a session"],
)
def test_all_grants_end(bench: Bench, shop: RegisteredClient, whose: dict[str, str]):
    redeemed = bench.redeem(bench.code(), client=shop)
    unused = bench.code()
    assert end_all(context=bench.context, **whose) == 2
    assert end_all(context=bench.context, **whose) == 0
    db.session.commit()
    assert not bench.is_live(redeemed)
    assert refused(lambda: bench.redeem(unused)) == "invalid_grant"
    assert events()[0] == "grant.ended"


def test_the_grants_of_others_do_not_end(bench: Bench):
    redeemed = bench.redeem(bench.code())
    for whose in ({"user_id": "bob"}, {"user_id": "ann", "client_id": "rival"}):
        assert end_all(context=bench.context, **whose) == 0
    assert bench.is_live(redeemed)
    for nobodys in ({}, {"session_id": "ann"}):
        with pytest.raises(ValueError, match="whose"):
            end_all(context=bench.context, **nobodys)
    assert bench.is_live(redeemed)


# --- revocation ----------------------------------------------------------------------------


def test_an_access_token_is_revoked_alone(bench: Bench, shop: RegisteredClient):
    redeemed = bench.redeem(bench.code(scope=OFFLINE), client=shop)
    jwt = None if redeemed.tokens.opaque else claims_of(redeemed)
    for _ in range(2):
        revoke(redeemed.tokens.opaque or "a.b.c", jwt, client=shop, context=bench.context)
    assert not bench.is_live(redeemed)
    assert bench.refresh(redeemed.tokens.refresh)
    assert events()[0] == "token.revoked"


def test_a_refresh_token_takes_its_grant_along(bench: Bench, shop: RegisteredClient):
    redeemed = bench.redeem(bench.code(scope=OFFLINE), client=shop)
    revoke(redeemed.tokens.refresh or "", None, client=shop, context=bench.context)
    assert not bench.is_live(redeemed)
    assert refused(lambda: bench.refresh(redeemed.tokens.refresh)) == "invalid_grant"


def test_nobody_revokes_what_is_anothers(bench: Bench, shop: RegisteredClient):
    redeemed = bench.redeem(bench.code(scope=OFFLINE), client=shop)
    jwt = None if redeemed.tokens.opaque else claims_of(redeemed)
    for token, claims in ((redeemed.tokens.opaque, jwt), (redeemed.tokens.refresh, None)):
        attempt = lambda token=token, claims=claims: revoke(  # noqa: E731
            token or "", claims, client=bench.rival, context=bench.context
        )
        assert refused(attempt) == "invalid_grant"
    assert bench.is_live(redeemed)
    assert bench.refresh(redeemed.tokens.refresh)


def test_revoking_what_nobody_knows_is_no_error(bench: Bench):
    revoke("nonsense", None, client=bench.shop, context=bench.context)
    unknown = JwtClaims(
        jti="gone.1", scope=(), audience=(), issued_at=bench.clock(), expires_at=bench.clock()
    )
    revoke("a.b.c", unknown, client=bench.shop, context=bench.context)
    assert events() == []


# --- refresh tokens ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "grant_types", "number"),
    [
        pytest.param(OFFLINE, ["authorization_code", "refresh_token"], 1, id="allowed"),
        pytest.param(("openid",), ["authorization_code", "refresh_token"], 0, id="not offline"),
        pytest.param(
            ("openid", "offline-access"), ["authorization_code", "refresh_token"], 0, id="alike"
        ),
        pytest.param(OFFLINE, ["authorization_code"], 0, id="not registered for it"),
    ],
)
def test_a_refresh_token_is_kept_where_one_is_handed_out(
    bench: Bench, scope: tuple[str, ...], grant_types: list[str], number: int
):
    shop = as_registered("shop", grant_types=grant_types)
    redeemed = bench.redeem(bench.code(scope=scope), client=shop)
    assert (redeemed.tokens.refresh is not None) == bool(number)
    assert len(db.session.scalars(select(RefreshToken.id)).all()) == number


def test_a_refresh_repeats_what_was_proved(bench: Bench, clock: FakeClock):
    first = bench.redeem(bench.code(scope=OFFLINE))
    clock.advance(hours=5)
    second = bench.refresh(first.tokens.refresh)
    assert second.granted == first.granted
    assert second.tokens.issued_at == clock()
    assert second.tokens.jti != first.tokens.jti


def test_a_refresh_token_is_stored_as_a_hash_only(bench: Bench):
    token = bench.redeem(bench.code(scope=OFFLINE)).tokens.refresh
    assert token
    assert token not in repr(db.session.execute(select(RefreshToken.__table__)).all())


def test_a_refresh_token_works_once_and_its_successor_after_it(bench: Bench):
    first = bench.redeem(bench.code(scope=OFFLINE)).tokens.refresh
    second = bench.refresh(first).tokens.refresh
    third = bench.refresh(second).tokens.refresh
    assert len({first, second, third}) == 3


def test_a_second_use_of_a_refresh_token_ends_the_whole_line(bench: Bench, clock: FakeClock):
    first = bench.redeem(bench.code(scope=OFFLINE))
    second = bench.refresh(first.tokens.refresh)
    clock.advance(seconds=31)
    assert refused(lambda: bench.refresh(first.tokens.refresh)) == "invalid_grant"
    assert refused(lambda: bench.refresh(second.tokens.refresh)) == "invalid_grant"
    assert not bench.is_live(first)
    assert not bench.is_live(second)
    assert "token.replayed" in events()


def test_another_clients_refresh_token_is_refused_and_stays_good(bench: Bench):
    token = bench.redeem(bench.code(scope=OFFLINE)).tokens.refresh
    assert refused(lambda: bench.refresh(token, client=bench.rival)) == "invalid_grant"
    assert bench.refresh(token)


def test_the_line_ends_when_its_first_token_would_have(bench: Bench, clock: FakeClock):
    token = bench.redeem(bench.code(scope=OFFLINE)).tokens.refresh
    clock.advance(days=29)
    successor = bench.refresh(token).tokens.refresh
    clock.advance(days=29)
    successor = bench.refresh(successor).tokens.refresh
    clock.advance(days=1, hours=23)
    assert live_refresh(successor or "", clock()) is not None
    clock.advance(hours=1)
    assert live_refresh(successor or "", clock()) is None
    assert refused(lambda: bench.refresh(successor)) == "invalid_grant"


def test_the_grant_outlives_everything_it_can_buy(bench: Bench, clock: FakeClock):
    bench.redeem(bench.code(scope=OFFLINE))
    clock.advance(seconds=59)
    grants = db.session.scalars(select(Grant)).all()
    refresh_ends = db.session.scalars(select(RefreshToken.line_ends_at)).one()
    assert refresh_ends is not None
    assert [one.expires_at >= refresh_ends + timedelta(minutes=10) for one in grants] == [True]


def test_a_narrowed_scope_is_for_one_access_token_only(bench: Bench):
    scope = ("openid", "email", "offline_access")
    first = bench.redeem(bench.code(scope=scope))
    narrowed = bench.refresh(first.tokens.refresh, scope=("openid",))
    assert narrowed.scope == ("openid",)
    assert bench.refresh(narrowed.tokens.refresh).scope == scope


def test_more_scope_than_was_granted_is_refused_and_the_token_stays_good(bench: Bench):
    token = bench.redeem(bench.code(scope=OFFLINE)).tokens.refresh
    assert refused(lambda: bench.refresh(token, scope=("openid", "email"))) == "invalid_scope"
    assert bench.refresh(token)


def test_a_disabled_person_refreshes_nothing(bench: Bench, clock: FakeClock):
    token = bench.redeem(bench.code(scope=OFFLINE)).tokens.refresh
    db.session.execute(update(User).values(disabled_at=clock()))
    db.session.commit()
    assert refused(lambda: bench.refresh(token)) == "invalid_grant"


def test_a_later_step_up_does_not_lift_an_old_line(bench: Bench, clock: FakeClock):
    old = bench.redeem(bench.code(scope=OFFLINE))
    clock.advance(minutes=5)
    stronger = replace(granted_to("shop", clock(), scope=OFFLINE, acr="phr", amr=("pop", "user")))
    bench.grants.issue_code(stronger, request_of(), now=clock())
    db.session.commit()
    assert bench.refresh(old.tokens.refresh).granted.proved.acr == "urn:idp:acr:mfa"
