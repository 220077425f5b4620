"""The first administrator is one person, however many links and processes there are."""

import pytest
from sqlalchemy import delete, func, select

from idp.audit import Context
from idp.factors.base import Tools
from idp.models import Entry, User, db
from idp.services.first_run import Begun
from tests.factors.race import Racetrack, services_with
from tests.factors.storage import KEY
from tests.helpers.clock import NOON

CONTEXT = Context(at=NOON, address="192.0.2.1")
ROUNDS = 6


def become(tools: Tools, case: tuple[str, str]) -> bool:
    token, email = case
    outcome = services_with(tools.settings.keys[0]).first_run.finish(
        token,
        email=email,
        name="Ann",
        new_password="paper lanterns drift at noon",
        transaction_id="sign-in",
        context=CONTEXT,
    )
    assert isinstance(outcome, Begun) or outcome.reason == "gone"
    return isinstance(outcome, Begun)


def link() -> str:
    made = services_with(KEY).first_run.link(CONTEXT)
    assert made is not None
    return made.rpartition("/")[2]


def begin_anew() -> None:
    for table in (User, Entry):
        db.session.execute(delete(table))
    db.session.commit()


@pytest.mark.parametrize("links", [1, 2], ids=["one link", "a link each"])
def test_of_two_who_come_at_once_one_administers(
    track: Racetrack, raced_url: str, links: int
) -> None:
    for _ in range(ROUNDS):
        begin_anew()
        tokens = [link() for _ in range(links)]
        lanes = [[(tokens[n % links], f"person{n}@example.com")] for n in range(2)]
        assert track.run(become, *lanes, url=raced_url, key=KEY) == [1]
        db.session.rollback()
        assert db.session.scalar(select(func.count()).where(User.role == "administrator")) == 1
        db.session.rollback()
