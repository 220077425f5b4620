"""People from elsewhere: looked at first, all of them or nobody, and signed in as before."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from sqlalchemy import func, select

from idp.models import Credential, User, db
from idp.passwords.foreign import check_hash
from idp.services.invalid import Invalid
from idp.services.people_files import MAX_PEOPLE, Unreadable, records
from idp.services.people_import import carry_out, plan
from tests.helpers.clock import FakeClock
from tests.helpers.databases import Databases
from tests.helpers.foreign_people import EXPORTS, Export
from tests.helpers.house import House, Person
from tests.web.walking import events, housed, signed_in


@pytest.fixture(scope="module")
def town(databases: Databases) -> Iterator[House]:
    with databases.fresh("sqlite") as url, housed(url, FakeClock()) as made:
        yield made


def imported(house: House, content: bytes, **more: Any) -> int:
    with house.app.app_context():
        return carry_out(plan(records(content, **more), house.context), house.context)


def problems(house: House, content: bytes) -> list[tuple[int, str]]:
    with house.app.app_context():
        found = plan(records(content), house.context).problems
        return [(one.place, one.field) for one in found]


def stored(house: House, email: str) -> str:
    with house.app.app_context():
        return str(
            db.session.scalars(select(Credential).join(User).where(User.email == email))
            .one()
            .data["hash"]
        )


def people(house: House) -> int | None:
    with house.app.app_context():
        return db.session.scalar(select(func.count()).select_from(User))


@pytest.mark.parametrize("export", EXPORTS.values(), ids=EXPORTS)
def test_an_old_password_signs_in_and_its_hash_is_made_anew(town: House, export: Export) -> None:
    assert imported(town, export.content, firebase=export.firebase) == 1
    before = stored(town, export.email)
    shop = town.client(consent="never")
    with town.app.app_context():
        user = town.services.accounts.find_by_login(export.email)
        assert user is not None
        assert user.role is None
        wrong = Person(user.id, user.email, export.password + "x")
        right = Person(user.id, user.email, export.password)
    with pytest.raises(Exception):  # noqa: B017, PT011  the walk does not get to its end
        signed_in(town, shop, wrong)
    assert stored(town, export.email) == before
    signed_in(town, shop, right)
    after = stored(town, export.email)
    assert after != before
    assert after.startswith("$argon2id$v=19$m=8,t=1")
    signed_in(town, shop, right)
    assert stored(town, export.email) == after


GOOD = {"email": "good@example.com", "name": "Good"}
BAD: Mapping[str, tuple[list[Any], list[tuple[int, str]]]] = {
    "no address": ([{"name": "X"}], [(1, "email")]),
    "a role": ([GOOD | {"role": "administrator"}], [(1, "role")]),
    "an unknown field": ([GOOD | {"is_admin": True}], [(1, "is_admin")]),
    "twice in the file": ([GOOD, GOOD | {"email": "GOOD@example.com"}], [(2, "email")]),
    "here already": ([{"email": "here@example.com"}], [(1, "email")]),
    "no object": ([GOOD, 7], [(2, "email")]),
    "an unknown hash": ([GOOD | {"password_hash": "md5$x"}], [(1, "password_hash")]),
    "a password in clear": ([GOOD | {"password": "secret"}], [(1, "password")]),
    "several": (
        [GOOD | {"email": "x", "username": "a b"}, GOOD],
        [(1, "email"), (1, "username")],
    ),
}


@pytest.mark.parametrize(("rows", "wrong"), BAD.values(), ids=BAD)
def test_what_is_wrong_is_told_row_by_row_and_nobody_is_made(
    town: House, rows: list[Any], wrong: list[tuple[int, str]]
) -> None:
    with town.app.app_context():
        if town.services.accounts.find_by_login("here@example.com") is None:
            town.services.accounts.create({"email": "here@example.com"}, town.context)
    before, content = people(town), json.dumps(rows).encode()
    assert problems(town, content) == wrong
    with pytest.raises(Invalid):
        imported(town, content)
    assert people(town) == before


def test_who_appears_meanwhile_stops_all_of_it(town: House) -> None:
    rows = [{"email": f"late{number}@example.com"} for number in range(3)]
    with town.app.app_context():
        planned = plan(records(json.dumps(rows).encode()), town.context)
        town.services.accounts.create({"email": "late2@example.com"}, town.context)
    before = people(town)
    with town.app.app_context(), pytest.raises(Invalid):
        carry_out(planned, town.context)
    assert people(town) == before


def test_who_was_shut_out_stays_out(town: House) -> None:
    rows = [{"email": "out@example.com", "emailVerified": True, "enabled": False}]
    assert imported(town, json.dumps(rows).encode()) == 1
    with town.app.app_context():
        user = town.services.accounts.find_by_login("out@example.com")
        assert user is not None
        assert user.disabled_at is not None
    assert events(town, event="people.imported")[0].data["count"] == 1


UNREADABLE = {
    "nothing": b"",
    "an empty list": b"[]",
    "not UTF-8": b"\xff\xfe\x00",
    "half of it": b'[{"email": "a@example.com"',
    "without end": b"[" * 100_000,
    "columns that nobody knows": b"email,role\na@example.com,administrator\n",
    "a number": b"7",
    "too many": json.dumps([{}] * (MAX_PEOPLE + 1)).encode(),
}


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_no_file_of_people_is_refused(content: bytes) -> None:
    with pytest.raises(Unreadable):
        records(content)


STALLING = {
    "PBKDF2 without end": "pbkdf2_sha256$999999999$salt$aGFzaA==",
    "scrypt of gigabytes": "scrypt$salt$16777216$64$1$aGFzaA==",
    "scrypt of an odd cost": "scrypt$salt$1000$8$1$aGFzaA==",
    "Argon2 of gigabytes": "$argon2id$v=19$m=4194304,t=3,p=4$c2FsdHNhbHQ$aGFzaGhhc2g",
    "Firebase of gigabytes": "$firebase-scrypt$24$64$Bw==$aGFzaA==$aGFzaA==$aGFzaA==",
    "bcrypt for a day": "$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
    "an empty hash": "pbkdf2_sha256$1$salt$",
    "no number": "pbkdf2_sha256$x$salt$aGFzaA==",
}


@pytest.mark.parametrize("stored_hash", STALLING.values(), ids=STALLING)
def test_a_hash_that_would_stall_a_sign_in_is_refused(stored_hash: str) -> None:
    with pytest.raises(ValueError, match=r"cost|cut|number"):
        check_hash(stored_hash)


ODD = {
    "a hash that is a number": '[{"email": "a@example.com", "password_hash": 5}]',
    "credentials that are none": '[{"email": "a@example.com", "credentials": 5}]',
    "groups that are none": '[{"email": "a@example.com", "emailVerified": 1, "groups": 5}]',
    "a cost that is none": json.dumps(
        [
            {
                "email": "a@example.com",
                "credentials": [
                    {
                        "type": "password",
                        "secretData": '{"value": "a", "salt": "b"}',
                        "credentialData": '{"algorithm": "argon2", "hashIterations": 1,'
                        ' "additionalParameters": {"memory": [], "parallelism": [1]}}',
                    }
                ],
            }
        ]
    ),
    "a name of numbers": '[{"model": "x", "fields": {"first_name": 5}}]',
    "a password that is a number": '[{"model": "x", "fields": {"password": 5}}]',
}


@pytest.mark.parametrize("content", ODD.values(), ids=ODD)
def test_a_record_of_another_form_is_told_and_no_error_of_ours(content: str) -> None:
    with pytest.raises(Unreadable, match="Record 1 is not of the form"):
        records(content.encode())


@pytest.mark.parametrize(
    ("content", "verified"),
    [
        pytest.param(b"email,name\ncy1@example.com,Cy\n", True, id="nothing said"),
        pytest.param(b"email,email_verified\ncy2@example.com,no\n", False, id="said"),
        pytest.param(b'[{"email": "cy3@example.com"}]', True, id="nothing said in JSON"),
    ],
)
def test_an_address_that_an_administrator_names_is_right_unless_the_file_says_otherwise(
    town: House, content: bytes, verified: bool
) -> None:
    assert imported(town, content) == 1
    email = next(word for word in content.decode().replace('"', ",").split(",") if "cy" in word)
    with town.app.app_context():
        user = town.services.accounts.find_by_login(email.split()[-1])
        assert user is not None
        assert user.email_verified is verified
