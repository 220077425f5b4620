"""Settings that change while the program runs."""

from typing import Any

import pytest

from idp.config.colours import DARK, ENOUGH, contrast, for_the_dark, least_contrast
from tests.helpers.house import House
from tests.helpers.sign_in import sign_in, totp
from tests.helpers.user_agent import Page, UserAgent
from tests.web.admin.people import signed_in_as
from tests.web.walking import events, shown


@pytest.fixture
def agent(house: House) -> UserAgent:
    return signed_in_as(house, "administrator")


def save(agent: UserAgent, **values: str) -> Page:
    page = agent.page("/admin/settings")
    return shown(agent.submit(page, page.form("/settings"), values))


def test_a_change_is_on_the_next_page_and_in_the_log(house: House, agent: UserAgent) -> None:
    page = save(agent, site_name="Orchard", help_url="https://example.org/help")
    assert "Saved." in page.document.text
    login = house.browser().page("/login/")
    assert login.document.title.endswith("Orchard")
    assert login.link("Help") == "https://example.org/help"
    changes = {
        event.data["setting"]: event.data for event in events(house, event="setting.changed")
    }
    assert set(changes) == {"site_name", "help_url"}
    assert (changes["site_name"]["before"], changes["site_name"]["after"]) == (
        "Gatehouse",
        "Orchard",
    )
    assert all(event.actor_id for event in events(house, event="setting.changed"))


def test_another_node_sees_it_within_seconds(house: House, agent: UserAgent) -> None:
    other = House(house.settings.database_url, house.clock)
    assert other.browser().page("/login/").document.title.endswith("Gatehouse")
    save(agent, site_name="Orchard")
    assert other.browser().page("/login/").document.title.endswith("Gatehouse")
    house.clock.advance(seconds=3)
    assert other.browser().page("/login/").document.title.endswith("Orchard")


def test_empty_goes_back_to_what_it_was_started_with(house: House, agent: UserAgent) -> None:
    save(agent, site_name="Orchard")
    save(agent, site_name="")
    assert house.browser().page("/login/").document.title.endswith("Gatehouse")


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"accent": "#8fb0ff"}, "must be darker"),
        ({"accent": "blue"}, "must be a colour"),
        ({"radius": "99"}, "from 0 to 24"),
        ({"logo_url": "http://example.org/a.svg"}, "must start with https://"),
        ({"logo_url": "javascript:alert(1)"}, "must start with https://"),
        ({"privacy_url": "data:text/html,x"}, "must be an address"),
    ],
)
def test_what_will_not_do_is_named_and_nothing_is_saved(
    house: House, agent: UserAgent, values: dict[str, str], told: str
) -> None:
    page = save(agent, site_name="Orchard", **values)
    assert page.status == 422
    assert told in page.document.text
    inputs = page.form("/settings").inputs
    assert all(inputs[name]["value"] == value for name, value in values.items())
    assert events(house, event="setting.changed") == []


PICKS = {
    "the picker alone": ("", "#7a1fa2", "#7a1fa2"),
    "the picker left as it is": ("", "#2f5bd8", None),
    "the field alone": ("#00695c", "#2f5bd8", "#00695c"),
    "both, and the field says more": ("#00695c", "#7a1fa2", "#00695c"),
    "the field as the picker fills it": ("#7a1fa2", "#7a1fa2", "#7a1fa2"),
}


@pytest.mark.parametrize(("typed", "picked", "expected"), PICKS.values(), ids=PICKS)
def test_a_colour_is_picked_or_typed(
    town: House, typed: str, picked: str, expected: str | None
) -> None:
    agent = signed_in_as(town, "administrator")
    save(agent, accent="", accent_picked="#2f5bd8")  # to what it was started with
    saved = save(agent, accent=typed, accent_picked=picked)
    assert saved.status == 200
    assert town.services.settings.accent == expected
    assert saved.form("/settings").inputs["accent_picked"]["value"] == (expected or picked)


def test_a_picked_colour_that_cannot_be_read_is_refused_and_kept(
    town: House,
) -> None:
    agent = signed_in_as(town, "administrator")
    page = save(agent, accent="", accent_picked="#8fb0ff")
    assert page.status == 422
    assert "must be darker" in page.document.text
    assert page.form("/settings").inputs["accent_picked"]["value"] == "#8fb0ff"


