"""DPoP over HTTP: what is bound, to which key, and who may use it afterwards (RFC 9449)."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet

from idp.config import load_settings
from idp.models import db
from idp.services.dpop import ALGORITHMS
from tests.helpers.clock import FakeClock
from tests.helpers.databases import Databases
from tests.helpers.dpop import Prover
from tests.helpers.relying_party import RelyingParty, TokenRefused, Tokens
from tests.oidc.desk import Desk, Keys, code_form, header_of, payload_of

ISSUER = "https://id.example.com"
TOKEN, USERINFO, SESSIONS = "/oauth/token", "/oauth/userinfo", "/api/v1/me/sessions"
OFFLINE = ("openid", "offline_access")


def make_desk(url: str, keys: Keys, **settings: Any) -> Desk:
    loaded = load_settings(
        environ={},
        issuer=ISSUER,
        keys=[Fernet.generate_key().decode()],
        database_url=url,
        **settings,
    )
    return Desk(loaded, FakeClock(), keys)


@pytest.fixture(scope="module")
def desk(databases: Databases, made_keys: Keys) -> Iterator[Desk]:
    with databases.fresh("sqlite") as url:
        made = make_desk(url, made_keys)
        yield made
        with made.app.app_context():
            db.engine.dispose()


@pytest.fixture
def prover(desk: Desk) -> Prover:
    return Prover(ISSUER, desk.clock)


_number = iter(range(1000))


def party(desk: Desk, prover: Prover | None = None, **members: Any) -> RelyingParty:
    made = desk.client(f"client-{next(_number)}", **members)
    made.prover = prover
    return made


def error_of(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]


def redeem(desk: Desk, made: RelyingParty, **code: Any) -> httpx.Response:
    return made.token_request(**code_form(desk.code(made, **code)))


def get(desk: Desk, path: str, headers: dict[str, str]) -> httpx.Response:
    return desk.http.get(path, headers=headers)


def test_it_is_advertised(desk: Desk):
    document = desk.http.get("/.well-known/openid-configuration").json()
    assert document["dpop_signing_alg_values_supported"] == list(ALGORITHMS)


# --- at the token endpoint --------------------------------------------------------------------


@pytest.mark.parametrize("access_token_format", ["jwt", "opaque"])
def test_a_proof_binds_the_access_token(desk: Desk, prover: Prover, access_token_format: str):
    made = party(desk, prover, access_token_format=access_token_format)
    tokens = desk.tokens(made)
    assert tokens.raw["token_type"] == "DPoP"
    if access_token_format == "jwt":
        assert payload_of(tokens.access_token)["cnf"] == {"jkt": prover.jkt}
    made.prover = None
    told = made.post(f"{ISSUER}/oauth/introspect", {"token": tokens.access_token}).json()
    assert (told["token_type"], told["cnf"]) == ("DPoP", {"jkt": prover.jkt})
    made.prover = prover
    assert made.userinfo(tokens.access_token)["sub"] == "ann"


def test_without_a_proof_it_is_a_bearer_token(desk: Desk):
    made = party(desk)
    tokens = desk.tokens(made)
    assert tokens.raw["token_type"] == "Bearer"
    assert "cnf" not in payload_of(tokens.access_token)
    told = made.post(f"{ISSUER}/oauth/introspect", {"token": tokens.access_token}).json()
    assert told["token_type"] == "Bearer"
    assert "cnf" not in told


def test_a_client_that_must_prove_gets_nothing_without(desk: Desk, prover: Prover):
    made = party(desk, dpop_bound_access_tokens=True)
    code = desk.code(made)
    assert error_of(made.token_request(**code_form(code))) == (400, "invalid_dpop_proof")
    assert len(desk.events("binding.refused")) > 0
    made.prover = prover
    assert made.token_request(**code_form(code)).status_code == 200


@pytest.mark.parametrize("response_type", ["code token", "code id_token token", "id_token token"])
def test_such_a_client_cannot_have_a_token_from_a_redirect(desk: Desk, response_type: str):
    with pytest.raises(Exception, match="must not have token"):
        desk.client(
            "x",
            response_types=[response_type],
            grant_types=["authorization_code", "implicit"],
            dpop_bound_access_tokens=True,
        )


def test_a_proof_that_does_not_hold_leaves_the_code_as_it_was(desk: Desk, prover: Prover):
    made = party(desk, Prover("https://elsewhere.example", desk.clock))
    code = desk.code(made)
    refused = made.token_request(**code_form(code))
    assert error_of(refused) == (400, "invalid_dpop_proof")
    assert "WWW-Authenticate" not in refused.headers
    made.prover = prover
    assert made.token_request(**code_form(code)).status_code == 200


def test_two_headers_are_refused(desk: Desk, prover: Prover):
    # Not by httpx, which would send one of them.
    made = party(desk, token_endpoint_auth_method="none")
    form = code_form(desk.code(made), client_id=made.client_id)
    proofs = [("DPoP", prover.proof("POST", TOKEN)) for _ in range(2)]
    client = desk.app.test_client()
    twice = client.post(TOKEN, data=form, headers=proofs, base_url=ISSUER)
    assert (twice.status_code, twice.get_json()["error"]) == (400, "invalid_dpop_proof")
    once = client.post(TOKEN, data=form, headers=proofs[:1], base_url=ISSUER)
    assert once.status_code == 200


def test_the_host_header_is_nobody(desk: Desk):
    made = party(desk, token_endpoint_auth_method="none")
    form = code_form(desk.code(made), client_id=made.client_id)
    evil = Prover("https://evil.example", desk.clock)
    answer = desk.post(
        TOKEN, form, headers={"DPoP": evil.proof("POST", TOKEN), "Host": "evil.example"}
    )
    assert error_of(answer) == (400, "invalid_dpop_proof")
    honest = Prover(ISSUER, desk.clock).proof("POST", TOKEN)
    assert desk.post(TOKEN, form, headers={"DPoP": honest, "Host": "evil.example"}).is_success


def test_a_proof_works_once(desk: Desk, prover: Prover):
    made = party(desk)
    proof = {"DPoP": prover.proof("POST", TOKEN)}
    auth = httpx.BasicAuth(made.client_id, str(made.client_secret))
    first = desk.post(TOKEN, code_form(desk.code(made)), headers=proof, auth=auth)
    assert first.status_code == 200
    code = desk.code(made)
    again = desk.post(TOKEN, code_form(code), headers=proof, auth=auth)
    assert error_of(again) == (400, "invalid_dpop_proof")
    assert [one.client_id for one in desk.events("dpop.replayed")].count(made.client_id) == 1
    assert made.token_request(**code_form(code)).status_code == 200


def test_the_jti_of_one_key_is_not_that_of_another(desk: Desk, prover: Prover):
    made = party(desk)
    auth = httpx.BasicAuth(made.client_id, str(made.client_secret))
    for key in (prover, Prover(ISSUER, desk.clock)):
        proof = {"DPoP": key.proof("POST", TOKEN, jti="the same")}
        answer = desk.post(TOKEN, code_form(desk.code(made)), headers=proof, auth=auth)
        assert answer.status_code == 200


def test_an_unauthenticated_client_uses_no_proof_up(desk: Desk, prover: Prover):
    made = party(desk)
    proof = {"DPoP": prover.proof("POST", TOKEN)}
    form = code_form(desk.code(made))
    wrong = httpx.BasicAuth(made.client_id, "x" * 43)
    assert desk.post(TOKEN, form, headers=proof, auth=wrong).status_code == 401
    right = httpx.BasicAuth(made.client_id, str(made.client_secret))
    assert desk.post(TOKEN, form, headers=proof, auth=right).status_code == 200


# --- the code, bound before it is redeemed ----------------------------------------------------


def test_a_code_asked_for_with_a_key_is_for_that_key(desk: Desk, prover: Prover):
    made = party(desk, prover)
    code = desk.code(made, dpop_jkt=prover.jkt)
    made.prover = Prover(ISSUER, desk.clock)
    assert error_of(made.token_request(**code_form(code))) == (400, "invalid_grant")
    made.prover = None
    assert error_of(made.token_request(**code_form(code))) == (400, "invalid_grant")
    assert desk.events("code.refused")[-1].data["reason"] == "dpop_jkt"
    made.prover = prover
    assert made.token_request(**code_form(code)).status_code == 200


# --- refresh ----------------------------------------------------------------------------------


def test_a_public_clients_refresh_token_is_for_its_key(desk: Desk, prover: Prover):
    made = party(desk, prover, token_endpoint_auth_method="none")
    tokens = desk.tokens(made, scope=OFFLINE)
    form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}
    made.prover = Prover(ISSUER, desk.clock)
    assert error_of(made.token_request(**form)) == (400, "invalid_grant")
    made.prover = None
    assert error_of(made.token_request(**form)) == (400, "invalid_grant")
    assert desk.events("token.refused")[-1].data["reason"] == "of another key"
    made.prover = prover
    again = made.refresh(tokens)
    assert payload_of(again.access_token)["cnf"] == {"jkt": prover.jkt}
    assert made.refresh(again).raw["token_type"] == "DPoP"


def test_one_that_authenticates_may_change_its_key(desk: Desk, prover: Prover):
    made = party(desk, prover)
    tokens = desk.tokens(made, scope=OFFLINE)
    made.prover = Prover(ISSUER, desk.clock)
    again = made.refresh(tokens)
    assert payload_of(again.access_token)["cnf"] == {"jkt": made.prover.jkt}


# --- at our resources -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def holder(desk: Desk) -> tuple[Prover, Tokens]:
    prover = Prover(ISSUER, desk.clock)
    made = party(desk, prover, scope="openid account")
    return prover, desk.tokens(made, scope=("openid", "account"))


RESOURCES = pytest.mark.parametrize("path", [USERINFO, SESSIONS])


@RESOURCES
@pytest.mark.parametrize("scheme", ["DPoP", "dpop", "dPOP"])
def test_whoever_has_the_key_is_let_in(
    desk: Desk, holder: tuple[Prover, Tokens], path: str, scheme: str
):
    prover, tokens = holder
    headers = prover.headers(tokens.access_token, "GET", path)
    headers["Authorization"] = f"{scheme} {tokens.access_token}"
    assert get(desk, path, headers).status_code == 200


def bent(prover: Prover, token: str, path: str, **changes: Any) -> dict[str, str]:
    return prover.headers(token, "GET", path, **changes)


@RESOURCES
@pytest.mark.parametrize(
    ("change", "error"),
    [
        pytest.param({"htm": "POST"}, "invalid_dpop_proof", id="another method"),
        pytest.param({"htu": f"{ISSUER}/other"}, "invalid_dpop_proof", id="another address"),
        pytest.param({"ath": "x" * 43}, "invalid_dpop_proof", id="another token"),
        pytest.param({"iat": 1}, "invalid_dpop_proof", id="long ago"),
        pytest.param({"header": {"typ": "JWT"}}, "invalid_dpop_proof", id="another type"),
    ],
)
def test_a_proof_that_does_not_hold_is_refused(
    desk: Desk, holder: tuple[Prover, Tokens], path: str, change: dict[str, Any], error: str
):
    prover, tokens = holder
    answer = get(desk, path, bent(prover, tokens.access_token, path, **change))
    assert error_of(answer) == (401, error)
    challenge = answer.headers["WWW-Authenticate"]
    assert challenge.startswith("DPoP realm=")
    assert f'error="{error}"' in challenge
    assert f'algs="{" ".join(ALGORITHMS)}"' in challenge


@RESOURCES
def test_another_key_is_refused(desk: Desk, holder: tuple[Prover, Tokens], path: str):
    _, tokens = holder
    thief = Prover(ISSUER, desk.clock)
    answer = get(desk, path, thief.headers(tokens.access_token, "GET", path))
    assert error_of(answer) == (401, "invalid_token")
    assert desk.events("token.refused")[-1].data["reason"] == "of another key"


@RESOURCES
def test_no_proof_is_refused(desk: Desk, holder: tuple[Prover, Tokens], path: str):
    _, tokens = holder
    answer = get(desk, path, {"Authorization": f"DPoP {tokens.access_token}"})
    assert error_of(answer) == (401, "invalid_dpop_proof")


@RESOURCES
@pytest.mark.parametrize("with_proof", [True, False], ids=["with a proof", "without"])
def test_a_bound_token_is_no_bearer_token(
    desk: Desk, holder: tuple[Prover, Tokens], path: str, with_proof: bool
):
    prover, tokens = holder
    headers = prover.headers(tokens.access_token, "GET", path) if with_proof else {}
    headers["Authorization"] = f"Bearer {tokens.access_token}"
    answer = get(desk, path, headers)
    assert error_of(answer) == (401, "invalid_token")
    bearer, dpop = answer.headers.get_list("WWW-Authenticate")
    assert bearer.startswith("Bearer ")
    assert "bound to a key: send it by the scheme DPoP, with a proof." in bearer
    assert dpop.startswith("DPoP ")


def test_nor_in_a_form(desk: Desk, holder: tuple[Prover, Tokens]):
    _, tokens = holder
    answer = desk.post(USERINFO, {"access_token": tokens.access_token})
    assert error_of(answer) == (401, "invalid_token")


@RESOURCES
def test_a_bearer_token_is_no_bound_one(desk: Desk, prover: Prover, path: str):
    made = party(desk, scope="openid account")
    tokens = desk.tokens(made, scope=("openid", "account"))
    answer = get(desk, path, prover.headers(tokens.access_token, "GET", path))
    assert error_of(answer) == (401, "invalid_token")
    assert get(desk, path, {"Authorization": f"Bearer {tokens.access_token}"}).is_success


@RESOURCES
def test_a_proof_works_once_here_too(desk: Desk, holder: tuple[Prover, Tokens], path: str):
    prover, tokens = holder
    headers = prover.headers(tokens.access_token, "GET", path)
    assert get(desk, path, headers).status_code == 200
    assert error_of(get(desk, path, headers)) == (401, "invalid_dpop_proof")


def test_a_token_that_we_could_not_check_is_refused(desk: Desk):
    """``cnf`` with a member of tomorrow: not a bearer token, whoever bears it."""
    tokens = desk.tokens(party(desk))
    claims = {**payload_of(tokens.access_token), "cnf": {"x5u": "https://a.example"}}
    with desk.app.app_context():
        forged = desk.services.keys.sign(
            claims, algorithm="ES256", now=desk.clock(), typ=header_of(tokens.access_token)["typ"]
        )
        del claims["cnf"]
        same = desk.services.keys.sign(claims, algorithm="ES256", now=desk.clock(), typ="at+jwt")
    assert get(desk, USERINFO, {"Authorization": f"Bearer {same}"}).status_code == 200
    answer = get(desk, USERINFO, {"Authorization": f"Bearer {forged}"})
    assert error_of(answer) == (401, "invalid_token")


# --- nonces -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def strict(databases: Databases, made_keys: Keys) -> Iterator[Desk]:
    with databases.fresh("sqlite") as url:
        made = make_desk(url, made_keys, dpop_nonces=True)
        yield made
        with made.app.app_context():
            db.engine.dispose()


def test_a_nonce_is_asked_for_and_offered_with_each_answer(strict: Desk):
    prover = Prover(ISSUER, strict.clock)
    made = party(strict, prover)
    code = strict.code(made)
    asked = made.token_request(**code_form(code))
    assert error_of(asked) == (400, "use_dpop_nonce")
    assert "DPoP-Nonce" in asked.headers["Access-Control-Expose-Headers"]
    prover.nonce = asked.headers["DPoP-Nonce"]
    answer = made.token_request(**code_form(code))
    assert answer.status_code == 200
    assert answer.headers["DPoP-Nonce"]
    prover.nonce = None
    token = answer.json()["access_token"]
    for path in (USERINFO, SESSIONS):
        refused = get(strict, path, prover.headers(token, "GET", path))
        if path == USERINFO:
            assert error_of(refused) == (401, "use_dpop_nonce")
            assert 'error="use_dpop_nonce"' in refused.headers["WWW-Authenticate"]
        assert refused.headers["DPoP-Nonce"] == answer.headers["DPoP-Nonce"]
    prover.nonce = answer.headers["DPoP-Nonce"]
    assert made.userinfo(token)["sub"] == "ann"


def test_whoever_sends_no_proof_is_bothered_with_none(strict: Desk):
    made = party(strict)
    answer = made.token_request(**code_form(strict.code(made)))
    assert answer.status_code == 200
    assert "DPoP-Nonce" not in answer.headers


def test_a_bad_nonce_is_told_apart_from_nothing_in_the_audit_log(strict: Desk):
    """It is how a nonce is asked for, and so no refusal to keep."""
    made = party(strict, Prover(ISSUER, strict.clock))
    assert redeem(strict, made).status_code == 400
    assert not [one for one in strict.events("binding.refused") if one.client_id == made.client_id]
    pushed = made.post(f"{ISSUER}/oauth/par", made.authorization_parameters())
    assert error_of(pushed) == (400, "use_dpop_nonce")
    kept = strict.events("authorization.refused")
    assert not [one for one in kept if one.client_id == made.client_id]


def test_where_none_is_wanted_none_is_offered(desk: Desk, prover: Prover):
    made = party(desk, prover)
    assert "DPoP-Nonce" not in redeem(desk, made).headers


def test_a_refused_userinfo_raises_for_the_helper(desk: Desk, holder: tuple[Prover, Tokens]):
    """The positive control of ``userinfo`` in the other tests."""
    _, tokens = holder
    made = party(desk, Prover(ISSUER, desk.clock))
    with pytest.raises(TokenRefused):
        made.userinfo(tokens.access_token)
