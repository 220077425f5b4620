"""What a code buys over HTTP: the token response, the ID token, the access token, the refresh."""

import logging
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from sqlalchemy.exc import OperationalError

from idp.models import db
from idp.protocol.claims import ClaimsRequest
from tests.helpers.clock import FakeClock
from tests.helpers.relying_party import TokenRefused
from tests.oidc.desk import Desk, code_form, header_of, on_both, payload_of
from tests.services.statements import counted

ID_TOKEN_CLAIMS = {
    *("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "azp", "sid"),
    "at_hash",
}


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA", "PS256"])
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
def test_the_id_token_is_signed_as_the_client_registered(desk: Desk, algorithm: str):
    party = desk.client(id_token_signed_response_alg=algorithm)
    tokens = desk.tokens(party)
    assert header_of(tokens.id_token) == {
        "alg": algorithm,
        "kid": header_of(tokens.id_token)["kid"],
        "typ": "JWT",
    }


@on_both
def test_a_look_for_the_keys_comes_before_anything_is_used_up(desk: Desk, clock: FakeClock):
    """Where the database fails then, the same code is good for another try."""
    party = desk.client()
    code = desk.code(party)
    clock.advance(seconds=10)  # the keys were looked at longer ago than a process trusts
    with desk.app.app_context(), counted() as statements:
        assert party.token_request(**code_form(code)).is_success
    of_keys = [n for n, one in enumerate(statements) if "FROM signing_keys" in one]
    (claim,) = [n for n, one in enumerate(statements) if "UPDATE grants" in one]
    assert len(of_keys) == 1
    assert of_keys[0] < claim


def test_a_client_that_registers_nothing_gets_rs256(desk: Desk):
    assert header_of(desk.tokens(desk.client()).id_token)["alg"] == "RS256"


@on_both
def test_the_id_token_says_this_and_nothing_else(desk: Desk, clock: FakeClock):
    party = desk.client()
    code = desk.code(party, scope=("openid", "profile", "email"), nonce="n-7")
    proved_at = int(clock().timestamp())
    clock.advance(seconds=20)
    response = party.token_request(**code_form(code)).json()
    claims = payload_of(response["id_token"])
    assert claims.keys() == ID_TOKEN_CLAIMS
    assert claims["iss"] == "https://id.example.com"
    assert claims["sub"] == "ann"
    assert (claims["aud"], claims["azp"]) == ("shop", "shop")
    assert claims["nonce"] == "n-7"
    assert claims["auth_time"] == proved_at
    assert claims["iat"] == proved_at + 20
    assert claims["exp"] == proved_at + 20 + 600
    assert claims["acr"] == "urn:idp:acr:mfa"
    assert claims["amr"] == ["pwd", "otp", "mfa"]
    assert claims["sid"] == "ann"


def test_without_a_nonce_there_is_none(desk: Desk):
    assert "nonce" not in desk.tokens(desk.client(), nonce=None).claims


def test_claims_asked_for_by_name_are_in_the_id_token(desk: Desk):
    asked = (
        '{"id_token": {"email": {"essential": true}, "nickname": null, "acr": null, "iss": null}}'
    )
    claims = desk.tokens(desk.client(), claims=ClaimsRequest.parse(asked)).claims
    assert claims["email"] == "ann@example.com"
    assert claims.keys() == {*ID_TOKEN_CLAIMS, "email"}
    assert claims["iss"] == "https://id.example.com"


def test_without_openid_there_is_no_id_token(desk: Desk):
    party = desk.client()
    response = party.token_request(**code_form(desk.code(party, scope=("email",)))).json()
    assert response.keys() == {"access_token", "token_type", "expires_in", "scope"}


def test_the_token_response_is_not_to_be_stored(desk: Desk):
    party = desk.client()
    response = party.token_request(**code_form(desk.code(party)))
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Pragma"] == "no-cache"
    assert response.headers["Content-Type"] == "application/json"
    body = response.json()
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 600, "openid")


def test_a_jwt_access_token_is_as_rfc_9068_says(desk: Desk, clock: FakeClock):
    tokens = desk.tokens(desk.client())
    keys = KeySet.import_key_set(desk.http.get("/oauth/jwks").json())
    verified = jwt.decode(tokens.access_token, keys, algorithms=["ES256"])
    assert verified.header["typ"] == "at+jwt"
    now = int(clock().timestamp())
    assert verified.claims == {
        "iss": "https://id.example.com",
        "sub": "ann",
        "aud": "https://id.example.com",
        "client_id": "shop",
        "scope": "openid",
        "iat": now,
        "exp": now + 600,
        "jti": verified.claims["jti"],
        "auth_time": now,
        "acr": "urn:idp:acr:mfa",
        "amr": ["pwd", "otp", "mfa"],
    }


def test_a_resource_asked_for_is_whom_the_token_is_for(desk: Desk):
    tokens = desk.tokens(desk.client(), resource=("https://api.example.com",))
    assert payload_of(tokens.access_token)["aud"] == [
        "https://api.example.com",
        "https://id.example.com",
    ]


@on_both
def test_an_opaque_access_token_says_nothing(desk: Desk):
    party = desk.client(access_token_format="opaque")
    tokens = desk.tokens(party)
    assert len(tokens.access_token) == 53
    assert party.userinfo(tokens.access_token)["sub"] == "ann"


