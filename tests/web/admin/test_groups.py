"""Groups in the console."""

import pytest

from idp.services.client_listing import shown as shown_client
from tests.helpers.house import House
from tests.helpers.sign_in import sign_in
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


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("", "Enter a name."),
        (" ", "Enter a name."),
        ("x" * 256, "A group’s name is a line of text"),
    ],
    ids=["nothing", "a blank", "too much"],
)
def test_a_name_that_will_not_do_is_said_why(
    town: House, admin: UserAgent, name: str, told: str
) -> None:
    page = admin.page("/admin/groups")
    refused = shown(admin.submit(page, page.form("/admin/groups"), {"name": name}))
    assert refused.status == 422
    assert told in refused.document.text
    newcomer(town, groups=["Cooks"])
    one = group(admin, "Cooks")
    refused = shown(admin.submit(one, one.form(one.path), {"name": name}))
    assert refused.status == 422
    assert told in refused.document.text


def test_applications_that_name_it_follow_when_it_is_renamed(town: House, admin: UserAgent) -> None:
    singer = newcomer(town, groups=["Ø singers", "others"])
    club = town.client(
        client_name="Club",
        consent="never",
        scope="openid groups",
        allowed_groups=["others’ own", "Ø singers"],
        told_groups=["Ø singers"],
        owner_groups=["Ø singers"],
    )
    page = group(admin, "Ø singers")
    assert "Opens: Club." in page.document.text
    done = shown(admin.submit(page, page.form(page.path), {"name": "Choir"}))
    assert done.document.headings[0] == "Choir"
    members = town.do(lambda _idp: shown_client(club.client_id).metadata.to_json())
    assert members["allowed_groups"] == ["others’ own", "Choir"]
    assert members["told_groups"] == members["owner_groups"] == ["Choir"]
    changed = events(town, event="client.changed")[0]
    assert changed.data["after"]["told_groups"] == ["Choir"]
    club.scope = "openid groups"
    departure = sign_in(
        town.browser(),
        club.authorization_url(),
        username=singer.email,
        password=singer.password,
    )
    assert club.userinfo(club.finish(departure).access_token)["groups"] == ["Choir"]


def test_what_a_file_keeps_has_to_be_renamed_there_first(town: House, admin: UserAgent) -> None:
    newcomer(town, groups=["members"])
    filed = {
        "client_name": "Filed",
        "redirect_uris": ["https://filed.example/"],
        "told_groups": ["members"],
    }
    town.do(lambda idp: idp.client_registry.register(filed, town.context, managed_by="file"))
    page = group(admin, "members")
    refused = shown(admin.submit(page, page.form(page.path), {"name": "guests"}))
    assert refused.status == 422
    assert "Files keep applications that name this group: Filed." in refused.document.text
    assert group(admin, "members").status == 200


def test_a_group_that_an_application_names_is_not_deleted(town: House, admin: UserAgent) -> None:
    for member in ("allowed_groups", "told_groups", "owner_groups"):
        newcomer(town, groups=[member])
        town.client(client_name=f"Of {member}", **{member: [member]})
        page = group(admin, member)
        refused = shown(admin.submit(page, page.form("/delete")))
        assert refused.status == 422
        assert f"Applications name this group: Of {member}." in refused.document.text


def test_a_client_manager_sees_groups_and_nobody_in_them(town: House) -> None:
    newcomer(town, groups=["painters"])
    manager = signed_in_as(town, "client_manager")
    page = group(manager, "painters")
    with pytest.raises(LookupError):
        page.link("Who is in it")
    assert [form for form in page.document.forms if "/groups" in form.action] == []
