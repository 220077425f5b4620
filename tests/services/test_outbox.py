"""The outbox: what was committed is sent once, later if need be, and given up in the end."""

import logging
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from idp.models import AuditEvent, OutboxMessage, db
from idp.secrecy import Box
from idp.services.outbox import LEASE, PATIENCE, Delivery, Outbox, Undeliverable
from tests.helpers.clock import NOON, FakeClock

SECOND = timedelta(seconds=1)
pytestmark = pytest.mark.usefixtures("app")


class Recipient:
    """Takes messages; says no while ``refusal`` is set."""

    def __init__(self) -> None:
        self.got: list[Delivery] = []
        self.tries = 0
        self.refusal: Exception | None = None

    def __call__(self, delivery: Delivery) -> None:
        self.tries += 1
        if self.refusal is not None:
            raise self.refusal
        self.got.append(delivery)


@pytest.fixture
def recipient() -> Recipient:
    return Recipient()


@pytest.fixture
def outbox(app: Flask, box: Box, recipient: Recipient) -> Outbox:
    return Outbox(box, {"mail": recipient}, jitter=lambda: 0.5)


def put(box: Box, number: int = 1, *, kind: str = "mail", **values: datetime | None) -> None:
    db.session.add(
        OutboxMessage(
            kind=kind,
            recipient="ann@example.com",
            payload=box.seal({"number": number, "template": "reset", "user_id": "u"}),
            created_at=NOON,
            **{"next_attempt_at": NOON, "not_after": None, **values},
        )
    )
    db.session.commit()


def only() -> OutboxMessage:
    db.session.expire_all()
    return db.session.scalars(select(OutboxMessage)).one()


def failures() -> list[AuditEvent]:
    return list(db.session.scalars(select(AuditEvent).where(AuditEvent.name == "mail.failed")))


def test_sends_what_is_due_and_forgets_what_was_in_it(
    outbox: Outbox, recipient: Recipient, box: Box
) -> None:
    put(box)
    assert outbox.deliver_due(NOON) == 1
    (delivery,) = recipient.got
    assert delivery.payload["number"] == 1
    assert (delivery.kind, delivery.recipient) == ("mail", "ann@example.com")
    assert (delivery.created_at, delivery.attempts) == (NOON, 1)
    assert only().sent_at is not None
    assert only().payload == ""


def test_sends_once(outbox: Outbox, recipient: Recipient, box: Box) -> None:
    put(box)
    assert [outbox.deliver_due(NOON + n * LEASE) for n in range(3)] == [1, 0, 0]
    assert len(recipient.got) == 1


def test_sends_the_oldest_first(outbox: Outbox, recipient: Recipient, box: Box) -> None:
    for number in (3, 1, 2):
        put(box, number, next_attempt_at=NOON + number * SECOND)
    assert outbox.deliver_due(NOON + timedelta(minutes=1)) == 3
    assert [one.payload["number"] for one in recipient.got] == [1, 2, 3]


def test_sends_no_more_in_a_round_than_it_is_told(outbox: Outbox, box: Box) -> None:
    for number in range(3):
        put(box, number)
    assert [outbox.deliver_due(NOON, at_most=2) for _ in range(2)] == [2, 1]


def test_sends_nothing_early(outbox: Outbox, box: Box) -> None:
    put(box, next_attempt_at=NOON + timedelta(minutes=1))
    assert outbox.deliver_due(NOON) == 0


def test_kind_without_a_handler_stays(outbox: Outbox, box: Box) -> None:
    put(box, kind="logout")
    assert outbox.deliver_due(NOON) == 0
    assert (only().attempts, only().failed_at) == (0, None)


def test_one_that_fails_does_not_keep_others_back(
    app: Flask, box: Box, recipient: Recipient
) -> None:
    def deliver(delivery: Delivery) -> None:
        if delivery.payload["number"] == 1:
            raise OSError("no")
        recipient(delivery)

    for number in (1, 2):
        put(box, number)
    assert Outbox(box, {"mail": deliver}).deliver_due(NOON) == 1


