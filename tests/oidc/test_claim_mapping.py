"""What one client is told otherwise: claims from other fields, and some groups only."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from idp.protocol.registration import InvalidClientMetadata
from tests.helpers.base64url import decode
from tests.helpers.clock import FakeClock
from tests.helpers.databases import Databases
from tests.helpers.house import House, Person
from tests.helpers.sign_in import sign_in
from tests.web.walking import housed, tokens_of

MEMBERS: Mapping[str, Any] = {
    "consent": "never",
    "claim_mapping": {"preferred_username": "email", "nickname": "email_local_part"},
    "told_groups": ["cooks", "waiters"],
}
ALL = "openid profile email groups"


@pytest.fixture(scope="module")
def town(databases: Databases) -> Iterator[House]:
    with databases.fresh("sqlite") as url, housed(url, FakeClock()) as made:
        yield made


@pytest.fixture(scope="module")
def bob(town: House) -> Person:
    return town.person("bob@example.com", username="bobby", groups=["cooks", "staff"])


def userinfo(house: House, person: Person, *, scope: str = ALL, **members: Any) -> dict[str, Any]:
    client = house.client(**{**MEMBERS, **members})
    tokens = tokens_of(house.browser(), client, person, scope=scope)
    return dict(client.userinfo(tokens.access_token))


def test_a_claim_comes_from_another_field_and_groups_are_few(town: House, bob: Person) -> None:
    told = userinfo(town, bob)
    assert (told["preferred_username"], told["nickname"]) == ("bob@example.com", "bob")
    assert (told["sub"], told["email"], told["groups"]) == (bob.id, "bob@example.com", ["cooks"])


def test_others_are_told_what_there_is(town: House, bob: Person) -> None:
    told = userinfo(town, bob, claim_mapping={}, told_groups=[])
    assert told["preferred_username"] == "bobby"
    assert told["groups"] == ["cooks", "staff"]


def test_nothing_is_told_under_another_name_that_may_not_be_seen(town: House, bob: Person) -> None:
    told = userinfo(town, bob, scope="openid profile")
    assert "preferred_username" not in told
    assert "bob@example.com" not in str(told)


def test_an_address_that_is_nobodys_yet_names_nobody(town: House) -> None:
    eve = town.person("eve@example.com", email_verified=False)
    told = userinfo(town, eve)
    assert (told["email"], told["email_verified"]) == ("eve@example.com", False)
    assert "preferred_username" not in told


def test_the_id_token_says_the_same(town: House, bob: Person) -> None:
    client = town.client(
        **MEMBERS, response_types=["id_token"], grant_types=["implicit"], scope=ALL
    )
    url = client.authorization_url(response_type="id_token", scope=ALL)
    departure = sign_in(town.browser(), url, username=bob.email, password=bob.password)
    claims = json.loads(decode(departure.parameters["id_token"].split(".")[1]))
    assert (claims["preferred_username"], claims["groups"]) == ("bob@example.com", ["cooks"])
    code = town.client(**MEMBERS)
    wanted = '{"id_token": {"preferred_username": null, "groups": null}}'
    tokens = tokens_of(town.browser(), code, bob, scope=ALL, claims=wanted)
    assert tokens.claims["preferred_username"] == "bob@example.com"
    assert tokens.claims["groups"] == ["cooks"]


REFUSED = {
    **{
        f"nobody becomes somebody: {claim}": {claim: "nickname"}
        for claim in ("sub", "email", "email_verified", "acr", "amr", "auth_time", "groups", "iss")
    },
    "a field that there is not": {"name": "password"},
    "the id": {"name": "sub"},
    "an expression": {"name": "{{ email }}"},
    "a list": ["name"],
}


@pytest.mark.parametrize("mapping", REFUSED.values(), ids=REFUSED)
def test_what_is_reserved_is_refused(town: House, mapping: object) -> None:
    with pytest.raises(InvalidClientMetadata, match="claim_mapping"):
        town.client(claim_mapping=mapping)
