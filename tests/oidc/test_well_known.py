"""Well-known addresses beside discovery: our own API, and who anybody's issuer is."""

from collections.abc import Iterator

import pytest

from idp.protocol.scopes import ADMIN
from idp.services.dpop import ALGORITHMS
from tests.helpers.clock import FakeClock
from tests.helpers.databases import Databases
from tests.helpers.house import House
from tests.web.walking import housed, newcomer, tokens_of

ISSUER = "https://id.example.com"

RESOURCE = "/.well-known/oauth-protected-resource"
WEBFINGER = "/.well-known/webfinger"
REL = "http://openid.net/specs/connect/1.0/issuer"


class Desk:
    """A provider, and somebody who asks it."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.http = house.http()


@pytest.fixture(scope="module")
def desk(databases: Databases) -> Iterator[Desk]:
    with databases.fresh("sqlite") as url, housed(url, FakeClock(), issuer=ISSUER) as made:
        yield Desk(made)


def test_our_own_api_says_whom_it_trusts(desk: Desk) -> None:
    answer = desk.http.get(RESOURCE)
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    assert answer.json() == {
        "resource": "https://id.example.com",
        "authorization_servers": ["https://id.example.com"],
        "scopes_supported": ["account", *(one.name for one in ADMIN)],
        "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": list(ALGORITHMS),
        "resource_name": "Gatehouse",
    }
    again = desk.http.get(RESOURCE, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_a_token_for_that_resource_is_let_in(desk: Desk) -> None:
    resource = desk.http.get(RESOURCE).json()["resource"]
    party = desk.house.client(scope="openid account")
    tokens = tokens_of(
        desk.house.browser(),
        party,
        newcomer(desk.house),
        scope="openid account",
        resource=resource,
    )
    headers = {"Authorization": f"Bearer {tokens.access_token}"}
    assert desk.http.get("/api/v1/me/passkeys", headers=headers).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer x"}], ids=["none", "unknown"])
def test_a_challenge_leads_there(desk: Desk, headers: dict[str, str]) -> None:
    answer = desk.http.get("/api/v1/me/passkeys", headers=headers)
    assert answer.status_code == 401
    challenge = answer.headers["WWW-Authenticate"]
    assert challenge.startswith('Bearer realm="https://id.example.com"')
    assert challenge.endswith(f', resource_metadata="https://id.example.com{RESOURCE}"')


PEOPLE = (
    "acct:archer@id.example.com",
    "acct:nobody@id.example.com",
    "acct:archer@example.com",
    "https://id.example.com/archer",
)


@pytest.mark.parametrize("resource", PEOPLE)
def test_anybodys_issuer_is_told_and_nobody_learns_who_is_there(desk: Desk, resource: str) -> None:
    answer = desk.http.get(WEBFINGER, params={"resource": resource, "rel": REL})
    assert answer.headers["Content-Type"] == "application/jrd+json"
    assert answer.json() == {
        "subject": resource,
        "links": [{"rel": REL, "href": "https://id.example.com"}],
    }


RELATIONS = {"all": ([], 1), "another": (["avatar"], 0), "ours among others": (["avatar", REL], 1)}


@pytest.mark.parametrize(("rels", "links"), RELATIONS.values(), ids=RELATIONS)
def test_only_the_relation_that_was_asked_for(desk: Desk, rels: list[str], links: int) -> None:
    asked = {"resource": PEOPLE[0], "rel": rels}
    assert len(desk.http.get(WEBFINGER, params=asked).json()["links"]) == links


NOBODY = {
    "nothing": ([], 400),
    "two at once": ([PEOPLE[0]] * 2, 400),
    "control characters": (["acct:a\n@b"], 400),
    "no name": (["acct:@id.example.com"], 404),
    "no host": (["acct:archer"], 404),
    "another scheme": (["mailto:archer@id.example.com"], 404),
    "no address": (["https://["], 404),
}


@pytest.mark.parametrize(("resources", "status"), NOBODY.values(), ids=NOBODY)
def test_what_names_nobody(desk: Desk, resources: list[str], status: int) -> None:
    asked = {"resource": resources}
    assert desk.http.get(WEBFINGER, params=asked).status_code == status
