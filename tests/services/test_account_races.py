"""Two requests at the same moment, in two processes, and each thing is done once."""

from dataclasses import dataclass, replace
from datetime import timedelta

import pyotp
from sqlalchemy import func, select

from idp.audit import Context
from idp.factors.base import Tools
from idp.models import BrowserSession, Credential, Entry, OutboxMessage, User, db, new_id, release
from idp.services import open_links
from idp.services.deletion import TIME_TO_UNDO
from idp.services.email_change import Change
from idp.services.endings import end_everything
from idp.services.enrolment import Made
from idp.services.removal import Removed
from idp.services.reset import PasswordReset
from idp.services.sessions import Live
from idp.web.services import Services
from tests.factors.race import PROCESSES, Racetrack, services_with
from tests.factors.storage import KEY, add_person, make_tools
from tests.helpers.clock import NOON
from tests.passwords.counting import CHEAP

ROUNDS = 10
NEW_PASSWORD = "wet gravel under slow wheels"
CONTEXT = Context(at=NOON, address="192.0.2.1")


@dataclass(frozen=True)
class Case:
    """What one process gets for one round."""

    user_id: str
    session_id: str
    value: str


def services(tools: Tools) -> Services:
    return services_with(tools.settings.keys[0])


def person(number: int) -> User:
    return add_person(f"person{number}@example.com")


def passkey_row(user: User) -> str:
    """A passkey's row, which is all that its removal looks at."""
    row = Credential(
        id=new_id(),
        user_id=user.id,
        kind="passkey",
        label="Key",
        lookup=new_id(),
        data={"uv": True, "be": True, "bs": True, "aaguid": "", "attested_by": None},
        created_at=NOON,
    )
    db.session.add(row)
    db.session.commit()
    return row.id


def session_of(user: User) -> str:
    """One in which she is signed in."""
    row = BrowserSession(
        id=new_id(), user_id=user.id, created_at=NOON, last_seen_at=NOON, expires_at=NOON
    )
    db.session.add(row)
    db.session.commit()
    return row.id


def live(case: Case) -> Live:
    return Live(
        id=case.session_id,
        user_id=case.user_id,
        email="",
        name=None,
        role=None,
        has_second_step=True,
        opened=True,
        persistent=False,
        last_seen_at=NOON,
        evidence=(),
    )


def user_of(case: Case) -> User:
    user = db.session.get(User, case.user_id, populate_existing=True)
    assert user is not None
    release()
    return user


def remove(tools: Tools, case: Case) -> bool:
    outcome = services(tools).removal.remove(
        user_of(case), "passkey", case.value, live=live(case), context=CONTEXT
    )
    assert isinstance(outcome, Removed) or outcome.reason in {"last_way", "unknown"}
    return isinstance(outcome, Removed)


def test_of_the_last_two_ways_in_one_is_left(track: Racetrack, raced_url: str) -> None:
    people = [person(number) for number in range(ROUNDS)]
    lanes = [
        [Case(user.id, "session", passkey_row(user)) for user in people] for _ in range(PROCESSES)
    ]
    assert track.run(remove, *lanes, url=raced_url, key=KEY) == [1] * ROUNDS
    left = db.session.execute(
        select(func.count()).select_from(Credential).group_by(Credential.user_id)
    ).scalars()
    assert list(left) == [1] * ROUNDS


def test_one_is_removed_once(track: Racetrack, raced_url: str) -> None:
    people = [person(number) for number in range(ROUNDS)]
    for user in people:
        passkey_row(user)
    cases = [Case(user.id, "session", passkey_row(user)) for user in people]
    assert track.run(remove, cases, url=raced_url, key=KEY) == [1] * ROUNDS


def finish(tools: Tools, case: Case) -> bool:
    outcome = services(tools).enrolment.enrol(
        user_of(case), "totp", {"otp": case.value}, session_id=case.session_id, context=CONTEXT
    )
    db.session.commit()
    assert isinstance(outcome, Made) or outcome.reason in {"not_pending", "already_enrolled"}
    return isinstance(outcome, Made)


def test_a_setup_is_finished_once(track: Racetrack, raced_url: str) -> None:
    cases = []
    for number in range(ROUNDS):
        user, session_id = person(number), new_id()
        public = services(make_tools(KEY)).enrolment.begin(
            user, "totp", session_id=session_id, context=CONTEXT
        )
        code = pyotp.TOTP(public["secret"].replace(" ", "")).at(NOON)
        cases.append(Case(user.id, session_id, code))
    assert track.run(finish, cases, url=raced_url, key=KEY) == [1] * ROUNDS
    counted = db.session.execute(
        select(Credential.kind, func.count()).group_by(Credential.kind)
    ).all()
    assert dict(counted) == {"totp": ROUNDS, "recovery_code": 10 * ROUNDS}


def saved(tools: Tools, case: Case) -> bool:
    return services(tools).once.saved(case.session_id, "recovery_code", NOON)


def test_what_is_shown_once_is_put_away_once(track: Racetrack, raced_url: str) -> None:
    cases = [Case("", new_id(), "") for _ in range(ROUNDS)]
    for case in cases:
        services(make_tools(KEY)).once.keep(case.session_id, "recovery_code", {"codes": []}, NOON)
    db.session.commit()
    assert track.run(saved, cases, url=raced_url, key=KEY) == [1] * ROUNDS


