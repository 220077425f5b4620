"""What only the database knows of how things stand, looked up when somebody asks."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from idp.measures import Found
from idp.models import OutboxMessage, db, only_reads, release
from idp.models.standby import on_standby
from idp.services.key_rotation import KeyRotation

GIVEN_UP_WITHIN: Final = timedelta(days=1)

_WAITING = (
    select(OutboxMessage.kind, func.count(), func.min(OutboxMessage.created_at))
    .where(OutboxMessage.sent_at.is_(None), OutboxMessage.failed_at.is_(None))
    .group_by(OutboxMessage.kind)
)


class Figures:
    """Outbox and keys; the same on every node."""

    def __init__(self, rotation: KeyRotation, *, schema_revision: str | None) -> None:
        self._rotation = rotation
        self._built = {"version": version("gatehouse-idp"), "revision": schema_revision or ""}

    def look(self, now: datetime) -> tuple[Found, ...]:
        """All of them; without a database that answers, that it does not."""
        built = Found("idp_build_info", "This version, and its schema's.", 1, self._built)
        try:
            found = (*self._outbox(now), _writable(), *self._keys(now))
            release()
        except SQLAlchemyError:
            db.session.rollback()
            return built, Found("idp_database_up", _UP, 0)
        return built, Found("idp_database_up", _UP, 1), *found

    def _outbox(self, now: datetime) -> Iterator[Found]:
        only_reads()
        for kind, count, oldest in db.session.execute(_WAITING):
            labels = {"kind": kind}
            yield Found("idp_outbox_messages", "Messages that wait to be sent.", count, labels)
            age = (now - oldest).total_seconds()
            yield Found("idp_outbox_oldest_seconds", "Age of the oldest of them.", age, labels)
        failed = db.session.scalar(
            select(func.count()).where(
                OutboxMessage.sent_at.is_(None), OutboxMessage.failed_at > now - GIVEN_UP_WITHIN
            )
        )
        yield Found("idp_outbox_given_up", "Messages given up within a day.", failed or 0)

    def _keys(self, now: datetime) -> Iterator[Found]:
        for key in self._rotation.listed(now):
            if key.state == "signing":
                age = (now - key.signs_from).total_seconds()
                labels = {"algorithm": key.algorithm}
                yield Found("idp_signing_key_age_seconds", "How long it has signed.", age, labels)


def _writable() -> Found:
    """Of the connection that the figures are from."""
    writes = 0 if on_standby(db.session.connection()) else 1
    return Found("idp_database_writable", "Does it take writes? A standby does not.", writes)


_UP: Final = "Does the database answer?"
