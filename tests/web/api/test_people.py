"""People over HTTP: listed, made, changed, let in and out, within what the token holds."""

import pytest

from idp.services.people_files import MAX_BYTES
from idp.services.roles import ROLES
from idp.web.services import Services
from idp.web.sizes import IMPORT_CALL
from tests.helpers.house import House, Person
from tests.web.api.calling import Tool, app_of, as_machine, as_role, problems
from tests.web.walking import events, newcomer, sessions_of, shown, signed_in, user_of

PEOPLE = ["admin:people:read", "admin:people:write"]


@pytest.fixture
def bob(town: House) -> Person:
    return newcomer(town, name="Bob", groups=["web team"])


def path(person: Person) -> str:
    return f"/people/{person.id}"


def test_an_account_is_made_as_it_is_asked_for(town: House, admin: Tool) -> None:
    sent = {
        "email": "Carol@Example.com",
        "name": "Carol",
        "groups": ["new"],
        "profile": {"locale": "de"},
        "email_verified": True,
        "invite": True,
    }
    response = admin("POST", "/people", sent)
    made = response.json()
    assert response.status_code == 201
    assert (made["email"], made["state"], made["groups"]) == (
        "carol@example.com",
        "active",
        ["new"],
    )
    assert made["profile"] == {"locale": "de"}
    assert admin("GET", response.headers["Location"]).json() == made
    names = [one.name for one in events(town, user_id=made["id"])]
    assert names == ["password.reset.mailed", "user.created"]


TWICE = {"email": "twice@example.com"}
WRONG = {
    "no address": ({}, {"email"}),
    "not an address": ({"email": "nobody"}, {"email"}),
    "something unknown": ({**TWICE, "disabled_at": None}, {"disabled_at"}),
    "an id": ({**TWICE, "id": "mine"}, {"id"}),
    "a password": ({**TWICE, "password": "x"}, {"password"}),
    "a role that there is not": ({**TWICE, "role": "king"}, {"role"}),
    "a claim that is none": ({**TWICE, "profile": {"locale": 3}}, {"locale"}),
    "groups that are no list": ({**TWICE, "groups": "web"}, {"groups"}),
    "a flag in words": ({**TWICE, "email_verified": "yes"}, {"email_verified"}),
    "several things": ({"email": 3, "name": 4, "groups": [5]}, {"email", "name", "groups[0]"}),
}


