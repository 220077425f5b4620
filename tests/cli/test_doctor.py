"""What the doctor finds."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from idp import audit
from idp.audit import Context
from idp.backup import BACKED_UP
from idp.clock import system_clock
from idp.migrate import downgrade
from idp.models import Fact, OutboxMessage, db
from tests.cli.command import Command
from tests.helpers.ports import free_port
from tests.helpers.redis_server import redis_server
from tests.helpers.servers import TEST_KEY, Server
from tests.helpers.smtp import Outbox

NEAR = {"IDP_ISSUER": "http://localhost:9"}
"""Nothing answers there, and nothing beyond this machine is asked."""
OTHER_KEY = "b3RoZXIga2V5IG90aGVyIGtleSBvdGhlciBrZXkgb3Q="


def states(idp: Command) -> dict[str, tuple[str, str]]:
    """Each check's state and text, whatever comes of it."""
    found = json.loads(idp("doctor", "--json").stdout)
    return {one["check"]: (one["state"], one["text"]) for one in found}


def test_a_new_deployment_has_nothing_wrong(idp: Command) -> None:
    near = idp.with_(**NEAR)
    near.json("keys", "rotate")
    found = states(near)
    assert {name: state for name, (state, _) in found.items()} == {
        "configuration": "ok",
        "key_file": "ok",
        "database": "ok",
        "schema": "ok",
        "clock": "ok",
        "keys": "ok",
        "clients": "ok",
        "mail": "warning",
        "outbox": "ok",
        "issuer": "warning",
        "rp_id": "ok",
        "metrics": "ok",
    } | ({"backup": "ok"} if near.settings.database_url.startswith("sqlite") else {})


def test_one_line_each_for_people(sqlite_idp: Command) -> None:
    told = sqlite_idp.with_(**NEAR).done("doctor").splitlines()
    assert len(told) == 13
    assert told[2].startswith("ok      database       SQLite answers")


def test_how_long_ago_the_last_backup_was(sqlite_idp: Command, tmp_path: Path) -> None:
    near = sqlite_idp.with_(**NEAR)
    assert states(near)["backup"][1].startswith("none was made by")
    near.done("db", "backup", str(tmp_path / "one"))
    state, text = states(near)["backup"]
    assert (state, text[:25]) == ("ok", "made by `idp db backup` a")
    with near.services():
        long_ago = system_clock() - timedelta(days=9)
        db.session.execute(update(Fact).where(Fact.name == BACKED_UP).values(at=long_ago))
        db.session.commit()
    state, text = states(near)["backup"]
    assert state == "warning"
    assert f"{long_ago:%Y-%m-%d}" in text


def test_wrong_settings_are_each_told() -> None:
    result = Command({"IDP_ISSUER": "ftp://x"})("doctor")
    assert result.exit_code == 1
    assert [line.split()[:2] for line in result.stdout.splitlines()] == [
        ["PROBLEM", "configuration"],
        ["PROBLEM", "configuration"],
    ]
    assert result.stderr == "idp: Not in order: configuration.\n"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("IDP_REFUSED_METHODS", "smile", "refused_methods: names a way to sign in"),
        ("IDP_ACR_ALIASES", '{"2": "level-9"}', "acr_aliases: 2 stands for level-9"),
    ],
    ids=["refused methods", "aliases"],
)
def test_what_only_the_whole_program_knows_is_told_in_the_same_way(
    sqlite_idp: Command, name: str, value: str, told: str
) -> None:
    state, text = states(sqlite_idp.with_(**{name: value}))["configuration"]
    assert state == "problem"
    assert told in text


def test_passkeys_that_work_nowhere_near(sqlite_idp: Command) -> None:
    found = states(sqlite_idp.with_(**NEAR, IDP_WEBAUTHN_ORIGINS="https://other.example"))
    assert found["rp_id"] == (
        "problem",
        "http://localhost:9 is not among webauthn_origins: no passkey works there",
    )


def test_a_folder_for_mail_that_is_a_file(sqlite_idp: Command, tmp_path: Path) -> None:
    place = tmp_path / "mail"
    place.touch()
    found = states(sqlite_idp.with_(**NEAR, IDP_MAIL_URL=f"file://{place}"))
    assert found["mail"] == ("problem", f"{place} is no folder")


def test_a_schema_of_before(idp: Command) -> None:
    downgrade(idp.environment["IDP_DATABASE_URL"], "base")
    found = states(idp.with_(**NEAR))
    assert found["schema"][0] == "problem"
    assert "idp db upgrade" in found["schema"][1]


def test_a_database_that_is_down_and_every_other_check_still_done() -> None:
    down = Command.over("postgresql+psycopg://idp:hunter2@127.0.0.1:9/idp", **NEAR)
    found = states(down)
    assert {found[name][0] for name in ("database", "schema", "clock", "keys")} == {"problem"}
    assert found["rp_id"][0] == "ok"
    assert "hunter2" not in str(found)


def test_a_database_where_nothing_can_be_written() -> None:
    """As in a container whose settings did not arrive: in /proc not even root makes a file."""
    found = states(Command.over("sqlite:////proc/idp.sqlite3", **NEAR))
    assert found["database"][0] == "problem"
    assert found["database"][1].startswith("/proc/idp.sqlite3: ")


def test_keys_of_another_deployment(sqlite_idp: Command) -> None:
    sqlite_idp.json("keys", "rotate")
    other = sqlite_idp.with_(**NEAR, IDP_KEYS=OTHER_KEY)
    assert states(other)["keys"][0] == "problem"


