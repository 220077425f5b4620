"""What axe finds wrong with a page as it stands in the browser."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_AXE = Axe()


def violations(page: Page, *, rules: tuple[str, ...] = ()) -> list[str]:
    """One line for each rule broken, with the elements that break it; empty for a clean page.

    ``rules`` are the only ones to be looked at, where any are named.
    """
    options: dict[str, Any] = {"runOnly": list(rules)} if rules else {}
    found = _AXE.run(page, options=options).response["violations"]
    return [
        f"{rule['id']} ({rule['impact']}): {rule['help']} at {[n['target'] for n in rule['nodes']]}"
        for rule in found
    ]


def violations_in_both_schemes(page: Page) -> list[str]:
    """The same in light and in dark, which differ in nothing but colours."""
    page.emulate_media(color_scheme="light")
    found = violations(page)
    page.emulate_media(color_scheme="dark")
    dark = violations(page, rules=("color-contrast",))
    page.emulate_media(color_scheme="light")
    return [*found, *(f"dark: {one}" for one in dark)]