@pytest.mark.parametrize(("sent", "fields"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named(admin: Tool, sent: dict[str, object], fields: set[str]) -> None:
    refused = admin("POST", "/people", sent)
    assert refused.status_code == 422
    assert problems(refused).keys() == fields


def test_an_address_that_is_taken_is_named(admin: Tool, bob: Person) -> None:
    assert problems(admin("POST", "/people", {"email": bob.email})).keys() == {"email"}


def test_a_patch_changes_what_it_names(town: House, admin: Tool, bob: Person) -> None:
    sent = {"name": "Robert", "groups": []}
    response = admin("PATCH", path(bob), sent, match=admin.tag(path(bob)))
    assert response.status_code == 200
    assert (response.json()["name"], response.json()["groups"]) == ("Robert", [])
    assert response.json()["email"] == bob.email
    assert response.headers["ETag"] == admin.tag(path(bob))
    event = events(town, user_id=bob.id)[0]
    assert event.data["before"] == {"groups": ["web team"]}


def test_another_address_counts_as_unverified(admin: Tool, bob: Person) -> None:
    sent = {"email": f"new.{bob.email}"}
    changed = admin.ok("PATCH", path(bob), sent, match=admin.tag(path(bob)))
    assert changed["email_verified"] is False


def test_what_the_console_changed_meanwhile_is_not_overwritten(
    town: House, admin: Tool, bob: Person
) -> None:
    tag = admin.tag(path(bob))

    def change(services: Services) -> None:
        services.accounts.update(user_of(services, bob), {"name": "Rob"}, town.context)

    town.do(change)
    assert admin("PATCH", path(bob), {"name": "Bobby"}, match=tag).status_code == 412
    assert admin.ok("GET", path(bob))["name"] == "Rob"


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_given_by_an_administrator(admin: Tool, bob: Person, role: str) -> None:
    given = admin.ok("PUT", f"{path(bob)}/role", {"role": role}, match=admin.tag(path(bob)))
    assert given["role"] == role


def test_nobody_changes_a_role_of_their_own(admin: Tool) -> None:
    assert admin.person is not None
    mine = path(admin.person)
    refused = admin("PUT", f"{mine}/role", {"role": "auditor"}, match=admin.tag(mine))
    assert problems(refused).keys() == {"role"}


def test_a_role_is_no_field_among_others(admin: Tool, bob: Person) -> None:
    refused = admin("PATCH", path(bob), {"role": "administrator"}, match=admin.tag(path(bob)))
    assert problems(refused).keys() == {"role"}


def test_who_holds_less_touches_nobody_who_may_more(town: House, bob: Person) -> None:
    """A link to an administrator's password would give all that she may do."""
    auditor = newcomer(town, role="auditor")
    tools = (
        as_machine(town, PEOPLE),
        as_role(town, "administrator", app=app_of(town, " ".join(PEOPLE))),
    )
    for tool in tools:
        tag = tool.tag(path(auditor))
        calls = [
            tool("POST", f"{path(auditor)}/link"),
            tool("POST", f"{path(auditor)}/sign-in-link"),
            tool("POST", f"{path(auditor)}/link/mail"),
            tool("POST", f"{path(auditor)}/disable"),
            tool("POST", f"{path(auditor)}/deletion"),
            tool("DELETE", f"{path(auditor)}/second-step"),
            tool("DELETE", f"{path(auditor)}/sessions"),
            tool("PATCH", path(auditor), {"email": "mine@example.com"}, match=tag),
            tool("PUT", f"{path(auditor)}/role", {"role": None}, match=tag),
            tool("DELETE", path(auditor), match=tag),
            tool("PUT", f"{path(bob)}/role", {"role": "auditor"}, match=tool.tag(path(bob))),
            tool("POST", "/people", {"email": "mine@example.com", "role": "administrator"}),
        ]
        assert {one.status_code for one in calls} == {403}
        assert tool("POST", f"{path(bob)}/link").status_code == 201


@pytest.mark.parametrize("query", [{"group": "paged"}, {"q": "Paula"}], ids=["listed", "found"])
def test_pages_follow_one_another_and_miss_nobody(
    town: House, admin: Tool, query: dict[str, str]
) -> None:
    name = "Paula" if "q" in query else "Paged"
    mine = {newcomer(town, name=name, groups=[name.lower()]).id for _ in range(5)}
    seen: list[str] = []
    response = admin("GET", "/people", params={**query, "limit": 2})
    while True:
        seen += [one["id"] for one in response.json()["items"]]
        if "next" not in response.links:
            break
        response = admin("GET", response.links["next"]["url"])
    assert (len(seen), set(seen)) == (5, mine)


def test_filters_narrow_the_list(admin: Tool, bob: Person) -> None:
    admin.ok("POST", f"{path(bob)}/disable")
    for query in ({"q": bob.email[:9]}, {"state": "disabled"}, {"group": "web team"}):
        listed = admin("GET", "/people", params={**query, "limit": 100}).json()["items"]
        assert bob.id in {one["id"] for one in listed}, query
    roles = admin("GET", "/people", params={"roles": "true"}).json()["items"]
    assert all(one["role"] for one in roles)
    assert roles


@pytest.mark.parametrize(
    "query", ["state=asleep", "roles=yes", "limit=0", "limit=101", "limit=x", "q=a&q=b", "who=bob"]
)
def test_a_filter_that_is_none_is_named(admin: Tool, query: str) -> None:
    refused = admin("GET", f"/people?{query}")
    assert refused.status_code == 422
    assert problems(refused).keys() == {query.partition("=")[0]}


def test_disabled_means_out_and_enabled_in_again(town: House, admin: Tool, bob: Person) -> None:
    signed_in(town, town.client(consent="never"), bob)
    assert admin.ok("POST", f"{path(bob)}/disable")["state"] == "disabled"
    assert all(one.ended_at for one in sessions_of(town, bob))
    assert admin("POST", f"{path(bob)}/link").status_code == 409
    assert admin("POST", f"{path(bob)}/sign-in-link").status_code == 409
    assert admin.ok("POST", f"{path(bob)}/enable")["state"] == "active"


def test_leaving_is_asked_for_and_called_off(admin: Tool, bob: Person) -> None:
    leaving = admin.ok("POST", f"{path(bob)}/deletion")
    assert leaving["state"] == "leaving"
    assert leaving["deletion_due_at"]
    admin.ok("DELETE", f"{path(bob)}/deletion")
    assert admin.ok("GET", path(bob))["state"] == "active"


def test_deleted_is_gone(admin: Tool, bob: Person) -> None:
    assert admin("DELETE", path(bob)).status_code == 428
    assert admin("DELETE", path(bob), match=admin.tag(path(bob))).status_code == 204
    assert admin("GET", path(bob)).status_code == 404


def test_a_link_is_told_once_and_mailed_to_nobody_else(
    town: House, admin: Tool, bob: Person
) -> None:
    made = admin("POST", f"{path(bob)}/link")
    assert made.status_code == 201
    assert made.json()["url"].startswith(f"{town.settings.issuer}/login/reset/")
    assert admin("POST", f"{path(bob)}/link/mail").status_code == 204


def test_sessions_are_listed_and_ended(town: House, admin: Tool, bob: Person) -> None:
    shop = town.client(consent="never")
    for _ in range(2):
        signed_in(town, shop, bob)
    one, _two = listed = admin.ok("GET", f"{path(bob)}/sessions")["items"]
    assert one["methods"] == ["password"]
    other = newcomer(town)
    assert admin("DELETE", f"{path(other)}/sessions/{one['id']}").status_code == 404
    assert admin("DELETE", f"{path(bob)}/sessions/{one['id']}").status_code == 204
    assert len(admin.ok("GET", f"{path(bob)}/sessions")["items"]) == len(listed) - 1
    assert admin("DELETE", f"{path(bob)}/sessions").status_code == 204
    assert admin.ok("GET", f"{path(bob)}/sessions")["items"] == []


def test_ways_to_sign_in_are_listed_and_a_lost_one_taken_off(
    town: House, admin: Tool, bob: Person
) -> None:
    seed = town.totp(bob)
    listed = admin("GET", f"{path(bob)}/credentials")
    assert {one["kind"] for one in listed.json()["items"]} == {"password", "totp"}
    assert seed not in listed.text
    assert "argon2" not in listed.text
    assert admin("DELETE", f"{path(bob)}/second-step").status_code == 204
    kinds = [one["kind"] for one in admin.ok("GET", f"{path(bob)}/credentials")["items"]]
    assert kinds == ["password"]


def test_what_applications_were_allowed_is_taken_back(
    town: House, admin: Tool, bob: Person
) -> None:
    shop = town.client()
    signed_in(town, shop, bob)
    (app,) = admin.ok("GET", f"{path(bob)}/apps")["items"]
    assert (app["client_id"], app["scopes"]) == (shop.client_id, ["openid"])
    assert admin("DELETE", f"{path(bob)}/apps/{shop.client_id}").status_code == 204
    assert admin("DELETE", f"{path(bob)}/apps/{shop.client_id}").status_code == 404
    assert admin.ok("GET", f"{path(bob)}/apps")["items"] == []


def test_people_are_imported_all_of_them_or_nobody(admin: Tool) -> None:
    good = "email,name,groups\nimported@example.com,Ida,moved\n"
    sent = {"file": good, "dry_run": True}
    assert admin.ok("POST", "/people/import", sent) == {"count": 1}
    assert admin.ok("GET", "/people?q=imported@")["items"] == []
    refused = admin("POST", "/people/import", {"file": f"{good}nonsense,,\n"})
    assert problems(refused).keys() == {"file[2].email"}
    assert admin.ok("GET", "/people?q=imported@")["items"] == []
    assert admin.ok("POST", "/people/import", {"file": good}) == {"count": 1}
    assert len(admin.ok("GET", "/people?q=imported@")["items"]) == 1
    assert problems(admin("POST", "/people/import", {"file": "{"})).keys() == {"file"}


def test_a_sign_in_link_is_told_once_and_signs_in_once(
    town: House, admin: Tool, bob: Person
) -> None:
    made = admin("POST", f"{path(bob)}/sign-in-link")
    assert made.status_code == 201
    browser = town.browser()
    page = browser.page(made.json()["url"])
    assert shown(browser.submit(page, page.form(page.path))).path in ("/me", "/me/prompt")
    assert town.browser().page(made.json()["url"]).status == 410
    assert events(town, event="login.handed_link.made")[0].actor_id


def test_a_file_may_be_as_large_as_files_of_people_may(town: House, admin: Tool) -> None:
    rows = [f'many{number}@example.com,"{"é" * 60_000}"' for number in range(MAX_BYTES // 121_000)]
    body = {"file": "\n".join(["email,name", *rows]), "dry_run": True}
    told = admin("POST", "/people/import", body)
    assert told.status_code == 422
    assert told.json()["detail"] == "Nobody was imported: mend these first."
    larger = {"file": "x" * (IMPORT_CALL + 1)}
    assert admin("POST", "/people/import", larger).status_code == 413
    assert as_role(town, "auditor")("POST", "/people/import", body).status_code == 403
