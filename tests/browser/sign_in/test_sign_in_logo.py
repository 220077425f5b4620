"""An application's logo on the sign-in page: shown on paper, or its initial in its place."""

import base64
from collections.abc import Iterator
from itertools import count
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.sign_in.world import World
from tests.helpers.little_server import LittleServer, little_server, saying

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
INITIAL = "img => getComputedStyle(img, '::after').content"
_NUMBERS = count(1)


@pytest.fixture
def elsewhere() -> Iterator[LittleServer]:
    """Where logos are kept."""
    with little_server(saying(PIXEL, kind="image/png")) as running:
        yield running


def address(gate: World, elsewhere: LittleServer) -> str:
    logo = elsewhere.url(f"/logo{next(_NUMBERS)}.png")
    return gate.shop("Lanterns", logo_uri=logo).authorization_url()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_logo_is_shown_on_white_paper(
    gate: World, page: Page, elsewhere: LittleServer, scheme: Literal["light", "dark"]
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(address(gate, elsewhere))
    logo = page.locator("img.tile")
    assert logo.evaluate("img => img.decode().then(() => img.naturalWidth)") == 1
    assert logo.evaluate("img => getComputedStyle(img).backgroundColor") == "rgb(255, 255, 255)"
    assert b"referer:" not in elsewhere.requests[-1].lower()


def test_one_that_does_not_load_leaves_its_initial(
    gate: World, page: Page, elsewhere: LittleServer
) -> None:
    elsewhere.answer = saying(b"gone", "404 Not Found", kind="text/plain")
    page.goto(address(gate, elsewhere))
    page.locator("span.tile").wait_for()
    assert page.locator("span.tile").inner_text() == "L"
    assert page.locator("img.tile").count() == 0


def test_without_javascript_as_well(gate: World, browser: Browser, elsewhere: LittleServer) -> None:
    elsewhere.answer = saying(b"no picture", kind="image/png")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address(gate, elsewhere))
    logo = page.locator("img.tile")
    assert logo.evaluate("img => img.naturalWidth") == 0
    assert logo.evaluate(INITIAL) == '"L"'
    context.close()