@on_both
@pytest.mark.parametrize("access_token_format", ["jwt", "opaque"])
def test_a_code_used_twice_takes_its_access_token_along(desk: Desk, access_token_format: str):
    party = desk.client(access_token_format=access_token_format)
    code = desk.code(party)
    token = party.token_request(**code_form(code)).json()["access_token"]
    assert party.userinfo(token)
    again = party.token_request(**code_form(code))
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    with pytest.raises(TokenRefused) as refused:
        party.userinfo(token)
    assert refused.value.response.status_code == 401
    assert len(desk.events("token.replayed")) == 1


@on_both
def test_a_disabled_person_gets_nothing(desk: Desk):
    party = desk.client()
    code = desk.code(party)
    desk.disable_person()
    response = party.token_request(**code_form(code))
    assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")


# --- refresh -------------------------------------------------------------------------------

OFFLINE = ("openid", "offline_access")


@on_both
def test_a_refresh_repeats_everything_but_the_nonce(desk: Desk, clock: FakeClock):
    party = desk.client()
    tokens = desk.tokens(party, scope=OFFLINE)
    clock.advance(hours=3)
    refreshed = party.refresh(tokens)
    assert "nonce" not in refreshed.claims
    assert refreshed.claims["auth_time"] == tokens.claims["auth_time"]
    assert refreshed.claims["iat"] == tokens.claims["iat"] + 3 * 3600
    access = payload_of(refreshed.access_token)
    assert access["auth_time"] == tokens.claims["auth_time"]
    assert access["acr"] == "urn:idp:acr:mfa"
    assert party.userinfo(refreshed.access_token)


@on_both
def test_a_refresh_may_ask_for_less(desk: Desk):
    party = desk.client()
    tokens = desk.tokens(party, scope=("openid", "email", "offline_access"))
    refreshed = party.refresh(tokens, scope="openid")
    assert refreshed.raw["scope"] == "openid"
    assert "email" not in party.userinfo(refreshed.access_token)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        pytest.param({"scope": "openid phone"}, "invalid_scope", id="more than was granted"),
        pytest.param({"scope": 'open"id'}, "invalid_scope", id="no scope at all"),
        pytest.param({"refresh_token": "nonsense"}, "invalid_grant", id="unknown"),
        pytest.param({"refresh_token": ""}, "invalid_request", id="missing"),
    ],
)
def test_a_bad_refresh_is_refused(desk: Desk, changes: dict[str, str], error: str):
    party = desk.client()
    tokens = desk.tokens(party, scope=OFFLINE)
    form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}
    response = party.token_request(**{**form, **changes})
    assert (response.status_code, response.json()["error"]) == (400, error)
    assert party.refresh(tokens)


@on_both
def test_another_clients_refresh_token_is_refused(desk: Desk):
    shop, rival = desk.client("shop"), desk.client("rival")
    tokens = desk.tokens(shop, scope=OFFLINE)
    form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}
    response = rival.token_request(**form)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")
    assert shop.refresh(tokens)


# --- the price, and what must not happen ----------------------------------------------------


@on_both
def test_a_redemption_is_one_statement(desk: Desk):
    party = desk.client()
    desk.tokens(party)
    code = desk.code(party)
    with desk.app.app_context(), counted() as statements:
        assert party.token_request(**code_form(code)).status_code == 200
    assert len(statements) == 1, statements


@on_both
def test_a_userinfo_answer_is_one_statement(desk: Desk):
    party = desk.client()
    tokens = desk.tokens(party)
    party.userinfo(tokens.access_token)
    with desk.app.app_context(), counted() as statements:
        party.userinfo(tokens.access_token)
    assert len(statements) == 1, statements


@on_both
def test_a_refresh_is_one_statement_or_three_where_one_cannot_write_twice(
    desk: Desk,
):
    party = desk.client()
    tokens = party.refresh(desk.tokens(party, scope=("openid", "offline_access")))
    with desk.app.app_context(), counted() as statements:
        party.refresh(tokens)
        name = db.engine.dialect.name
    assert len(statements) == {"postgresql": 1, "sqlite": 3}[name], statements


@on_both
def test_a_storage_error_is_a_503_and_leaves_the_code_as_it_was(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    party = desk.client()
    code = desk.code(party)

    def fail(*_: Any) -> None:
        raise OperationalError("COMMIT", {}, Exception("cut"))

    with monkeypatch.context() as cut:
        cut.setattr(db.session, "commit", fail)
        assert party.token_request(**code_form(code)).status_code == 503
    assert party.token_request(**code_form(code)).status_code == 200


def test_no_token_and_no_secret_reaches_a_log(desk: Desk, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("sqlalchemy").setLevel(logging.WARNING)
    party = desk.client()
    code = desk.code(party, scope=OFFLINE)
    response = party.token_request(**code_form(code))
    secrets = [code, party.client_secret, *response.json().values()]
    written = caplog.text
    for secret in secrets:
        if isinstance(secret, str) and len(secret) > 20:
            assert secret not in written


@on_both
def test_where_no_scope_was_asked_for_none_is_told(desk: Desk):
    """RFC 6749 section 3.3: there is no empty one."""
    party = desk.client()
    answer = party.token_request(**code_form(desk.code(party, scope=()))).json()
    token = answer["access_token"]
    assert "scope" not in answer
    assert "scope" not in payload_of(token)
    told = party.post(party.metadata["introspection_endpoint"], {"token": token}).json()
    assert told["active"]
    assert "scope" not in told
    refused = party.http.get("/oauth/userinfo", headers={"Authorization": f"Bearer {token}"})
    assert refused.status_code == 403
