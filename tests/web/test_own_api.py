"""Our own API asks for a better sign-in as it wants others' to: RFC 9470."""

import re
from collections.abc import Mapping
from urllib.parse import urlencode

import httpx
import pytest

from idp.web.api.checking import check
from tests.helpers.house import House, Person
from tests.helpers.relying_party import RelyingParty, Tokens
from tests.helpers.sign_in import Answer, passkey, sign_in
from tests.helpers.user_agent import Departure, UserAgent

SCOPE = "openid account"


@pytest.fixture
def alice(house: House) -> Person:
    return house.person()


@pytest.fixture
def app(house: House) -> RelyingParty:
    return house.client(scope=SCOPE)


def call(house: House, method: str, path: str, tokens: Tokens | None = None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {tokens.access_token}"} if tokens else {}
    return house.http().request(method, f"/api/v1{path}", headers=headers)


def signed_in(
    app: RelyingParty, agent: UserAgent, person: Person, answers: Mapping[str, Answer]
) -> Tokens:
    url = app.authorization_url(scope=SCOPE)
    return app.finish(
        sign_in(agent, url, username=person.email, password=person.password, answers=answers)
    )


def challenged(response: httpx.Response) -> Mapping[str, str]:
    """The challenge without what every one has: where the API's metadata is."""
    members = dict(re.findall(r'(\w+)="([^"]*)"', response.headers.get_list("WWW-Authenticate")[0]))
    assert members.pop("resource_metadata").endswith("/.well-known/oauth-protected-resource")
    return members


def test_the_challenge_followed_leads_to_a_token_that_passes(
    house: House, app: RelyingParty, alice: Person
) -> None:
    soft, agent = house.passkey(alice), house.browser()
    answers = {"passkey": passkey(soft)}
    tokens = signed_in(app, agent, alice, answers)
    session_id = _other_session(house, app, alice, answers)
    house.clock.advance(minutes=9)
    assert call(house, "GET", "/me/sessions", tokens).status_code == 200
    house.clock.advance(seconds=59)
    tokens = _again(app, agent, answers, {})  # by the session at hand: still as old as it is
    house.clock.advance(seconds=5)
    refused = call(house, "DELETE", f"/me/sessions/{session_id}", tokens)
    assert refused.status_code == 401
    asked = challenged(refused)
    assert asked["error"] == "insufficient_user_authentication"
    assert (asked["acr_values"], asked["max_age"]) == ("phr", "600")
    assert refused.headers["Content-Type"] == "application/problem+json"
    wanted = {"acr_values": asked["acr_values"], "max_age": asked["max_age"]}
    better = _again(app, agent, answers, wanted)
    assert call(house, "DELETE", f"/me/sessions/{session_id}", better).status_code == 204
    assert call(house, "DELETE", f"/me/sessions/{session_id}", better).status_code == 404


def _again(
    app: RelyingParty, agent: UserAgent, answers: Mapping[str, Answer], wanted: Mapping[str, str]
) -> Tokens:
    url = app.authorization_url(scope=SCOPE, **wanted)
    return app.finish(sign_in(agent, url, answers=answers))


def _other_session(
    house: House, app: RelyingParty, alice: Person, answers: Mapping[str, Answer]
) -> str:
    return str(signed_in(app, house.browser(), alice, answers).claims["sid"])


def test_passkeys_are_listed_without_key_material(
    house: House, app: RelyingParty, alice: Person
) -> None:
    soft = house.passkey(alice)
    url = app.authorization_url(scope=SCOPE)
    tokens = app.finish(sign_in(house.browser(), url, answers={"passkey": passkey(soft)}))
    (listed,) = call(house, "GET", "/me/passkeys", tokens).json()["passkeys"]
    assert listed.keys() == {
        *("id", "name", "created_at", "last_used_at", "backed_up", "device_bound", "aaguid"),
    }


def test_what_is_answered_is_what_the_document_says(
    house: House, app: RelyingParty, alice: Person
) -> None:
    tokens = signed_in(app, house.browser(), alice, {"passkey": passkey(house.passkey(alice))})
    paths = house.http().get("/api/v1/openapi.json").json()["paths"]
    assert {path for path in paths if path.startswith("/me/")} == {
        *("/me/passkeys", "/me/sessions", "/me/sessions/{session_id}"),
    }
    for path in ("/me/passkeys", "/me/sessions"):
        (described,) = paths[path].values()
        assert described["security"] == [{"oauth2": ["account"]}]
        schema = described["responses"]["200"]["content"]["application/json"]["schema"]
        answer = call(house, "GET", path, tokens).json()
        assert any(answer.values())
        assert list(check(schema, answer, "", {})) == []


def test_a_token_for_something_else_does_not_pass(house: House, alice: Person) -> None:
    shop = house.client()
    url = shop.authorization_url()
    tokens = shop.finish(
        sign_in(house.browser(), url, username=alice.email, password=alice.password)
    )
    refused = call(house, "GET", "/me/passkeys", tokens)
    assert refused.status_code == 403
    assert challenged(refused)["error"] == "insufficient_scope"


FORMATS = ["jwt", "opaque"]
API = "https://api.example.com"


@pytest.mark.parametrize("token_format", FORMATS)
@pytest.mark.parametrize("ours_too", [False, True], ids=["theirs", "ours and theirs"])
def test_a_token_that_another_api_gets_to_see_does_not_pass(
    house: House, alice: Person, token_format: str, *, ours_too: bool
) -> None:
    app, issuer = house.client(scope=SCOPE, access_token_format=token_format), house.settings.issuer
    mine = _other_session(house, app, alice, {})
    url = _for_both(app) if ours_too else app.authorization_url(scope=SCOPE, resource=API)
    agent = house.browser()
    tokens = app.finish(sign_in(agent, url, username=alice.email, password=alice.password))
    assert app.userinfo(tokens.access_token)["sub"] == alice.id
    for method, path in (("GET", "/me/sessions"), ("DELETE", f"/me/sessions/{mine}")):
        refused = call(house, method, path, tokens)
        assert refused.status_code == 401
        assert challenged(refused)["error"] == "invalid_token"
        assert "not for this API alone" in challenged(refused)["error_description"]
    ours = _again(app, agent, {}, {"resource": issuer})
    assert call(house, "DELETE", f"/me/sessions/{mine}", ours).status_code == 204


def _for_both(app: RelyingParty) -> str:
    url = app.authorization_url(scope=SCOPE, resource=app.issuer)
    return f"{url}&{urlencode({'resource': API})}"


def test_a_token_for_both_is_narrowed_to_pass_here(house: House, alice: Person) -> None:
    app, issuer = house.client(scope=SCOPE), house.settings.issuer
    url, agent = _for_both(app), house.browser()
    code, pending = app.authorization_code(
        sign_in(agent, url, username=alice.email, password=alice.password)
    )
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": app.redirect_uri,
        "code_verifier": str(pending.verifier),
        "resource": issuer,
    }
    token = app.post("/oauth/token", form).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert house.http().get("/api/v1/me/sessions", headers=headers).status_code == 200


def test_no_registration_has_the_scope_without_naming_it(house: House) -> None:
    shop = house.client()
    callback = house.browser().get(shop.authorization_url(scope=SCOPE))
    assert isinstance(callback, Departure)
    assert callback.parameters["error"] == "invalid_scope"


def test_without_a_token_no_reason_is_told(house: House) -> None:
    refused = call(house, "GET", "/me/sessions")
    assert refused.status_code == 401
    assert challenged(refused) == {"realm": house.settings.issuer}


def test_somebody_elses_session_is_not_found(
    house: House, app: RelyingParty, alice: Person
) -> None:
    bob = house.person("bob@example.com")
    bobs = signed_in(app, house.browser(), bob, {})
    mine = _other_session(house, app, alice, {})
    assert call(house, "DELETE", f"/me/sessions/{mine}", bobs).status_code == 404
    own = str(bobs.claims["sid"])
    assert call(house, "DELETE", f"/me/sessions/{own}", bobs).status_code == 204
