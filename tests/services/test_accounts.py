"""Accounts: read whole or refused whole; disabling ends what is open."""

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from idp.audit import Context
from idp.config import Settings
from idp.factors.base import Proof, Tools
from idp.factors.password import Password
from idp.models import AuditEvent, BrowserSession, Credential, Grant, Group, User, db
from idp.passwords import Hasher
from idp.protocol.claims import PERSONAL_CLAIMS
from idp.secrecy import Box
from idp.services.account_fields import Fields
from idp.services.accounts import TAKEN, Accounts, claims_of, find_by_login
from idp.services.invalid import Invalid
from tests.helpers.clock import NOON, FakeClock
from tests.passwords.counting import CHEAP
from tests.services.opened import endings, open_everything
from tests.services.statements import counted

PASSWORD = "paper lanterns drift at noon"

PROFILE: dict[str, object] = {
    "given_name": "Ann",
    "family_name": "Baker",
    "middle_name": "Q.",
    "nickname": "annie",
    "profile": "https://example.com/ann",
    "picture": "https://example.com/ann.png",
    "website": "http://ann.example.com/",
    "gender": "female",
    "birthdate": "0000-05-17",
    "zoneinfo": "Europe/Berlin",
    "locale": "de-DE",
    "phone_number": "+49 30 123456",
    "phone_number_verified": True,
    "address": {
        "formatted": "Lindenweg 1\n12345 Berlin",
        "street_address": "Lindenweg 1",
        "locality": "Berlin",
        "region": "BE",
        "postal_code": "12345",
        "country": "DE",
    },
}


@pytest.fixture
def cheap(settings: Settings) -> Settings:
    return replace(settings, **CHEAP)


@pytest.fixture
def accounts(app: Flask, cheap: Settings) -> Accounts:
    return Accounts(cheap)


@pytest.fixture
def ann(accounts: Accounts, context: Context) -> User:
    return accounts.create({"email": "ann@example.com", "username": "ann"}, context)


def events() -> list[tuple[str, str | None]]:
    rows = db.session.execute(select(AuditEvent.name, AuditEvent.user_id).order_by(AuditEvent.id))
    return [(name, user_id) for name, user_id in rows]


