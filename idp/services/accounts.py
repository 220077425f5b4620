"""People's accounts: made, found, changed, disabled, deleted."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from idp import audit
from idp.audit import Context
from idp.config import Settings
from idp.factors.password import store
from idp.models import User, db, new_id, release
from idp.passwords import Hasher
from idp.services import administrators, belongings, groups, open_links, person_words, versions
from idp.services.account_fields import Fields, read
from idp.services.addresses import normalise_email, normalise_login, normalise_username
from idp.services.claims import claims_of
from idp.services.endings import end_everything
from idp.services.invalid import Invalid
from idp.services.passwords import Passwords

NO_ADDRESS = "Enter an email address."
TAKEN = {
    "email": "There is an account with this email address already.",
    "username": "There is an account with this user name already.",
}


class Accounts:
    """The operations on accounts; each that changes something commits once."""

    def __init__(self, settings: Settings, *, hasher: Hasher | None = None) -> None:
        self._passwords = Passwords(settings, hasher or Hasher(settings))

    def create(self, fields: Fields, context: Context, *, password: str | None = None) -> User:
        """Make an account, with a password that does alone, or with none.

        Raises ``Invalid`` for ``fields``, or else for ``password``.
        """
        user, group_names = new_user(fields, context)
        hashed = None
        if password is not None:
            self._passwords.check(password, user, field="password")
            release()
            hashed = self._passwords.hash(password)
        insert(user, group_names, context, hashed=hashed)
        db.session.commit()
        return user

    def update(
        self, user: User, fields: Fields, context: Context, *, expected: int | None = None
    ) -> None:
        """Change an account. Raises ``Invalid`` and ``Stale``; then nothing is changed.

        ``expected`` is the version that was looked at; None: whatever it is by now. Another
        address counts as unverified, unless ``fields`` says that it is verified.
        """
        values = read(fields)
        if "role" in values:  # first: it locks administrators in an order that all keep to
            administrators.may_become(user, values["role"], context)
        if expected is not None:
            versions.claim_seen(user, expected)
        if values.get("email", user.email) != user.email:
            values.setdefault("email_verified", False)
        try:
            before = _shown(user)
            changed = _apply(user, values)
            if person_words.READ & set(changed):
                person_words.keep(user)
            if {"role", "email"} & set(changed):
                open_links.end(user.id, context.at)
            if changed:
                user.updated_at = context.at
                audit.record(
                    "user.updated", context, user_id=user.id, **_told(user, before, changed)
                )
            db.session.commit()
        except IntegrityError as error:
            db.session.rollback()
            db.session.refresh(user)
            raise taken(error) from error

    def set_password(self, user: User, password: str, context: Context) -> None:
        """Give the person this password, as an administrator does, and end what went before it.

        Raises ``Invalid``.
        """
        self._passwords.check(password, user, field="password")
        release()
        store(user.id, self._passwords.hash(password), context.at)
        end_everything(user.id, context=context, reason="password_set")
        audit.record("password.set", context, user_id=user.id)
        db.session.commit()

    def disable(self, user: User, context: Context) -> None:
        """Shut the person out now; sessions and grants end with it. Twice is once.

        Raises ``Invalid`` for the last administrator.
        """
        if user.disabled_at is None:
            administrators.insist_on_another(user, context)
            user.disabled_at = user.updated_at = context.at
            end_everything(user.id, context=context, reason="disabled")
            audit.record("user.disabled", context, user_id=user.id)
        db.session.commit()

    def enable(self, user: User, context: Context) -> None:
        """Let the person in again; what had ended stays ended."""
        if user.disabled_at is not None:
            # A sign-in that was judged before she was shut out may have been written since.
            end_everything(user.id, context=context, reason="disabled")
            user.disabled_at, user.updated_at = None, context.at
            audit.record("user.enabled", context, user_id=user.id)
        db.session.commit()

    def delete(self, user: User, context: Context) -> None:
        """Remove the person and all that is theirs; the audit log keeps the bare id.

        Raises ``Invalid`` for the last administrator.
        """
        administrators.insist_on_another(user, context)
        belongings.delete_person(user, context)
        db.session.commit()

    def find_by_login(self, login_name: str) -> User | None:
        """Whose e-mail address or user name this is, however it was typed; also when disabled."""
        return find_by_login(login_name)

    def find(self, user_id: str) -> User | None:
        """By id."""
        return db.session.get(User, user_id)


def find_by_login(login_name: str) -> User | None:
    """The same without an object. A user name has no ``@``, and an address has one.

    What nobody can be called is looked up as well, so that it takes as long.
    """
    known_as = normalise_login(login_name) or ""
    column = User.email if "@" in known_as else User.username
    return db.session.scalar(select(User).where(column == known_as))


def new_user(fields: Fields, context: Context) -> tuple[User, list[str]]:
    """An account that is not stored yet, and its groups' names. Raises ``Invalid``."""
    values = read(fields)
    if "email" not in values:
        raise Invalid({"email": NO_ADDRESS})
    group_names: list[str] = values.pop("groups", [])
    user = User(
        id=new_id(),
        webauthn_handle=secrets.token_urlsafe(64),  # 64 bytes: WebAuthn L3 §14.6.1
        created_at=context.at,
        updated_at=context.at,
        **{"email_verified": False, "profile": {}, **values},
    )
    return user, group_names


def insert(user: User, group_names: Sequence[str], context: Context, *, hashed: str | None) -> None:
    """Store a new account in the caller's transaction. Raises ``Invalid`` when a name is taken."""
    try:
        with db.session.begin_nested():
            db.session.add(user)
            user.groups = groups.named(group_names)
        person_words.add([user])
    except IntegrityError as error:
        raise taken(error) from error
    if hashed is not None:
        store(user.id, hashed, context.at)
    audit.record("user.created", context, user_id=user.id)


def _apply(user: User, values: dict[str, Any]) -> list[str]:
    """Set what differs; returns its names."""
    if "groups" in values:
        values["groups"] = groups.named(values["groups"])
    changed = [name for name, value in values.items() if getattr(user, name) != value]
    for name in changed:
        setattr(user, name, values[name])
    return sorted(changed)


def _shown(user: User) -> dict[str, Any]:
    """What the audit log may keep of an account that is deleted one day: nothing of the person."""
    return {
        "role": user.role,
        "groups": [group.name for group in user.groups],
        "email_verified": user.email_verified,
    }


def _told(user: User, before: Mapping[str, Any], changed: Sequence[str]) -> dict[str, Any]:
    after = _shown(user)
    kept = [name for name in before if name in changed]
    values = {"fields": list(changed)}
    if not kept:
        return values
    return values | {
        "before": {name: before[name] for name in kept},
        "after": {name: after[name] for name in kept},
    }


def taken(error: IntegrityError) -> Invalid:
    """Which name somebody else has, from what the database says."""
    # PostgreSQL names the constraint and also quotes the value; SQLite names the column only.
    diagnosis = getattr(error.orig, "diag", None)
    broken = diagnosis.constraint_name if diagnosis else str(error.orig)
    field = "username" if "username" in broken else "email"
    return Invalid({field: TAKEN[field]})


__all__ = [
    "Accounts",
    "claims_of",
    "find_by_login",
    "insert",
    "new_user",
    "normalise_email",
    "normalise_login",
    "normalise_username",
    "taken",
]
