"""The first page of a sign-in is rendered once, and is for everybody what it would be by itself."""

import re
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from idp.web.skeletons import MOST, Render, Skeletons, Values
from tests.helpers.house import House
from tests.helpers.relying_party import RelyingParty
from tests.helpers.user_agent import Page, UserAgent
from tests.web.walking import enter, gone, newcomer, press


class Everything(Skeletons):
    """Pages as the templates make them, each time."""

    def page(self, key: Hashable, values: Values, render: Render) -> str:
        return render(values)


@contextmanager
def rendered(town: House) -> Iterator[None]:
    services = town.services
    put_together, services.skeletons = services.skeletons, Everything()
    yield
    services.skeletons = put_together


def compared(page: Page) -> str:
    """The page, with names in the place of what no two pages have in common."""
    text = page.response.text
    (started,) = set(re.findall(r'data-elsewhere="/login/([\w-]+)/state"', text))
    text = text.replace(started, "SIGN-IN")
    for pattern in (
        r'(name="csrf_token" value=")[^"]+',
        r'(nonce=")[^"]+',
        r'("challenge":\s*")[^"]+',
    ):
        text, found = re.subn(pattern, r"\1OWN", text)
        assert found, pattern
    return text


@pytest.fixture(scope="module")
def shop(town: House) -> RelyingParty:
    return town.client(
        client_name="<Shop> & \"Sons'",
        logo_uri="https://rp.example/logo.png",
        policy_uri="https://rp.example/privacy?a=1&b=2",
        consent="never",
    )


Visit = Callable[[House, RelyingParty], Page]


def plainly(town: House, shop: RelyingParty, **changes: str) -> Page:
    return town.browser().page(shop.authorization_url(**changes))


def with_a_hint(town: House, shop: RelyingParty) -> Page:
    hint = "o'neil&\"<i>@example.com"
    return town.browser().page(shop.authorization_url(login_hint=hint))


def for_a_page_of_ours(town: House, _shop: RelyingParty) -> Page:
    return town.browser().page("/login/")


def after_being_away(town: House, shop: RelyingParty) -> Page:
    agent = town.browser()
    page = agent.page(shop.authorization_url())
    town.clock.advance(hours=2)
    return agent.page(page.url)


def remembered(town: House, shop: RelyingParty) -> Page:
    agent, person = town.browser(), newcomer(town, email=f"ann+{town.clock():%s}@example.com")
    place = enter(agent, agent.page(shop.authorization_url()), person, remember="yes")
    gone(press(agent, place, "/add", "Not now") if isinstance(place, Page) else place)
    town.clock.advance(days=40)
    return agent.page(shop.authorization_url())


VISITS: dict[str, tuple[Visit, dict[str, Any]]] = {
    "plainly": (plainly, {}),
    "with a hint": (with_a_hint, {}),
    "not too long ago": (lambda town, shop: plainly(town, shop, max_age="60"), {}),
    "for a page of ours": (for_a_page_of_ours, {}),
    "after being away": (after_being_away, {}),
    "the address first": (plainly, {"login_style": "identifier_first"}),
    "passkeys only": (plainly, {"login_style": "passkey_only"}),
    "without a way": (plainly, {"refused_methods": ("magic_link",)}),
    "of a brand": (plainly, {"site_name": "<Acme>", "logo_url": "https://acme.example/a.svg"}),
}


@pytest.mark.parametrize(("visit", "changed"), VISITS.values(), ids=VISITS)
def test_it_is_what_the_template_makes(
    town: House, shop: RelyingParty, visit: Visit, changed: dict[str, Any]
) -> None:
    town.services.settings.change(changed)
    try:
        made, put_together = visit(town, shop), visit(town, shop)
        with rendered(town):
            by_itself = visit(town, shop)
    finally:
        town.services.settings.change({})
    assert compared(made) == compared(put_together) == compared(by_itself)
    policies = [one.response.headers["Content-Security-Policy"] for one in (made, put_together)]
    assert len({re.sub(r"nonce-[\w-]+", "", policy) for policy in policies}) == 1


def test_whose_address_is_remembered_is_hers(town: House, shop: RelyingParty) -> None:
    first, second = remembered(town, shop), remembered(town, shop)
    names = [one.form("/password").fields["username"] for one in (first, second)]
    assert len(set(names)) == 2
    with rendered(town):
        by_itself = remembered(town, shop)
    own = by_itself.form("/password").fields["username"]
    assert compared(second).replace(names[1], own) == compared(by_itself)


def test_every_sign_in_has_what_is_its_own(town: House, shop: RelyingParty) -> None:
    agent: UserAgent = town.browser()
    pages = [agent.page(shop.authorization_url()) for _ in range(2)]
    own = [
        set(
            re.findall(r'/login/([\w-]+)|nonce="([^"]+)|"challenge":\s*"([^"]+)', one.response.text)
        )
        for one in pages
    ]
    assert not own[0] & own[1]


def test_values_are_escaped_and_none_is_taken_for_another() -> None:
    skeletons = Skeletons()

    def render(values: Values) -> str:
        return f"<p>{values['a']}</p>{values['b']}{values['a']}"

    skeletons.page("key", {"a": "x", "b": "y"}, render)
    assert skeletons.page("key", {"a": "<b>", "b": "a"}, render) == "<p>&lt;b&gt;</p>a&lt;b&gt;"


def test_what_is_empty_is_another_page() -> None:
    skeletons = Skeletons()

    def render(values: Values) -> str:
        return f"for {values['who']}" if values["who"] else "for anybody"

    assert skeletons.page("key", {"who": "ann"}, render) == "for ann"
    assert skeletons.page("key", {"who": ""}, render) == "for anybody"
    assert skeletons.page("key", {"who": "bob"}, render) == "for bob"


def test_they_are_not_kept_without_end() -> None:
    skeletons, made = Skeletons(), []

    def render(values: Values) -> str:
        made.append(values)
        return values["a"]

    for number in (*range(MOST + 1), 0):
        assert skeletons.page(number, {"a": "x"}, render) == "x"
    assert len(made) == MOST + 2
    skeletons.page(0, {"a": "y"}, render)
    assert len(made) == MOST + 2


def test_what_two_pages_have_in_common_is_kept_once() -> None:
    pages = Skeletons()
    values = {"name": "Ann"}
    pages.page("one", values, lambda given: f"one{given['name']}, hello!")
    pages.page("two", values, lambda given: f"two{given['name']}, hello!")
    (first, _, greets), (second, _, greets_too) = pages._known.values()
    assert (first, second) == ("one", "two")
    assert greets is greets_too