def problems(accounts: Accounts, context: Context, fields: Any, **more: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        accounts.create(fields, context, **more)
    db.session.rollback()
    return refused.value.problems


def test_account_has_what_was_given(accounts: Accounts, context: Context) -> None:
    fields: Fields = {
        "email": " Ann@Example.COM ",
        "email_verified": True,
        "username": "Ann",
        "name": "Ann Baker",
        "profile": PROFILE,
        "groups": ["staff", "admins", "staff"],
        "role": "auditor",
    }
    user = accounts.create(fields, context, password=PASSWORD)
    db.session.expire_all()
    assert (user.email, user.email_verified, user.username) == ("ann@example.com", True, "ann")
    assert (user.name, user.role, user.disabled_at) == ("Ann Baker", "auditor", None)
    assert user.profile == PROFILE
    assert [group.name for group in user.groups] == ["admins", "staff"]
    assert user.created_at == user.updated_at == NOON
    assert events() == [("user.created", user.id)]


def test_claims_are_all_there_are(accounts: Accounts, context: Context) -> None:
    user = accounts.create(
        {
            "email": "ann@example.com",
            "email_verified": True,
            "username": "ann",
            "name": "Ann Baker",
            "profile": PROFILE,
            "groups": ["staff"],
        },
        context,
    )
    claims = claims_of(user)
    assert set(claims) == set(PERSONAL_CLAIMS)
    assert claims == PROFILE | {
        "name": "Ann Baker",
        "preferred_username": "ann",
        "email": "ann@example.com",
        "email_verified": True,
        "updated_at": int(NOON.timestamp()),
        "groups": ["staff"],
    }


def test_claims_of_a_bare_account(accounts: Accounts, context: Context) -> None:
    user = accounts.create({"email": "ann@example.com"}, context)
    assert claims_of(user) == {
        "email": "ann@example.com",
        "email_verified": False,
        "updated_at": int(NOON.timestamp()),
        "groups": [],
    }


def test_phone_number_nobody_verified_is_said_to_be_so(
    accounts: Accounts, context: Context
) -> None:
    fields: Fields = {"email": "ann@example.com", "profile": {"phone_number": "+49 30 1"}}
    assert claims_of(accounts.create(fields, context))["phone_number_verified"] is False


def test_blanks_are_not_kept(accounts: Accounts, context: Context) -> None:
    profile = {"nickname": "", "gender": None, "address": {"country": "", "region": None}}
    user = accounts.create(
        {"email": "ann@example.com", "username": " ", "name": "", "profile": profile}, context
    )
    assert (user.username, user.name, user.profile) == (None, None, {})


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({}, {"email"}),
        ({"email": "ann"}, {"email"}),
        ({"email": None}, {"email"}),
        ({"email": "a@b.c", "username": "x@y.z"}, {"username"}),
        ({"email": "a@b.c", "name": "x" * 256}, {"name"}),
        ({"email": "a@b.c", "name": "Ann\nBaker"}, {"name"}),
        ({"email": "a@b.c", "name": "\u202eann"}, {"name"}),
        ({"email": "a@b.c", "name": 5}, {"name"}),
        ({"email": "a@b.c", "email_verified": "yes"}, {"email_verified"}),
        ({"email": "a@b.c", "role": "not a role!"}, {"role"}),
        ({"email": "a@b.c", "groups": "staff"}, {"groups"}),
        ({"email": "a@b.c", "groups": ["x" * 256]}, {"groups"}),
        ({"email": "a@b.c", "groups": [""]}, {"groups"}),
        ({"email": "a@b.c", "profile": []}, {"profile"}),
        ({"email": "a@b.c", "profile": {"shoe_size": "43"}}, {"shoe_size"}),
        ({"email": "a@b.c", "profile": {"birthdate": "17 May"}}, {"birthdate"}),
        ({"email": "a@b.c", "profile": {"website": "javascript:x"}}, {"website"}),
        ({"email": "a@b.c", "profile": {"phone_number_verified": 1}}, {"phone_number_verified"}),
        ({"email": "a@b.c", "profile": {"address": "Berlin"}}, {"address"}),
        ({"email": "a@b.c", "profile": {"sub": "x"}}, {"sub"}),
        ({"email": "a@b.c", "profile": {"acr": "phr"}}, {"acr"}),
        ({"email": "a@b.c", "profile": {"email": "x@y.z"}}, {"email"}),
        ({"email": "a@b.c", "profile": {"groups": ["admins"]}}, {"groups"}),
        ({"email": "a@b.c", "id": "chosen"}, {"id"}),
        ({"email": "a@b.c", "disabled_at": None}, {"disabled_at"}),
        ({"email": "ann", "username": "!", "profile": {"x": 1, "y": 2}}, {*"xy", "email"}),
    ],
)
def test_what_is_wrong_is_told_by_field_and_nothing_is_kept(
    accounts: Accounts, context: Context, fields: Any, wrong: set[str]
) -> None:
    told = problems(accounts, context, fields)
    assert wrong <= told.keys()
    assert all(told.values())
    assert db.session.scalar(select(func.count()).select_from(User)) == 0


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"email": "ANN@example.com"}, "email"),
        ({"email": "bob@example.com", "username": "Ann"}, "username"),
        ({"email": "username@example.com", "username": "ann"}, "username"),
    ],
)
def test_taken_names_are_told(
    accounts: Accounts, context: Context, ann: User, fields: Any, field: str
) -> None:
    assert problems(accounts, context, fields) == {field: TAKEN[field]}


def test_address_that_talks_of_user_names_is_taken_as_an_address(
    accounts: Accounts, context: Context
) -> None:
    accounts.create({"email": "users.username@example.com"}, context)
    told = problems(accounts, context, {"email": "users.username@example.com"})
    assert told == {"email": TAKEN["email"]}


def test_password_signs_in(accounts: Accounts, context: Context, cheap: Settings) -> None:
    user = accounts.create({"email": "ann@example.com"}, context, password=PASSWORD)
    factor = Password(Tools(settings=cheap, box=Box(cheap.keys), clock=FakeClock()))
    assert isinstance(factor.verify(user, {}, {"password": PASSWORD}, NOON), Proof)


@pytest.mark.parametrize("password", ["", "short", "ann@example.com", "Ann Baker Gatehouse"])
def test_weak_password_is_refused(accounts: Accounts, context: Context, password: str) -> None:
    fields = {"email": "ann@example.com", "name": "Ann Baker"}
    assert problems(accounts, context, fields, password=password).keys() == {"password"}


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("ann@example.com", True),
        (" ANN@EXAMPLE.COM", True),
        ("Ann", True),
        ("ann@example.org", False),
        ("annie", False),
        ("", False),
        ("\x00", False),
        ("no\ud800body@example.com", False),
        ("ann\uff20example.com", False),
    ],
)
def test_found_by_either_name_with_one_query(ann: User, typed: str, found: bool) -> None:
    with counted() as statements:
        assert (find_by_login(typed) is ann) is found
    assert len(statements) == 1


def test_user_name_never_finds_somebody_elses_address(
    accounts: Accounts, context: Context, ann: User
) -> None:
    told = problems(accounts, context, {"email": "eve@example.com", "username": "ann@example.com"})
    assert told.keys() == {"username"}


