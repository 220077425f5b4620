"""What axe finds wrong with a page as it stands in the browser."""

from collections.abc import Mapping
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

# What passes is not described: finding selectors for it takes longer than all the rules.
_RUN = """options => axe.run(document, { ...options, resultTypes: ['violations'] })
                      .then(found => found.violations)"""
_CONTRAST = {"runOnly": ["color-contrast"]}
_TARGETS = {"rules": {"target-size": {"enabled": True}}}


def violations_in_both_schemes(page: Page, *, targets: bool = False) -> list[str]:
    """One line for each rule broken, with the elements that break it; empty for a clean page.

    ``targets``: large enough to touch, too (WCAG 2.2, 2.5.8). Dark differs in nothing but colours,
    so that only these are looked at again. The page is left in light.
    """
    page.emulate_media(color_scheme="light")
    page.evaluate(AXE_SCRIPT)
    found = _violations(page, _TARGETS if targets else {})
    page.emulate_media(color_scheme="dark")
    dark = _violations(page, _CONTRAST)
    page.emulate_media(color_scheme="light")
    return [*found, *(f"dark: {one}" for one in dark)]


def _violations(page: Page, options: Mapping[str, Any]) -> list[str]:
    found: list[dict[str, Any]] = page.evaluate(_RUN, options)
    return [
        f"{rule['id']} ({rule['impact']}): {rule['help']} at {[n['target'] for n in rule['nodes']]}"
        for rule in found
    ]
