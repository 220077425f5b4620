"""People, made and shown and sent away by command."""

import json
from datetime import datetime
from pathlib import Path

import pytest

from idp.audit import Context
from idp.models import AuditEvent, Credential, User, db
from idp.services.audit_log import Search, search
from tests.cli.command import PASSWORD, Command, lines
from tests.helpers.smtp import Outbox

ANN = "ann@example.com"


@pytest.fixture
def ann(idp: Command) -> dict[str, object]:
    """Ann, with a password."""
    made: dict[str, object] = idp.json("users", "create", ANN, "--password-stdin", stdin=PASSWORD)
    return made


def test_whoever_is_made_with_a_password_can_sign_in_with_it(idp: Command) -> None:
    made = idp.json("users", "create", "Ann@Example.com", "--password-stdin", stdin=f"{PASSWORD}\n")
    assert made["email"] == ANN
    assert made["email_verified"] is True
    assert made["role"] is None
    assert "link" not in made
    with idp.services() as services:
        user = db.session.get_one(User, made["id"])
        now = services.clock()
        judged = services.factors["password"].verify(user, {}, {"password": PASSWORD}, now)
        assert getattr(judged, "user_id", judged) == user.id


def test_without_a_password_a_link_to_set_one_is_printed(idp: Command) -> None:
    made = idp.json("users", "create", ANN)
    token = made["link"].removeprefix("https://id.example.com/login/reset/")
    with idp.services() as services:
        pending = services.password_reset.peek(token, services.clock())
        assert pending is not None
        assert pending.user.id == made["id"]


def test_everything_about_a_person_can_be_said_at_once(idp: Command, tmp_path: Path) -> None:
    claims = tmp_path / "claims.json"
    claims.write_text(
        json.dumps({"name": "Not this", "preferred_username": "annie", "zoneinfo": "Europe/Paris"})
    )
    said = ("--name", "Ann Lee", "--claims", str(claims), "--group", "b", "--group", "a", "--admin")
    idp.json("users", "create", ANN, *said)
    shown = idp.json("users", "show", "annie")
    assert (shown["name"], shown["username"], shown["role"]) == (
        "Ann Lee",
        "annie",
        "administrator",
    )
    assert shown["groups"] == ["a", "b"]
    assert shown["claims"]["zoneinfo"] == "Europe/Paris"


REFUSED = {
    "an address that is none": (("users", "create", "ann"), "", "email: Enter an email address"),
    "a password too short": (
        ("users", "create", "bob@example.com", "--password-stdin"),
        "short\n",
        "password: ",
    ),
    "no password at all": (
        ("users", "create", "bob@example.com", "--password-stdin"),
        "",
        "There was no password on standard input.",
    ),
    "a password in Latin-1": (
        ("users", "create", "bob@example.com", "--password-stdin"),
        "Grüne Gärten schlafen tief\n".encode("latin-1"),
        "The password on standard input has to be in UTF-8.",
    ),
    "an address that is taken": (("users", "create", ANN), "", "email: There is an account"),
    "nobody": (("users", "show", "bob@example.com"), "", "There is nobody called bob@example.com."),
    "mail to nowhere": (("users", "reset", ANN), "", "mail_url is not set"),
    "an invitation to nowhere": (
        ("users", "invite", ANN),
        "",
        "mail_url is not set. Print a link with `idp users reset --print`.",
    ),
    "one for somebody new": (
        ("users", "invite", "bob@example.com"),
        "",
        "mail_url is not set. Print a link with `idp users create`.",
    ),
}


@pytest.mark.parametrize(("arguments", "stdin", "why"), REFUSED.values(), ids=REFUSED)
@pytest.mark.usefixtures("ann")
def test_what_cannot_be_is_refused(
    idp: Command, arguments: tuple[str, ...], stdin: str | bytes, why: str
) -> None:
    assert why in idp.refused(*arguments, stdin=stdin)
    assert [user["email"] for user in idp.json("users", "list")] == [ANN]


