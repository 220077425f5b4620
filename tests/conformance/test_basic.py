"""OP Basic: the code flow, in the suite's own order. An "oidcc-" is left out of the names."""

import base64
import json
from urllib.parse import urlsplit

import httpx
import pytest

from tests.conformance.conftest import ALL_SCOPES, SignIn
from tests.helpers.house import CALLBACK, House, Person
from tests.helpers.relying_party import AuthorizationFailed, RelyingParty, TokenRefused
from tests.helpers.sign_in import sign_in
from tests.helpers.signed_requests import unsigned
from tests.helpers.user_agent import Departure, Page, UserAgent
from tests.oidc.desk import header_of, payload_of
from tests.web.walking import gone, shown

ID_TOKEN = {
    *("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "azp"),
    *("at_hash", "c_hash", "nbf", "jti", "sid", "txn"),
}
"""What the suite allows in an ID token that comes beside an access token."""

ERROR = {"error", "error_description", "error_uri", "state", "session_state", "iss"}
"""And in an error that travels to the client."""

SCOPES = {
    "profile": {
        *("name", "family_name", "given_name", "middle_name", "nickname", "preferred_username"),
        *("profile", "picture", "website", "gender", "birthdate", "zoneinfo", "locale"),
        "updated_at",
    },
    "email": {"email", "email_verified"},
    "address": {"address"},
    "phone": {"phone_number", "phone_number_verified"},
}


def error_of(departure: Departure) -> dict[str, str]:
    told = departure.parameters
    assert told.keys() <= ERROR
    return told


def test_server(rp: RelyingParty, log_in: SignIn) -> None:
    departure = log_in(rp)
    assert urlsplit(departure.url).fragment == ""
    code = departure.parameters["code"]
    assert len(base64.urlsafe_b64decode(code[10:] + "=")) >= 16  # 128 bits, beside its time
    tokens = rp.finish(departure)
    assert tokens.raw["token_type"] == "Bearer"
    assert tokens.raw["expires_in"] > 0
    assert tokens.claims.keys() <= ID_TOKEN


@pytest.mark.parametrize("mode", [None, "form_post"])
def test_response_type_missing(rp: RelyingParty, agent: UserAgent, mode: str | None) -> None:
    place = gone(agent.get(rp.authorization_url(response_type=None, response_mode=mode)))
    assert error_of(place)["error"] == "invalid_request"
    assert (place.form is not None) == (mode == "form_post")
    assert urlsplit(place.url).fragment == ""


def test_idtoken_signature(rp: RelyingParty, log_in: SignIn) -> None:
    header = header_of(rp.finish(log_in(rp)).id_token)
    assert header["alg"] == "RS256"
    assert header["kid"] in {key["kid"] for key in rp.http.get("/oauth/jwks").json()["keys"]}


@pytest.mark.parametrize("how", ["get", "post-header", "post-body"])
def test_userinfo(rp: RelyingParty, log_in: SignIn, alice: Person, how: str) -> None:
    token = rp.finish(log_in(rp)).access_token
    bearer = {"Authorization": f"Bearer {token}"}
    answer = {
        "get": lambda: rp.http.get("/oauth/userinfo", headers=bearer),
        "post-header": lambda: rp.http.post("/oauth/userinfo", headers=bearer),
        "post-body": lambda: rp.http.post("/oauth/userinfo", data={"access_token": token}),
    }[how]()
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["sub"] == alice.id


def test_ensure_request_without_nonce_succeeds_for_code_flow(
    rp: RelyingParty, log_in: SignIn
) -> None:
    assert "nonce" not in rp.finish(log_in(rp, nonce=None)).claims


@pytest.mark.parametrize("scope", [*SCOPES, "all"])
def test_scope(rp: RelyingParty, log_in: SignIn, scope: str) -> None:
    wanted = ALL_SCOPES if scope == "all" else f"openid {scope}"
    tokens = rp.finish(log_in(rp, scope=wanted))
    told = rp.userinfo(tokens.access_token)
    expected = {name for key, names in SCOPES.items() if scope in (key, "all") for name in names}
    assert told.keys() == {"sub", *expected}
    assert all(value not in ("", None) for value in told.values())
    assert tokens.claims.keys() <= ID_TOKEN


ODD = {
    "ensure-other-scope-order-succeeds": {"scope": "email openid"},
    "display-page": {"display": "page"},
    "display-popup": {"display": "popup"},
    "login-hint": {"login_hint": "bob@example.com"},
    "ui-locales": {"ui_locales": "se"},
    "claims-locales": {"claims_locales": "se"},
    "ensure-request-with-unknown-parameter-succeeds": {"extra": "foobar"},
    "ensure-request-with-valid-pkce-succeeds": {},
    "ensure-request-with-acr-values-succeeds": {"acr_values": "1 2 urn:idp:acr:1fa"},
}


@pytest.mark.parametrize("changes", ODD.values(), ids=ODD)
def test_succeeds(rp: RelyingParty, log_in: SignIn, changes: dict[str, str]) -> None:
    assert rp.finish(log_in(rp, **changes)).claims["sub"]


def test_alternate_happy_flow(rp: RelyingParty, log_in: SignIn) -> None:
    parameters = rp.authorization_parameters(scope="phone openid", display="page")
    turned = dict(reversed(parameters.items()))
    answer = rp.http.get("/oauth/authorize", params=turned)
    assert answer.headers["Location"].startswith("/login/")


def test_prompt_login(op: House, rp: RelyingParty, log_in: SignIn, agent: UserAgent) -> None:
    first = rp.finish(log_in(rp, agent)).claims
    op.clock.advance(seconds=2)
    assert agent.page(rp.authorization_url(prompt="login")).form("/password")
    second = rp.finish(log_in(rp, agent, prompt="login")).claims
    assert second["auth_time"] > first["auth_time"]
    assert second["sub"] == first["sub"]


def test_prompt_none_not_logged_in(rp: RelyingParty, agent: UserAgent) -> None:
    state = "s" * 128
    told = error_of(gone(agent.get(rp.authorization_url(prompt="none", state=state))))
    assert told["error"] == "login_required"
    assert told["state"] == state


@pytest.mark.parametrize("hinted", [False, True], ids=["prompt-none-logged-in", "id-token-hint"])
def test_silent(rp: RelyingParty, log_in: SignIn, agent: UserAgent, hinted: bool) -> None:
    first = rp.finish(log_in(rp, agent))
    changes = {"id_token_hint": first.id_token} if hinted else {}
    # Consent was given once, and is remembered: no page is shown.
    second = rp.finish(gone(agent.get(rp.authorization_url(prompt="none", **changes))))
    for claim in ("sub", "auth_time"):
        assert second.claims[claim] == first.claims[claim]


@pytest.mark.parametrize(("age", "again"), [(1, True), (10000, False)])
def test_max_age(
    op: House, rp: RelyingParty, log_in: SignIn, agent: UserAgent, age: int, again: bool
) -> None:
    first = rp.finish(log_in(rp, agent, max_age=age)).claims
    op.clock.advance(seconds=3)
    place = agent.get(rp.authorization_url(max_age=age))
    assert isinstance(place, Page) == again
    second = rp.finish(log_in(rp, agent, max_age=age)).claims
    assert (second["auth_time"] > first["auth_time"]) == again


def test_acr_values(rp: RelyingParty, log_in: SignIn) -> None:
    supported = rp.metadata["acr_values_supported"]
    claims = rp.finish(log_in(rp, acr_values=list(reversed(supported)))).claims
    assert claims["acr"] in supported


@pytest.mark.parametrize("later", [0, 30], ids=["codereuse", "codereuse-30seconds"])
def test_codereuse(op: House, rp: RelyingParty, log_in: SignIn, later: int) -> None:
    code, pending = rp.authorization_code(log_in(rp))
    tokens = rp.exchange(code, pending)
    assert rp.userinfo(tokens.access_token)["sub"]
    op.clock.advance(seconds=later)
    with pytest.raises(TokenRefused) as refused:
        rp.exchange(code, pending)
    assert (refused.value.response.status_code, refused.value.error) == (400, "invalid_grant")
    with pytest.raises(TokenRefused) as dead:
        rp.userinfo(tokens.access_token)
    assert dead.value.response.status_code == 401


def test_ensure_registered_redirect_uri(rp: RelyingParty, agent: UserAgent) -> None:
    page = shown(agent.get(rp.authorization_url(redirect_uri=f"{CALLBACK}/more")))
    assert page.status == 400
    assert isinstance(agent.get(rp.authorization_url()), Page)  # and the honest one goes on


def test_ensure_post_request_succeeds(rp: RelyingParty, agent: UserAgent) -> None:
    answer = agent.client.post("/oauth/authorize", data=rp.authorization_parameters())
    assert answer.headers["Location"].startswith("/login/")


class TestRequestObjects:
    """The suite's trio: unsigned objects are processed in full, or said to be unsupported."""

    @pytest.fixture(scope="class")
    @staticmethod
    def unsigning(op: House) -> RelyingParty:
        return op.client(
            request_object_signing_alg="none", redirect_uris=[CALLBACK, f"{CALLBACK}/inner"]
        )

    def asked(self, client: RelyingParty, inside: dict[str, str], **beside: str) -> str:
        outside = {"client_id": client.client_id, "response_type": "code", "scope": "openid"}
        request = unsigned({**inside, "iss": client.client_id, "aud": client.issuer})
        return f"/oauth/authorize?{httpx.QueryParams({**outside, **beside, 'request': request})}"

    def test_unsigned_request_object_is_processed(
        self, unsigning: RelyingParty, agent: UserAgent, alice: Person
    ) -> None:
        """``state`` and ``nonce`` stand inside alone."""
        outside = unsigning.authorization_parameters()
        inside = {name: outside.pop(name) for name in ("state", "nonce")}
        url = self.asked(unsigning, inside, **outside)
        departure = sign_in(agent, url, username=alice.email, password=alice.password)
        assert unsigning.finish(departure).claims["nonce"] == inside["nonce"]

    def test_unsigned_request_object_is_rejected_as_unsupported(
        self, rp: RelyingParty, agent: UserAgent
    ) -> None:
        url = self.asked(rp, {}, redirect_uri=CALLBACK, state="s")
        assert error_of(gone(agent.get(url)))["error"] == "request_not_supported"

    def test_ensure_request_object_with_redirect_uri(
        self, unsigning: RelyingParty, agent: UserAgent, alice: Person
    ) -> None:
        inside = unsigning.authorization_parameters(redirect_uri=f"{CALLBACK}/inner")
        url = self.asked(unsigning, inside, redirect_uri=CALLBACK)
        departure = sign_in(agent, url, username=alice.email, password=alice.password)
        assert departure.url.startswith(f"{CALLBACK}/inner?")
        assert unsigning.finish(departure).claims["sub"] == alice.id

    def test_discovery_says_so(self, rp: RelyingParty) -> None:
        assert rp.metadata["request_parameter_supported"] is True
        assert rp.metadata["request_uri_parameter_supported"] is True
        assert rp.metadata["require_request_uri_registration"] is True
        algorithms = rp.metadata["request_object_signing_alg_values_supported"]
        assert {"none", "RS256", "ES256", "PS256"} <= set(algorithms)


def test_claims_essential(rp: RelyingParty, log_in: SignIn, alice: Person) -> None:
    claims = json.dumps({"userinfo": {"name": {"essential": True}}})
    tokens = rp.finish(log_in(rp, scope="openid", claims=claims))
    assert rp.userinfo(tokens.access_token)["name"]
    assert "name" not in tokens.claims


def test_claims_of_every_name_that_is_advertised(rp: RelyingParty, log_in: SignIn) -> None:
    """FAPI's "claims-parameter" asks for all of them, and misses those that do not come."""
    supported = set(rp.metadata["claims_supported"])
    personal = {name for names in SCOPES.values() for name in names}
    about_the_token = {"iss", "sub", "aud", "exp", "iat", "auth_time", "acr", "amr"}
    assert personal | {"sub", "auth_time", "acr", "amr"} <= supported
    asked = {"id_token": dict.fromkeys(supported), "userinfo": dict.fromkeys(supported)}
    tokens = rp.finish(log_in(rp, scope=ALL_SCOPES, claims=asked))
    assert personal <= rp.userinfo(tokens.access_token).keys()
    assert personal | (about_the_token & supported) <= tokens.claims.keys()


def test_refresh_token(op: House, log_in: SignIn) -> None:
    client = op.client(grant_types=["authorization_code", "refresh_token"])
    other = op.client(grant_types=["authorization_code", "refresh_token"])
    assert "refresh_token" in client.metadata["grant_types_supported"]
    asked = {"scope": "openid offline_access", "prompt": "consent"}
    tokens = client.finish(log_in(client, **asked))
    with pytest.raises(TokenRefused) as stolen:
        other.refresh(tokens)
    assert (stolen.value.response.status_code, stolen.value.error) == (400, "invalid_grant")
    answer = client.token_request(
        grant_type="refresh_token", refresh_token=tokens.refresh_token, scope="openid"
    )
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    renewed = payload_of(answer.json()["id_token"])
    for claim in ("iss", "sub", "aud", "azp", "auth_time"):
        assert renewed[claim] == tokens.claims[claim]


def test_user_rejects(rp: RelyingParty, agent: UserAgent, alice: Person) -> None:
    parameters = rp.authorization_parameters(prompt="consent")
    page = shown(gone_to_consent(agent, rp, alice, parameters))
    form = page.form("/consent")
    refusal = next(one for one in form.buttons if one.value == "cancel")
    told = error_of(gone(agent.submit(page, form, button=refusal)))
    assert (told["error"], told["state"]) == ("access_denied", parameters["state"])


def gone_to_consent(
    agent: UserAgent, rp: RelyingParty, alice: Person, parameters: dict[str, str]
) -> Page:
    page = agent.page(f"/oauth/authorize?{httpx.QueryParams(parameters)}")
    typed = {"username": alice.email, "password": alice.password}
    return shown(agent.submit(page, page.form("/password"), typed))


def test_errors_are_answered_with_nothing_else(rp: RelyingParty, agent: UserAgent) -> None:
    with pytest.raises(AuthorizationFailed) as failed:
        rp.finish(gone(agent.get(rp.authorization_url(prompt="none"))))
    assert failed.value.parameters.keys() <= ERROR
