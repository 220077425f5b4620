"""Signing out in a real browser: frames tell the applications, and a frame tells them of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Event
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from flask import Flask, Response, request
from playwright.sync_api import Browser, Page, expect

from idp.clock import system_clock
from tests.browser.sign_in.test_sign_in_look import fair
from tests.browser.sign_in.world import World, enter, headed, main, press, steady
from tests.helpers.ports import free_port
from tests.helpers.relying_party import RelyingParty
from tests.helpers.served import served

ASK = """async ([source, message]) => {
  const frame = Object.assign(document.createElement("iframe"), { src: source });
  await new Promise((loaded) => { frame.onload = loaded; document.body.append(frame); });
  return new Promise((answered) => {
    addEventListener("message", ({ data, origin }) => answered([data, origin]), { once: true });
    frame.contentWindow.postMessage(message, new URL(source).origin);
  });
}"""


@dataclass
class Party:
    """An application that is told on both channels; its pages are plain."""

    url: str
    front: list[dict[str, str]] = field(default_factory=list)
    back: list[str] = field(default_factory=list)
    slow: Event | None = None

    def app(self) -> Flask:
        app = Flask("party")

        @app.get("/front")
        def front() -> str:
            self.front.append(request.args.to_dict())
            if self.slow is not None:
                self.slow.wait(20)
            return "<!doctype html><title>Out</title>"

        @app.post("/back")
        def back() -> Response:
            self.back.append(request.form["logout_token"])
            return Response(status=200)

        @app.get("/<path:_where>")
        def anywhere(_where: str) -> str:
            icon = "<link rel=icon href='data:,'>"
            return f"<!doctype html><html lang=en>{icon}<title>Party</title><h1>Party</h1>"

        return app


@pytest.fixture
def party() -> Iterator[Party]:
    made = Party(f"http://localhost:{free_port()}")
    with served(made.app(), urlsplit(made.url).port or 0):
        yield made


def client_of(gate: World, party: Party, **members: Any) -> RelyingParty:
    gate.house.clock.set(system_clock())
    return gate.house.client(
        client_name="Lantern Club",
        consent="never",
        redirect_uris=[f"{party.url}/callback"],
        post_logout_redirect_uris=[f"{party.url}/out"],
        **members,
    )


def sign_in(gate: World, page: Page, client: RelyingParty) -> Any:
    """Somebody new; the tokens she got."""
    page.goto(client.authorization_url())
    enter(page, gate.newcomer())
    page.wait_for_url(f"{client.redirect_uri}?**")
    gate.house.clock.set(system_clock())
    return client.finish(page.url)


def logout_url(client: RelyingParty, party: Party, **parameters: str) -> str:
    back = {"post_logout_redirect_uri": f"{party.url}/out", "state": "s1"}
    return f"{client.metadata['end_session_endpoint']}?{urlencode({**back, **parameters})}"


def test_applications_are_told_on_both_channels(gate: World, page: Page, party: Party) -> None:
    client = client_of(
        gate,
        party,
        frontchannel_logout_uri=f"{party.url}/front",
        backchannel_logout_uri=f"{party.url}/back",
    )
    tokens = sign_in(gate, page, client)
    page.goto(logout_url(client, party, id_token_hint=tokens.id_token))
    page.wait_for_url(f"{party.url}/out?state=s1")
    assert party.front == [{"iss": gate.url, "sid": tokens.claims["sid"]}]
    steady(lambda: len(party.back) == 1, seconds=15)


def test_a_frame_that_never_loads_keeps_nobody(gate: World, page: Page, party: Party) -> None:
    client = client_of(gate, party, frontchannel_logout_uri=f"{party.url}/front")
    tokens = sign_in(gate, page, client)
    party.slow = Event()
    page.clock.install()
    page.goto(logout_url(client, party, id_token_hint=tokens.id_token), wait_until="commit")
    headed(page, "You are signed out")
    steady(lambda: len(party.front) == 1)
    page.clock.fast_forward(5_001)
    page.wait_for_url(f"{party.url}/out?state=s1", wait_until="commit")
    party.slow.set()


def test_without_javascript_there_is_a_button(
    gate: World, browser: Browser, page: Page, party: Party
) -> None:
    client = client_of(gate, party, frontchannel_logout_uri=f"{party.url}/front")
    tokens = sign_in(gate, page, client)
    plain = browser.new_context(
        java_script_enabled=False, storage_state=page.context.storage_state()
    )
    other = plain.new_page()
    other.goto(logout_url(client, party, id_token_hint=tokens.id_token))
    headed(other, "You are signed out")
    assert len(party.front) == 1
    other.get_by_role("link", name="Back to Lantern Club").click()
    other.wait_for_url(f"{party.url}/out?state=s1")
    plain.close()


def test_the_frame_answers_unchanged_and_then_changed(gate: World, page: Page) -> None:
    client = gate.shop()
    page.goto(client.authorization_url())
    enter(page, gate.newcomer())
    state = gate.returned(page)["session_state"]
    source = client.metadata["check_session_iframe"]

    def ask(message: object) -> str:
        answer, origin = page.evaluate(ASK, [source, message])
        assert origin == gate.url
        return str(answer)

    ours = f"{client.client_id} {state}"
    assert ask(ours) == "unchanged"
    assert ask(f"another {state}") == "changed"
    for malformed in ("", state, f"{client.client_id} {state[:-30]}", {"a": 1}, f"x {state} y"):
        assert ask(malformed) == "error"
    another_origin = page.context.new_page()
    another_origin.goto(gate.callback.replace("localhost", "127.0.0.1"))
    assert another_origin.evaluate(ASK, [source, ours])[0] in ("changed", "error")
    menu = page.context.new_page()
    menu.goto(f"{gate.url}/me")
    press(menu, "Sign out")
    headed(menu, "You are signed out")
    assert ask(ours) == "changed"


@pytest.mark.parametrize("width", [1280, 320])
def test_the_pages_are_fair(gate: World, page: Page, party: Party, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    told = client_of(gate, party, backchannel_logout_uri=f"{party.url}/back")
    quiet = gate.shop("A Rather Long Name Of An Application Of Lanterns And Lamps Incorporated")
    afar = gate.shop("Calendar", grant_types=["authorization_code", "refresh_token"])
    sign_in(gate, page, told)
    for client in (quiet, afar):
        page.goto(client.authorization_url(scope="openid offline_access"))
        gate.finish(page, client)
    page.goto(logout_url(told, party, client_id=told.client_id))
    fair(page, "Sign out?")
    expect(main(page)).to_contain_text("Lantern Club asks to sign you out of Gatehouse too.")
    elsewhere = {"timezoneId": "Asia/Kathmandu"}
    page.context.new_cdp_session(page).send("Emulation.setTimezoneOverride", elsewhere)
    page.goto(f"{gate.url}/oauth/logout")
    fair(page, "Sign out?")
    press(page, "Sign out")
    fair(page, "You are signed out")
    lines = main(page).get_by_role("listitem")
    expect(lines).to_have_count(3)
    expect(lines.nth(0)).to_have_text("Lantern Club")
    expect(lines.nth(2)).to_contain_text("Calendar until")
    expect(main(page), "by this browser's own clock, and says so").to_contain_text("GMT+5:45")
