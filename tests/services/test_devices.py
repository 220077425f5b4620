"""The browsers that are known: for how long, for whom, and that nobody can pretend to be one."""

from datetime import timedelta

from cryptography.fernet import Fernet

from idp.secrecy import Box
from idp.services.devices import LIFETIME, PEOPLE, Devices
from tests.helpers.clock import NOON

KEY, NEWER = (Fernet.generate_key().decode() for _ in range(2))
DEVICES = Devices(Box([KEY]))


def test_known_after_a_sign_in_and_for_that_person_only() -> None:
    token = DEVICES.remember(None, "ann", NOON)
    assert DEVICES.recognise(token, "ann", NOON)
    assert DEVICES.recognise(token, "bob", NOON) is None


def test_one_browser_of_several_people_stays_one_browser() -> None:
    token = DEVICES.remember(DEVICES.remember(None, "ann", NOON), "bob", NOON)
    assert DEVICES.recognise(token, "ann", NOON) == DEVICES.recognise(token, "bob", NOON)


def test_two_browsers_are_two() -> None:
    first, second = (DEVICES.remember(None, "ann", NOON) for _ in range(2))
    assert DEVICES.recognise(first, "ann", NOON) != DEVICES.recognise(second, "ann", NOON)


def test_remembered_half_a_year_after_the_last_sign_in() -> None:
    token = DEVICES.remember(None, "ann", NOON)
    almost = NOON + LIFETIME - timedelta(seconds=1)
    assert DEVICES.recognise(token, "ann", almost)
    assert DEVICES.recognise(token, "ann", NOON + LIFETIME) is None
    again = DEVICES.remember(token, "ann", almost)
    assert DEVICES.recognise(again, "ann", NOON + LIFETIME)


def test_the_longest_absent_makes_way() -> None:
    token = None
    for n in range(PEOPLE + 1):
        token = DEVICES.remember(token, f"person {n}", NOON + timedelta(minutes=n))
    later = NOON + timedelta(minutes=PEOPLE)
    assert DEVICES.recognise(token, "person 0", later) is None
    assert DEVICES.recognise(token, "person 1", later)
    assert len(token or "") < 2000


def test_what_we_did_not_make_is_unknown() -> None:
    box = Box([KEY])
    strange = [
        None,
        "",
        "ann",
        "x" * 5000,
        "é\ud800".encode("utf-8", "replace").decode(),
        Box([NEWER]).seal({"for": "device", "id": "d", "people": {"ann": 2**40}}),
        box.seal({"for": "mail", "id": "d", "people": {"ann": 2**40}}),
        box.seal("ann"),
    ]
    assert [DEVICES.recognise(token, "ann", NOON) for token in strange] == [None] * len(strange)
    assert DEVICES.recognise(DEVICES.remember("ann", "ann", NOON), "ann", NOON)


def test_known_over_a_change_of_keys() -> None:
    token = DEVICES.remember(None, "ann", NOON)
    assert Devices(Box([NEWER, KEY])).recognise(token, "ann", NOON)
