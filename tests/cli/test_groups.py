"""Groups, by the command."""

from tests.cli.command import Command


def test_made_filled_listed_renamed_and_deleted(idp: Command) -> None:
    idp.json("groups", "create", "Gardeners")
    idp.json("users", "create", "ann@example.com", "--group", "Gardeners")
    assert [(one["name"], one["members"]) for one in idp.json("groups", "list")] == [
        ("Gardeners", 1)
    ]
    assert [one["email"] for one in idp.json("groups", "members", "Gardeners")] == [
        "ann@example.com"
    ]
    idp.done("groups", "rename", "Gardeners", "Growers")
    assert idp.done("groups", "list").splitlines()[1].split() == ["Growers", "1"]
    idp.done("groups", "delete", "Growers", "--yes")
    assert idp.json("groups", "list") == []
    assert idp.json("users", "show", "ann@example.com")["groups"] == []
    names = [one["name"] for one in idp.json("audit", "search", "--event", "group")]
    assert names == ["group.deleted", "group.renamed", "group.created"]


def test_what_is_not_there_or_there_twice_is_refused(sqlite_idp: Command) -> None:
    assert "There is no group called Nobody" in sqlite_idp.refused("groups", "members", "Nobody")
    sqlite_idp.json("groups", "create", "Growers")
    assert "There is a group of this name already" in sqlite_idp.refused(
        "groups", "create", "Growers"
    )