def confirm(tools: Tools, case: Case) -> bool:
    return isinstance(services(tools).email_change.confirm(case.value, CONTEXT), Change)


def undo(tools: Tools, case: Case) -> bool:
    return isinstance(services(tools).email_change.undo(case.value, CONTEXT), Change)


def mailed(template: str) -> list[str]:
    """The tokens in the mails of one kind, oldest first."""
    rows = db.session.scalars(select(OutboxMessage).order_by(OutboxMessage.id))
    letters = [services(make_tools(KEY)).box.open(row.payload) for row in rows]
    release()
    return [
        word.rpartition("/")[2]
        for letter in letters
        if letter["template"] == template
        for word in letter["text"].split()
        if "/me/email/" in word
    ]


def test_an_address_changes_once_and_is_put_back_once(track: Racetrack, raced_url: str) -> None:
    for number in range(ROUNDS):
        user = person(number)
        context = Context(at=NOON)  # no network, so that there is no limit to what it may ask
        asked = services(make_tools(KEY)).email_change.request(
            user, f"new{number}@example.com", context, session_id=session_of(user)
        )
        assert asked is None
    cases = [Case("", "", token) for token in mailed("verify")]
    assert len(cases) == ROUNDS
    assert track.run(confirm, cases, url=raced_url, key=KEY) == [1] * ROUNDS
    release()
    cases = [Case("", "", token) for token in mailed("security_notice")]
    assert len(cases) == ROUNDS
    assert track.run(undo, cases, url=raced_url, key=KEY) == [1] * ROUNDS
    release()
    addresses = set(db.session.scalars(select(User.email)))
    assert addresses == {f"person{number}@example.com" for number in range(ROUNDS)}


def test_two_changes_to_one_address_end_with_one_owner(track: Racetrack, raced_url: str) -> None:
    lanes: list[list[Case]] = [[], []]
    for number in range(ROUNDS):
        for lane in range(PROCESSES):
            user = person(10 * number + lane)
            asked = services(make_tools(KEY)).email_change.request(
                user, f"wanted{number}@example.com", Context(at=NOON), session_id=session_of(user)
            )
            assert asked is None
    tokens = mailed("verify")
    for place, token in enumerate(tokens):
        lanes[place % PROCESSES].append(Case("", "", token))
    assert track.run(confirm, *lanes, url=raced_url, key=KEY) == [1] * ROUNDS


def ask_or_end(tools: Tools, case: Case) -> bool:
    """Ask for the address, or, where there is none, end everything she has."""
    if not case.value:
        end_everything(case.user_id, context=CONTEXT, reason="disabled")
        db.session.commit()
        return True
    asked = services(tools).email_change.request(
        user_of(case), case.value, Context(at=NOON), session_id=case.session_id
    )
    return asked is None


def test_a_change_asked_for_while_everything_ends_ends_too(
    track: Racetrack, raced_url: str
) -> None:
    lanes: list[list[Case]] = [[], []]
    for number in range(ROUNDS):
        user = person(number)
        session_id = session_of(user)
        for lane, address in zip(lanes, (f"new{number}@example.com", ""), strict=True):
            lane.append(Case(user.id, session_id, address))
    assert track.run(ask_or_end, *lanes, url=raced_url, key=KEY) == [2] * ROUNDS
    release()
    unused = select(func.count()).where(
        Entry.purpose == open_links.EMAIL_CHANGE, Entry.used_at.is_(None)
    )
    assert db.session.scalar(unused) == 0


def confirm_or_reset(tools: Tools, case: Case) -> bool:
    """Use the one link or the other."""
    if not case.user_id:
        return confirm(tools, case)
    house = services(tools)
    cheap = replace(tools.settings, **CHEAP)
    reset = PasswordReset(cheap, mailer=house.mailer, throttle=house.throttle)
    return isinstance(reset.finish(case.value, NEW_PASSWORD, CONTEXT), User)


def test_of_another_address_and_a_new_password_at_once_one_comes_about(
    track: Racetrack, raced_url: str
) -> None:
    """By links of which each ends the other; neither waits for what the other waits for."""
    house, resets = services(make_tools(KEY)), []
    for number in range(ROUNDS):
        user, context = person(number), Context(at=NOON)
        house.email_change.request(
            user, f"new{number}@example.com", context, session_id=session_of(user)
        )
        resets.append(Case(user.id, "", house.password_reset.link(user, context).split("/")[-1]))
    confirms = [Case("", "", token) for token in mailed("verify")]
    outcomes = track.run(confirm_or_reset, confirms, resets, url=raced_url, key=KEY)
    assert outcomes == [1] * ROUNDS


def delete_due(tools: Tools, case: Case) -> bool:
    later = NOON + TIME_TO_UNDO + timedelta(seconds=1)
    return services(tools).deletion.delete_due(later) > 0


def test_an_account_is_deleted_once(track: Racetrack, raced_url: str) -> None:
    for number in range(ROUNDS):
        add_person(f"gone{number}@example.com", deletion_due_at=NOON + TIME_TO_UNDO)
    outcomes = track.run(delete_due, [Case("", "", "")] * 2, url=raced_url, key=KEY)
    assert sum(outcomes) >= 1
    assert db.session.scalar(select(func.count()).select_from(User)) == 0