CLAIMS_THAT_ARE_NONE = (
    *("[]", "{", '{"shoe_size": 43}', '{"birthdate": "soon"}'),
    '{"locale": "pt-PT", "locale": "ja"}',
)


@pytest.mark.parametrize("text", CLAIMS_THAT_ARE_NONE)
def test_claims_that_are_none_are_refused(sqlite_idp: Command, tmp_path: Path, text: str) -> None:
    file = tmp_path / "claims.json"
    file.write_text(text)
    sqlite_idp.refused("users", "create", ANN, "--claims", str(file))
    assert sqlite_idp.json("users", "list") == []


def test_people_are_listed_by_address_a_page_at_a_time(idp: Command) -> None:
    for name in ("cy", "ann", "bob"):
        idp.json("users", "create", f"{name}@example.com", "--name", name.title())
    first = idp.json("users", "list", "--limit", "2")
    assert [user["email"][:3] for user in first] == ["ann", "bob"]
    rest = idp.json("users", "list", "--after", first[-1]["email"])
    assert [user["email"] for user in rest] == ["cy@example.com"]
    assert [user["name"] for user in idp.json("users", "list", "--containing", "BO")] == ["Bob"]
    assert [row[0] for row in lines(idp.done("users", "list"))] == [
        f"{name}@example.com" for name in ("ann", "bob", "cy")
    ]


@pytest.mark.parametrize(
    ("options", "found"),
    {
        "a state": (("--state", "disabled"), ["bob@"]),
        "a group": (("--group", "Staff"), ["ann@"]),
        "a role": (("--roles",), []),
        "how a word begins": (("--beginning", "bo"), ["bob@"]),
    }.values(),
    ids=["a state", "a group", "a role", "how a word begins"],
)
def test_a_part_of_a_name_is_one_condition_among_others(
    sqlite_idp: Command, options: tuple[str, ...], found: list[str]
) -> None:
    sqlite_idp.done("users", "create", ANN, "--group", "Staff")
    sqlite_idp.done("users", "create", "bob@example.com", "--group", "Cooks")
    sqlite_idp.done("users", "disable", "bob@example.com")
    listed = sqlite_idp.json("users", "list", "--containing", "example", *options)
    assert [user["email"].removesuffix("example.com") for user in listed] == found


def test_nobody_yet_says_what_to_do(sqlite_idp: Command) -> None:
    assert "idp users create" in sqlite_idp.done("users", "list")


def test_a_name_cannot_drive_the_terminal(sqlite_idp: Command) -> None:
    with sqlite_idp.services():
        db.session.add(
            User(
                email=ANN,
                name="Ann\x1b[2J\u202e\n",
                webauthn_handle="x",
                created_at=datetime.fromisoformat("2030-01-01T00:00Z"),
                updated_at=datetime.fromisoformat("2030-01-01T00:00Z"),
            )
        )
        db.session.commit()
    told = sqlite_idp.done("users", "list")
    assert "\x1b" not in told
    assert "\u202e" not in told
    assert len(told.splitlines()) == 2


def test_disabled_and_enabled(idp: Command, ann: dict[str, object]) -> None:
    assert idp.done("users", "disable", ANN) == f"{ANN} is disabled.\n"
    assert idp.json("users", "show", str(ann["id"]))["disabled"] is True
    assert "users enable" in idp.refused("users", "reset", "--print", ANN)
    idp.done("users", "enable", ANN)
    assert idp.json("users", "show", ANN)["disabled"] is False


def test_deleted(idp: Command, ann: dict[str, object]) -> None:
    assert idp.done("users", "delete", ANN) == f"{ANN} is deleted.\n"
    assert idp.json("users", "list") == []
    with idp.services():
        assert db.session.query(Credential).count() == 0
        names = [event.name for event in search(Search(user_id=str(ann["id"])))]
    assert names[0] == "user.deleted"


