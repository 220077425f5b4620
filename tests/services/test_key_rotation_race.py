"""A key that is due is replaced once, and that is recorded once, however many processes see it.

Mutations: a record whenever there is a successor; keys that are counted anew in ``_make``.
"""

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select

from idp.audit import Context
from idp.factors.base import Tools
from idp.models import AuditEvent, SigningKey, db
from idp.secrecy import Box
from idp.services.key_rotation import KeyRotation
from idp.services.keys import SigningKeys
from tests.factors.race import Racetrack
from tests.factors.storage import KEY, make_tools
from tests.helpers.clock import NOON
from tests.helpers.house import made_once

ROUNDS = 6


def rotation(tools: Tools) -> KeyRotation:
    box = Box(tools.settings.keys)
    return KeyRotation(tools.settings, box, SigningKeys(tools.settings, box))


def look_after(tools: Tools, now: datetime) -> bool:
    return bool(rotation(tools).rotate_due(Context(at=now, actor_id="upkeep")))


def test_two_who_see_that_it_is_due_rotate_once(track: Racetrack, raced_url: str) -> None:
    tools = make_tools(KEY)
    first = KeyRotation(
        tools.settings,
        Box(tools.settings.keys),
        SigningKeys(tools.settings, Box(tools.settings.keys)),
        make_key=made_once,
    )
    first.prepare(Context(at=NOON))
    # The others take their time to be made.
    db.session.execute(delete(SigningKey).where(SigningKey.algorithm != "ES256"))
    db.session.commit()

    times = [NOON + timedelta(days=100 * number) for number in range(1, ROUNDS + 1)]
    rotated = track.run(look_after, times, url=raced_url, key=KEY)

    assert all(rotated), "each time"
    assert db.session.scalar(select(func.count()).select_from(SigningKey)) == 1 + ROUNDS
    recorded = select(func.count()).where(AuditEvent.name == "key.rotated")
    assert db.session.scalar(recorded) == ROUNDS
