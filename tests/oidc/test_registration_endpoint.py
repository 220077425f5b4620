"""Registering over HTTP (RFC 7591, OIDC Registration 1.0): who may, what, and how much."""

from collections.abc import Iterator
from typing import Any

import pytest

from idp.protocol.client_metadata import OWN_MEMBERS
from tests.helpers.databases import Databases
from tests.helpers.little_server import little_server, saying
from tests.oidc.registering import CALLBACK, HONEST, Counter, counter
from tests.web.walking import enter as type_in
from tests.web.walking import events, gone, newcomer, press, shown, signed_in

DISCOVERY = "/.well-known/openid-configuration"


@pytest.fixture(scope="module")
def url(databases: Databases) -> Iterator[str]:
    with databases.fresh("sqlite") as made:
        yield made


@pytest.fixture(scope="module")
def desk(url: str) -> Iterator[Counter]:
    """Anybody may register."""
    with counter(url) as made:
        yield made


@pytest.fixture(scope="module")
def guarded(url: str) -> Iterator[Counter]:
    """Whoever has a token may."""
    with counter(url, "initial_token") as made:
        yield made


def test_a_registration_is_answered_whole(desk: Counter) -> None:
    answer = desk.post({**HONEST, "initiate_login_uri": "https://app.example/start"})
    assert answer.status_code == 201
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    made = answer.json()
    issuer = desk.house.settings.issuer
    assert made["registration_client_uri"] == f"{issuer}/oauth/register/{made['client_id']}"
    assert len(made["registration_access_token"]) == len(made["client_secret"]) == 43
    assert made["client_secret_expires_at"] == 0
    assert made["client_id_issued_at"] == int(desk.house.clock().timestamp())
    sent = {**HONEST, "initiate_login_uri": "https://app.example/start"}
    assert {name: made[name] for name in sent} == sent
    defaults = {
        "response_types": ["code"],
        "grant_types": ["authorization_code"],
        "application_type": "web",
        "token_endpoint_auth_method": "client_secret_basic",
        "id_token_signed_response_alg": "RS256",
        "subject_type": "public",
        "require_auth_time": False,
    }
    assert {name: made[name] for name in defaults} == defaults
    assert OWN_MEMBERS.isdisjoint(made)


def test_it_can_sign_somebody_in_who_is_asked_first(desk: Counter) -> None:
    made = desk.registered(client_name="Lanterns")
    alice, agent, app = newcomer(desk.house), desk.house.browser(), desk.party(made)
    consent = shown(type_in(agent, agent.page(app.authorization_url()), alice))
    assert "Share your details with Lanterns?" in consent.response.text
    assert "This app registered itself" in consent.response.text
    tokens = app.finish(gone(press(agent, consent, "/consent", "Allow")))
    assert tokens.claims["sub"] == alice.id


def test_an_app_of_the_house_is_not_said_to_have_registered_itself(desk: Counter) -> None:
    alice, agent, shop = newcomer(desk.house), desk.house.browser(), desk.house.client()
    consent = shown(type_in(agent, agent.page(shop.authorization_url()), alice))
    assert "This app registered itself" not in consent.response.text


def test_the_host_that_people_are_shown_is_where_answers_go(desk: Counter) -> None:
    made = desk.registered(client_name="Your bank", client_uri="https://bank.example")
    alice, agent, app = newcomer(desk.house), desk.house.browser(), desk.party(made)
    consent = shown(type_in(agent, agent.page(app.authorization_url()), alice))
    assert ">app.example<" in consent.response.text
    assert "bank.example" not in consent.response.text


def test_a_public_app_gets_no_secret(desk: Counter) -> None:
    made = desk.registered(token_endpoint_auth_method="none")
    assert "client_secret" not in made
    assert "client_secret_expires_at" not in made