def test_client_secrets_that_a_lost_key_sealed(sqlite_idp: Command, tmp_path: Path) -> None:
    near, file = sqlite_idp.with_(**NEAR), tmp_path / "m.json"
    file.write_text('{"token_endpoint_auth_method": "client_secret_jwt"}')
    add = ("clients", "add", "--redirect-uri", "https://shop.example.com/callback")
    near.json(*add, "--id", "signs", "--metadata", str(file))
    near.json(*add, "--id", "presents")
    assert states(near)["clients"][0] == "ok"
    other = near.with_(IDP_KEYS=OTHER_KEY)
    state, text = states(other)["clients"]
    assert (state, "(signs)" in text) == ("warning", True)
    other.json("clients", "rotate-secret", "signs")
    assert states(other)["clients"][0] == "ok"


def test_a_clock_that_was_set_back(idp: Command) -> None:
    with idp.services() as services:
        audit.record("user.created", Context(at=system_clock() + timedelta(hours=1)))
        services.commit()
    state, text = states(idp.with_(**NEAR))["clock"]
    assert state == "problem"
    assert "check NTP" in text


def test_a_key_file_that_others_may_read(sqlite_idp: Command, open_folder: Path) -> None:
    file = open_folder / "idp.keys"
    file.write_text(TEST_KEY)
    file.chmod(0o644)
    known = {name: v for name, v in sqlite_idp.environment.items() if name != "IDP_KEYS"}
    by_file = Command({**known, **NEAR, "IDP_KEYS_FILE": str(file)})
    assert states(by_file)["key_file"] == (
        "warning",
        f"others may read {file}: chmod 600 {file}",
    )
    file.chmod(0o600)
    assert states(by_file)["key_file"][0] == "ok"


def test_a_mail_server_that_answers_and_one_that_does_not(
    sqlite_idp: Command, outbox: Outbox
) -> None:
    near = sqlite_idp.with_(**NEAR)
    assert states(near.with_(IDP_MAIL_URL=outbox.url))["mail"][0] == "ok"
    dead = f"smtp://someone:hunter2@127.0.0.1:{free_port()}"
    state, text = states(near.with_(IDP_MAIL_URL=dead))["mail"]
    assert state == "problem"
    assert "hunter2" not in text


def test_a_mail_folder(sqlite_idp: Command, tmp_path: Path) -> None:
    near = sqlite_idp.with_(**NEAR, IDP_MAIL_URL=(tmp_path / "mail").as_uri())
    assert states(near)["mail"][0] == "ok"
    assert not (tmp_path / "mail").exists()


def test_mail_that_waits_for_a_way_to_be_sent(sqlite_idp: Command) -> None:
    near = sqlite_idp.with_(**NEAR)
    near.with_(IDP_MAIL_URL="console:").json("users", "invite", "ann@example.com")
    assert states(near)["outbox"] == (
        "warning",
        "1 to be sent, and mail_url is not set: none will be",
    )


def test_mail_that_waits_and_mail_that_is_given_up(sqlite_idp: Command) -> None:
    near = sqlite_idp.with_(**NEAR, IDP_MAIL_URL="console:")
    near.json("users", "invite", "ann@example.com")
    assert states(near)["outbox"] == ("ok", "1 wait")
    old = system_clock() - timedelta(hours=1)
    with near.services() as services:
        db.session.execute(update(OutboxMessage).values(created_at=old))
        services.commit()
    assert states(near)["outbox"][0] == "warning"
    with near.services() as services:
        db.session.execute(update(OutboxMessage).values(failed_at=system_clock()))
        services.commit()
    assert "1 given up" in states(near)["outbox"][1]


@pytest.mark.parametrize(("issuer", "state"), [("http://127.0.0.1:9", "problem")])
def test_passkeys_need_a_name(sqlite_idp: Command, issuer: str, state: str) -> None:
    assert states(sqlite_idp.with_(IDP_ISSUER=issuer))["rp_id"][0] == state


def test_who_reads_the_metrics(sqlite_idp: Command) -> None:
    token = {"IDP_METRICS_TOKEN": "a-token-that-nobody-guesses"}
    for settings, told in (
        ({}, ("ok", "nobody reads them: for that, set metrics_token or metrics_networks")),
        (token, ("ok", "are read with metrics_token")),
        ({"IDP_METRICS_NETWORKS": "10.0.0.0/8"}, ("ok", "are read from 10.0.0.0/8")),
    ):
        assert states(sqlite_idp.with_(**NEAR, **settings))["metrics"] == told
    wide = states(sqlite_idp.with_(**NEAR, IDP_METRICS_NETWORKS="0.0.0.0/0"))["metrics"]
    assert wide[0] == "warning"


def test_a_redis_that_does_not_answer_is_a_warning(sqlite_idp: Command, tmp_path: Path) -> None:
    with redis_server(tmp_path) as running:
        near = sqlite_idp.with_(**NEAR, IDP_REDIS_URL=running.url)
        assert states(near)["redis"] == ("ok", "answers")
    assert states(near)["redis"][0] == "warning"


def test_somebody_else_at_the_issuers_address(
    sqlite_idp: Command, run_servers: "object", sqlite_url: str
) -> None:
    (server,) = run_servers(sqlite_url)  # type: ignore[operator]
    assert isinstance(server, Server)
    found = states(sqlite_idp.with_(IDP_ISSUER=server.url))["issuer"]
    assert found == ("warning", f"{server.url} answers, without TLS: good for this machine only")
    other = server.url.replace("localhost", "127.0.0.1")
    state, text = states(sqlite_idp.with_(IDP_ISSUER=other))["issuer"]
    assert state == "problem"
    assert "somebody else answers" in text
