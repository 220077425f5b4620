"""People in the console: found, looked at, changed, and nobody locked out of everything."""

from collections.abc import Mapping

import pytest

from idp.services.people import PAGE
from tests.helpers.house import House, Person
from tests.helpers.user_agent import Page, UserAgent
from tests.web.admin.people import signed_in_as
from tests.web.walking import events, newcomer, sessions_of, shown, signed_in, user_of


@pytest.fixture(scope="module")
def admin(town: House) -> UserAgent:
    newcomer(town, role="administrator")  # not the last one
    return signed_in_as(town, "administrator")


def at(agent: UserAgent, person: Person) -> Page:
    return agent.page(f"/admin/people/{person.id}")


def press(agent: UserAgent, person: Person, path: str, **values: str) -> Page:
    page = at(agent, person)
    return shown(agent.submit(page, page.form(f"/{person.id}{path}"), values))


def names(page: Page) -> str:
    return page.document.text


# Found


SEARCHES: Mapping[str, str] = {
    "how the address begins": "zoe.q",
    "the address in capitals": "ZOE.Q",
    "the whole address": "zoe.quint@example.com",
    "how the user name begins": "zq",
    "how the name begins": "Zoë Q",
    "how the name begins, in small letters": "zoë",
    "a later word of the name": "Quin",
    "the words of the name in another order": "quint zoe",
}


@pytest.mark.parametrize("typed", SEARCHES.values(), ids=SEARCHES)
def test_a_search_finds_how_something_begins(
    town: House, admin: UserAgent, zoe: Person, typed: str
) -> None:
    assert zoe.email in names(admin.page(f"/admin/people?q={typed}"))


@pytest.fixture(scope="module")
def zoe(town: House) -> Person:
    return town.person("zoe.quint@example.com", name="Zoë Quint", username="zqu")


@pytest.mark.parametrize("typed", ["uint", "%", "_oe", "zoe.quintus", "=1"])
def test_what_is_within_or_a_wildcard_finds_nobody(
    town: House, admin: UserAgent, zoe: Person, typed: str
) -> None:
    assert "Nobody fits" in names(admin.page("/admin/people?q=" + typed.replace("%", "%25")))


def test_people_are_listed_by_state_and_group(town: House, admin: UserAgent, zoe: Person) -> None:
    def put(services: object) -> None:
        accounts = town.services.accounts
        accounts.create({"email": "inga@example.com"}, town.context)
        user = accounts.create({"email": "dora@example.com", "groups": ["cooks"]}, town.context)
        accounts.disable(user, town.context)

    town.do(put)
    listed = {
        query: names(admin.page(f"/admin/people?{query}"))
        for query in ("state=invited", "state=disabled", "group=cooks", "roles=yes")
    }
    expected = {
        "state=invited": ("inga@", "dora@"),
        "state=disabled": ("dora@", zoe.email),
        "group=cooks": ("dora@", "inga@"),
        "roles=yes": ("Administrator", zoe.email),
    }
    for query, (there, not_there) in expected.items():
        assert there in listed[query], query
        assert not_there not in listed[query], query


def test_page_after_page_everybody_comes_once(town: House, admin: UserAgent) -> None:
    def crowd(services: object) -> None:
        for number in range(PAGE + 5):
            email = f"crowd{number:03}@example.com"
            town.services.accounts.create({"email": email, "groups": ["crowd"]}, town.context)

    town.do(crowd)
    for query in ("group=crowd", "q=crowd", "q=crowd0&group=crowd"):
        first = admin.page(f"/admin/people?{query}")
        second = admin.page(first.link("Next page"))
        seen = [word for page in (first, second) for word in names(page).split() if "crowd" in word]
        emails = [word for word in seen if "@" in word]
        assert sorted(emails) == [f"crowd{number:03}@example.com" for number in range(PAGE + 5)]
        assert "Next page" not in names(second)
        assert admin.page(second.link("First page")).document.text == first.document.text
    for odd in ("x", "9:a:b", "0::%00", "a:b:c"):
        assert admin.page(f"/admin/people?q=crowd&after={odd}").status == 200


# Invited, and let in again


def test_somebody_is_invited_by_a_link_shown_once(town: House, admin: UserAgent) -> None:
    page = admin.page("/admin/people/invite")
    typed = {"email": "New.Comer@example.com", "name": "New", "groups": "cooks\nwaiters"}
    made = shown(admin.submit(page, page.form("/invite"), typed))
    assert "Invited" in names(made)
    assert "None yet" in names(made)
    form = made.form("/link")
    link_page = shown(admin.submit(made, form))
    link = next(word for word in names(link_page).split() if "/login/reset/" in word)
    assert "Cache-Control" in link_page.response.headers
    assert link_page.response.headers["Cache-Control"] == "no-store"
    other = signed_in_as(town, "administrator")
    assert link not in names(other.page(link_page.path))
    away = shown(admin.submit(link_page, link_page.form("/link/done")))
    assert link not in names(admin.page(link_page.path))
    assert "/link" not in away.path
    stranger = town.browser()
    opened = stranger.page(link)
    assert opened.status == 200
    assert events(town, event="password.reset.printed")[0].actor_id not in (None, "")


def test_a_refused_field_is_named_and_what_was_typed_stays(town: House, admin: UserAgent) -> None:
    page = admin.page("/admin/people/invite")
    typed = {"email": "nobody", "name": "Kept Name", "username": "no spaces"}
    again = shown(admin.submit(page, page.form("/invite"), typed))
    assert again.status == 422
    assert "Enter an email address in the form" in names(again)
    assert "A user name has at most" in names(again)
    assert again.form("/invite").fields["name"] == "Kept Name"