def test_it_is_there_for_whoever_runs_the_place(desk: Counter) -> None:
    made = desk.registered(client_name="Seen")
    (event,) = events(desk.house, event="client.registered", client_id=made["client_id"])
    assert event.data["managed_by"] == "registration"
    secrets = (made["client_secret"], made["registration_access_token"])
    assert not any(secret in str(event.data) for secret in secrets)


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "no address": ({"redirect_uris": []}, "invalid_redirect_uri", "redirect_uris must list"),
    "a fragment": (
        {"redirect_uris": [f"{CALLBACK}#here"]},
        "invalid_redirect_uri",
        "redirect_uris item 1 must not have a # part",
    ),
    "an address that is no text": (
        {"redirect_uris": [7]},
        "invalid_redirect_uri",
        "redirect_uris item 1 must be text",
    ),
    "plain http": (
        {"redirect_uris": ["http://app.example/cb"]},
        "invalid_redirect_uri",
        "must start with https://",
    ),
    "an address and something else": (
        {"redirect_uris": [f"{CALLBACK}#here"], "application_type": "tv"},
        "invalid_client_metadata",
        "application_type must be one of: web, native.",
    ),
    "a method that there is not": (
        {"token_endpoint_auth_method": "magic"},
        "invalid_client_metadata",
        "client_secret_jwt, private_key_jwt, none.",
    ),
    "initiate_login_uri in plain http": (
        {"initiate_login_uri": "http://app.example/start"},
        "invalid_client_metadata",
        "initiate_login_uri must start with https://",
    ),
    "a software statement": (
        {"software_statement": "e30.e30.e30"},
        "invalid_client_metadata",
        "software_statement is not accepted here",
    ),
    "a private key": (
        {"jwks": {"keys": [{"kty": "EC", "d": "x"}]}},
        "invalid_client_metadata",
        "jwks has a private or symmetric key",
    ),
    "an algorithm that nobody here has": (
        {"id_token_signed_response_alg": "none"},
        "invalid_client_metadata",
        "id_token_signed_response_alg must stay within",
    ),
    "a scope of our own API": (
        {"scope": "openid account"},
        "invalid_client_metadata",
        "scope must stay within what anybody may register here: openid",
    ),
    "a scope of somebody's API": (
        {"scope": "openid orders:write"},
        "invalid_client_metadata",
        "scope must stay within",
    ),
    "a password in an address": (
        {"logo_uri": "https://me:too@app.example/l.png"},
        "invalid_client_metadata",
        "logo_uri must not have a user name",
    ),
}


