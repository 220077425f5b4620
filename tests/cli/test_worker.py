"""Upkeep: what is due is done, what fails is done later, and it ends when it should."""

import logging
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing, nullcontext
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import delete, event, insert, select
from sqlalchemy.exc import OperationalError

from idp.audit import Context
from idp.clock import system_clock
from idp.migrate import upgrade
from idp.models import BrowserSession, Entry, Grant, PersonWord, db
from idp.services.cleanup import BATCH
from idp.web.services import Services
from idp.worker import BATCHES, LONGEST_PAUSE, OVERLAP, Job, Upkeep
from tests.cli.command import Command
from tests.helpers.ports import wait_until


def test_its_jobs_are_done(idp: Command) -> None:
    near = idp.with_(IDP_MAIL_URL="console:", IDP_KEY_LIFETIME="1", IDP_KEY_PUBLISH_AHEAD="3600")
    near.json("keys", "rotate")
    past = system_clock() - timedelta(days=3)
    with near.services() as services:
        db.session.add(Entry(handle_hash="x", purpose="x", created_at=past, expires_at=past))
        services.commit()
        upkeep = Upkeep(services, nullcontext)
        for job in upkeep.jobs:
            job.due = 0
        upkeep.turn()
        assert db.session.query(Entry).filter_by(purpose="x").count() == 0
        states = {key.state for key in services.key_rotation.listed(services.clock())}
        assert "waiting" in states
        assert {job.failures for job in upkeep.jobs} == {0}


def test_to_look_for_work_keeps_nobody_from_writing(tmp_path: Path) -> None:
    """Where a million people were new, looking took five seconds of the write lock."""
    file = tmp_path / "idp.sqlite3"
    upgrade(f"sqlite:///{file}")
    with Command.over(f"sqlite:///{file}").services() as services:
        upkeep = Upkeep(services, nullcontext)
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            for job in upkeep.jobs:
                job.work(services.clock())  # or it waits five seconds, and fails


def test_words_are_looked_for_from_where_the_last_look_ended(idp: Command) -> None:
    with idp.services() as services:
        upkeep, at = Upkeep(services, nullcontext), system_clock()
        (words,) = (job.work for job in upkeep.jobs if job.name == "words")
        words(at)
        for made, found in ((timedelta(minutes=59), True), (timedelta(minutes=61), False)):
            email = f"{made.seconds}@example.org"
            user = services.accounts.create({"email": email}, Context(at=at - made))
            db.session.execute(delete(PersonWord))
            db.session.commit()
            words(at)
            hers = select(PersonWord.word).where(PersonWord.user_id == user.id)
            assert bool(db.session.scalars(hers).all()) is found


def test_whom_a_failed_look_did_not_find_the_next_one_does(sqlite_idp: Command) -> None:
    with sqlite_idp.services() as services:
        upkeep, at = Upkeep(services, nullcontext), system_clock()
        (words,) = (job.work for job in upkeep.jobs if job.name == "words")
        words(at)
        services.accounts.create({"email": "ann@example.org"}, Context(at=at))
        db.session.execute(delete(PersonWord))
        db.session.commit()

        def fail(*told: Any) -> None:
            if "person_words" in told[2]:
                raise TimeoutError

        event.listen(db.engine, "before_cursor_execute", fail)
        with pytest.raises(TimeoutError):
            words(at + 9 * OVERLAP)
        event.remove(db.engine, "before_cursor_execute", fail)
        words(at + 9 * OVERLAP)
        assert db.session.scalars(select(PersonWord.word)).all()


def test_a_round_goes_on_where_the_last_one_ended(sqlite_idp: Command) -> None:
    """Or what is behind as many sessions as a round looks at would never go."""
    *named, last = (f"{number:06}" for number in range(BATCH * BATCHES + 1))
    now = system_clock()
    over = {"created_at": now, "last_seen_at": now, "expires_at": now - timedelta(days=9)}
    alive = {"created_at": now, "expires_at": now + timedelta(days=9)}
    with sqlite_idp.services() as services:
        sessions = [{"id": name, "user_id": "ann", **over} for name in (*named, last)]
        db.session.execute(insert(BrowserSession), sessions)
        hers = {"client_id": "x", "user_id": "ann", "scope": "", **alive}
        db.session.execute(insert(Grant), [{"session_id": name, **hers} for name in named])
        services.commit()
        upkeep = Upkeep(services, nullcontext)
        (clean_up,) = (job.work for job in upkeep.jobs if job.name == "cleanup")
        for left in ([*named, last], named):
            clean_up(now)
            found = select(BrowserSession.id).order_by(BrowserSession.id)
            assert db.session.scalars(found).all() == left


def bare(*jobs: Job) -> Upkeep:
    """The loop alone."""
    services = cast("Services", SimpleNamespace(clock=system_clock))
    upkeep = Upkeep(services, nullcontext)
    upkeep.jobs = list(jobs)
    return upkeep


def test_a_job_that_fails_keeps_no_other_from_its_turn(caplog: pytest.LogCaptureFixture) -> None:
    done: list[object] = []

    def fail(_now: object) -> None:
        raise OperationalError("SELECT secret", {"code": "123456"}, Exception("gone: 123456"))

    upkeep = bare(Job("broken", 1, fail), Job("sound", 1, done.append))
    with caplog.at_level(logging.WARNING):
        upkeep.turn()
    assert len(done) == 1
    assert caplog.messages == ["upkeep broken: Exception"]
    assert "123456" not in caplog.text


def test_it_is_tried_later_and_later_and_then_as_usual() -> None:
    job = Job("j", 0.5, lambda _: None)
    waits = []
    for _ in range(12):
        before = job.due
        job.next(failed=True)
        waits.append(job.due)
        assert job.due != before
    assert job.failures == 12
    span = waits[-1] - waits[0]
    assert LONGEST_PAUSE * 0.8 < span < LONGEST_PAUSE * 1.2
    job.next(failed=False)
    assert job.failures == 0
    assert job.due < waits[-1] - LONGEST_PAUSE / 2


def test_it_stops_when_told_to() -> None:
    turned = threading.Event()
    upkeep = bare(Job("j", 0.1, lambda _: turned.set()))
    before = threading.active_count()
    upkeep.start()
    assert turned.wait(5)
    upkeep.stop()
    wait_until(lambda: threading.active_count() == before, seconds=5, what="the thread's end")


SCRIPT = """
import sys
from contextlib import nullcontext
from types import SimpleNamespace
from idp.clock import system_clock
from idp.worker import Job, Upkeep

upkeep = Upkeep(SimpleNamespace(clock=system_clock), nullcontext)
turn = lambda _: (sys.stdout.write("turn\\n"), sys.stdout.flush())
upkeep.jobs = [Job("j", 0.1, turn)]
upkeep.start()
sys.stdin.readline()
"""


def test_a_process_that_ends_takes_it_along() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=Path(__file__).resolve().parents[2],
        input=b"\n",
        capture_output=True,
        timeout=20,
        check=True,
    )
    assert ended.stderr == b""
