"""People as values: found by what was typed, with all they hold."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Table, select

from idp.audit import Context
from idp.config import Settings
from idp.factors.rows import HELD, held_by
from idp.models import Credential, User, db
from idp.services import persons
from idp.services.accounts import Accounts


def made(settings: Settings, context: Context, kinds: Sequence[str]) -> User:
    user = Accounts(settings).create({"email": "ann@example.com", "username": "ann"}, context)
    for place, kind in enumerate(kinds):
        at = context.at + timedelta(seconds=place)
        data = {"hash": f"{kind} {place}"}
        db.session.add(Credential(user_id=user.id, kind=kind, data=data, created_at=at))
    db.session.commit()
    return user


def columns_of(one: Any) -> dict[str, Any]:
    table = Credential.__table__
    assert isinstance(table, Table)
    return {column.name: getattr(one, column.name) for column in table.columns}


@pytest.mark.parametrize("kinds", [(), ("password",), ("password", "totp", "totp")], ids=len)
@pytest.mark.parametrize("typed", ["ann@example.com", "Ann"])
def test_who_is_found_by_name_comes_with_all_that_she_holds(
    app: Flask, settings: Settings, context: Context, kinds: tuple[str, ...], typed: str
) -> None:
    user = made(settings, context, kinds)
    found = persons.by_login(typed)
    assert found is not None
    assert {
        column: getattr(found, column) for column in ("id", "email", "username", "version")
    } == {column: getattr(user, column) for column in ("id", "email", "username", "version")}
    by_age = sorted(held_by(found), key=lambda one: one.created_at)
    stored = db.session.scalars(select(Credential).order_by(Credential.created_at))
    assert [columns_of(one) for one in by_age] == [columns_of(one) for one in stored]
    assert [one.kind for one in by_age] == list(kinds)


def test_it_is_what_she_held_then_and_another_look_sees_the_present(
    app: Flask, settings: Settings, context: Context
) -> None:
    user = made(settings, context, ["password"])
    found = persons.by_login("ann@example.com")
    assert found is not None
    db.session.add(Credential(user_id=user.id, kind="totp", created_at=context.at))
    db.session.commit()
    assert [one.kind for one in held_by(found)] == ["password"]
    assert {one.kind for one in held_by(persons.the(user.id))} == {"password", "totp"}
    assert len(HELD.all({"user": user.id})) == 2


def test_no_text_of_hers_says_what_a_password_hashes_to(
    app: Flask, settings: Settings, context: Context
) -> None:
    user = made(settings, context, ["password"])
    found = persons.by_login("ann@example.com")
    assert found is not None
    assert user.id in repr(found)
    assert "password 0" not in repr(found)


def test_nobody_is_found_by_what_nobody_is_called(app: Flask) -> None:
    assert persons.by_login("nobody@example.com") is None
