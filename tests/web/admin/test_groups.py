"""Groups in the console."""

import pytest

from tests.helpers.house import House
from tests.helpers.user_agent import Page, UserAgent
from tests.web.admin.people import signed_in_as
from tests.web.walking import events, newcomer, shown


@pytest.fixture(scope="module")
def admin(town: House) -> UserAgent:
    return signed_in_as(town, "administrator")


def group(admin: UserAgent, name: str) -> Page:
    return admin.page(admin.page("/admin/groups").link(name))


def test_members_are_counted_and_found(town: House, admin: UserAgent) -> None:
    people = [newcomer(town, groups=["singers"]) for _ in range(3)]
    assert "singers 3" in " ".join(admin.page("/admin/groups").document.text.split())
    page = admin.page(group(admin, "singers").link("Who is in it"))
    assert all(one.email in page.document.text for one in people)


def test_a_group_is_made_renamed_and_deleted(town: House, admin: UserAgent) -> None:
    page = admin.page("/admin/groups")
    shown(admin.submit(page, page.form("/admin/groups"), {"name": " Dancers "}))
    one = group(admin, "Dancers")
    taken = admin.page("/admin/groups")
    again = shown(admin.submit(taken, taken.form("/admin/groups"), {"name": "Dancers"}))
    assert again.status == 422
    assert "There is a group of this name already." in again.document.text
    path = one.path
    done = shown(admin.submit(one, one.form(path), {"name": "Ballet"}))
    assert done.document.headings[0] == "Ballet"
    event = events(town, event="group.renamed")[0]
    assert (event.data["before"], event.data["after"]) == ("Dancers", "Ballet")
    gone = shown(admin.submit(done, done.form("/delete")))
    assert "The group is deleted." in gone.document.text
    assert admin.page(path).status == 404


def test_what_lets_people_in_somewhere_keeps_its_name(town: House, admin: UserAgent) -> None:
    newcomer(town, groups=["members"])
    town.client(client_name="Club", allowed_groups=["members"])
    page = group(admin, "members")
    assert "Opens: Club." in page.document.text
    for path, values in ((page.path, {"name": "guests"}), ("/delete", {})):
        refused = shown(admin.submit(page, page.form(path), values))
        assert refused.status == 422
        assert "Only this group may sign in to Club." in refused.document.text


def test_a_client_manager_sees_groups_and_nobody_in_them(town: House) -> None:
    newcomer(town, groups=["painters"])
    manager = signed_in_as(town, "client_manager")
    page = group(manager, "painters")
    with pytest.raises(LookupError):
        page.link("Who is in it")
    assert [form for form in page.document.forms if "/groups" in form.action] == []
