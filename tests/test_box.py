"""What is sealed: read by whoever has the key, by nobody else, and not to be changed."""

import base64
from typing import Any

import pytest
from cryptography.fernet import Fernet

from idp.json_text import dump
from idp.secrecy import Box, Unreadable

OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))
VALUES: list[Any] = ["text", ["a", {"b": None}], {}, 0, None, "Zoë ☃", "x" * 5000]


def by_fernet(value: Any, key: str = OLD) -> str:
    """As values were sealed once."""
    return Fernet(key).encrypt(dump(value).encode()).decode()


@pytest.mark.parametrize("value", VALUES, ids=lambda one: repr(one)[:12])
def test_what_was_sealed_is_read_whichever_key_it_was(value: Any) -> None:
    assert Box([OLD]).open(Box([OLD]).seal(value)) == value
    for sealed in (Box([OLD]).seal(value), by_fernet(value)):
        assert Box([NEW, OLD]).open(sealed) == value


@pytest.mark.parametrize("make", [Box([OLD]).seal, by_fernet], ids=["sealed", "by Fernet"])
def test_another_key_reads_nothing(make: Any) -> None:
    with pytest.raises(Unreadable):
        Box([NEW]).open(make("secret"))


def test_the_same_value_looks_different_each_time() -> None:
    box = Box([OLD])
    assert len({box.seal("secret") for _ in range(50)}) == 50


def test_it_can_stand_in_a_cookie_and_shows_nothing() -> None:
    sealed = Box([OLD]).seal(["alice@example.com"])
    assert sealed.isascii()
    assert sealed.replace(".", "").replace("-", "").replace("_", "").isalnum()
    assert b"alice" not in base64.urlsafe_b64decode(sealed[2:] + "==")


def test_not_a_bit_of_it_can_be_changed() -> None:
    box, value = Box([OLD]), {"code": "secret"}
    sealed = box.seal(value)
    raw = base64.urlsafe_b64decode(sealed[2:] + "==")
    for place in range(len(raw)):
        changed = bytes([*raw[:place], raw[place] ^ 1, *raw[place + 1 :]])
        with pytest.raises(Unreadable):
            box.open(sealed[:2] + base64.urlsafe_b64encode(changed).decode())
    assert box.open(sealed) == value


ODD = ["", "2.", "2.AAAA", "2.%%", "2.\x00", "2.ü", "gAAAAA", "ü", "2." + "A" * 38, "2." + "A" * 40]


@pytest.mark.parametrize("odd", ODD)
def test_what_is_none_is_unreadable(odd: str) -> None:
    with pytest.raises(Unreadable):
        Box([OLD]).open(odd)
    assert not Box([OLD]).is_current(odd)


@pytest.mark.parametrize("key", [OLD, NEW], ids=["old", "new"])
def test_current_is_what_the_first_key_encrypted(key: str) -> None:
    for sealed in (Box([key]).seal(None), by_fernet(None, key)):
        assert Box([NEW, OLD]).is_current(sealed) == (key == NEW)
