"""Pushed authorization requests (RFC 9126): kept for their client, used up by their answer."""

from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from sqlalchemy import select

from idp.models import Entry, Transaction, db
from tests.helpers.house import CALLBACK, House, Person
from tests.helpers.relying_party import RelyingParty
from tests.helpers.sign_in import sign_in
from tests.helpers.signed_requests import jwks_of, signed, unsigned
from tests.helpers.user_agent import Departure, Page, UserAgent
from tests.web.walking import enter, events, gone, newcomer, press, shown, told

PREFIX = "urn:ietf:params:oauth:request_uri:"
Changes = dict[str, Any]


@pytest.fixture(scope="module")
def shop(town: House) -> RelyingParty:
    return town.client(
        consent="never",
        require_pushed_authorization_requests=True,
        jwks=jwks_of("ES256"),
        client_name="Pushing",
    )


@pytest.fixture
def alice(town: House) -> Person:
    return newcomer(town)


def push(client: RelyingParty, **changes: object) -> httpx.Response:
    return client.post("/oauth/par", client.authorization_parameters(**changes))


def pushed(client: RelyingParty, **changes: object) -> str:
    """The address to go to with what was pushed."""
    answer = push(client, **changes)
    assert answer.status_code == 201, answer.text
    return going(client, answer.json()["request_uri"])


def going(client: RelyingParty, request_uri: str, **beside: str) -> str:
    asked = {"client_id": client.client_id, "request_uri": request_uri, **beside}
    return f"/oauth/authorize?{urlencode(asked)}"


def walk(agent: UserAgent, url: str, alice: Person) -> Departure:
    return sign_in(agent, url, username=alice.email, password=alice.password)


def is_refused_here(response: httpx.Response) -> bool:
    return (response.status_code, "Location" in response.headers) == (400, False)


