"""Resource indicators (RFC 8707): a token request narrows whom the token is for, and never more."""

from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from tests.helpers.clock import FakeClock
from tests.helpers.relying_party import Pending, RelyingParty, Tokens
from tests.oidc.desk import Desk, Keys, code_form, opened, payload_of
from tests.services.people import CALLBACK, VERIFIER

A, B, C = "https://a.example.com", "https://b.example.com/v1", "urn:example:c"
BOTH = (A, B)


@pytest.fixture(scope="module")
def desk(module_url: str, made_keys: Keys) -> Iterator[Desk]:
    yield from opened(module_url, FakeClock(), made_keys)


@pytest.fixture
def party(desk: Desk) -> RelyingParty:
    return desk.client(desk.new_name())


def posted(party: RelyingParty, form: Mapping[str, str], *resources: str) -> httpx.Response:
    """A token request with ``resource`` any number of times."""
    return party.post("/oauth/token", {**form, "resource": list(resources)})  # type: ignore[dict-item]


def audience(response: httpx.Response) -> Any:
    assert response.status_code == 200, response.text
    return payload_of(response.json()["access_token"])["aud"]


def refresh_form(tokens: Tokens) -> dict[str, str]:
    return {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}


@pytest.mark.parametrize(
    ("wanted", "is_for"),
    [
        pytest.param((), [A, B], id="nothing named: all that was granted"),
        pytest.param((B,), B, id="one of two"),
        pytest.param((B, A, B), [A, B], id="both, one twice"),
    ],
)
def test_a_code_buys_a_token_for_as_many(
    desk: Desk, party: RelyingParty, wanted: tuple[str, ...], is_for: Any
):
    code = desk.code(party, scope=("email",), resource=BOTH)
    assert audience(posted(party, code_form(code), *wanted)) == is_for


BAD = {
    "what was not granted": (C,),
    "one that was and one that was not": (A, C),
    "no address": ("a",),
    "an address with a fragment": (f"{A}#x",),
    "an address that only begins alike": (f"{A}/",),
    "too many": tuple(f"{A}/{number}" for number in range(17)),
}


@pytest.mark.parametrize("wanted", BAD.values(), ids=BAD)
def test_no_code_buys_more_and_it_stays_good(
    desk: Desk, party: RelyingParty, wanted: tuple[str, ...]
):
    code = desk.code(party, scope=("email",), resource=BOTH)
    refused = posted(party, code_form(code), *wanted)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_target")
    assert audience(posted(party, code_form(code), A)) == A


def test_where_none_was_granted_none_can_be_had(desk: Desk, party: RelyingParty):
    code = desk.code(party)
    assert posted(party, code_form(code), A).json()["error"] == "invalid_target"
    assert audience(posted(party, code_form(code))) == "https://id.example.com"


def test_userinfo_stays_within_reach_of_a_sign_in(desk: Desk, party: RelyingParty):
    code = desk.code(party, resource=BOTH)
    response = posted(party, code_form(code), A)
    assert audience(response) == [A, "https://id.example.com"]
    assert party.userinfo(response.json()["access_token"])["sub"] == "ann"


OWN = "https://id.example.com"


@pytest.mark.parametrize(
    ("asked", "is_for"),
    [
        pytest.param((OWN,), OWN, id="alone"),
        pytest.param((OWN, A), [OWN, A], id="first"),
        pytest.param((A, OWN), [A, OWN], id="last"),
    ],
)
def test_our_own_api_asked_for_by_name_is_named_once(
    desk: Desk, party: RelyingParty, asked: tuple[str, ...], is_for: Any
):
    response = posted(party, code_form(desk.code(party, resource=asked)))
    assert audience(response) == is_for
    assert party.userinfo(response.json()["access_token"])["sub"] == "ann"


def test_a_refresh_narrows_one_token_and_the_line_keeps_all(desk: Desk, party: RelyingParty):
    scope = ("openid", "offline_access")
    code = desk.code(party, scope=scope, resource=BOTH)
    first = posted(party, code_form(code), A).json()
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = posted(party, form, B)
    assert audience(second) == [B, "https://id.example.com"]
    form["refresh_token"] = second.json()["refresh_token"]
    assert audience(posted(party, form)) == [A, B, "https://id.example.com"]


def test_a_refresh_never_widens_and_the_token_stays_good(desk: Desk, party: RelyingParty):
    code = desk.code(party, scope=("openid", "offline_access"), resource=(A,))
    tokens = party.exchange(code, Pending("n-1", VERIFIER, CALLBACK))
    refused = posted(party, refresh_form(tokens), B)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_target")
    assert audience(posted(party, refresh_form(tokens), A)) == [A, "https://id.example.com"]


def test_introspection_says_whom_the_token_is_for(desk: Desk):
    party = desk.client(desk.new_name(), access_token_format="opaque")
    code = desk.code(party, scope=("email",), resource=BOTH)
    token = posted(party, code_form(code), B).json()["access_token"]
    assert party.post("/oauth/introspect", {"token": token}).json()["aud"] == B


def asks_for(desk: Desk, party: RelyingParty, resource: str) -> str:
    """What an authorization request for ``resource`` is answered with, nobody being signed in."""
    response = desk.http.get(party.authorization_url(resource=resource, prompt="none"))
    query = httpx.URL(response.headers["Location"]).params
    return str(query["error"])


def test_a_registration_may_say_which_there_are(desk: Desk):
    free, bound = desk.client(desk.new_name()), desk.client(desk.new_name(), allowed_resources=[A])
    assert asks_for(desk, bound, A) == "login_required"
    assert asks_for(desk, bound, B) == "invalid_target"
    assert asks_for(desk, free, B) == "login_required"
