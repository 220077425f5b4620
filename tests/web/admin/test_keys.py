"""The console's page of signing keys."""

import re
from datetime import timedelta

import pytest

from idp.services.key_rotation import KeyInfo
from tests.helpers.house import House
from tests.helpers.user_agent import Page, UserAgent
from tests.web.admin.people import signed_in_as
from tests.web.walking import events, shown


@pytest.fixture
def agent(house: House) -> UserAgent:
    return signed_in_as(house, "administrator")


def listed(house: House, *, algorithm: str = "ES256") -> list[KeyInfo]:
    found = house.do(lambda services: services.key_rotation.listed(house.clock()))
    return [key for key in found if key.algorithm == algorithm]


def rotate(agent: UserAgent, **values: str) -> Page:
    page = agent.page("/admin/keys")
    form = next(one for one in page.document.forms if set(values) <= set(one.inputs))
    return shown(agent.submit(page, form, values))


def at_once(agent: UserAgent, **values: str) -> Page:
    page = agent.page("/admin/keys")
    form = next(one for one in page.document.forms if "sure" in one.inputs)
    return shown(agent.submit(page, form, values))


def test_a_rotation_publishes_the_next_key_and_says_when_it_signs(
    house: House, agent: UserAgent
) -> None:
    page = rotate(agent, algorithm="ES256")
    assert page.path == "/admin/keys"
    assert "The new keys are published, and sign in 24 h." in page.document.text
    assert [key.state for key in listed(house)] == ["signing", "waiting"]
    assert [key.state for key in listed(house, algorithm="RS256")] == ["signing"]
    (event,) = events(house, event="key.rotated")
    assert event.data["algorithms"] == ["ES256"]
    assert event.actor_id is not None


def test_every_date_is_told_and_what_a_rotation_does_to_caches(
    house: House, agent: UserAgent
) -> None:
    text = agent.page("/admin/keys").document.text
    for word in ("Published", "Signs from", "Stops signing", "Leaves the key set"):
        assert word in text
    (key,) = listed(house)
    settings = house.settings
    signs = key.signs_from + settings.key_lifetime
    published = signs - settings.key_publish_ahead
    told = [f"{at.day} {at:%b %Y, %H:%M} UTC" for at in (published, signs)]
    assert f"a successor is published {told[0]} and signs from {told[1]}" in text
    assert "keep the key set (JWKS) for 5 min" in text


def test_the_line_of_a_key_goes_to_where_the_next_takes_over(
    house: House, agent: UserAgent
) -> None:
    page = agent.page("/admin/keys")
    (key,) = listed(house)
    settings = house.settings
    takes_over = key.signs_from + settings.key_lifetime
    ends = takes_over + house.services.keys.keep
    length = ends - key.published_at
    told = f"{ends + max(timedelta(days=1), length / 12):%-d %b %Y}"
    line = re.search(r"(\d+ \w+ \d+) – (\d+ \w+ \d+)", page.document.text)
    assert line
    assert line[2] == told
    kinds = re.findall(r'<rect class="(\w+)" x="(\d+)" y="4" width="(\d+)"', page.response.text)
    (_kind, x, width), *_others = [one for one in kinds if one[0] == "signing"]
    assert 850 < int(x) + int(width) < 950, "it does not reach to the end of the line"


def test_after_its_time_the_old_one_is_shown_until_its_tokens_are_over(
    house: House, agent: UserAgent
) -> None:
    rotate(agent, algorithm="ES256")
    house.clock.advance(days=1, minutes=1)
    agent = signed_in_as(house, "administrator")
    text = agent.page("/admin/keys").document.text
    assert "Stopped signing" in text
    house.clock.advance(days=2)
    agent = signed_in_as(house, "administrator")
    text = agent.page("/admin/keys").document.text
    assert "Stopped signing" not in text
    assert "One older key is published no more." in text


def test_the_emergency_needs_to_be_meant(house: House, agent: UserAgent) -> None:
    before = listed(house)
    page = at_once(agent)
    assert page.status == 422
    assert "Tick the box" in page.document.text
    assert listed(house) == before
    at_once(agent, sure="yes")
    assert sorted(key.state for key in listed(house)) == ["published", "signing"]


def test_a_leaked_key_leaves_the_key_set(house: House, agent: UserAgent) -> None:
    at_once(agent, sure="yes")
    old = next(key for key in listed(house) if key.state == "published")
    page = agent.page("/admin/keys")
    form = page.form(f"/{old.kid}/retire")
    shown(agent.submit(page, form, {"at_once": "yes"}))
    assert [key.state for key in listed(house) if key.kid == old.kid] == ["removed"]
    assert old.kid not in house.http().get("/oauth/jwks").text


def test_the_only_key_is_not_retired(house: House, agent: UserAgent) -> None:
    (only,) = listed(house)
    page = agent.page("/admin/keys")
    form = next(one for one in page.document.forms if "algorithm" in one.inputs)
    token = form.fields
    response = agent.client.post(
        f"/admin/keys/{only.kid}/retire", data=dict(token), headers={"Origin": agent.home}
    )
    assert response.status_code == 422
    assert "rotate first" in response.text
    assert [key.state for key in listed(house)] == ["signing"]


def test_an_auditor_sees_them_and_no_buttons(house: House) -> None:
    page = signed_in_as(house, "auditor").page("/admin/keys")
    assert "Signs now" in page.document.text
    assert [form.action for form in page.document.forms if "keys" in form.action] == []
