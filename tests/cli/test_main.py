"""What holds for every command: help, usage, and one line for whatever is refused."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from idp.cli import main
from idp.migrate import downgrade
from idp.models import new_id
from idp.services.jose import make_key
from tests.cli.command import Command
from tests.helpers.servers import TEST_KEY


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command and group, as it is called."""
    for name, command in group.commands.items():
        yield (*path, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


ALL = sorted(commands(main))


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_has_help(path: tuple[str, ...]) -> None:
    told = Command().done(*path, "--help")
    assert told.startswith(f"Usage: idp {' '.join(path)} ")
    assert len(told.splitlines()) > 3


def test_the_contract_is_there() -> None:
    assert {" ".join(path) for path in ALL} >= {
        *("init", "serve", "demo", "explain", "cleanup", "doctor", "audit search"),
        *("db upgrade", "db downgrade", "db check"),
        *(f"users {verb}" for verb in ("create", "list", "show", "disable", "enable", "delete")),
        *(f"users {verb}" for verb in ("invite", "reset", "sessions")),
        *(f"clients {verb}" for verb in ("add", "list", "show", "apply", "rotate-secret")),
        *(f"clients {verb}" for verb in ("disable", "delete", "export")),
        *("keys list", "keys rotate", "keys retire"),
    }


LISTING = ["users list", "clients list", "keys list", "audit search", "cleanup", "doctor"]


@pytest.mark.parametrize("name", LISTING)
def test_what_lists_prints_json_and_nothing_else(sqlite_idp: Command, name: str) -> None:
    assert isinstance(sqlite_idp.json(*name.split()), list | dict)


MISUSED = {
    "an unknown command": ("swim",),
    "an unknown option": ("users", "list", "--sideways"),
    "an argument missing": ("users", "show"),
    "a number out of range": ("serve", "--port", "0"),
    "what is no address to listen on": ("serve", "--host", "*"),
    "no number at all": ("clients", "add", "--max-auth-age", "soon"),
    "a time that is none": ("audit", "search", "--since", "yesterday"),
    "evidence that is none": ("explain", "client_id=x", "--evidence", "smile"),
    "an age that is none": ("explain", "client_id=x", "--evidence", "pwd@long"),
    "a file that is not there": ("clients", "apply", "nowhere.toml"),
}


@pytest.mark.parametrize("arguments", MISUSED.values(), ids=MISUSED)
def test_misuse_ends_with_two(sqlite_idp: Command, arguments: tuple[str, ...]) -> None:
    assert "Usage: idp" in sqlite_idp.misused(*arguments)


def test_every_wrong_setting_is_told_in_one_line() -> None:
    told = Command({"IDP_ISSUER": "http://id.example.com", "IDP_COLOUR": "red"}).refused(
        "keys", "list"
    )
    assert "issuer: must start with https://" in told
    assert "IDP_COLOUR: there is no such setting" in told
    assert "keys: is missing" in told


def test_a_config_file_that_is_not_there_is_told() -> None:
    assert "nowhere.toml: cannot be read" in Command().refused(
        "--config", "nowhere.toml", "keys", "list"
    )


def test_the_config_file_is_the_one_that_is_named(tmp_path: Path, sqlite_url: str) -> None:
    (tmp_path / "my.keys").write_text(TEST_KEY)
    file = tmp_path / "my.toml"
    file.write_text(
        f'issuer = "https://id.example.com"\nkeys_file = "my.keys"\n'
        f'[database]\nurl = "{sqlite_url}"\n'
    )
    assert Command().json("--config", str(file), "users", "list") == []
    assert Command({"IDP_CONFIG": str(file)}).json("users", "list") == []


def test_an_empty_database_is_refused_and_not_made(tmp_path: Path) -> None:
    file = tmp_path / "var" / "idp.sqlite3"
    told = Command.over(f"sqlite:///{file}").refused("users", "list")
    assert told == "The database is empty. Make its tables with `idp db upgrade`."
    assert not file.parent.exists()


def test_a_schema_of_before_is_refused(idp: Command) -> None:
    downgrade(idp.environment["IDP_DATABASE_URL"], "base")
    assert "Make its tables" in idp.refused("users", "list")


def test_a_database_that_does_not_answer_is_told_in_one_line() -> None:
    told = Command.over("postgresql+psycopg://idp:hunter2@127.0.0.1:9/idp").refused("users", "list")
    assert told.startswith("The database cannot be used: ")
    assert "idp doctor" in told
    assert "hunter2" not in told


@pytest.mark.parametrize(
    "arguments", [("users", "list"), ("db", "upgrade"), ("db", "check")], ids=" ".join
)
def test_a_file_that_is_no_database_is_told_in_one_line(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("Dear Ann, this is a letter, and no database.\n" * 50)
    told = Command.over(f"sqlite:///{file}").refused(*arguments)
    assert told.startswith("The database cannot be used: file is not a database.")


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_is_in_the_documentation(path: tuple[str, ...]) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "commands.md").read_text()
    assert re.search("[^\n]*".join(rf"\b{word}\b" for word in path), page)


def test_no_id_and_no_kid_passes_for_an_option() -> None:
    made = [new_id() for _ in range(1000)] + [str(make_key("EdDSA").kid) for _ in range(500)]
    assert [one for one in made if one.startswith("-")] == []


@pytest.mark.parametrize("arguments", [("users", "list"), ("clients", "list", "--json")])
def test_where_its_output_finds_no_room_is_told_in_one_line(
    sqlite_idp: Command, arguments: tuple[str, ...]
) -> None:
    """As of ``idp users export > backup`` on a disk that is full."""
    with Path("/dev/full").open("w") as full:
        told = subprocess.run(
            [sys.executable, "-m", "idp", *arguments],
            env={**os.environ, **sqlite_idp.environment},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    (line,) = told.stderr.splitlines()
    assert line == "idp: What there is to say cannot be written: No space left on device."
    assert told.returncode == 1
