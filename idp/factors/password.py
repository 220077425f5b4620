"""The password: something known, and the one factor whose every answer takes the same work."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, ClassVar, cast

from sqlalchemy import Table, bindparam, exists, select, update

from idp.assurance import PASSWORD, Offer, Trait
from idp.capacity import Busy
from idp.config import Settings
from idp.factors.base import (
    ANY_WAY,
    LEFT_EMPTY,
    NOTHING,
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
from idp.factors.rows import delete_all, held_by, hold
from idp.models import Credential, User, db, new_id, release
from idp.models.plain import Plain
from idp.passwords import Hasher, normalise, problem, requirement_for

KIND = "password"

_FIELD = "password"
_EMPTY = Refused(LEFT_EMPTY, "Enter your password.", _FIELD, counts=False)

_credentials_table = cast("Table", Credential.__table__)
_users_table = cast("Table", User.__table__)
_OWNER_IS_WELL = exists().where(User.id == Credential.user_id, User.disabled_at.is_(None))
_USE = Plain(
    update(Credential)
    .where(Credential.id == bindparam("used"), _OWNER_IS_WELL)
    .values(last_used_at=bindparam("now"))
)
# What she holds is read anew: a second step that was set up while the hash was computed counts.
# And by a statement of its own: one that had to wait for a row, as for another sign-in of hers,
# goes by what was true before it waited. Whether the use was noted, it shows as well.
_SHOW = Plain(
    select(_credentials_table)
    .join(_users_table, _users_table.c.id == _credentials_table.c.user_id)
    .where(_credentials_table.c.user_id == bindparam("user"), _users_table.c.disabled_at.is_(None))
)

REFUSED = Refused(
    "wrong",
    "Email or password is not correct.",
    _FIELD,
    to_known="Password is not correct.",
)
"""The one answer, whatever was wrong: nobody learns from it which accounts there are."""

SAME = Refused(
    "same",
    "This is the password you have now. Choose another one.",
    "new_password",
    counts=False,
)
"""A new password that is the old one: nothing would have changed."""


class Password:
    """One password a person, kept as a hash in ``data["hash"]``."""

    name: ClassVar[str] = KIND
    can_prove: ClassVar[frozenset[Trait]] = PASSWORD.proves
    enrolable: ClassVar[bool] = False
    answer_fields: ClassVar[frozenset[str]] = frozenset({_FIELD})
    names_its_user: ClassVar[bool] = False
    phrase: ClassVar[str] = "your password"
    on_request: ClassVar[bool] = False

    def __init__(self, tools: Tools, *, hasher: Hasher | None = None) -> None:
        self._settings = tools.settings
        self._hasher = hasher or Hasher(tools.settings)

    @property
    def crowded(self) -> bool:
        """Are there more hashing already than may wait?"""
        return self._hasher.crowded

    def offers(self, user: User | None, credentials: Sequence[Credential]) -> tuple[Offer, ...]:
        """A thing known to who has set one; what anybody might know while nobody is known."""
        owned = of_kind(credentials, KIND)
        if user is not None and not owned:
            return ()
        used = [one.last_used_at for one in owned if one.last_used_at]
        return (Offer(KIND, self.can_prove, last_used=max(used, default=None)),)

    def begin(self, user: User | None, task: Task, now: datetime) -> Ceremony:
        """Nothing to prepare."""
        return NOTHING

    def verify(
        self, user: User | None, secret: Mapping[str, Any], answer: Answer, now: datetime
    ) -> Proof | Refused:
        """Compare ``answer["password"]``, with the same work for nobody as for somebody.

        Commits what the transaction holds before it hashes, so that a slow hash locks nothing.
        Raises ``Busy`` when too many hash already.
        """
        password = answer.get(_FIELD, "")
        if not password:
            return _EMPTY
        credentials = _credentials(user)
        release()
        usable = credentials if user is not None and user.disabled_at is None else []
        mine = next(iter(of_kind(usable, KIND)), None)
        verdict = self._hasher.verify(mine.data["hash"] if mine else None, password)
        if user is None or mine is None or not verdict.correct:
            return REFUSED
        renewed = self._renewed(password) if verdict.outdated else None
        held = _use(mine, renewed, now)
        if not held:
            return REFUSED
        signals = _signals(password, held)
        return Proof(user.id, mine.id, PASSWORD.proves, PASSWORD.amr, signals, held=held)

    def _renewed(self, password: str) -> str | None:
        """Its hash at today's cost; None when there is no room for it: the next time will do."""
        with suppress(Busy):
            return self._hasher.hash(password)
        return None

    def begin_enrolment(self, user: User, now: datetime, wish: Wish = ANY_WAY) -> Ceremony:
        """Tells the page how long the new password must be, in ``public["minimum"]``."""
        return Ceremony(public={"minimum": requirement_for(_kinds(_credentials(user))).length})

    def finish_enrolment(
        self, user: User, secret: Mapping[str, Any], answer: Answer, now: datetime
    ) -> Enrolled | Refused:
        """Set ``answer["new_password"]``, in place of the old one where there is one.

        Commits what the transaction holds before it hashes, as ``verify`` does.
        """
        held = _credentials(user)
        required = requirement_for(_kinds(held))
        release()
        password = answer.get("new_password", "")
        wrong = problem(password, required, words=words_about(user, self._settings))
        if wrong is not None:
            reason = "rules" if password else LEFT_EMPTY
            return Refused(reason, wrong, "new_password", counts=False)
        if is_the_one(password, held, self._hasher):
            return SAME
        return Enrolled(store(user.id, self._hasher.hash(password), now))