def test_what_was_pushed_is_asked_and_answered(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    answer = push(shop)
    body = answer.json()
    assert answer.headers["Cache-Control"] == "no-store"
    assert body.keys() == {"request_uri", "expires_in"}
    assert body["expires_in"] == 60
    assert body["request_uri"].startswith(PREFIX)
    assert len(body["request_uri"]) - len(PREFIX) == 43  # 256 bits
    departure = walk(town.browser(), going(shop, body["request_uri"]), alice)
    assert shop.finish(departure).claims["sub"] == alice.id


def test_what_stands_beside_the_reference_does_not_count(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    request_uri = push(shop, scope="openid email").json()["request_uri"]
    lies = {"scope": "openid profile", "state": "other", "redirect_uri": "https://evil.example/"}
    departure = walk(town.browser(), going(shop, request_uri, **lies), alice)
    assert shop.finish(departure).raw["scope"] == "openid email"


def test_it_is_kept_until_answered_and_then_gone(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    url, agent = pushed(shop), town.browser()
    assert agent.page(url).form("/password")
    assert agent.page(url).form("/password")  # a reload
    assert shop.finish(walk(agent, url, alice)).claims["sub"] == alice.id
    assert is_refused_here(agent.client.get(url))
    assert is_refused_here(town.browser().client.get(url))


def test_two_tabs_of_one_request_get_one_answer(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    url, agent = pushed(shop), town.browser()
    first, second = agent.page(url), agent.page(url)
    assert first.url != second.url
    assert gone(enter(agent, first, alice)).parameters["code"]
    late = enter(agent, second, alice)
    assert "was answered before" in shown(late).document.text


def test_what_was_proved_for_one_that_was_answered_elsewhere_stays_proved(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    url, here, there = pushed(shop), town.browser(), town.browser()
    page = here.page(url)
    assert gone(enter(there, there.page(url), alice)).parameters["code"]
    assert "was answered before" in shown(enter(here, page, alice)).document.text
    with town.app.app_context():
        kept = db.session.get_one(Transaction, page.path.rpartition("/")[2])
        assert (kept.user_id, kept.version) == (alice.id, 1)


def test_a_cancelled_request_is_answered(town: House, shop: RelyingParty) -> None:
    url, agent = pushed(shop), town.browser()
    page = agent.page(url)
    assert (
        told(press(agent, page, "/cancel", "Cancel and return to Pushing"))["error"]
        == "access_denied"
    )
    assert is_refused_here(agent.client.get(url))


def test_silence_is_an_answer_too(town: House, shop: RelyingParty) -> None:
    url, agent = pushed(shop, prompt="none"), town.browser()
    assert told(agent.get(url))["error"] == "login_required"
    assert is_refused_here(agent.client.get(url))


def test_it_expires_before_it_is_begun_and_not_after(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    late, slow, agent = pushed(shop), pushed(shop), town.browser()
    page = agent.page(slow)
    town.clock.advance(seconds=60)
    assert is_refused_here(agent.client.get(late))
    town.clock.advance(minutes=20)
    assert shop.finish(gone(enter(agent, page, alice))).claims["sub"] == alice.id


def test_a_sign_in_that_ran_out_starts_again_only_where_it_came_from(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = town.browser()
    page = agent.page(pushed(shop))
    town.clock.advance(minutes=31)
    over = shown(agent.get(page.url))
    assert over.status == 400
    assert "Start again from the application" in over.document.text


def test_its_page_opened_in_another_browser_is_the_same_request(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    url = town.browser().page(pushed(shop)).url
    other = town.browser()
    assert shop.finish(gone(enter(other, other.page(url), alice))).claims["sub"] == alice.id
    assert shown(town.browser().get(url)).status == 400


def test_it_is_for_its_client_alone(town: House, shop: RelyingParty) -> None:
    other = town.client()
    request_uri = push(shop).json()["request_uri"]
    client = town.browser().client
    assert is_refused_here(client.get(going(other, request_uri)))
    assert is_refused_here(client.get(going(shop, f"{PREFIX}{'x' * 43}")))
    assert client.get(going(shop, request_uri)).status_code == 303


def test_whoever_must_push_cannot_do_without(town: House, shop: RelyingParty) -> None:
    answered = told(town.browser().get(shop.authorization_url()))
    assert answered["error"] == "invalid_request"


def test_a_parameter_cannot_pass_for_a_push(town: House, shop: RelyingParty) -> None:
    """How a request came is kept beside its parameters; nothing sent may look like it."""
    free = town.client()
    agent = town.browser()
    page = agent.page(free.authorization_url(request_uri="", request=""))
    tx = page.path.rpartition("/")[2]
    with town.app.app_context():
        kept = db.session.get_one(Transaction, tx).parameters or {}
    assert not {"request", "request_uri"} & kept.keys()


WRONG: list[tuple[str, Changes, str]] = [
    ("no redirect address", {"redirect_uri": None}, "invalid_request"),
    ("another's redirect address", {"redirect_uri": "https://evil.example/"}, "invalid_request"),
    ("no PKCE", {"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    ("plain PKCE", {"code_challenge_method": "plain"}, "invalid_request"),
    ("no response type", {"response_type": None}, "invalid_request"),
    ("a token", {"response_type": "token"}, "unsupported_response_type"),
    ("a hybrid flow", {"response_type": "code id_token"}, "unauthorized_client"),
    ("a reference", {"request_uri": f"{PREFIX}x"}, "invalid_request"),
    ("an empty reference", {"request_uri": ""}, "invalid_request"),
    ("a scope not its own", {"scope": "openid groups"}, "invalid_scope"),
    ("a prompt nobody knows", {"prompt": "perhaps"}, "invalid_request"),
    ("an unknown acr", {"acr_values": "x"}, "unmet_authentication_requirements"),
    ("a hint that is none", {"id_token_hint": "a.b.c"}, "invalid_request"),
    ("an unsigned object", {"request": unsigned({})}, "request_not_supported"),
    ("an object of another", {"request": signed({"iss": "other"})}, "invalid_request_object"),
    ("claims that are none", {"claims": "["}, "invalid_request"),
    ("details nobody knows", {"authorization_details": "[]"}, "invalid_authorization_details"),
]


@pytest.mark.parametrize(
    ("changes", "error"), [pytest.param(changes, error, id=name) for name, changes, error in WRONG]
)
def test_what_is_wrong_is_said_at_once_and_never_redirected(
    town: House, changes: Changes, error: str
) -> None:
    client = town.client(scope="openid", jwks=jwks_of("ES256"))
    answer = push(client, **changes)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert "Location" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"
    refused = events(town, client_id=client.client_id, event="authorization.refused")
    assert [event.data["error"] for event in refused] == [error]
    assert push(client).status_code == 201


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_only_posts_are_pushes(shop: RelyingParty, method: str) -> None:
    answer = shop.http.request(method, "/oauth/par")
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == {"POST", "OPTIONS"}
    assert answer.json()["error_description"] == "This address takes POST alone."


def test_the_client_authenticates_as_at_the_token_endpoint(town: House, shop: RelyingParty) -> None:
    wrong = RelyingParty(shop.issuer, shop.client_id, CALLBACK, client_secret="x", http=town.http())
    answer = push(wrong)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    by_post = town.client(token_endpoint_auth_method="client_secret_post")
    by_post.authentication = "client_secret_post"
    assert push(by_post).status_code == 201
    assert push(town.client(token_endpoint_auth_method="none")).status_code == 201


def test_what_is_kept_holds_no_credential_and_no_reference(town: House) -> None:
    client = town.client(token_endpoint_auth_method="client_secret_post")
    client.authentication = "client_secret_post"
    request_uri = push(client).json()["request_uri"]
    with town.app.app_context():
        kept = db.session.scalars(select(Entry).where(Entry.purpose == "pushed request")).all()
    mine = [one for one in kept if one.data["client_id"] == client.client_id]
    assert len(mine) == 1
    assert "client_secret" not in mine[0].data["request"]
    assert mine[0].handle_hash not in request_uri


def test_a_signed_request_is_pushed(town: House, alice: Person) -> None:
    client = town.client(consent="never", jwks=jwks_of("ES256"), require_signed_request_object=True)
    parameters = client.authorization_parameters()
    claims = {**parameters, "iss": client.client_id, "aud": client.issuer}
    answer = client.post("/oauth/par", {"request": signed(claims)})
    departure = walk(town.browser(), going(client, answer.json()["request_uri"]), alice)
    assert client.finish(departure).claims["sub"] == alice.id
    assert push(client).json()["error"] == "invalid_request"  # not signed


def test_claims_may_be_laid_out_over_lines(town: House) -> None:
    client = town.client()
    assert push(client, claims='{\n\t"userinfo": {"name": null}\n}').status_code == 201
    assert push(client, state="a\nb").json()["error"] == "invalid_request"


def test_a_finished_sign_in_looked_at_again_leads_home(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = town.browser()
    page = agent.page(pushed(shop))
    gone(enter(agent, page, alice))
    again = agent.get(page.url)
    assert isinstance(again, Page)
    assert "request_uri" not in again.response.text
    assert "/me" in again.response.text
