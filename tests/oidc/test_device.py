"""The device's side of RFC 8628: it asks, it polls, and it is given the tokens once."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from idp.assurance import Evidence, Trait
from idp.models import (
    BrowserSession,
    DeviceRequest,
    EvidenceRow,
    SessionClient,
    User,
    db,
)
from idp.protocol.device import ALPHABET, grouped, new_user_code, read_user_code
from idp.services.grants import end_all
from idp.services.sessions import Live
from tests.helpers.clock import FakeClock
from tests.helpers.relying_party import RelyingParty
from tests.oidc.desk import Desk, Keys, opened, payload_of
from tests.services.statements import counted

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
TV: dict[str, Any] = {
    "grant_types": [DEVICE, "refresh_token"],
    "redirect_uris": [],
    "token_endpoint_auth_method": "none",
}
API = "https://api.example.com"


@pytest.fixture(scope="module")
def desk(module_url: str, made_keys: Keys) -> Iterator[Desk]:
    yield from opened(module_url, FakeClock(), made_keys)


@pytest.fixture
def tv(desk: Desk) -> RelyingParty:
    return desk.client(desk.new_name(), **TV)


def asked(party: RelyingParty, **form: Any) -> dict[str, Any]:
    """What a device is told that asks."""
    response = party.post("/oauth/device", {"scope": "openid", **form})
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def polled(party: RelyingParty, device_code: str, **form: Any) -> httpx.Response:
    honest = {"grant_type": DEVICE, "device_code": device_code}
    return party.post("/oauth/token", {**honest, **form})


def error_of(response: httpx.Response) -> str:
    assert response.status_code == 400, response.text
    return str(response.json()["error"])


def ann(desk: Desk) -> Live:
    """Ann's session, in which she has just typed her password."""
    now = desk.clock()
    evidence = Evidence("password", None, frozenset({Trait.KNOWLEDGE}), ("pwd",), now, "t")
    with desk.rows():
        db.session.execute(update(BrowserSession).values(expires_at=now.replace(year=2099)))
        if not db.session.scalars(select(EvidenceRow)).all():
            db.session.add(
                EvidenceRow(
                    session_id="ann",
                    transaction_id="t",
                    method="password",
                    proves="knowledge",
                    amr="pwd",
                    enrolled=False,
                    at=now,
                )
            )
    return Live(
        id="ann",
        user_id="ann",
        email="ann@example.com",
        name=None,
        role=None,
        has_second_step=False,
        opened=True,
        persistent=False,
        last_seen_at=now,
        evidence=(evidence,),
    )


def decided(desk: Desk, told: dict[str, Any], *, allow: bool = True) -> None:
    """Ann types the code, and allows it or does not."""
    live = ann(desk)
    with desk.app.app_context():
        waiting = desk.services.device_codes.find(told["user_code"], desk.clock())
        assert waiting is not None
        approval = desk.services.device_approval
        decide = approval.allow if allow else approval.deny
        assert decide(waiting, live, desk.context)


def test_the_answer_is_as_rfc_8628_says(tv: RelyingParty):
    told = asked(tv)
    assert told.keys() == {
        *("device_code", "user_code", "verification_uri", "verification_uri_complete"),
        *("expires_in", "interval"),
    }
    assert re.fullmatch(rf"[{ALPHABET}]{{4}}-[{ALPHABET}]{{4}}", told["user_code"])
    assert len(told["device_code"]) == 43
    assert told["verification_uri"] == "https://id.example.com/device"
    assert told["verification_uri_complete"].endswith(f"/device?user_code={told['user_code']}")
    assert (told["expires_in"], told["interval"]) == (600, 5)


def test_neither_code_nor_a_secret_is_kept_in_the_clear(desk: Desk):
    party = desk.client(
        desk.new_name(), **{**TV, "token_endpoint_auth_method": "client_secret_post"}
    )
    told = asked(party)
    with desk.app.app_context():
        kept = repr(db.session.execute(select(DeviceRequest.__table__)).all())
    bare = told["user_code"].replace("-", "")
    assert party.client_secret is not None
    for secret in (told["device_code"], told["user_code"], bare, party.client_secret):
        assert secret not in kept


def test_it_waits_until_somebody_has_decided(desk: Desk, tv: RelyingParty):
    told = asked(tv)
    assert error_of(polled(tv, told["device_code"])) == "authorization_pending"
    desk.clock.advance(seconds=5)
    assert error_of(polled(tv, told["device_code"])) == "authorization_pending"
    decided(desk, told)
    desk.clock.advance(seconds=5)
    body = polled(tv, told["device_code"]).json()
    claims = tv.verify(body["id_token"], body, nonce=None)
    assert claims["sub"] == "ann"
    assert "nonce" not in claims
    assert (claims["acr"], claims["amr"]) == ("urn:idp:acr:1fa", ["pwd"])
    assert claims["sid"] == "ann"
    assert payload_of(body["access_token"])["acr"] == "urn:idp:acr:1fa"
    assert tv.userinfo(body["access_token"])["sub"] == "ann"


