"""Where a known application is, as people type it."""

import pytest

from idp.services.known_apps import home_of

TYPED = {
    "wiki.example": "https://wiki.example",
    " https://wiki.example/ ": "https://wiki.example",
    "https://wiki.example/sub//": "https://wiki.example/sub",
    "https://wiki.example/?orgId=1": "https://wiki.example",
    "wiki.example/#/home?tab=1": "https://wiki.example",
    "http://localhost:3000": "http://localhost:3000",
    "": "",
    "?": "",
    # Not made better than they are: the registration refuses these.
    "javascript:alert(1)": "https://javascript:alert(1)",
    "https://ada@wiki.example": "https://ada@wiki.example",
}


@pytest.mark.parametrize(("typed", "home"), TYPED.items(), ids=map(repr, TYPED))
def test_an_address_that_was_copied_from_a_page_is_that_of_its_home(typed: str, home: str) -> None:
    """A redirect address that ends in somebody's query would be one that nothing ever sends."""
    assert home_of(typed) == home
