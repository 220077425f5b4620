"""Every page of the console against every role, taken from the route table itself."""

from collections.abc import Iterator, Mapping

import httpx
import pytest
from werkzeug.routing import Rule

from idp.services.roles import CHANGE_ALL, READ_ALL, ROLES, permits
from idp.web.admin.guard import GUARDED
from tests.helpers.house import House
from tests.helpers.user_agent import UserAgent
from tests.web.admin.people import signed_in_as
from tests.web.walking import enter, newcomer, shown

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def rules(house: House) -> list[Rule]:
    found = [rule for rule in house.app.url_map.iter_rules() if rule.rule.startswith("/admin")]
    assert len(found) > 1
    return found


@pytest.fixture(scope="module")
def agents(town: House) -> Mapping[str | None, UserAgent]:
    return {role: signed_in_as(town, role) for role in (None, *ROLES)}


def calls(house: House, agent: UserAgent) -> Iterator[tuple[Rule, str, httpx.Response]]:
    """The answer of every route by each of its methods, its parameters naming nothing."""
    token = _form_token(agent)
    for rule in rules(house):
        url = rule.build(dict.fromkeys(rule.arguments, "nothing"), append_unknown=False)
        assert url is not None
        for method in METHODS:
            if method in (rule.methods or ()):
                form = {"csrf_token": token} if method != "GET" else None
                headers = {"Origin": agent.home}
                yield rule, method, agent.client.request(method, url[1], data=form, headers=headers)


def _form_token(agent: UserAgent) -> str:
    page = agent.page("/me/security")
    return next(
        dict(form.fields)["csrf_token"]
        for form in page.document.forms
        if "csrf_token" in form.inputs
    )


def test_every_route_says_who_may(town: House) -> None:
    assert {rule.endpoint for rule in rules(town)} <= set(GUARDED)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_reaches_what_it_permits_and_nothing_else(
    town: House, agents: Mapping[str | None, UserAgent], role: str
) -> None:
    wrong = [
        (rule.rule, method, response.status_code)
        for rule, method, response in calls(town, agents[role])
        if (response.status_code == 403) is permits(role, GUARDED[rule.endpoint])
        or "/login/" in response.headers.get("Location", "")
    ]
    assert wrong == []


def test_nobody_else_learns_of_it(town: House, agents: Mapping[str | None, UserAgent]) -> None:
    answers = [response.status_code for _, _, response in calls(town, agents[None])]
    assert set(answers) == {404}


@pytest.mark.parametrize("path", ["/admin", "/admin/people", "/admin/clients/nothing"])
def test_who_has_no_role_is_told_so_before_she_sets_anything_up(town: House, path: str) -> None:
    person, agent = newcomer(town), town.browser()
    page = shown(enter(agent, agent.page(path), person))
    assert (page.path, page.status) == (path, 404)
    assert page.document.headings == ["This account may not administer"]
    assert "Go to your account" in page.document.text


def test_who_administers_sets_up_what_is_missing(town: House) -> None:
    """In the same sign-in: what was just proved is not asked for again."""
    person, agent = newcomer(town, role="auditor"), town.browser()
    asked = agent.page("/admin")
    page = shown(enter(agent, asked, person))
    assert page.path == asked.path
    assert page.status == 200


def test_without_a_session_everything_leads_to_the_sign_in(town: House) -> None:
    for rule in rules(town):
        url = rule.build(dict.fromkeys(rule.arguments, "nothing"), append_unknown=False)
        assert url is not None
        if "GET" in (rule.methods or ()):
            response = town.browser().client.get(url[1])
            assert response.headers["Location"].startswith("/login/"), rule.rule


def test_an_auditor_changes_nothing_and_a_manager_sees_clients() -> None:
    assert ROLES["auditor"].isdisjoint(CHANGE_ALL)
    assert ROLES["auditor"] == READ_ALL
    assert {one.area for one in ROLES["client_manager"] if one.writes} == {"clients"}
    assert not permits("gardener", next(iter(READ_ALL)))
