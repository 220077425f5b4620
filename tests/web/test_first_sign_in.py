"""The main job: a relying party signs a person in."""

from tests.helpers.house import House
from tests.helpers.sign_in import sign_in


def test_a_person_signs_in_with_a_password_and_the_app_learns_how(house: House) -> None:
    alice = house.person()
    shop = house.client()
    agent = house.browser()
    callback = sign_in(
        agent, shop.authorization_url(), username=alice.email, password=alice.password
    )
    tokens = shop.finish(callback)
    claims = tokens.claims
    assert claims["sub"] == alice.id
    assert claims["acr"] == "urn:idp:acr:1fa"
    assert claims["amr"] == ["pwd"]
    assert claims["auth_time"] == int(house.clock().timestamp())
