"""Consent: asked for once for each scope, remembered, taken back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

from sqlalchemy import Table, bindparam, select
from sqlalchemy.exc import IntegrityError

from idp import audit
from idp.audit import Context
from idp.models import Client, Consent, db, new_id_at
from idp.models.plain import Plain
from idp.services.clients import SELF_REGISTERED
from idp.services.grants import end_all
from idp.services.live import Seen

_consents: Final = cast("Table", Consent.__table__)
_clients: Final = cast("Table", Client.__table__)

_THIS = (
    _consents.c.user_id == bindparam("user"),
    _consents.c.client_id == bindparam("client"),
)
_OF_THIS = select(_consents.c.scope).where(*_THIS)
_GIVEN = Plain(_OF_THIS)
_GIVEN_FOR_UPDATE = Plain(_OF_THIS.with_for_update())
_WIDEN = (
    _consents.update()
    .where(*_THIS)
    .values(scope=bindparam("scopes"), last_used_at=bindparam("now"))
)

_NOTE_FIRST_USE = (
    _clients.update()
    .where(_clients.c.id == bindparam("client"), _clients.c.first_used_at.is_(None))
    .where(_clients.c.managed_by == SELF_REGISTERED)
    .values(first_used_at=bindparam("now"))
)


def _words(scope: str | None) -> frozenset[str] | None:
    return None if scope is None else frozenset(scope.split())


@dataclass(frozen=True, slots=True)
class GivenConsent:
    """What a person has allowed one client."""

    client_id: str
    client_name: str
    scopes: tuple[str, ...]
    granted_at: datetime
    last_used_at: datetime


class Consents:
    """What people have allowed clients, one row for each pair of them."""

    def missing(
        self, user_id: str, client_id: str, scopes: Sequence[str], *, seen: Seen | None = None
    ) -> tuple[str, ...]:
        """Those of ``scopes`` that the person has not allowed this client, in their order.

        ``seen`` is what was just read of them both, if it was.
        """
        if seen is not None and seen.client_id == client_id:
            given = _words(seen.allowed)
        else:
            given = self._given(user_id, client_id)
        return tuple([scope for scope in scopes if scope not in (given or ())])

    def expect(self, user_id: str, client_id: str) -> None:
        """``missing`` is going to be asked of them: it is looked up with another statement."""
        _GIVEN.soon({"user": user_id, "client": client_id})

    def give(
        self, user_id: str, client_id: str, scopes: Sequence[str], *, context: Context
    ) -> None:
        """Remember that the person allowed ``scopes``, beside what she had; the caller commits."""
        db.session.execute(_NOTE_FIRST_USE, {"client": client_id, "now": context.at})
        given = self._given(user_id, client_id, lock=True)
        if given is None and self._first(user_id, client_id, scopes, context.at):
            self._record(user_id, client_id, scopes, context)
            return
        given = given if given is not None else self._given(user_id, client_id, lock=True)
        widened = dict.fromkeys((*sorted(given or ()), *scopes))
        db.session.execute(
            _WIDEN,
            {
                "user": user_id,
                "client": client_id,
                "scopes": " ".join(widened),
                "now": context.at,
            },
        )
        self._record(user_id, client_id, scopes, context)

    def revoke(self, user_id: str, client_id: str, *, context: Context) -> bool:
        """Take back what was allowed, and end every grant that rests on it. Commits.

        False when there was nothing to take back.
        """
        found = db.session.execute(
            _consents.delete()
            .where(_consents.c.user_id == user_id, _consents.c.client_id == client_id)
            .returning(_consents.c.id)
        ).one_or_none()
        ended = end_all(user_id=user_id, client_id=client_id, context=context, reason="consent")
        if found is not None:
            audit.record("consent.revoked", context, user_id=user_id, client_id=client_id)
        db.session.commit()
        return found is not None or ended > 0

    def listed(self, user_id: str) -> tuple[GivenConsent, ...]:
        """A person's connected applications, by name."""
        rows = db.session.execute(
            select(
                _consents.c.client_id,
                _clients.c.name,
                _consents.c.scope,
                _consents.c.granted_at,
                _consents.c.last_used_at,
            )
            .join(_clients, _clients.c.id == _consents.c.client_id)
            .where(_consents.c.user_id == user_id)
            .order_by(_clients.c.name, _clients.c.id)
        )
        return tuple(
            GivenConsent(client_id, name, tuple(scope.split()), granted_at, last_used_at)
            for client_id, name, scope, granted_at, last_used_at in rows
        )

    def _given(self, user_id: str, client_id: str, *, lock: bool = False) -> frozenset[str] | None:
        """The scopes allowed; None when this client was never allowed anything."""
        statement = _GIVEN_FOR_UPDATE if lock else _GIVEN
        names = {"user": user_id, "client": client_id}
        return _words(statement.value(names))

    def _first(self, user_id: str, client_id: str, scopes: Sequence[str], now: datetime) -> bool:
        """Insert the row; False when another tab has just done so."""
        try:
            with db.session.begin_nested():
                db.session.execute(
                    _consents.insert(),
                    {
                        "id": new_id_at(now),
                        "user_id": user_id,
                        "client_id": client_id,
                        "scope": " ".join(dict.fromkeys(scopes)),
                        "granted_at": now,
                        "last_used_at": now,
                    },
                )
        except IntegrityError:
            return False
        return True

    def _record(
        self, user_id: str, client_id: str, scopes: Sequence[str], context: Context
    ) -> None:
        audit.record(
            "consent.given", context, user_id=user_id, client_id=client_id, scopes=list(scopes)
        )
