"""Reading the audit log: by person, client, event, reference and time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, or_, select

from idp.models import AuditEvent, db


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is looked for; what is None is no matter.

    ``event`` is a whole name, or the words it begins with: ``login.password`` finds
    ``login.password.refused``. ``before`` is the id of the oldest event of the page before.
    """

    user_id: str | None = None
    client_id: str | None = None
    event: str | None = None
    reference: str | None = None
    transaction_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    at_most: int = 100


def search(wanted: Search) -> Sequence[AuditEvent]:
    """The events, the newest first."""
    statement = select(AuditEvent).order_by(AuditEvent.id.desc()).limit(wanted.at_most)
    return db.session.scalars(_narrowed(statement, wanted)).all()


def _narrowed(statement: Select[AuditEvent], wanted: Search) -> Select[AuditEvent]:
    for column, value in (
        (AuditEvent.user_id, wanted.user_id),
        (AuditEvent.client_id, wanted.client_id),
        (AuditEvent.reference, wanted.reference),
        (AuditEvent.transaction_id, wanted.transaction_id),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if wanted.event is not None:
        begins = AuditEvent.name.startswith(f"{wanted.event.rstrip('.')}.", autoescape=True)
        statement = statement.where(or_(AuditEvent.name == wanted.event, begins))
    if wanted.since is not None:
        statement = statement.where(AuditEvent.at >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(AuditEvent.at < wanted.until)
    return statement if wanted.before is None else statement.where(AuditEvent.id < wanted.before)
