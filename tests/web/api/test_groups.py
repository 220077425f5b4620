"""Groups over HTTP."""

from tests.helpers.house import House
from tests.web.api.calling import Tool, as_role, problems
from tests.web.walking import newcomer


def test_one_is_made_renamed_and_deleted(admin: Tool) -> None:
    made = admin("POST", "/groups", {"name": " gardeners "})
    assert made.status_code == 201
    assert made.json()["name"] == "gardeners"
    path = made.headers["Location"]
    renamed = admin("PATCH", path, {"name": "Gardeners"}, match=made.headers["ETag"])
    assert renamed.json()["name"] == "Gardeners"
    assert admin("DELETE", path, match=made.headers["ETag"]).status_code == 412
    assert admin("DELETE", path, match=renamed.headers["ETag"]).status_code == 204
    assert admin("GET", path).status_code == 404


def test_a_name_that_is_taken_or_none_is_named(admin: Tool) -> None:
    admin.ok("POST", "/groups", {"name": "taken"})
    for name in ("taken", "", " ", "x" * 256, "a\nb"):
        assert problems(admin("POST", "/groups", {"name": name})).keys() == {"name"}, name


def test_one_that_an_application_lets_in_stays(admin: Tool) -> None:
    made = admin("POST", "/groups", {"name": "readers"})
    wiki = {"redirect_uris": ["https://wiki.example/"], "allowed_groups": ["readers"]}
    admin.ok("POST", "/clients", wiki)
    path, tag = made.headers["Location"], made.headers["ETag"]
    assert problems(admin("DELETE", path, match=tag)).keys() == {"name"}
    assert admin("PATCH", path, {"name": "Readers"}, match=tag).status_code == 200


def test_pages_follow_one_another_and_count_members(town: House, admin: Tool) -> None:
    newcomer(town, groups=["page a", "page b", "page c"])
    newcomer(town, groups=["page b"])
    seen: dict[str, int] = {}
    response = admin("GET", "/groups?limit=2")
    while True:
        seen |= {one["name"]: one["members"] for one in response.json()["items"]}
        if "next" not in response.links:
            break
        response = admin("GET", response.links["next"]["url"])
    assert {name: seen[name] for name in seen if name.startswith("page")} == {
        "page a": 1,
        "page b": 2,
        "page c": 1,
    }


def test_a_client_manager_reads_them_only(town: House) -> None:
    manager = as_role(town, "client_manager")
    assert manager("GET", "/groups").status_code == 200
    assert manager("POST", "/groups", {"name": "hers"}).status_code == 403
