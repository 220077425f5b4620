"""What belongs together looks so: one colour, one line, one ground."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page

from tests.helpers.house import House

Enter = Callable[[str], None]


def style(what: Locator, name: str) -> str:
    found: str = what.evaluate("(one, name) => getComputedStyle(one)[name]", name)
    return found


def left(what: Locator) -> float:
    box = what.bounding_box()
    assert box is not None
    return box["x"]


def test_this_device_has_one_colour_everywhere(page: Page, house: House, enter: Enter) -> None:
    enter("/me")
    colours = set()
    for path in ("/me", "/me/sessions"):
        page.goto(f"{house.settings.issuer}{path}")
        colours.add(style(page.get_by_text("This device", exact=True), "color"))
    assert len(colours) == 1


@pytest.mark.parametrize("width", [1280, 320])
def test_the_last_step_and_its_button_begin_at_one_line(
    page: Page, enter: Enter, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    enter("/me/security/totp")
    button = page.get_by_role("button", name="Turn on")
    assert left(button) == left(page.get_by_label("6-digit code"))
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_what_is_not_ticked_is_on_the_ground_of_a_field(page: Page, house: House) -> None:
    """Chromium's own box in the dark is filled with a grey, and cannot be asked for its colour."""
    page.emulate_media(color_scheme="dark")
    page.goto(f"{house.settings.issuer}/me")
    box, field = page.get_by_role("checkbox"), page.get_by_label("Email address")
    assert style(box, "appearance") == "none"
    for name in ("backgroundColor", "borderTopColor"):
        assert style(box, name) == style(field, name)
    box.check()
    assert style(box, "appearance") == "auto"
