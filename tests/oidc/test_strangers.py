"""What strangers who register themselves try to pass for, and to reach."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import update

from idp.models import Client, db
from idp.services.clients import SELF_REGISTERED
from idp.services.unfetchable import NOWHERE
from tests.helpers.html import Document
from tests.helpers.little_server import little_server, saying
from tests.oidc.desk import payload_of
from tests.oidc.registering import HONEST, Counter, counter
from tests.web.walking import enter, gone, newcomer, press, shown, told

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
ITS_OWN_WORD = "This app registered itself"


@pytest.fixture(scope="module")
def desk(module_url: str) -> Iterator[Counter]:
    with counter(module_url) as there:
        yield there


def approval(desk: Counter, client_id: str, **more: str | list[str]) -> Document:
    """The page that asks somebody whether the device may go on."""
    form = {"client_id": client_id, "scope": "openid", **more}
    code = desk.http.post("/oauth/device", data=form).json()["user_code"]
    agent = desk.house.browser()
    page = agent.page("/device")
    page = shown(agent.submit(page, page.form("/device"), {"user_code": code}))
    return shown(enter(agent, page, newcomer(desk.house))).document


def televised(desk: Counter, **changes: Any) -> dict[str, Any]:
    usual = {"grant_types": ["authorization_code", DEVICE], "token_endpoint_auth_method": "none"}
    return desk.registered(**{**usual, **changes})


def test_a_device_is_said_to_have_registered_itself(desk: Counter) -> None:
    ours = desk.house.client(
        client_name="Telly",
        grant_types=["authorization_code", DEVICE],
        token_endpoint_auth_method="none",
    )
    theirs = televised(desk, client_name="Telly")
    assert ITS_OWN_WORD in approval(desk, theirs["client_id"]).text
    assert ITS_OWN_WORD not in approval(desk, ours.client_id).text


def test_a_device_shows_no_host_that_no_answer_goes_to(desk: Counter) -> None:
    """Its redirect address is anybody's: the device gets its tokens without it."""
    made = televised(desk, redirect_uris=["https://bank.example/callback"])
    assert "bank.example" not in approval(desk, made["client_id"]).text


def test_nor_does_the_list_of_connected_apps(desk: Counter) -> None:
    uris = ["https://bank.example/callback", "https://app.example/callback"]
    made = desk.registered(client_name="Lanterns", redirect_uris=uris)
    party, agent = desk.party(made), desk.house.browser()
    asked = shown(agent.get(party.authorization_url(redirect_uri="https://app.example/callback")))
    consent = shown(enter(agent, asked, newcomer(desk.house)))
    assert "app.example" in consent.document.text
    press(agent, consent, "/consent", "Allow")
    listed = agent.page("/me/apps").document.text
    assert "Lanterns" in listed
    assert "bank.example" not in listed


# --- names of people in sectors of others -----------------------------------------------------


def test_a_device_joins_no_sector(desk: Counter) -> None:
    """No answer goes to its redirect addresses, so it could name anybody's."""
    bank = ["https://bank.example/callback"]
    asked: dict[str, Any] = {"subject_type": "pairwise", "redirect_uris": bank}
    refused = desk.refused(**asked, grant_types=["authorization_code", DEVICE])
    assert "subject_type" in refused["error_description"]
    assert desk.registered(**asked)["subject_type"] == "pairwise"
    assert televised(desk)["subject_type"] == "public"


def test_nor_does_one_without_an_address(desk: Counter) -> None:
    with little_server(saying(b'["https://bank.example/callback"]')) as bank:
        refused = desk.refused(
            subject_type="pairwise",
            sector_identifier_uri=bank.url("/sector.json"),
            redirect_uris=[],
            grant_types=[DEVICE],
        )
    assert "subject_type" in refused["error_description"]


def test_nor_does_one_that_becomes_a_device(desk: Counter) -> None:
    made = desk.registered(subject_type="pairwise")
    changed = {**HONEST, "client_id": made["client_id"], "subject_type": "pairwise"}
    assert desk.ask("PUT", made, changed).status_code == 200
    changed["grant_types"] = ["authorization_code", DEVICE]
    assert desk.ask("PUT", made, changed).status_code == 400


def test_whoever_was_vouched_for_keeps_what_she_has(desk: Counter) -> None:
    members = {"subject_type": "pairwise", "grant_types": ["authorization_code", DEVICE]}
    made = desk.registered(token=desk.initial_token(), **members)
    again = {**HONEST, **members, "client_id": made["client_id"], "client_name": "Other"}
    assert desk.ask("PUT", made, again).status_code == 200