def test_it_may_stay_if_she_allows_that(desk: Desk, tv: RelyingParty):
    told = asked(tv, scope="openid offline_access")
    decided(desk, told)
    first = polled(tv, told["device_code"]).json()
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = tv.post("/oauth/token", form).json()
    old, new = payload_of(first["id_token"]), payload_of(second["id_token"])
    assert [old[name] for name in ("sub", "acr", "auth_time")] == [
        new[name] for name in ("sub", "acr", "auth_time")
    ]


def test_it_knows_her_by_a_name_of_its_own_where_that_is_registered(desk: Desk):
    party = desk.client(
        desk.new_name(),
        **{**TV, "redirect_uris": ["https://tv.example/"], "subject_type": "pairwise"},
    )
    told = asked(party)
    decided(desk, told)
    body = polled(party, told["device_code"]).json()
    subject = payload_of(body["id_token"])["sub"]
    assert subject not in ("ann", party.client_id)
    assert party.userinfo(body["access_token"])["sub"] == subject


def test_a_device_that_cannot_wait_is_slowed_down(desk: Desk, tv: RelyingParty):
    code = asked(tv)["device_code"]
    assert error_of(polled(tv, code)) == "authorization_pending"
    desk.clock.advance(seconds=2)
    assert error_of(polled(tv, code)) == "slow_down"
    desk.clock.advance(seconds=5)  # enough before, and not any more
    assert error_of(polled(tv, code)) == "slow_down"
    desk.clock.advance(seconds=15)
    assert error_of(polled(tv, code)) == "authorization_pending"


def test_a_device_that_never_waits_writes_little_and_gets_it_in_the_end(
    desk: Desk, tv: RelyingParty
):
    told = asked(tv)
    for _ in range(13):
        polled(tv, told["device_code"])
    with desk.app.app_context(), counted() as statements:
        assert error_of(polled(tv, told["device_code"])) == "slow_down"
    assert [one for one in statements if not one.lstrip().startswith("SELECT")] == []
    with desk.app.app_context():
        waiting = db.session.scalars(
            select(DeviceRequest.interval).where(DeviceRequest.client_id == tv.client_id)
        ).one()
    assert waiting == 60
    decided(desk, told)
    assert polled(tv, told["device_code"]).status_code == 200


def test_a_no_is_told(desk: Desk, tv: RelyingParty):
    told = asked(tv)
    decided(desk, told, allow=False)
    assert error_of(polled(tv, told["device_code"])) == "access_denied"
    with desk.app.app_context():
        assert desk.services.device_codes.find(told["user_code"], desk.clock()) is None


def test_of_two_answers_the_first_counts(desk: Desk, tv: RelyingParty):
    told, live = asked(tv), ann(desk)
    with desk.app.app_context():
        waiting = desk.services.device_codes.find(told["user_code"], desk.clock())
        assert waiting is not None
        approval = desk.services.device_approval
        assert approval.deny(waiting, live, desk.context)
        assert not approval.allow(waiting, live, desk.context)
    assert error_of(polled(tv, told["device_code"])) == "access_denied"


@pytest.mark.parametrize("allowed", [False, True])
def test_its_time_runs_out(desk: Desk, tv: RelyingParty, allowed: bool):
    told = asked(tv)
    if allowed:
        decided(desk, told)
    desk.clock.advance(minutes=10)
    assert error_of(polled(tv, told["device_code"])) == "expired_token"
    with desk.app.app_context():
        assert desk.services.device_codes.find(told["user_code"], desk.clock()) is None


def test_a_second_use_ends_what_it_bought(desk: Desk, tv: RelyingParty):
    told = asked(tv)
    decided(desk, told)
    token = polled(tv, told["device_code"]).json()["access_token"]
    assert tv.userinfo(token)
    assert error_of(polled(tv, told["device_code"])) == "invalid_grant"
    bearer = {"Authorization": f"Bearer {token}"}
    assert desk.http.get("/oauth/userinfo", headers=bearer).status_code == 401
    assert desk.events("token.replayed")[-1].data["what"] == "device code"


def test_a_code_is_worth_nothing_to_another(desk: Desk, tv: RelyingParty):
    told, rival = asked(tv), desk.client(desk.new_name(), **TV)
    decided(desk, told)
    assert error_of(polled(rival, told["device_code"])) == "invalid_grant"
    assert error_of(polled(rival, "x" * 43)) == "invalid_grant"
    form = {"grant_type": "authorization_code", "code": told["device_code"]}
    shop = desk.client(desk.new_name())
    assert error_of(shop.post("/oauth/token", form)) == "invalid_grant"
    assert polled(tv, told["device_code"]).status_code == 200


