"""A first second step, set up in the middle of a step-up: allowed, told, and on the ledger."""

import json
from pathlib import Path

import pytest

from idp.models import EvidenceRow, db
from tests.helpers.attestation import AttestationRoot
from tests.helpers.authenticator import SoftAuthenticator
from tests.helpers.clock import FakeClock
from tests.helpers.house import House, Person
from tests.helpers.html import find_object
from tests.helpers.relying_party import RelyingParty
from tests.helpers.sign_in import passkey, sign_in
from tests.helpers.user_agent import Departure, Page, UserAgent


@pytest.fixture
def alice(house: House) -> Person:
    return house.person()


def signed_in(house: House, shop: RelyingParty, alice: Person) -> UserAgent:
    agent = house.browser()
    sign_in(agent, shop.authorization_url(), username=alice.email, password=alice.password)
    return agent


def walk(agent: UserAgent, url: str, alice: Person, soft: SoftAuthenticator) -> Departure:
    """Prove what she has, in this sign-in; then make the passkey, save the codes, go on."""
    page = agent.page(url)
    again = agent.submit(page, page.form("/password"), {"password": alice.password})
    assert isinstance(again, Page)
    page = again
    page = agent.page(page.link("Set up a passkey"))
    options = find_object(page.document.data, "challenge")
    assert options is not None
    # Beside the password, possession is enough for phr; verification costs nothing and may help.
    assert options["authenticatorSelection"]["userVerification"] == "preferred"
    answer = {"passkey_response": json.dumps(soft.make_credential(options))}
    place = agent.submit(page, page.form("/passkey"), answer)
    assert isinstance(place, Page)
    assert place.document.headings == ["Save your recovery codes"]
    unticked = agent.submit(place, place.form("/saved"))
    assert isinstance(unticked, Page)
    assert unticked.status == 422
    box = unticked.form("/saved").inputs["saved"]
    assert (box["aria-invalid"], box["aria-describedby"]) == ("true", "saved-error")
    assert unticked.document.text.count("Save the codes first, then tick the box.") == 2
    assert "aria-invalid" not in place.form("/saved").inputs["saved"]
    place = agent.submit(unticked, unticked.form("/saved"), {"saved": "yes"})
    assert isinstance(place, Departure)
    return place


def test_a_password_alone_reaches_phr_by_setting_a_passkey_up(house: House, alice: Person) -> None:
    shop = house.client()
    agent = signed_in(house, shop, alice)
    soft = SoftAuthenticator(house.settings.issuer)
    tokens = shop.finish(walk(agent, shop.authorization_url(acr_values="phr"), alice, soft))
    assert tokens.claims["acr"] == "phr"
    assert "mfa" in tokens.claims["amr"]
    with house.app.app_context():
        rows = db.session.query(EvidenceRow).order_by(EvidenceRow.id).all()
        assert [(row.method, row.enrolled) for row in rows][-1] == ("passkey", True)


def test_a_stolen_password_cannot_set_one_up_beside_a_second_factor(
    house: House, alice: Person
) -> None:
    """She has an app: to set a passkey up takes the app as well, in this very sign-in."""
    house.totp(alice)
    house.clock.advance(minutes=1)
    shop = house.client()
    agent = house.browser()
    page = agent.page(shop.authorization_url(acr_values="phr"))
    place = agent.submit(
        page, page.form("/password"), {"username": alice.email, "password": alice.password}
    )
    assert isinstance(place, Page)
    assert "Set up a passkey" not in place.document.text
    assert place.form("/totp")


def test_who_has_a_passkey_elsewhere_can_set_a_key_in_hardware_up(
    sqlite_url: str, clock: FakeClock, tmp_path: Path
) -> None:
    """By what she has already, fresh in this sign-in: then the new one, and that is enough."""
    maker = AttestationRoot.generate()
    (tmp_path / "root.pem").write_bytes(maker.pem)
    roots = {"webauthn_attestation": "direct", "webauthn_attestation_roots": str(tmp_path)}
    house = House(sqlite_url, clock, **roots)
    alice, shop, agent = house.person(), house.client(consent="never"), house.browser()
    synced, key = (
        house.passkey(alice),
        SoftAuthenticator(house.settings.issuer, aaguid=bytes(range(16))),
    )
    page = agent.page(shop.authorization_url(acr_values="phrh"))
    place = agent.submit(page, page.form("/password"), {"passkey_response": asserted(page, synced)})
    assert isinstance(place, Page)
    page = agent.page(place.link("Set up a passkey"))
    options = find_object(page.document.data, "challenge")
    assert options is not None
    made = key.make_credential(options, attestation=maker, be=False, bs=False)
    place = agent.submit(page, page.form("/passkey"), {"passkey_response": json.dumps(made)})
    if isinstance(place, Page):
        place = agent.submit(place, place.form("/saved"), {"saved": "yes"})
    assert isinstance(place, Departure)
    assert shop.finish(place).claims["acr"] == "phrh"


def asserted(page: Page, soft: SoftAuthenticator) -> str:
    options = find_object(page.document.data, "challenge")
    assert options is not None
    return json.dumps(soft.get_assertion(options))


@pytest.mark.parametrize("who", ["the deployment", "the registration"])
def test_where_policy_says_no_it_is_an_error(sqlite_url: str, clock: object, who: str) -> None:
    forbidden = who == "the deployment"
    house = House(sqlite_url, clock, enrol_in_step_up=not forbidden)  # type: ignore[arg-type]
    alice = house.person()
    shop = house.client(enrol_in_step_up=forbidden)
    agent = signed_in(house, shop, alice)
    callback = agent.get(shop.authorization_url(acr_values="phr"))
    assert isinstance(callback, Departure)
    assert callback.parameters["error"] == "unmet_authentication_requirements"
    assert callback.parameters["iss"] == house.settings.issuer


def test_what_was_set_up_is_asked_for_next_time(house: House, alice: Person) -> None:
    shop = house.client()
    agent = signed_in(house, shop, alice)
    soft = SoftAuthenticator(house.settings.issuer)
    walk(agent, shop.authorization_url(acr_values="phr"), alice, soft)
    house.clock.advance(minutes=5)
    url = shop.authorization_url(acr_values="phr", max_age=60)
    again = shop.finish(sign_in(agent, url, answers={"passkey": passkey(soft)}))
    assert again.claims["amr"] == ["pop", "user", "swk", "mfa"]