@pytest.mark.parametrize(("changes", "error", "why"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_says_which_member_and_why(
    desk: Counter, changes: dict[str, Any], error: str, why: str
) -> None:
    told = desk.refused(**changes)
    assert told["error"] == error
    assert why in told["error_description"]
    refused = events(desk.house, event="client.registration.refused")[0]
    assert refused.data["error"] == error
    assert set(changes) & set(refused.data["members"])


@pytest.mark.parametrize("member", sorted(OWN_MEMBERS))
def test_nobody_sets_our_policy_for_themselves(desk: Counter, member: str) -> None:
    told = desk.refused(**{member: "never"})
    assert told["error"] == "invalid_client_metadata"
    assert f"{member} is for whoever runs this provider to set" in told["error_description"]


def test_all_that_is_wrong_is_said_at_once(desk: Counter) -> None:
    told = desk.refused(consent="never", logo_uri="ftp://x", scope="openid account")
    description = told["error_description"]
    assert "consent is for whoever runs" in description
    assert "logo_uri must start with" in description


def test_what_nobody_knows_is_dropped(desk: Counter) -> None:
    odd: dict[str, Any] = {"frobnicate": True, "client_id": "mine", "client_name#de": "Ding"}
    made = desk.registered(**odd)
    assert "frobnicate" not in made
    assert made["client_id"] != "mine"
    assert made["client_name#de"] == "Ding"


def test_an_algorithm_for_assertions_says_nothing_without_them(desk: Counter) -> None:
    made = desk.registered(token_endpoint_auth_signing_alg="RS256")
    assert "token_endpoint_auth_signing_alg" not in made
    told = desk.refused(
        token_endpoint_auth_method="private_key_jwt", token_endpoint_auth_signing_alg="HS256"
    )
    assert "token_endpoint_auth" in told["error_description"]


BODIES = {
    "a form": ("client_name=x", "application/x-www-form-urlencoded", "must be application/json"),
    "no JSON": ("{", "application/json", "is not JSON"),
    "a member twice": ('{"scope": "openid", "scope": "email"}', "application/json", "twice"),
    "nested without end": ("[" * 5000, "application/json", "is not JSON"),
    "not UTF-8": (b"\xff", "application/json", "is not JSON"),
    "a number that is none": ('{"default_max_age": NaN}', "application/json", "is not JSON"),
}


@pytest.mark.parametrize(("body", "kind", "why"), BODIES.values(), ids=BODIES)
def test_a_body_that_cannot_be_read(desk: Counter, body: str | bytes, kind: str, why: str) -> None:
    answer = desk.http.post("/oauth/register", content=body, headers={"Content-Type": kind})
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"
    assert why in answer.json()["error_description"]


@pytest.mark.parametrize("body", [[], "x", 7, True], ids=str)
def test_what_is_no_object_is_no_registration(desk: Counter, body: object) -> None:
    told = desk.post(body)
    assert (told.status_code, told.json()["error"]) == (400, "invalid_client_metadata")


def test_a_body_without_end_is_not_read(desk: Counter) -> None:
    answer = desk.post({**HONEST, "client_uri": "https://" + "x" * 40_000})
    assert (answer.status_code, answer.json()["error"]) == (413, "invalid_request")


# Initial access tokens


def test_without_a_token_nobody_registers_where_one_is_needed(guarded: Counter) -> None:
    answer = guarded.post(HONEST)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == f'Bearer realm="{guarded.house.settings.issuer}"'
    assert answer.json()["error_description"].startswith("A token is needed")
    assert guarded.registered(token=guarded.initial_token())["client_id"]


def test_a_token_is_good_for_as_many_as_it_says(guarded: Counter) -> None:
    token = guarded.initial_token(uses=2)
    answers = [guarded.post(HONEST, token=token) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 401]
    assert 'error="invalid_token"' in answers[2].headers["WWW-Authenticate"]
    used = events(guarded.house, event="client.registration_token.used")[:2]
    assert used[0].data["made"] == used[1].data["made"]


def test_a_mistake_does_not_use_it_up(guarded: Counter) -> None:
    token = guarded.initial_token()
    assert guarded.refused(token=token, redirect_uris=["x"])["error"] == "invalid_redirect_uri"
    assert guarded.registered(token=token)["client_id"]


@pytest.mark.parametrize("token", ["unknown", "", "x" * 5000], ids=["unknown", "empty", "long"])
@pytest.mark.parametrize("where", ["desk", "guarded"])
def test_a_token_that_is_worth_nothing_is_refused_everywhere(
    request: pytest.FixtureRequest, where: str, token: str
) -> None:
    here: Counter = request.getfixturevalue(where)
    answer = here.post(HONEST, token=token)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")


def test_credentials_of_another_kind_are_none(guarded: Counter) -> None:
    token = guarded.initial_token()
    headers = {"Authorization": f"Basic {token}"}
    assert guarded.http.post("/oauth/register", json=HONEST, headers=headers).status_code == 401


def test_a_token_expires(guarded: Counter) -> None:
    token = guarded.initial_token(uses=5, seconds=60)
    guarded.registered(token=token)
    guarded.house.clock.advance(seconds=60)
    assert guarded.post(HONEST, token=token).status_code == 401


def test_who_has_a_token_may_ask_for_more(desk: Counter) -> None:
    made = desk.registered(token=desk.initial_token(), scope="openid orders:write account")
    assert made["scope"] == "openid orders:write account"


@pytest.mark.parametrize("vouched", [False, True])
def test_nobody_makes_an_administrator_of_it(desk: Counter, vouched: bool) -> None:
    token = desk.initial_token() if vouched else None
    told = desk.refused(token=token, scope="openid admin:people:write")
    assert told["error"] == "invalid_client_metadata"
    assert "admin:people:write" in told["error_description"]


# How many


def test_one_network_registers_so_many_in_an_hour(url: str) -> None:
    with counter(url, client_registration_attempts=3) as few:
        few.house.clock.advance(days=30)
        answers = [few.post(members) for members in (HONEST, {}, HONEST, HONEST)]
        assert [answer.status_code for answer in answers] == [201, 400, 201, 429]
        assert answers[3].headers["Retry-After"] == "3600"
        assert answers[3].json()["error"] == "temporarily_unavailable"
        assert events(few.house, event="client.registration.throttled")
        assert few.post(HONEST, token=few.initial_token()).status_code == 201
        few.house.clock.advance(seconds=3600)
        assert few.post(HONEST).status_code == 201


def test_there_are_only_so_many_of_them(databases: Databases) -> None:
    with databases.fresh("sqlite") as fresh, counter(fresh, client_registration_limit=2) as small:
        small.house.client()  # registered by others, and not counted
        made = [small.registered() for _ in range(2)]
        token = small.initial_token()
        full = [small.post(HONEST), small.post(HONEST, token=token)]
        assert [answer.status_code for answer in full] == [503, 503]
        assert full[0].json()["error"] == "temporarily_unavailable"
        assert small.ask("DELETE", made[0]).status_code == 204
        assert small.post(HONEST, token=token).status_code == 201  # it had not been used up


# Off


def test_where_it_is_off_there_is_nothing(url: str, desk: Counter) -> None:
    made = desk.registered()
    with counter(url, "off") as closed:
        assert closed.post(HONEST).status_code == 404
        assert closed.ask("GET", made).status_code == 404
        assert "registration_endpoint" not in closed.http.get(DISCOVERY).json()
    told = desk.http.get(DISCOVERY).json()["registration_endpoint"]
    assert told == f"{desk.house.settings.issuer}/oauth/register"


# PKCE


@pytest.mark.parametrize("required", [True, False])
def test_pkce_is_asked_of_all_unless_a_setting_lets_off_those_with_a_secret(
    url: str, required: bool
) -> None:
    with counter(url, client_registration_pkce=required) as here:
        secret, public = here.registered(), here.registered(token_endpoint_auth_method="none")
        found = {
            made["client_id"]: here.house.do(_find(made["client_id"])).metadata.pkce_required
            for made in (secret, public)
        }
        assert found == {secret["client_id"]: required, public["client_id"]: True}


# Sectors


def test_the_sectors_document_has_to_list_every_address(desk: Counter) -> None:
    with little_server() as there:
        members: dict[str, Any] = {
            "sector_identifier_uri": there.url("/sector.json"),
            "redirect_uris": [CALLBACK, "https://app.example/other"],
        }
        there.answer = saying(b'["https://app.example/other", "https://app.example/callback"]')
        assert desk.registered(**members)["sector_identifier_uri"] == there.url("/sector.json")
        there.answer = saying(b'["https://app.example/other"]')
        told = desk.refused(**members)
        assert told["error"] == "invalid_client_metadata"
        assert (
            "does not list the redirect address https://app.example/callback"
            in told["error_description"]
        )


SECTORS = {
    "not there": (saying(b"[]", "404 Not Found"), "cannot be fetched: the answer was 404"),
    "not JSON": (saying(b"<html>"), "is not JSON"),
    "no list": (saying(b"{}"), "must be a JSON list"),
    "no texts": (saying(b"[1]"), "must be a JSON list"),
    "empty": (saying(b"[]"), "does not list"),
}


@pytest.mark.parametrize(("answer", "why"), SECTORS.values(), ids=SECTORS)
def test_a_sectors_document_that_will_not_do(desk: Counter, answer: Any, why: str) -> None:
    with little_server(answer) as there:
        told = desk.refused(sector_identifier_uri=there.url())
    assert told["error"] == "invalid_client_metadata"
    assert f"sector_identifier_uri {why}" in told["error_description"]


def test_nothing_is_fetched_for_who_may_not_register(guarded: Counter) -> None:
    with little_server(saying(b'["https://app.example/callback"]')) as there:
        members = {**HONEST, "sector_identifier_uri": there.url()}
        assert guarded.post(members, token="unknown").status_code == 401
        assert there.requests == []
        assert guarded.post(members, token=guarded.initial_token()).status_code == 201
        assert len(there.requests) == 1


# Forgetting


def test_what_nobody_ever_used_is_forgotten(databases: Databases) -> None:
    with databases.fresh("sqlite") as fresh, counter(fresh) as here:
        house = here.house
        made = {name: here.registered(client_name=name) for name in _FATES}
        by_hand = house.client()
        signed_in(house, here.party(made["allowed"]), newcomer(house))
        authenticate(here, made["authenticated"])
        house.do(
            lambda services: services.client_registry.disable(
                made["disabled"]["client_id"], house.context
            )
        )
        house.clock.advance(days=89, hours=23)
        assert forget(here) == 0
        house.clock.advance(hours=1)
        assert forget(here) == 1
        left = {name for name in made if here.house.do(_find(made[name]["client_id"]))}
        assert left == set(_FATES) - {"unused"}
        assert here.house.do(_find(by_hand.client_id))
        (event,) = events(house, event="client.deleted")
        assert (event.client_id, event.data["reason"]) == (
            made["unused"]["client_id"],
            "never_used",
        )


_FATES = ("unused", "allowed", "authenticated", "disabled")


def _find(client_id: str) -> Any:
    return lambda services: services.clients.get(client_id)


def forget(here: Counter) -> int:
    now = here.house.clock()
    gone: int = here.house.do(lambda services: services.client_registration.forget_unused(now))
    return gone


def authenticate(here: Counter, made: dict[str, Any]) -> None:
    """Ask about a token: for that the client has to say who it is."""
    credentials = (made["client_id"], made["client_secret"])
    answer = here.http.post("/oauth/introspect", data={"token": "x"}, auth=credentials)
    assert answer.json() == {"active": False}
