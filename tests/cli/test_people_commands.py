"""People changed, listed, taken over and written out by the command."""

import json
from pathlib import Path

from tests.cli.command import Command, lines
from tests.helpers.foreign_people import EXPORTS, FIREBASE

ANN = "ann@example.com"


def test_what_is_given_is_changed_and_nothing_else(sqlite_idp: Command) -> None:
    sqlite_idp.json("users", "create", ANN, "--name", "Ann", "--group", "cooks")
    changed = sqlite_idp.json("users", "update", ANN, "--username", "annie")
    assert (changed["username"], changed["name"]) == ("annie", "Ann")
    assert sqlite_idp.json("users", "show", ANN)["groups"] == ["cooks"]
    assert "Changed" not in sqlite_idp.done("users", "update", ANN, "--no-groups")
    assert sqlite_idp.json("users", "show", ANN)["groups"] == []
    assert "nothing to change" in sqlite_idp.refused("users", "update", ANN)


def test_a_role_is_given_and_the_last_administrator_stays(sqlite_idp: Command) -> None:
    sqlite_idp.json("users", "create", ANN)
    assert sqlite_idp.json("users", "role", ANN, "administrator")["role"] == "administrator"
    for command in (("role", ANN, "none"), ("disable", ANN), ("delete", ANN, "--yes")):
        assert "last administrator" in sqlite_idp.refused("users", *command)
    sqlite_idp.json("users", "create", "bob@example.com", "--admin")
    assert sqlite_idp.json("users", "role", ANN, "none")["role"] is None


def test_people_are_listed_by_beginning_state_and_role(sqlite_idp: Command) -> None:
    sqlite_idp.json("users", "create", ANN, "--admin")
    sqlite_idp.json("users", "create", "bob@example.com", "--group", "cooks")
    sqlite_idp.done("users", "disable", "bob@example.com")

    def found(*options: str) -> list[str]:
        return [row[0] for row in lines(sqlite_idp.done("users", "list", *options))]

    assert found("--beginning", "an") == [ANN]
    assert found("--roles") == [ANN]
    sqlite_idp.json("users", "create", "zoe@example.com", "--name", "Anna")
    assert found("--beginning", "an", "--limit", "1") == [ANN]
    assert found("--beginning", "an", "--after", ANN) == ["zoe@example.com"]
    refused = sqlite_idp.refused("users", "list", "--beginning", "an", "--after", "bob@example.com")
    assert "not among those who are found" in refused
    assert found("--state", "disabled") == found("--group", "cooks") == ["bob@example.com"]


def test_a_file_is_looked_at_and_then_taken_whole(sqlite_idp: Command, tmp_path: Path) -> None:
    export, file = EXPORTS["Firebase, its scrypt"], tmp_path / "people.json"
    file.write_bytes(export.content)
    key = ("--firebase-key", FIREBASE.signer_key)
    looked = sqlite_idp.json("users", "import", str(file), "--dry-run", *key)
    assert looked == {"would_make": 1, "made": 0, "problems": []}
    assert sqlite_idp.json("users", "list") == []
    assert sqlite_idp.done("users", "import", str(file), *key) == "Made 1 account.\n"
    again = sqlite_idp("users", "import", str(file), *key)
    assert again.exit_code == 1
    assert "There is an account with this email address already." in again.stdout
    assert "Nobody was imported" in again.stderr


def test_what_is_exported_can_be_imported(sqlite_idp: Command, tmp_path: Path) -> None:
    sqlite_idp.json("users", "create", ANN, "--name", "Ann", "--group", "cooks", "--admin")
    sqlite_idp.json("users", "create", "bob@example.com", "--admin")
    text = sqlite_idp.done("users", "export")
    ann = json.loads(text.splitlines()[0])
    assert (ann["email"], ann["groups"], "role" in ann) == (ANN, ["cooks"], False)
    sqlite_idp.done("users", "delete", ANN, "--yes")
    file = tmp_path / "people.json"
    file.write_text(text.splitlines()[0])
    sqlite_idp.done("users", "import", str(file))
    assert sqlite_idp.json("users", "show", ANN)["groups"] == ["cooks"]
    assert "email_verified" in sqlite_idp.done("users", "export", "--format", "csv")
