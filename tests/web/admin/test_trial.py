"""Testing an application from the console: the real exchange, of which nothing gets out."""

import re
from typing import Any

import pytest
from sqlalchemy import select

from idp.models import Grant, RefreshToken, SessionClient, db
from tests.helpers.house import House
from tests.helpers.relying_party import RelyingParty
from tests.helpers.user_agent import Page, UserAgent
from tests.web.admin.people import signed_in_as
from tests.web.walking import events


@pytest.fixture(scope="module")
def admin(town: House) -> UserAgent:
    return signed_in_as(town, "administrator")


def run(agent: UserAgent, shop: RelyingParty, **values: str) -> Page:
    page = agent.page(f"/admin/clients/{shop.client_id}/test")
    place = agent.submit(page, page.form("/test"), values)
    assert isinstance(place, Page)
    return place


GREEN: dict[str, dict[str, Any]] = {
    "plain": {},
    "public": {"token_endpoint_auth_method": "none"},
    "opaque tokens": {"access_token_format": "opaque"},
    "pairwise": {"subject_type": "pairwise"},
    "signed userinfo": {"userinfo_signed_response_alg": "RS256"},
    "pushed only": {"require_pushed_authorization_requests": True},
    "bound to a key": {"dpop_bound_access_tokens": True},
    "asks for consent": {"consent": "always"},
}


@pytest.mark.parametrize("members", GREEN.values(), ids=GREEN)
def test_it_works(town: House, admin: UserAgent, members: dict[str, Any]) -> None:
    shop = town.client(**members)
    text = run(admin, shop).document.text
    assert "It works" in text
    assert "Granted strength: phr." in text
    assert '"email":' in text
    tested = events(town, event="client.tested", client_id=shop.client_id)[0]
    assert tested.data["outcome"] == "passed"


def test_nothing_is_left_that_anybody_could_use(town: House, admin: UserAgent) -> None:
    shop = town.client(grant_types=["authorization_code", "refresh_token"])
    page = run(admin, shop, scope="openid offline_access")
    assert not re.search(r"eyJ[\w-]+\.[\w-]+\.", page.response.text)  # a JWT

    def left(_services: object) -> tuple[list[Grant], list[RefreshToken], list[SessionClient]]:
        grants = list(db.session.scalars(select(Grant).where(Grant.client_id == shop.client_id)))
        refresh = select(RefreshToken).where(RefreshToken.grant_id.in_([one.id for one in grants]))
        told = select(SessionClient).where(SessionClient.client_id == shop.client_id)
        return grants, list(db.session.scalars(refresh)), list(db.session.scalars(told))

    grants, refresh, told = town.do(left)
    assert [one.code_used_at is not None and one.ended_at is not None for one in grants] == [True]
    assert refresh == []
    assert told == []


def test_the_address_of_the_test_is_no_clients(town: House, admin: UserAgent) -> None:
    shop = town.client()
    run(admin, shop)
    url = shop.authorization_url(redirect_uri=f"{town.settings.issuer}/admin/test-callback")
    assert admin.page(url).status == 400
    assert admin.page("/admin/test-callback").status == 404


FAILS: dict[str, tuple[dict[str, Any], dict[str, str], str, str]] = {
    "a group": ({"allowed_groups": ["Elsewhere"]}, {}, "access_denied", "none of the groups"),
    "nobody yet": ({"admits": "nobody"}, {}, "access_denied", "Nobody may sign in to it yet, and"),
    "a strength": ({"minimum_acr": "phrh"}, {}, "", "under Access and strength"),
    "an unknown acr": ({}, {"acr_values": "x"}, "unmet_authentication_requirements", "reached"),
    "a scope": ({"scope": "openid"}, {"scope": "openid groups"}, "invalid_scope", "A scope is"),
}


@pytest.mark.parametrize(("members", "asks", "error", "fix"), FAILS.values(), ids=FAILS)
def test_what_fails_is_named_with_the_way_out(
    town: House,
    admin: UserAgent,
    members: dict[str, Any],
    asks: dict[str, str],
    error: str,
    fix: str,
) -> None:
    shop = town.client(**members)
    text = run(admin, shop, **asks).document.text
    assert "It does not work yet" in text
    assert error in text
    assert fix in text
    assert (
        events(town, event="client.tested", client_id=shop.client_id)[0].data["outcome"] != "passed"
    )


def test_a_device_that_lets_nobody_in_does_not_work_yet(town: House, admin: UserAgent) -> None:
    device = ["urn:ietf:params:oauth:grant-type:device_code"]
    tv = town.client(grant_types=device, response_types=[], admits="nobody")
    text = run(admin, tv).document.text
    assert "It does not work yet" in text
    assert "It works" not in text
    assert text.count("Nobody may sign in to it yet") == 1, "and what to do is said once"
    assert text.count("Choose who may sign in") == 1
    robot = town.client(grant_types=["client_credentials"], response_types=[], admits="nobody")
    assert "It works" in run(admin, robot).document.text


def test_a_test_that_failed_did_not_go_well(town: House, admin: UserAgent) -> None:
    good, bad = town.client(), town.client(admits="nobody")
    for shop, wrong in ((good, False), (bad, True)):
        run(admin, shop)
        log = admin.page(f"/admin/audit?event=client.tested&client={shop.client_id}").document.text
        assert (log.count("Went wrong") > 1) == wrong, "once it is a filter"


def test_a_preview_for_a_person_writes_nothing(town: House, admin: UserAgent) -> None:
    shop, bob = town.client(), town.person("bob.preview@example.com")
    url = f"/admin/clients/{shop.client_id}/test?person={bob.email}&evidence=pwd"
    before = len(events(town))
    text = admin.page(url).document.text
    assert f'"email": "{bob.email}"' in text
    assert f'"sub": "{bob.id}"' in text
    assert len(events(town)) == before
    assert "Nobody is called so." in admin.page(url.replace("bob.", "rob.")).document.text
    assert "Say for whom." in admin.page(url.partition("person=")[0] + "person=").document.text


def test_a_client_manager_sees_nobody_elses_claims(town: House) -> None:
    shop, bob = town.client(), town.person("bob.private@example.com")
    agent = signed_in_as(town, "client_manager")
    page = agent.page(f"/admin/clients/{shop.client_id}/test?person={bob.email}&evidence=pwd")
    assert bob.id not in page.document.text
    assert "It works" in run(agent, shop).document.text


def test_an_auditor_runs_nothing(town: House) -> None:
    shop = town.client()
    agent = signed_in_as(town, "auditor")
    page = agent.page(f"/admin/clients/{shop.client_id}/test")
    assert "Run the test" not in page.response.text
