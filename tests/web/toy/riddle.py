"""A riddle that only its owner can answer; stands for whatever somebody may invent one day."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from idp.assurance import Offer, Trait
from idp.factors.base import (
    ANY_WAY,
    Answer,
    Ceremony,
    Enrolled,
    Proof,
    Refused,
    Task,
    Tools,
    Wish,
    of_kind,
)
from idp.models import Credential, User, db, new_id


class Riddle:
    """Something only she has, let us say."""

    name: ClassVar[str] = "riddle"
    can_prove: ClassVar[frozenset[Trait]] = frozenset({Trait.POSSESSION})
    enrolable: ClassVar[bool] = True
    answer_fields: ClassVar[frozenset[str]] = frozenset({"solution"})
    names_its_user: ClassVar[bool] = False
    phrase: ClassVar[str] = "the answer to a riddle"
    on_request: ClassVar[bool] = False

    def __init__(self, tools: Tools) -> None:
        self._site = tools.settings.site_name

    def offers(self, user: User | None, credentials: Sequence[Credential]) -> tuple[Offer, ...]:
        owned = user is None or of_kind(credentials, self.name)
        return (Offer(self.name, self.can_prove),) if owned else ()

    def begin(self, user: User | None, task: Task, now: datetime) -> Ceremony:
        return Ceremony(public={"riddle": f"What has a gate and is called {self._site}?"})

    def verify(
        self, user: User | None, secret: Mapping[str, Any], answer: Answer, now: datetime
    ) -> Proof | Refused:
        if user is None or answer.get("solution") != "a house":
            return Refused("wrong", "That is not the answer.", "solution")
        return Proof(user.id, None, self.can_prove, ("riddle",))

    def begin_enrolment(self, user: User, now: datetime, wish: Wish = ANY_WAY) -> Ceremony:
        return Ceremony()

    def finish_enrolment(
        self, user: User, secret: Mapping[str, Any], answer: Answer, now: datetime
    ) -> Enrolled | Refused:
        made = Credential(id=new_id(), user_id=user.id, kind=self.name, data={}, created_at=now)
        db.session.add(made)
        return Enrolled(made)