@pytest.mark.usefixtures("ann")
def test_at_a_terminal_it_asks_before_it_deletes(idp: Command) -> None:
    declined = idp.at_terminal("users", "delete", ANN, typed="n\n")
    assert declined.exit_code == 1
    assert len(idp.json("users", "list")) == 1
    assert idp.at_terminal("users", "delete", ANN, typed="y\n").exit_code == 0
    assert idp.json("users", "list") == []


def test_at_a_terminal_it_asks_before_it_takes_a_second_step_off(sqlite_idp: Command) -> None:
    sqlite_idp.json("users", "create", ANN)
    asked = ("users", "reset", ANN, "--second-step", "--print")
    declined = sqlite_idp.at_terminal(*asked, typed="n\n")
    assert (declined.exit_code, declined.stdout) == (1, "")
    assert "/login/reset/" in sqlite_idp.at_terminal(*asked, typed="y\n").stdout
    assert "/login/reset/" in sqlite_idp.at_terminal(*asked, "--yes", typed="").stdout
    assert "/login/reset/" in sqlite_idp.done(*asked), "a script is taken at its word"


@pytest.mark.usefixtures("ann")
def test_a_reset_link_is_printed_alone_and_only_the_newest_works(idp: Command) -> None:
    older = idp.done("users", "reset", "--print", ANN).strip()
    newer = idp.json("users", "reset", "--print", ANN)["link"]
    assert older.startswith("https://id.example.com/login/reset/")
    with idp.services() as services:
        found = [
            services.password_reset.peek(link.rpartition("/")[2], services.clock())
            for link in (older, newer)
        ]
    assert [one is not None for one in found] == [False, True]


@pytest.mark.usefixtures("ann")
def test_a_reset_is_mailed(idp: Command, outbox: Outbox) -> None:
    sending = idp.with_(IDP_MAIL_URL=outbox.url)
    assert ANN in sending.done("users", "reset", ANN)
    with sending.services() as services:
        assert services.outbox.deliver_due(services.clock()) == 1
    assert outbox.latest(to=ANN)


def test_an_invitation_makes_the_account_and_leaves_the_address_unverified(
    idp: Command, outbox: Outbox
) -> None:
    sending = idp.with_(IDP_MAIL_URL=outbox.url)
    made = sending.json("users", "invite", "dee@example.com", "--name", "Dee")
    assert made["email_verified"] is False
    again = sending.json("users", "invite", "dee@example.com")
    assert again["id"] == made["id"]
    with sending.services() as services:
        services.outbox.deliver_due(services.clock())
    assert outbox.latest(to="dee@example.com")


def test_sessions_are_listed_and_ended(idp: Command, ann: dict[str, object]) -> None:
    with idp.services() as services:
        context = Context(at=services.clock(), address="192.0.2.7", user_agent="Firefox")
        session_id = services.sessions.start(str(ann["id"]), persistent=False, context=context)
        services.sessions.rotate(session_id, context.at)
        services.commit()
    (listed,) = idp.json("users", "sessions", ANN)
    assert (listed["id"], listed["address"]) == (session_id, "192.0.2.7")
    assert "Firefox" in idp.done("users", "sessions", ANN)
    assert idp.done("users", "sessions", ANN, "--end") == f"Ended 1 sessions of {ANN}.\n"
    assert idp.json("users", "sessions", ANN) == []
    with idp.services():
        assert [event.session_id for event in search(Search(event="session.ended"))] == [session_id]


@pytest.mark.usefixtures("ann")
def test_the_audit_log_names_the_command_and_who_used_it(
    idp: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "operator")
    idp.done("users", "disable", ANN)
    with idp.services():
        event = db.session.query(AuditEvent).filter_by(name="user.disabled").one()
        assert event.actor_id == "command:operator"


def test_a_user_without_a_name_may_use_it_too(
    sqlite_idp: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.setattr("getpass.getuser", nameless)
    assert sqlite_idp.json("users", "create", ANN)["email"] == ANN
