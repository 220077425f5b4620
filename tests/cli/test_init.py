"""From nothing to a deployment: settings, keys, tables."""

import stat
import tomllib
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text

from idp.models import db
from tests.cli.command import Command
from tests.helpers.servers import TEST_KEY

ISSUER = "https://id.example.com"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_writes_settings_and_keys_that_the_other_commands_take(place: Path) -> None:
    told = Command().json("init", "--issuer", ISSUER)
    assert told["config"] == "idp.toml"
    assert tomllib.loads((place / "idp.toml").read_text()) == {
        "issuer": ISSUER,
        "database_url": "sqlite:///var/idp.sqlite3",
        "keys_file": "idp.keys",
    }
    assert (place / "var" / "idp.sqlite3").is_file()
    assert Command().json("users", "list") == []
    assert {key["state"] for key in Command().json("keys", "list")} == {"signing"}


def test_a_folder_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/proc")  # where not even root makes a file
    told = Command().refused("init", "--issuer", ISSUER)
    assert told.startswith(".idp.keys.")


def test_only_its_owner_may_read_them(place: Path) -> None:
    Command().done("init", "--issuer", ISSUER)
    assert (mode(place / "idp.toml"), mode(place / "idp.keys")) == (0o600, 0o600)
    assert mode(place / "var") == 0o700
    with Command().services():  # while it is open, its log and its index are there
        db.session.execute(text("SELECT count(*) FROM users"))
        kept = sorted((place / "var").iterdir())
        assert [file.name.removeprefix("idp.sqlite3") for file in kept] == ["", "-shm", "-wal"]
        assert {mode(file) for file in kept} == {0o600}
    Fernet((place / "idp.keys").read_text().strip())


def test_the_database_is_the_same_from_every_folder(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = place / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    Command().done("init", "--issuer", ISSUER)
    elsewhere = place / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    named = str(home / "idp.toml")
    assert Command().json("--config", named, "users", "list") == []
    assert Command({"IDP_CONFIG": "../home/idp.toml"}).json("users", "list") == []
    assert list(elsewhere.iterdir()) == []
    # A variable counts from where it was set: the working directory.
    here = Command({"IDP_CONFIG": named, "IDP_DATABASE_URL": "sqlite:///here.sqlite3"})
    assert here.settings.database_url == f"sqlite:///{elsewhere / 'here.sqlite3'}"


def test_the_key_is_told_nowhere(place: Path) -> None:
    told = Command().done("init", "--issuer", ISSUER)
    assert (place / "idp.keys").read_text().strip() not in told


def test_both_are_told_of_in_one_sentence(place: Path) -> None:
    for name in ("idp.toml", "idp.keys"):
        (place / name).write_text("precious")
    told = Command().refused("init", "--issuer", ISSUER)
    assert told == "idp.toml and idp.keys exist already: --force writes them anew."


@pytest.mark.parametrize("name", ["idp.toml", "idp.keys"])
def test_it_never_overwrites(place: Path, name: str) -> None:
    (place / name).write_text("precious")
    assert f"{name} exists already" in Command().refused("init", "--issuer", ISSUER)
    assert [path.read_text() for path in place.iterdir()] == ["precious"]


def test_by_force_the_old_key_stays_behind_the_new_one(place: Path) -> None:
    Command().done("init", "--issuer", ISSUER)
    old = (place / "idp.keys").read_text().split()
    before = Command().json("keys", "list")
    Command().done("init", "--issuer", "https://other.example.com", "--force")
    new = (place / "idp.keys").read_text().split()
    assert (len(new), new[1:]) == (2, old)
    assert Command().json("keys", "list") == before
    assert tomllib.loads((place / "idp.toml").read_text())["issuer"] == "https://other.example.com"


WRONG = {
    "an issuer without TLS": ("--issuer", "http://id.example.com"),
    "an issuer with a path": ("--issuer", f"{ISSUER}/idp"),
    "a database it does not know": ("--issuer", ISSUER, "--database-url", "mysql://localhost/idp"),
    "a database in memory": ("--issuer", ISSUER, "--database-url", "sqlite:///:memory:"),
}


@pytest.mark.parametrize("arguments", WRONG.values(), ids=WRONG)
def test_what_is_wrong_leaves_nothing_behind(place: Path, arguments: tuple[str, ...]) -> None:
    assert "The settings cannot be used" in Command().refused("init", *arguments)
    assert list(place.iterdir()) == []


@pytest.mark.usefixtures("place")
def test_without_a_terminal_the_issuer_must_be_said() -> None:
    assert "--issuer" in Command().misused("init")


def test_at_a_terminal_it_asks(place: Path) -> None:
    typed = f"{ISSUER}\nsqlite:///elsewhere.sqlite3\n"
    answered = Command().at_terminal("init", typed=typed)
    assert answered.exit_code == 0
    assert tomllib.loads((place / "idp.toml").read_text())["issuer"] == ISSUER
    assert (place / "elsewhere.sqlite3").is_file()


def test_a_database_that_is_down_is_told_and_nothing_is_lost(place: Path) -> None:
    url = "postgresql+psycopg://idp@127.0.0.1:9/idp"
    told = Command().refused("init", "--issuer", ISSUER, "--database-url", url)
    assert told.startswith("idp.toml and idp.keys are written, but: The database cannot be used")
    assert (place / "idp.keys").is_file()


def test_a_database_of_another_deployment_is_told(place: Path) -> None:
    Command().done("init", "--issuer", ISSUER)
    (place / "idp.keys").unlink()
    told = Command().refused("init", "--issuer", ISSUER, "--force")
    assert "cannot be read with the configured deployment keys" in told


def test_postgresql_is_prepared_as_well(place: Path, postgresql_url: str) -> None:
    Command().done("init", "--issuer", ISSUER, "--database-url", postgresql_url)
    assert {path.name for path in place.iterdir()} == {"idp.toml", "idp.keys"}
    assert Command().json("db", "check")["problems"] == []


@pytest.mark.parametrize("name", ["IDP_MAIL_URL", "IDP_SESSION_IDEL", "IDP_KEYS_FILE"])
def test_what_is_wrong_around_it_is_told_before_anything_is_written(place: Path, name: str) -> None:
    assert Command({name: "bogus"}).refused("init", "--issuer", ISSUER)
    assert list(place.iterdir()) == []


def test_the_database_that_is_named_is_the_one_that_is_made(place: Path) -> None:
    beside = Command({"IDP_DATABASE_URL": "sqlite:///other.sqlite3"})
    made = beside("init", "--issuer", ISSUER, "--database-url", "sqlite:///mine.sqlite3")
    assert made.exit_code == 0
    assert made.stderr == "IDP_DATABASE_URL is set, and counts more than idp.toml.\n"
    assert not (place / "other.sqlite3").exists()
    assert Command().json("users", "list") == []


def test_a_key_in_the_environment_goes_before_the_one_that_is_written(place: Path) -> None:
    beside = Command({"IDP_KEYS": TEST_KEY})
    assert "IDP_KEYS is set" in beside("init", "--issuer", ISSUER).stderr
    assert beside.json("keys", "list")
    assert beside.json("keys", "rotate")
