"""What the console does, by command: one thing changed, told as JSON where that is asked for."""

import json
from pathlib import Path

import click
import pytest

from idp.cli import main
from tests.cli.command import Command
from tests.web.admin.test_logo import PIXEL

ADD = ("clients", "add", "--name", "Shop", "--id", "shop")
CALLBACK = "https://shop.example.com/callback"


@pytest.fixture
def idp(sqlite_idp: Command) -> Command:
    """With a client and a person."""
    sqlite_idp.json(*ADD, "--redirect-uri", CALLBACK)
    sqlite_idp.json("users", "create", "ann@example.com", "--group", "Staff")
    return sqlite_idp


def member(idp: Command, name: str) -> object:
    return idp.json("clients", "show", "shop").get(name)


def test_one_member_of_a_registration_is_set_and_taken_out(idp: Command) -> None:
    told = idp.json("clients", "set", "shop", "told_groups", '["Staff"]')
    assert told == {"client_id": "shop", "told_groups": ["Staff"]}
    idp.done("clients", "set", "shop", "client_name", "Our shop")
    assert (member(idp, "told_groups"), member(idp, "client_name")) == (["Staff"], "Our shop")
    idp.done("clients", "unset", "shop", "told_groups")
    assert member(idp, "told_groups") is None
    assert "redirect_uris" in idp.refused("clients", "set", "shop", "redirect_uris", "http://x/y")
    assert "not a member" in idp.misused("clients", "set", "shop", "nonsense", "1")
    assert "a group that there is not" in idp.refused(
        "clients", "set", "shop", "allowed_groups", '["Nobodies"]'
    )


def test_what_a_file_keeps_is_changed_in_the_file(idp: Command, tmp_path: Path) -> None:
    file = tmp_path / "client.toml"
    file.write_text(idp.done("clients", "export", "shop"), encoding="utf-8")
    idp.done("clients", "apply", str(file))
    assert "change the file" in idp.refused("clients", "set", "shop", "client_name", "Mine")


def test_a_kind_brings_its_members(sqlite_idp: Command) -> None:
    made = sqlite_idp.json("clients", "add", "--kind", "browser", "--redirect-uri", CALLBACK)
    assert made["token_endpoint_auth_method"] == "none"
    robot = sqlite_idp.json("clients", "add", "--kind", "machine", "--name", "Robot", "--ours")
    assert (robot["grant_types"], robot["consent"]) == (["client_credentials"], "never")
    assert "client_secret" in robot


TELLING = {
    "another one": ("add-secret", "shop"),
    "a new one": ("rotate-secret", "shop"),
    "one for a method that had none": (
        "set",
        "public",
        "token_endpoint_auth_method",
        "client_secret_basic",
    ),
}


@pytest.mark.parametrize("arguments", TELLING.values(), ids=TELLING)
def test_a_secret_is_told_with_the_word_that_it_is_told_once(
    idp: Command, arguments: tuple[str, ...]
) -> None:
    idp.done("clients", "add", "--public", "--id", "public", "--redirect-uri", CALLBACK)
    told = idp.done("clients", *arguments)
    assert "client_secret" in told
    assert told.endswith("Keep the secret now: it is not told again.\n")


def test_secrets_are_added_and_removed(idp: Command) -> None:
    added = idp.json("clients", "add-secret", "shop", "--expires-in", "3600")
    assert added["client_secret"]
    secrets = idp.json("clients", "show", "shop")["secrets"]
    assert len(secrets) == 2
    (ending,) = [one for one in secrets if one["expires_at"]]
    idp.done("clients", "remove-secret", "shop", ending["id"])
    assert len(idp.json("clients", "show", "shop")["secrets"]) == 1
    assert "no such secret" in idp.refused("clients", "remove-secret", "shop", ending["id"])


def test_logos_are_uploaded(idp: Command, tmp_path: Path) -> None:
    picture, page = tmp_path / "logo.png", tmp_path / "logo.svg"
    picture.write_bytes(PIXEL)
    page.write_text("<svg/>", encoding="utf-8")
    path = idp.json("settings", "logo", str(picture))["value"]
    assert path.startswith("/pictures/")
    idp.done("clients", "logo", "shop", str(picture))
    assert member(idp, "logo_uri") == f"https://id.example.com{path}"
    assert "save it as PNG" in idp.refused("clients", "logo", "shop", str(page))


def test_an_account_is_deleted_later_and_kept(idp: Command) -> None:
    told = idp.json("users", "delete", "--later", "ann@example.com")
    assert told["deletion_due_at"]
    assert [one["email"] for one in idp.json("users", "list", "--state", "leaving")]
    assert "stays" in idp.done("users", "keep", "ann@example.com")
    assert idp.json("users", "list", "--state", "leaving") == []


