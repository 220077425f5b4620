"""What a setting may be, and what is said of one that may not."""

from pathlib import Path
from typing import Any

import pytest

from idp.config import ConfigurationError, Settings, load_settings
from tests.helpers.servers import TEST_KEY

PG = "postgresql+psycopg://"


def loaded(**values: object) -> Settings:
    given = {"issuer": "https://id.example", "keys": TEST_KEY, **values}
    return load_settings(None, {}, **given)


def refused(**values: object) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as told:
        loaded(**values)
    return told.value.problems


GOOD: tuple[tuple[str, object], ...] = (
    ("issuer", "http://localhost:8420"),
    ("issuer", "http://[::1]:8420"),
    ("issuer", "https://id.example:8443"),
    ("mail_url", "smtp://user:p%40ss%2Fword@mail.example:587?starttls=required"),
    ("mail_url", "smtps://[::1]:465/"),
    ("mail_url", "file:///var/mail"),
    ("mail_url", "console:"),
    ("mail_from", "no-reply@id.example"),
    ("mail_from", 'Grün & "Söhne" <no-reply@id.example>'),
    ("database_url", f"{PG}user:p/a#s%40s@db.example:5432/idp"),
    ("database_url", f"{PG}idp@/idp?host=a.example:5432&host=b.example:5432"),
    ("redis_url", "redis://:secret@cache.example:6379/1"),
    ("redis_url", "unix:///run/redis.sock"),
    ("help_url", "https://example.org/help#now"),
    ("logo_url", "https://example.org:8443/logo.svg"),
    ("webauthn_origins", ["https://id.example", "http://localhost:8420"]),
)


@pytest.mark.parametrize(("name", "value"), GOOD, ids=[f"{n} {v}" for n, v in GOOD])
def test_what_can_be_used_is_taken_as_it_is(name: str, value: Any) -> None:
    taken = getattr(loaded(**{name: value}), name)
    assert taken == (tuple(value) if isinstance(value, list) else value)


NO_ADDRESS = "its host or its port is not one"
BAD: tuple[tuple[str, object, str], ...] = (
    ("issuer", "id.example", "must start with https://"),
    ("issuer", "https://id.example:https", NO_ADDRESS),
    ("issuer", "https://id.example:99999", NO_ADDRESS),
    ("issuer", "https://[::1", NO_ADDRESS),
    ("issuer", "https://id example", "without spaces"),
    ("issuer", "https://id.example\nx", "without spaces"),
    ("issuer", "https://id.example\\x", "without spaces"),
    ("issuer", 'https://id.example"x', NO_ADDRESS),
    ("issuer", "https://id.example;x", NO_ADDRESS),
    ("issuer", "https://id.example:", NO_ADDRESS),
    ("issuer", "https://id.example?", "without query"),
    ("issuer", "https://:p@id.example", "user name"),
    ("issuer", "https://ID.example", "lower case"),
    ("issuer", "https://grün.example", "xn--"),
    ("issuer", "https://id.example:443", "port 443: browsers leave it out"),
    ("mail_url", "smtp://mail.example:port", NO_ADDRESS),
    ("mail_url", "smtp://user:pa/ss@mail.example", NO_ADDRESS),
    ("mail_url", "smtp://user:1/s@mail.example", "percent-encoded"),
    ("mail_url", "smtp://", "must be smtp://[user:password@]host[:port]"),
    ("mail_url", "smtps:mail.example", "must be smtps://"),
    ("mail_url", "smtp://mail.example?starttls=maybe", "starttls must be one of"),
    ("mail_url", "smtp://mail.example?startls=required", "knows no startls"),
    ("mail_url", "file://relative/path", "file:///absolute/path"),
    ("mail_url", "file:relative", "file:///absolute/path"),
    ("mail_from", "Gatehouse", "must be an address"),
    ("mail_from", "<>", "must be an address"),
    ("mail_from", "a@id.example, b@id.example", "must be an address"),
    ("mail_from", "a@id.example\nBcc: b@id.example", "must be an address"),
    ("database_url", f"{PG}idp:hunter2@db.example:port/idp", "must be postgresql+psycopg://user"),
    ("database_url", f"{PG}[::1/idp", "must be postgresql+psycopg://user"),
    ("redis_url", "redis://cache.example:port", NO_ADDRESS),
    ("help_url", "https://example.org:port/help", NO_ADDRESS),
    ("logo_url", "https://example.org:99999/logo.svg", NO_ADDRESS),
    ("mtls_origin", "https://mtls.id.example?", "must be an origin"),
    ("webauthn_origins", "ftp://id.example", "must be origins"),
    ("webauthn_origins", "https://Id.example", "lower case"),
    ("webauthn_origins", "https://id.example:443", "browsers leave it out"),
    ("session_lifetime", 99999999999999999, "must be at most 2147483647"),
    ("refresh_grace", -1, "must be at least 0"),
    ("radius", -1, "must be from 0 to 24"),
    ("radius", 25, "must be from 0 to 24"),
    ("argon2_memory_kib", 7, "must be at least 8"),
)


@pytest.mark.parametrize(("name", "value", "told"), BAD, ids=[f"{n} {v!r}" for n, v, _ in BAD])
def test_what_cannot_be_used_is_told_in_a_sentence(name: str, value: object, told: str) -> None:
    (problem,) = refused(**{name: value})
    assert problem.startswith(f"{name}: ")
    assert told in problem
    assert "hunter2" not in problem


def test_more_lanes_need_more_memory() -> None:
    assert refused(argon2_parallelism=5000) == (
        "argon2_memory_kib: must be at least 40000, eight for each of argon2_parallelism",
    )


def test_all_that_is_wrong_is_told_at_once() -> None:
    assert len(refused(issuer="id.example", mail_url="mail.example", session_idle="soon")) == 3


def told_of(text: bytes, folder: Path) -> tuple[str, ...]:
    file = folder / "idp.toml"
    file.write_bytes(text)
    with pytest.raises(ConfigurationError) as told:
        load_settings(file, {})
    return told.value.problems


BROKEN = {"no TOML": b"issuer =", "another encoding": b"\xff\xfe", "with a mark": b"\xef\xbb\xbf"}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_what_a_file_that_cannot_be_read_says_is_not_missing(text: bytes, tmp_path: Path) -> None:
    (problem,) = told_of(text, tmp_path)
    assert problem.startswith(f"{tmp_path / 'idp.toml'}: cannot be read")


def test_a_setting_that_is_there_in_two_ways_is_told(tmp_path: Path) -> None:
    right = f'issuer = "https://id.example"\nkeys = "{TEST_KEY}"\nmail_url = "console:"\n'
    doubled = f'{right}[mail]\nurl = "file:///var/mail"\nfrom = "a@id.example"\n'
    assert told_of(doubled.encode(), tmp_path) == ("mail_url: is in the file twice",)
