"""Hashing: the cost is in the hash, the form is NFC, and the work does not tell who exists."""

import hashlib
import threading
import unicodedata
from dataclasses import replace

import pytest
from argon2 import PasswordHasher
from cryptography.fernet import Fernet

from idp.config import Settings, load_settings
from idp.passwords import LONGEST, Hasher, Verdict
from idp.passwords.schemes import Argon2id
from tests.passwords.counting import CHEAP, counting_hasher


@pytest.fixture
def settings() -> Settings:
    key = Fernet.generate_key().decode()
    return load_settings(environ={}, issuer="https://id.example.com", keys=[key], **CHEAP)


def test_default_cost_is_in_the_hash() -> None:
    key = Fernet.generate_key().decode()
    settings = load_settings(environ={}, issuer="https://id.example.com", keys=[key])

    assert Hasher(settings).hash("paper lanterns").startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_each_hash_has_its_own_salt(settings) -> None:
    hasher = Hasher(settings)

    assert hasher.hash("paper lanterns") != hasher.hash("paper lanterns")


@pytest.mark.parametrize(
    ("typed", "correct"),
    [
        ("paper lanterns", True),
        ("Paper lanterns", False),
        ("paper lanterns ", False),
        ("", False),
    ],
    ids=["as set", "other case", "a space more", "nothing"],
)
def test_compares_the_whole_password(settings, typed, correct) -> None:
    hasher = Hasher(settings)

    assert hasher.verify(hasher.hash("paper lanterns"), typed).correct is correct


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("other", ["NFC", "NFD"])
def test_composed_and_decomposed_are_one_password(settings, form, other) -> None:
    hasher = Hasher(settings)
    stored = hasher.hash(unicodedata.normalize(form, "déjà vu à Besançon"))

    assert hasher.verify(stored, unicodedata.normalize(other, "déjà vu à Besançon")).correct


def test_compatibility_forms_stay_apart(settings) -> None:
    hasher = Hasher(settings)

    assert not hasher.verify(hasher.hash("\ufb01ne"), "fine").correct


@pytest.mark.parametrize(
    "password", ["nul \0 inside", "lone \ud800 surrogate", "x" * LONGEST, "🔑" * 64]
)
def test_any_characters_will_do(settings, password) -> None:
    hasher = Hasher(settings)

    assert hasher.verify(hasher.hash(password), password).correct


def test_too_long_is_never_correct_and_still_work(settings) -> None:
    hasher, scheme = counting_hasher(settings)
    stored = hasher.hash("")

    assert hasher.verify(stored, "x" * (LONGEST + 1)) == Verdict(correct=False)
    assert len(scheme.checked) == 1
    with pytest.raises(ValueError, match="1024"):
        hasher.hash("x" * (LONGEST + 1))


@pytest.mark.parametrize(
    "stored",
    [None, "", "plain text", "$argon2x$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$aGFzaA", "$2b$12$unknown"],
    ids=["no hash", "empty", "not a hash", "another argon2", "a hash that is cut off"],
)
def test_nothing_to_compare_with_costs_the_same(settings, stored) -> None:
    hasher, scheme = counting_hasher(settings)

    assert hasher.verify(stored, "paper lanterns") == Verdict(correct=False)
    assert scheme.checked == ["m=64,t=1,p=1"]


def test_broken_hash_is_a_no(settings) -> None:
    assert not Hasher(settings).verify("$argon2id$v=19$m=64,t=1,p=1$!!$??", "any").correct


@pytest.mark.parametrize(
    "change",
    [{"argon2_memory_kib": 128}, {"argon2_time": 2}, {"argon2_parallelism": 2}],
    ids=["memory", "time", "parallelism"],
)
def test_other_cost_makes_a_hash_outdated(settings, change) -> None:
    stored = Hasher(settings).hash("paper lanterns")
    changed = Hasher(replace(settings, **change))

    assert changed.verify(stored, "paper lanterns") == Verdict(correct=True, outdated=True)
    assert changed.verify(stored, "something else") == Verdict(correct=False)


@pytest.mark.parametrize(
    ("salt", "length", "outdated"),
    [(16, 32, False), (8, 32, True), (16, 24, True), (24, 24, True), (22, 26, True)],
)
def test_other_lengths_make_a_hash_outdated(
    settings: Settings, salt: int, length: int, outdated: bool
) -> None:
    stored = PasswordHasher(
        time_cost=settings.argon2_time,
        memory_cost=settings.argon2_memory_kib,
        parallelism=settings.argon2_parallelism,
        salt_len=salt,
        hash_len=length,
    ).hash("paper lanterns")
    verdict = Hasher(settings).verify(stored, "paper lanterns")
    assert verdict == Verdict(correct=True, outdated=outdated)


class Unsalted:
    """A scheme of another house."""

    prefixes = ("sha256:",)

    def reads(self, stored: str) -> bool:
        return True

    def verify(self, stored: str, password: bytes) -> bool:
        return stored == f"sha256:{hashlib.sha256(password).hexdigest()}"

    def is_outdated(self, stored: str) -> bool:
        return False


def test_hashes_of_another_scheme_are_checked_and_outdated(settings) -> None:
    stored = f"sha256:{hashlib.sha256(b'paper lanterns').hexdigest()}"

    assert not Hasher(settings).verify(stored, "paper lanterns").correct
    hasher = Hasher(settings, others=[Unsalted()])
    assert hasher.verify(stored, "paper lanterns") == Verdict(correct=True, outdated=True)


class Slow(Argon2id):
    """Notes how many compute at the same time."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.running = self.most = 0
        self._lock = threading.Lock()
        self.full = threading.Event()

    def hash(self, password: bytes) -> str:
        with self._lock:
            self.running += 1
            self.most = max(self.most, self.running)
        self.full.wait(0.05)
        with self._lock:
            self.running -= 1
        return super().hash(password)


def test_no_more_at_once_than_configured_over_all_hashers(settings) -> None:
    settings = replace(settings, argon2_concurrency=3)
    slow = Slow(settings)
    hashers = [Hasher(settings, making=slow) for _ in range(2)]
    threads = [threading.Thread(target=hashers[n % 2].hash, args=("x",)) for n in range(12)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert slow.most == 3
