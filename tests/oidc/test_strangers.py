"""What strangers who register themselves try to pass for, and to reach."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.helpers.html import Document
from tests.helpers.user_agent import UserAgent
from tests.oidc.registering import Counter, counter
from tests.web.walking import enter, newcomer, press, shown

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
ITS_OWN_WORD = "This app registered itself"


@pytest.fixture(scope="module")
def desk(module_url: str) -> Iterator[Counter]:
    with counter(module_url) as there:
        yield there


def approval(desk: Counter, client_id: str, agent: UserAgent | None = None) -> Document:
    """The page that asks somebody whether the device may go on."""
    form = {"client_id": client_id, "scope": "openid"}
    code = desk.http.post("/oauth/device", data=form).json()["user_code"]
    agent = agent or desk.house.browser()
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
        token_endpoint_auth_method="none",  # noqa: S106  the method, no password
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
    asked = shown(
        agent.get(party.authorization_url(redirect_uri="https://app.example/callback"))
    )
    consent = shown(enter(agent, asked, newcomer(desk.house)))
    assert "app.example" in consent.document.text
    press(agent, consent, "/consent", "Allow")
    listed = agent.page("/me/apps").document.text
    assert "Lanterns" in listed
    assert "bank.example" not in listed