def _disable_her(desk: Desk) -> None:
    db.session.get_one(User, "ann").disabled_at = desk.clock()


def _end_her_session(desk: Desk) -> None:
    end_all(user_id="ann", session_id="ann", context=desk.context)


@pytest.mark.parametrize("end", [_disable_her, _end_her_session])
def test_what_ended_before_it_was_fetched_is_over(desk: Desk, tv: RelyingParty, end: Any):
    told = asked(tv)
    decided(desk, told)
    with desk.rows():
        end(desk)
    assert error_of(polled(tv, told["device_code"])) == "invalid_grant"
    with desk.rows():
        db.session.get_one(User, "ann").disabled_at = None


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "a scope that is not registered": ({"scope": "openid account"}, "invalid_scope"),
    "no scope at all": ({"scope": 'open"id'}, "invalid_scope"),
    "an age that is none": ({"max_age": "soon"}, "invalid_request"),
    "an acr that nobody knows": (
        {"acr_values": "urn:nobody:knows"},
        "unmet_authentication_requirements",
    ),
    "a resource that is no address": ({"resource": "api"}, "invalid_target"),
    "an operation to confirm": ({"authorization_details": "[]"}, "invalid_request"),
    "a parameter twice": ({"scope": ["openid", "email"]}, "invalid_request"),
    "a parameter too long": ({"acr_values": "x" * 3000}, "invalid_request"),
}


@pytest.mark.parametrize(("form", "error"), BAD.values(), ids=BAD)
def test_a_bad_request_is_refused(tv: RelyingParty, form: dict[str, Any], error: str):
    assert error_of(tv.post("/oauth/device", {"scope": "openid", **form})) == error
    assert asked(tv)


def test_who_may_ask(desk: Desk):
    party = desk.client(desk.new_name())
    assert error_of(party.post("/oauth/device", {"scope": "openid"})) == "unauthorized_client"
    assert error_of(polled(party, "x")) == "unauthorized_client"
    party.client_secret = "wrong"
    assert party.post("/oauth/device", {"scope": "openid"}).status_code == 401
    nobody = desk.http.post("/oauth/device", data={"client_id": "nobody"})
    assert (nobody.status_code, nobody.json()["error"]) == (401, "invalid_client")


def test_what_it_asked_for_is_whom_the_token_is_for(desk: Desk, tv: RelyingParty):
    told = asked(tv, scope="email", resource=[API, f"{API}/v2"])
    decided(desk, told)
    refused = polled(tv, told["device_code"], resource="https://other.example")
    assert error_of(refused) == "invalid_target"
    body = polled(tv, told["device_code"], resource=API).json()
    assert payload_of(body["access_token"])["aud"] == API


def test_it_is_told(desk: Desk, tv: RelyingParty):
    told = asked(tv)
    decided(desk, told)
    (requested,) = [e for e in desk.events("device.requested") if e.client_id == tv.client_id]
    assert requested.user_id is None
    with desk.app.app_context():
        told_of_the_end = db.session.scalars(select(SessionClient.client_id)).all()
    assert tv.client_id in told_of_the_end
    (approved,) = [e for e in desk.events("device.approved") if e.client_id == tv.client_id]
    assert (approved.user_id, approved.session_id) == ("ann", "ann")
    assert (approved.data["acr"], approved.data["amr"]) == ("urn:idp:acr:1fa", ["pwd"])


# --- the code that is typed -----------------------------------------------------------------

TYPED = {
    "as it is shown": "WDJB-MJHT",
    "in small letters": "wdjb-mjht",
    "without the dash": "WDJBMJHT",
    "with blanks": "  WDJB MJHT ",
    "letter by letter": "w.d.j.b-m.j.h.t",
    "with another dash": "WDJB\u2013MJHT",
}


@pytest.mark.parametrize("typed", TYPED.values(), ids=TYPED)
def test_a_code_is_read_however_it_is_typed(typed: str):
    assert read_user_code(typed) == "WDJBMJHT"


@pytest.mark.parametrize("typed", ["", "WDJB", "WDJB-MJHTX", "AEIO-UAEI", "1234-5678", "W" * 50])
def test_what_is_no_code_is_none(typed: str):
    assert read_user_code(typed) is None


def test_codes_are_grouped_and_read_back():
    code = new_user_code()
    assert read_user_code(grouped(code)) == code


@given(st.text(max_size=60))
def test_whatever_is_typed_is_a_code_or_none(typed: str):
    read = read_user_code(typed)
    assert read is None or (len(read) == 8 and set(read) <= set(ALPHABET))