# --- APIs that nobody said they may use -------------------------------------------------------

LEDGER = "https://ledger.example/api"


def test_an_api_is_named_before_it_is_allowed_and_each_time(desk: Counter) -> None:
    app, alice, agent = desk.party(desk.registered()), newcomer(desk.house), desk.house.browser()
    plain = shown(enter(agent, shown(agent.get(app.authorization_url())), alice))
    assert "In your name" not in plain.document.text
    app.finish(gone(press(agent, plain, "/consent", "Allow")))
    app.finish(gone(agent.get(app.authorization_url())))  # the control: asked once
    silent = told(agent.get(app.authorization_url(resource=LEDGER, prompt="none")))
    assert silent["error"] == "consent_required"
    for _ in range(2):
        asked = shown(agent.get(app.authorization_url(resource=LEDGER)))
        assert "In your name, it will be able to use: ledger.example" in asked.document.text
        tokens = app.finish(gone(press(agent, asked, "/consent", "Allow")))
        assert LEDGER in payload_of(tokens.access_token)["aud"]


def test_an_app_of_the_house_is_asked_about_once(desk: Counter) -> None:
    shop, alice, agent = desk.house.client(), newcomer(desk.house), desk.house.browser()
    asked = shown(enter(agent, shown(agent.get(shop.authorization_url(resource=LEDGER))), alice))
    assert "In your name, it will be able to use: ledger.example" in asked.document.text
    shop.finish(gone(press(agent, asked, "/consent", "Allow")))
    shop.finish(gone(agent.get(shop.authorization_url(resource=LEDGER))))


API: dict[str, Any] = {"grant_types": [], "redirect_uris": []}
NAMED = {
    "http://orders.example:9001": "Orders",
    "http://orders.example:9001/": "orders.example:9001",  # its name is for one address alone
    "http://Orders.example:9002": "orders.example:9002",
    "https://orders.example@evil.example": "evil.example",
    "https://nameless.example": "nameless.example",
    "https://closed.example": "closed.example",
    "https://self.example": "self.example",
    "urn:example:orders": "urn:example:orders",
}


def test_an_api_is_called_by_its_own_registered_name_only(desk: Counter) -> None:
    """By nobody else's, and by none that is only its own word."""

    def register(services: Any) -> None:
        registry, context = services.client_registry, desk.house.context
        for address, name in (
            ("http://orders.example:9001", "Orders"),
            ("https://nameless.example", None),
            ("https://closed.example", "Closed"),
            ("https://self.example", "Bank"),
        ):
            registry.register({**API, "client_name": name}, context, client_id=address)
        registry.disable("https://closed.example", context)
        stranger = update(Client).where(Client.id == "https://self.example")
        db.session.execute(stranger.values(managed_by=SELF_REGISTERED))
        db.session.commit()

    desk.house.do(register)
    page = approval(desk, televised(desk)["client_id"], resource=[*NAMED])
    assert f"it will be able to use: {', '.join(dict.fromkeys(NAMED.values()))} " in (
        page.text.replace(" , ", ", ")
    )


def test_a_device_says_which_api(desk: Counter) -> None:
    made = televised(desk)
    named = approval(desk, made["client_id"], resource=LEDGER).text
    assert "In your name, it will be able to use: ledger.example" in named
    assert "In your name" not in approval(desk, made["client_id"]).text


# --- what it learns of the names inside -------------------------------------------------------


def test_the_names_inside_are_nobodys_business(desk: Counter) -> None:
    """A name that is there and one that is not are refused alike, however the DNS is asked."""
    hosts = ("10.0.0.1", "[::ffff:127.0.0.1]", "169.254.169.254", "nobody.invalid")
    told_of = {
        desk.refused(sector_identifier_uri=f"https://{host}/sector.json")["error_description"]
        for host in hosts
    }
    assert told_of == {f"sector_identifier_uri cannot be fetched: {NOWHERE}."}


def test_nothing_is_allowed_unseen(desk: Counter) -> None:
    """A scope of somebody's API has no sentence here: then its name has to do."""
    made = desk.registered(token=desk.initial_token(), scope="openid orders:write")
    app, agent = desk.party(made), desk.house.browser()
    asked = shown(agent.get(app.authorization_url(scope="openid orders:write")))
    consent = shown(enter(agent, asked, newcomer(desk.house)))
    assert "orders:write" in consent.document.text
    app.finish(gone(press(agent, consent, "/consent", "Allow")))
    assert "orders:write" in agent.page("/me/apps").document.text