def test_claims_are_changed_from_a_file(idp: Command, tmp_path: Path) -> None:
    file = tmp_path / "claims.json"
    file.write_text(json.dumps({"given_name": "Ann", "locale": "pt-PT"}), encoding="utf-8")
    idp.done("users", "update", "ann@example.com", "--claims", str(file))
    claims = idp.json("users", "show", "ann@example.com")["claims"]
    assert (claims["given_name"], claims["locale"]) == ("Ann", "pt-PT")


def test_a_sign_in_link_is_printed(idp: Command) -> None:
    told = idp.json("users", "link", "ann@example.com")
    assert told["link"].startswith("https://id.example.com/login/handed/")
    idp.done("users", "disable", "ann@example.com")
    assert "is disabled" in idp.refused("users", "link", "ann@example.com")


def test_no_session_of_somebody_else_is_ended(idp: Command) -> None:
    assert "has no session" in idp.refused("users", "sessions", "ann@example.com", "--end-one", "x")


def test_what_can_be_tried_of_a_client_is(idp: Command) -> None:
    told = idp.json("clients", "test", "shop")
    assert (told["passed"], told["last"]) == (True, None)
    assert told["address"] == "https://id.example.com/admin/clients/shop/test"
    assert told["address"] in idp.done("clients", "test", "shop")
    idp.done("clients", "disable", "shop")
    refused = idp.refused("clients", "test", "shop")
    assert "shop does not work yet (unauthorized_client). It is disabled" in refused
    assert "There is no client" in idp.refused("clients", "test", "nobody")


def test_why_keys_cannot_be_fetched_is_told(idp: Command) -> None:
    nowhere = "https://no-such-host.invalid/jwks"
    idp.done("clients", "set", "shop", "jwks_uri", nowhere)
    assert "invalid_client" in idp.refused("clients", "test", "shop")
    why = "(jwks_uri: its name leads to no public address, or to too many)"
    assert why in idp("clients", "test", "shop").stdout


def test_a_door_that_nobody_may_come_in_by_does_not_work(idp: Command) -> None:
    idp.done("groups", "create", "Night shift")
    idp.done("clients", "set", "shop", "allowed_groups", '["Night shift"]')
    refused = idp.refused("clients", "test", "shop")
    assert "Nobody is in a group that may sign in. Put somebody into one" in refused
    assert (
        "Nobody is in a group that may sign in: Night shift."
        in idp("clients", "test", "shop").stdout
    )
    idp.done("clients", "set", "shop", "allowed_groups", '["Night shift", "Staff"]')
    assert idp.json("clients", "test", "shop")["passed"]
    idp.done("clients", "set", "shop", "admits", "nobody")
    assert "Nobody may sign in to it yet" in idp.refused("clients", "test", "shop")


@pytest.mark.parametrize(
    ("minimum", "refused", "works"),
    [
        pytest.param("phr", [], True, id="a passkey"),
        pytest.param("phr", ["passkey"], False, id="a passkey, of which there are none"),
        pytest.param("urn:idp:acr:mfa", ["passkey"], True, id="a password and an app"),
        pytest.param("urn:idp:acr:mfa", ["passkey", "totp"], True, id="a password and a code"),
        pytest.param(
            "urn:idp:acr:mfa", ["passkey", "totp", "recovery_code"], False, id="a password alone"
        ),
        pytest.param("phrh", [], False, id="a key that nobody is asked to attest"),
    ],
)
def test_what_nobody_can_reach_does_not_work(
    sqlite_idp: Command, minimum: str, refused: list[str], works: bool
) -> None:
    add = ("clients", "add", "--id", "bank", "--redirect-uri", "https://bank.example.com/callback")
    sqlite_idp.done(*add, "--name", "Bank", "--minimum-acr", minimum)
    sqlite_idp.done("clients", "set", "bank", "refused_methods", json.dumps(refused))
    if works:
        assert sqlite_idp.json("clients", "test", "bank")["passed"]
    else:
        assert "Lower what it asks for" in sqlite_idp.refused("clients", "test", "bank")


NO_ANSWER = frozenset({"init", "serve", "demo", "cleanup", "upgrade", "downgrade", "check"})
"""What runs, or does the upkeep of a database."""


def leaves(command: click.Command, *names: str) -> list[tuple[str, click.Command]]:
    """Every command that does something, by how it is called."""
    if not isinstance(command, click.Group):
        return [(" ".join(names), command)]
    found = [leaves(one, *names, name) for name, one in command.commands.items()]
    return [leaf for group in found for leaf in group]


def test_every_command_answers_programs_in_json() -> None:
    without = {
        called
        for called, command in leaves(main)
        if "--json" not in {option for one in command.params for option in one.opts}
    }
    assert {called for called in without if called.split()[-1] not in NO_ANSWER} <= {
        "users export"  # which writes CSV or JSON by its --format
    }