def test_a_variable_wins_and_is_not_changed_here(
    sqlite_url: str, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDP_SITE_NAME", "Meadow")
    house = House(sqlite_url, clock, site_name="Meadow")
    agent = signed_in_as(house, "administrator")
    page = agent.page("/admin/settings")
    assert "Set by the variable IDP_SITE_NAME" in page.document.text
    form = page.form("/settings")
    assert "site_name" not in form.inputs
    sent = {**form.fields, "site_name": "Orchard"}
    agent.client.post("/admin/settings", data=sent, headers={"Origin": agent.home})
    assert house.browser().page("/login/").document.title.endswith("Meadow")


def test_the_brand_is_a_stylesheet_with_a_tag(house: House, agent: UserAgent) -> None:
    assert "brand.css" not in house.browser().page("/login/").response.text
    save(agent, accent="#7A1FA2", radius="0", logo_url="https://cdn.example/logo.svg")
    page = house.browser().page("/login/")
    assert "/brand.css?v=" in page.response.text
    assert "https://cdn.example" in page.response.headers["Content-Security-Policy"]
    answer = house.http().get("/brand.css")
    assert "--accent:#7a1fa2" in answer.text
    assert "--radius:0px" in answer.text
    assert answer.headers["Content-Type"].startswith("text/css")
    again = house.http().get("/brand.css", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("colour", ["#000000", "#2f5bd8", "#7a1fa2", "#b42318", "#00695c"])
def test_on_dark_pages_the_tint_can_be_read(colour: str) -> None:
    assert least_contrast(for_the_dark(colour), DARK) >= ENOUGH


def test_contrast_as_it_is_defined() -> None:
    assert round(contrast("#000000", "#ffffff"), 1) == 21
    assert round(contrast("#777777", "#ffffff"), 2) == 4.48


def test_policies_count_at_once(house: House, agent: UserAgent) -> None:
    save(agent, login_style="passkey_only")
    login = house.browser().page("/login/")
    assert "password" not in {name for form in login.document.forms for name in form.inputs}


def test_an_auditor_reads_them(house: House) -> None:
    page = signed_in_as(house, "auditor").page("/admin/settings")
    assert "Gatehouse" in page.document.text
    assert "site_name" not in {name for one in page.document.forms for name in one.inputs}


def test_a_way_to_sign_in_that_is_refused_is_not_offered_and_counts_nowhere(
    house: House, agent: UserAgent
) -> None:
    shop, ann = house.client(consent="never"), house.person("ann@example.com")
    hers = house.browser()
    sign_in(hers, shop.authorization_url(), username=ann.email, password=ann.password)
    page = untick(agent, "method-password", "method-recovery_code")
    assert "Saved." in page.document.text
    again = shown(hers.get(shop.authorization_url()))
    assert again.document.headings[0] == "Confirm it’s you"
    assert [form for form in again.document.forms if form.action.endswith("/magic_link")]
    assert "password" not in again.document.text
    changed = events(house, event="setting.changed")[0].data
    assert (changed["before"], changed["after"]) == ([], ["password", "recovery_code"])
    tick_all(agent)
    assert not isinstance(hers.get(shop.authorization_url()), Page)


def test_nobody_is_locked_out_altogether(agent: UserAgent) -> None:
    page = untick(agent, "method-password", "method-passkey", "method-magic_link")
    assert page.status == 422
    assert "must leave a way that a sign-in can begin with" in page.document.text
    kept = dict(page.form("/settings").fields)
    assert "method-password" not in kept
    assert "method-totp" in kept


def test_what_is_refused_is_not_set_up_and_no_console_waits_for_it(house: House) -> None:
    """Whoever has a passkey that is refused gets in by what else there is."""
    carol = house.person("carol@example.com", role="administrator")
    house.passkey(carol)
    seed = house.totp(carol)
    values = {"refused_methods": "passkey"}
    house.do(lambda services: services.changed_settings.set(values, house.context))
    house.clock.advance(minutes=1)
    browser = house.browser()
    url = house.client(consent="never").authorization_url()
    answers = {"totp": totp(seed, house.clock)}
    sign_in(browser, url, username=carol.email, password=carol.password, answers=answers)
    assert browser.page("/admin/settings").status == 200
    assert browser.page("/me/security/passkey/new").status == 404
    assert browser.page("/me/security/totp/new").status == 200


def test_people_register_themselves_from_the_moment_it_is_allowed(
    house: House, agent: UserAgent
) -> None:
    def seen() -> tuple[int, bool]:
        found = house.browser().get("/login/register")
        assert isinstance(found, Page)
        metadata = house.http().get("/.well-known/openid-configuration").json()
        return found.status, "create" in metadata["prompt_values_supported"]

    assert seen() == (404, False)
    save(agent, registration="yes")
    assert seen() == (200, True)
    untick(agent, "registration")
    assert seen() == (404, False)


def untick(agent: UserAgent, *names: str) -> Page:
    """Save with these boxes empty."""
    page = agent.page("/admin/settings")
    form = page.form("/settings")
    for name in names:
        form.fields.pop(name, None)
    return shown(agent.submit(page, form))


def tick_all(agent: UserAgent) -> None:
    page = agent.page("/admin/settings")
    form = page.form("/settings")
    boxes = {name: "yes" for name in form.inputs if name.startswith("method-")}
    shown(agent.submit(page, form, boxes))