# Changed


def test_a_profile_is_changed_with_before_and_after_on_record(
    town: House, admin: UserAgent
) -> None:
    bob = newcomer(town, groups=["cooks"])
    done = press(admin, bob, "", name="Bob Baker", groups="bakers")
    assert "Saved." in names(done)
    event = events(town, event="user.updated", user_id=bob.id)[0]
    assert (event.data["before"]["groups"], event.data["after"]["groups"]) == (
        ["cooks"],
        ["bakers"],
    )
    assert event.actor_id != bob.id
    assert "Baker" not in str(event.data)


def test_fields_that_the_form_has_not_change_nothing(town: House, admin: UserAgent) -> None:
    bob = newcomer(town)
    page = at(admin, bob)
    fields = dict(page.form(f"/{bob.id}").fields)
    more = {"role": "administrator", "disabled_at": "1", "id": "x", "profile": "{}"}
    answer = admin.client.post(page.url, data=fields | more, headers={"Origin": admin.home})
    assert answer.status_code == 303
    with town.app.app_context():
        user = user_of(town.services, bob)
        assert (user.role, user.disabled_at, user.id) == (None, None, bob.id)


def test_sessions_end_one_by_one_and_all(town: House, admin: UserAgent) -> None:
    bob, shop = newcomer(town), town.client(consent="never")
    agents = [signed_in(town, shop, bob) for _ in range(3)]
    one = sessions_of(town, bob)[0].id
    press(admin, bob, f"/sessions/{one}/end")
    over = [session.ended_at is not None for session in sessions_of(town, bob)]
    assert over == [True, False, False]
    press(admin, bob, "/sessions/end")
    assert all(session.ended_at for session in sessions_of(town, bob))
    assert "/login/" in str(agents[2].page("/me").url)


def test_somebody_elses_session_is_not_found(town: House, admin: UserAgent) -> None:
    ann, bob, shop = newcomer(town), newcomer(town), town.client(consent="never")
    for one in (ann, bob):
        signed_in(town, shop, one)
    page = at(admin, ann)
    token = page.form("/sessions/end").fields["csrf_token"]
    hers = sessions_of(town, bob)[0].id
    url = f"/admin/people/{ann.id}/sessions/{hers}/end"
    headers = {"Origin": admin.home}
    assert admin.client.post(url, data={"csrf_token": token}, headers=headers).status_code == 404
    assert sessions_of(town, bob)[0].ended_at is None


def test_a_lost_second_step_is_taken_off(town: House, admin: UserAgent) -> None:
    bob = newcomer(town)
    town.totp(bob)
    assert "An authenticator app" in names(at(admin, bob))
    assert (
        "An authenticator app"
        not in names(press(admin, bob, "/second-step")).partition("Sessions")[0]
    )


def test_disabled_and_enabled_again(town: House, admin: UserAgent) -> None:
    bob = newcomer(town)
    assert "Disabled" in names(press(admin, bob, "/disable"))
    refused = press(admin, bob, "/link")
    assert refused.status == 422
    assert "Enable it first" in names(refused)
    assert "Active" in names(press(admin, bob, "/enable"))


def test_deleted_in_two_weeks_or_kept(town: House, admin: UserAgent) -> None:
    bob = newcomer(town)
    wrong = press(admin, bob, "/delete", confirm_email="somebody@example.com")
    assert wrong.status == 422
    going = press(admin, bob, "/delete", confirm_email=bob.email)
    assert "Leaving" in names(going)
    assert "Active" in names(press(admin, bob, "/keep"))


# Roles


def test_a_role_is_given_and_taken(town: House, admin: UserAgent) -> None:
    bob = newcomer(town)
    assert "Auditor" in names(press(admin, bob, "/role", role="auditor"))
    event = events(town, event="user.updated", user_id=bob.id)[0]
    assert (event.data["before"], event.data["after"]) == ({"role": None}, {"role": "auditor"})
    press(admin, bob, "/role", role="")
    with town.app.app_context():
        assert user_of(town.services, bob).role is None


def test_nobody_changes_a_role_of_their_own(town: House) -> None:
    mine = signed_in_as(town, "administrator")
    me = events(town, event="login.passkey.accepted")[0].user_id
    own = mine.page(f"/admin/people/{me}")
    with pytest.raises(LookupError):
        own.form("/role")
    token = own.form(f"/{me}").fields["csrf_token"]
    answer = mine.client.post(
        f"/admin/people/{me}/role",
        data={"csrf_token": token, "role": "auditor"},
        headers={"Origin": mine.home},
    )
    assert answer.status_code == 422
    assert "Nobody changes their own role" in answer.text
    assert events(town, event="user.change.refused")[0].data["reason"] == "own_role"


def test_an_auditor_sees_all_of_it_and_no_button(town: House) -> None:
    bob, auditor = newcomer(town), signed_in_as(town, "auditor")
    town.totp(bob)
    seed_free = at(auditor, bob)
    assert "An authenticator app" in names(seed_free)
    assert [form.action for form in seed_free.document.forms if "/people/" in form.action] == []


def test_a_reset_is_explained_where_there_is_something_to_reset(
    town: House, admin: UserAgent
) -> None:
    plain, safer = newcomer(town), newcomer(town)
    town.totp(safer)
    assert "the second step takes" not in at(admin, plain).document.text
    assert "Resetting the second step takes" in at(admin, safer).document.text