def test_waits_twice_as_long_each_time_up_to_an_hour(
    outbox: Outbox, recipient: Recipient, box: Box
) -> None:
    put(box)
    recipient.refusal = OSError("no")
    now, waits = NOON, []
    for _ in range(10):
        outbox.deliver_due(now)
        wait = only().next_attempt_at - now
        waits.append(round(wait.total_seconds()))
        now += wait
    assert waits == [15, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    recipient.refusal = None
    assert outbox.deliver_due(now) == 1
    assert recipient.got[0].attempts == 11


@pytest.mark.parametrize(("jitter", "seconds"), [(0.0, 11.25), (0.5, 15.0), (1.0, 18.75)])
def test_wait_varies_by_a_quarter(
    app: Flask, box: Box, recipient: Recipient, jitter: float, seconds: float
) -> None:
    put(box)
    recipient.refusal = OSError("no")
    Outbox(box, {"mail": recipient}, jitter=lambda: jitter).deliver_due(NOON)
    wait = only().next_attempt_at - NOON
    assert wait.total_seconds() == pytest.approx(seconds, abs=1)


def try_until_over(outbox: Outbox, now: datetime) -> datetime:
    for _ in range(100):
        outbox.deliver_due(now)
        if only().failed_at is not None:
            return now
        now = only().next_attempt_at
    raise AssertionError("never given up")


def test_given_up_after_a_day_with_a_word_to_the_audit_log(
    outbox: Outbox, recipient: Recipient, box: Box, caplog: pytest.LogCaptureFixture
) -> None:
    put(box)
    recipient.refusal = OSError("no route to https://id.example.com/login/reset/t0ken")
    with caplog.at_level(logging.WARNING):
        over = try_until_over(outbox, NOON)
    assert PATIENCE <= over - NOON < PATIENCE + timedelta(hours=2)
    (event,) = failures()
    assert event.user_id == "u"
    assert event.data["template"] == "reset"
    assert event.data["error"] == "OSError: no route to (an address)"
    assert "t0ken" not in caplog.text
    assert only().payload == ""
    recipient.refusal = None
    assert outbox.deliver_due(over + PATIENCE) == 0


@pytest.mark.parametrize(("after", "sent"), [(timedelta(minutes=9), 1), (timedelta(minutes=10), 0)])
def test_given_up_when_nobody_could_use_it_any_more(
    outbox: Outbox, recipient: Recipient, box: Box, after: timedelta, sent: int
) -> None:
    put(box, not_after=NOON + timedelta(minutes=10))
    assert outbox.deliver_due(NOON + after) == sent
    assert len(failures()) == 1 - sent
    assert recipient.tries == sent


def test_given_up_at_once_when_it_can_never_arrive(
    outbox: Outbox, recipient: Recipient, box: Box
) -> None:
    put(box)
    recipient.refusal = Undeliverable("no such mailbox")
    outbox.deliver_due(NOON)
    assert only().failed_at is not None
    assert failures()[0].data["error"] == "Undeliverable: no such mailbox"


def test_given_up_at_once_when_no_key_opens_it(outbox: Outbox, box: Box) -> None:
    put(Box(["A" * 43 + "="]))
    outbox.deliver_due(NOON)
    assert only().failed_at is not None
    assert failures()[0].user_id is None


def dies(delivery: Delivery) -> None:
    raise KeyboardInterrupt


def test_message_of_a_worker_that_died_is_somebody_elses_after_its_lease(
    outbox: Outbox, recipient: Recipient, box: Box
) -> None:
    put(box)
    with pytest.raises(KeyboardInterrupt):
        Outbox(box, {"mail": dies}).deliver_due(NOON)
    assert outbox.deliver_due(NOON + LEASE - SECOND) == 0
    assert outbox.deliver_due(NOON + LEASE + SECOND) == 1
    assert recipient.got[0].attempts == 2


def test_worker_that_was_too_slow_does_not_undo_what_another_did(
    app: Flask, box: Box, recipient: Recipient
) -> None:
    other = Outbox(box, {"mail": recipient})

    def slow(delivery: Delivery) -> None:
        assert other.deliver_due(NOON + LEASE + SECOND) == 1
        raise OSError("much too late")

    put(box)
    Outbox(box, {"mail": slow}).deliver_due(NOON)
    assert only().sent_at is not None
    assert only().last_error is None


def test_handler_that_broke_the_transaction_is_tried_again(
    app: Flask, box: Box, recipient: Recipient
) -> None:
    def breaks(delivery: Delivery) -> None:
        db.session.execute(update(OutboxMessage).values(kind=None))

    put(box)
    Outbox(box, {"mail": breaks}).deliver_due(NOON)
    assert (only().kind, only().failed_at, only().attempts) == ("mail", None, 1)
    assert Outbox(box, {"mail": recipient}).deliver_due(NOON + timedelta(minutes=1)) == 1


def test_round_ends_when_it_has_taken_long(
    box: Box, recipient: Recipient, monkeypatch: pytest.MonkeyPatch, clock: FakeClock
) -> None:
    # The machine's stopwatch, not its clock: how long the handlers took is the handlers' doing.
    elapsed = iter([0.0, 0.0, 30.0, 61.0, 62.0])
    monkeypatch.setattr("idp.services.outbox.monotonic", lambda: next(elapsed))
    for number in range(4):
        put(box, number)
    assert Outbox(box, {"mail": recipient}).deliver_due(NOON) == 2