def is_the_one(password: str, credentials: Sequence[Credential], hasher: Hasher) -> bool:
    """Is it the password that somebody with these ``credentials`` has already?

    The same work whether she has one or none, and whatever becomes of it: nobody learns which. To
    ask is to set it, so each guess that is wrong becomes the password, of which she is told.
    Call it with no database transaction open. Raises ``Busy``.
    """
    mine = next(iter(of_kind(credentials, KIND)), None)
    return hasher.verify(mine.data["hash"] if mine else None, password).correct


def words_about(user: User, settings: Settings) -> tuple[str, ...]:
    """What a guesser who knows this person and this site would try first."""
    local, _, domain = user.email.partition("@")
    names = (user.username, user.name, *(user.name or "").split())
    about = (user.email, local, domain, *names, settings.site_name, settings.rp_id)
    return tuple(word for word in about if word)


def store(user_id: str, hashed: str, now: datetime) -> Credential:
    """Make this hash the person's only password, in the caller's transaction.

    It is a new credential: what was proved with the old one was not proved with this.
    """
    hold(user_id)
    delete_all(user_id, KIND)
    credential = Credential(**row(user_id, hashed, now))
    db.session.add(credential)
    db.session.flush()
    return credential


def row(user_id: str, hashed: str, now: datetime) -> dict[str, Any]:
    """The columns of a password, for whoever makes many at once."""
    return {
        "id": new_id(),
        "user_id": user_id,
        "kind": KIND,
        "lookup": user_id,  # unique: two passwords of one person cannot be
        "data": {"hash": hashed},
        "created_at": now,
    }


def _credentials(user: User | None) -> Sequence[Credential]:
    return held_by(user) if user is not None else ()


def _kinds(credentials: Sequence[Credential]) -> set[str]:
    return {one.kind for one in credentials if one.used_at is None}


def _use(credential: Credential, renewed: str | None, now: datetime) -> Sequence[Credential]:
    """Note the use, with a ``renewed`` hash where there is one; all that its owner holds by now.

    Nothing when the password was replaced, or its owner disabled, while the hash was computed.
    """
    if renewed is None:
        _USE.later({"used": credential.id, "now": now})
    else:
        _renew(credential, renewed, now)
    held = _SHOW.all({"user": credential.user_id})
    is_noted = any(one.id == credential.id and one.last_used_at == now for one in held)
    return held if is_noted else ()


def _renew(credential: Credential, renewed: str, now: datetime) -> None:
    db.session.execute(
        update(Credential)
        .where(Credential.id == credential.id, _OWNER_IS_WELL)
        .values(last_used_at=now, data={**credential.data, "hash": renewed})
        .execution_options(synchronize_session="fetch")
    )


def _signals(password: str, credentials: Sequence[Credential]) -> dict[str, Any]:
    # Whoever gives up the last second step is left with a password long enough only beside it.
    required = requirement_for(_kinds(credentials))
    return {"too_short": True} if len(normalise(password)) < required.length else {}