def test_update_changes_what_is_given(
    accounts: Accounts, context: Context, ann: User, clock: FakeClock
) -> None:
    later = replace(context, at=clock.advance(days=1))
    accounts.update(
        ann, {"name": "Ann B.", "groups": ["staff"], "profile": {"locale": "de"}}, later
    )
    db.session.expire_all()
    assert (ann.name, ann.username, ann.profile) == ("Ann B.", "ann", {"locale": "de"})
    assert [group.name for group in ann.groups] == ["staff"]
    assert ann.updated_at == later.at
    event = db.session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc())).first()
    assert event is not None
    assert (event.name, event.data["fields"]) == ("user.updated", ["groups", "name", "profile"])


def test_update_that_changes_nothing_leaves_no_trace(
    accounts: Accounts, context: Context, ann: User, clock: FakeClock
) -> None:
    accounts.update(ann, {"username": "ANN"}, replace(context, at=clock.advance(days=1)))
    assert ann.updated_at == NOON
    assert [name for name, _ in events()] == ["user.created"]


@pytest.mark.parametrize(
    ("fields", "verified"),
    [
        ({"email": "new@example.com"}, False),
        ({"email": "new@example.com", "email_verified": True}, True),
        ({"email": "ANN@example.com"}, True),
    ],
    ids=["another address", "another one that was shown", "the same one"],
)
def test_another_address_has_to_be_verified_anew(
    accounts: Accounts, context: Context, fields: Any, verified: bool
) -> None:
    ann = accounts.create({"email": "ann@example.com", "email_verified": True}, context)
    accounts.update(ann, fields, context)
    assert ann.email_verified is verified


def test_update_to_a_taken_name_changes_nothing(
    accounts: Accounts, context: Context, ann: User
) -> None:
    bob = accounts.create({"email": "bob@example.com", "name": "Bob"}, context)
    with pytest.raises(Invalid) as refused:
        accounts.update(bob, {"email": "ann@example.com", "name": "Ann"}, context)
    assert refused.value.problems == {"email": TAKEN["email"]}
    db.session.expire_all()
    assert (bob.email, bob.name) == ("bob@example.com", "Bob")


def test_update_cannot_reach_other_columns(accounts: Accounts, context: Context, ann: User) -> None:
    fields: Any = {"webauthn_handle": "mine", "created_at": NOON}
    with pytest.raises(Invalid) as refused:
        accounts.update(ann, fields, context)
    assert refused.value.problems.keys() == {"webauthn_handle", "created_at"}


def test_disabling_ends_sessions_and_grants_and_enabling_revives_none(
    accounts: Accounts, context: Context, ann: User
) -> None:
    open_everything(ann)
    assert endings() == [False, False]
    accounts.disable(ann, context)
    assert ann.disabled_at == NOON
    assert endings() == [True, True]
    accounts.disable(ann, context)
    accounts.enable(ann, context)
    accounts.enable(ann, context)
    assert endings() == [True, True]
    assert db.session.get_one(User, ann.id).disabled_at is None
    names = [name for name, _ in events()]
    assert (names.count("user.disabled"), names.count("user.enabled")) == (1, 1)


def test_enabling_ends_what_a_sign_in_wrote_after_the_account_was_shut(
    accounts: Accounts, context: Context, ann: User
) -> None:
    """It had been judged before, and nothing that it wrote was there to be ended."""
    accounts.disable(ann, context)
    open_everything(ann)
    accounts.enable(ann, context)
    assert endings() == [True, True]
    accounts.enable(ann, context)
    assert [name for name, _ in events()].count("session.ended") == 1


def test_new_password_by_an_administrator_ends_what_was_open(
    accounts: Accounts, context: Context, ann: User
) -> None:
    open_everything(ann)
    accounts.set_password(ann, PASSWORD, context)
    assert endings() == [True, True]
    assert db.session.scalar(select(func.count()).select_from(Credential)) == 1


def test_deleted_is_gone_with_all_that_was_theirs(
    accounts: Accounts, context: Context, cheap: Settings
) -> None:
    ann = accounts.create(
        {"email": "ann@example.com", "groups": ["staff"]}, context, password=PASSWORD
    )
    open_everything(ann)
    accounts.delete(ann, context)
    left = [
        db.session.scalar(select(func.count()).select_from(table))
        for table in (User, Credential, BrowserSession, Grant)
    ]
    assert left == [0, 0, 0, 0]
    assert ("user.deleted", ann.id) in events()
    assert db.session.scalars(select(Group.name)).all() == ["staff"]
    assert accounts.create({"email": "ann@example.com"}, context).id != ann.id


def test_hasher_may_be_shared(app: Flask, cheap: Settings, context: Context) -> None:
    accounts = Accounts(cheap, hasher=Hasher(replace(cheap, argon2_time=3)))
    accounts.create({"email": "ann@example.com"}, context, password=PASSWORD)
    assert "t=3" in db.session.scalars(select(Credential)).one().data["hash"]
