"""A client's keys: which of them fit, and how seldom they are fetched whatever comes in."""

import json
import logging
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from joserfc.jwk import JWKRegistry, Key, OctKey

from idp.models import db
from idp.secrecy import Box, Unreadable
from idp.services.client_keys import ClientKeys
from idp.services.clients import RegisteredClient, StoredSecret
from idp.services.fetch import Fetcher, Limits
from idp.services.key_sets import ASK_AGAIN, FRESH, KEPT, LONGEST_WAIT, usable_keys
from idp.services.outside import LOOPBACK
from tests.helpers import base64url
from tests.helpers.clock import FakeClock
from tests.helpers.little_server import LittleServer, little_server, saying
from tests.helpers.signing import jwks, key_of, public, small_rsa
from tests.services.bare import bare_app
from tests.services.people import as_registered

BOX = Box([Fernet.generate_key().decode()])


@pytest.fixture
def app(sqlite_url: str) -> Iterator[Flask]:
    app = bare_app(sqlite_url)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def server() -> Iterator[LittleServer]:
    with little_server() as running:
        yield running


@pytest.fixture
def keys(app: Flask) -> ClientKeys:
    return ClientKeys(Fetcher(networks=LOOPBACK), BOX)


def with_keys(*members: dict[str, Any]) -> RegisteredClient:
    return as_registered("shop", jwks=jwks(*members))


def publishing(server: LittleServer, *members: dict[str, Any]) -> RegisteredClient:
    """A client whose ``jwks_uri`` leads to ``server``, which says this from now on."""
    server.answer = saying(json.dumps(jwks(*members)).encode())
    return as_registered("shop", jwks_uri=server.url("/jwks"))


def kids(found: tuple[Key, ...]) -> list[str | None]:
    return [key.kid for key in found]


ES, RS, ED = (public(key_of(name), kid=name) for name in ("ES256", "RS256", "EdDSA"))


@pytest.mark.parametrize(
    ("algorithm", "kid", "found"),
    [
        ("ES256", "ES256", ["ES256"]),
        ("RS512", "RS256", ["RS256"]),
        ("PS256", "RS256", ["RS256"]),
        ("EdDSA", "EdDSA", ["EdDSA"]),
        ("Ed25519", None, ["EdDSA"]),
        ("ES256", None, ["ES256"]),
        ("RS256", None, ["RS256"]),
        ("ES384", None, []),
        ("RS256", "ES256", []),
        ("ES256", "nobody's", []),
        ("none", None, []),
        ("HS999", None, []),
    ],
)
def test_a_key_fits_an_algorithm_and_a_name(
    keys: ClientKeys, clock: FakeClock, algorithm: str, kid: str | None, found: list[str]
):
    client = with_keys(ES, RS, ED)
    assert kids(keys.to_verify(client, kid=kid, algorithm=algorithm, now=clock())) == found


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_a_public_key_is_never_a_secret(keys: ClientKeys, clock: FakeClock, algorithm: str):
    client = with_keys(ES, RS, ED)
    for kid in (None, "RS256"):
        assert keys.to_verify(client, kid=kid, algorithm=algorithm, now=clock()) == ()


LABELS: dict[str, tuple[dict[str, Any], bool, bool]] = {
    "nothing": ({}, True, True),
    "for signatures": ({"use": "sig"}, True, False),
    "for encryption": ({"use": "enc"}, False, True),
    "to verify": ({"key_ops": ["verify"]}, True, False),
    "to derive": ({"key_ops": ["deriveKey"]}, False, True),
    "the algorithm": ({"alg": "ES256"}, True, False),
    "the encryption": ({"alg": "ECDH-ES"}, False, True),
    "another algorithm": ({"alg": "ES384"}, False, False),
}


@pytest.mark.parametrize(("label", "verifies", "encrypts"), LABELS.values(), ids=LABELS)
def test_what_is_written_on_a_key_counts(
    keys: ClientKeys, clock: FakeClock, label: dict[str, Any], verifies: bool, encrypts: bool
):
    client = with_keys(public(key_of("ES256"), **label))
    found = keys.to_verify(client, kid=None, algorithm="ES256", now=clock())
    assert bool(found) is verifies
    encryption = keys.to_encrypt(client, algorithm="ECDH-ES", now=clock())
    assert (encryption is not None) is encrypts


@pytest.mark.parametrize(
    ("algorithm", "kid"),
    [("RSA-OAEP-256", "RS256"), ("ECDH-ES+A128KW", "ES256"), ("dir", None), ("RSA1_5", None)],
)
def test_what_is_encrypted_to_a_client_needs_a_key_that_can(
    keys: ClientKeys, clock: FakeClock, algorithm: str, kid: str | None
):
    found = keys.to_encrypt(with_keys(ED, ES, RS), algorithm=algorithm, now=clock())
    assert (found and found.kid) == kid


BAD_KEYS: dict[str, Any] = {
    "no object": "key",
    "no kty": {"kid": "1"},
    "an unknown kty": {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA"},
    "a kty that is no text": {"kty": {}},
    "not on the curve": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
    "an unknown curve": {"kty": "EC", "crv": "P-1", "x": "AA", "y": "AA"},
    "too short": small_rsa(),
    "no number": {"kty": "RSA", "n": "", "e": "AQAB"},
    "symmetric": OctKey.import_key("x" * 32).as_dict(private=True),
    "an even product of primes": {**RS, "n": base64url.encode((1 << 2047).to_bytes(256))},
    "an exponent that makes work": {**RS, "e": base64url.encode(b"\x7f" * 255)},
    "a point that all agree on": {"kty": "OKP", "crv": "X25519", "x": base64url.encode(bytes(32))},
    "another": {"kty": "OKP", "crv": "X448", "x": base64url.encode(bytes(56))},
    "an unknown use": {**ES, "use": "all", "key_ops": ["verify"]},
}


@pytest.mark.parametrize("bad", BAD_KEYS.values(), ids=BAD_KEYS)
def test_a_key_that_cannot_be_used_is_passed_over(bad: Any):
    frozen: Any = {"keys": (bad, ES)}
    assert kids(usable_keys(frozen)) == ["ES256"]


@pytest.mark.parametrize("curve", ["X25519", "X448"])
def test_a_key_to_agree_with_is_kept(curve: str):
    public = JWKRegistry.generate_key("OKP", curve).as_dict(private=False)
    assert len(usable_keys({"keys": (public,)})) == 1


def test_a_private_key_that_somebody_publishes_is_used_as_the_public_one():
    private = {**key_of("ES256").as_dict(private=True), "kid": "1"}
    (key,) = usable_keys({"keys": (private,)})
    assert not key.is_private
    assert "d" not in key.as_dict()


@pytest.mark.parametrize("bad", [None, {}, {"keys": {}}, (), "keys"], ids=repr)
def test_what_is_no_key_set_is_refused(bad: Any):
    with pytest.raises(ValueError, match="JWK Set"):
        usable_keys(bad)


def find(keys: ClientKeys, client: RegisteredClient, kid: str, clock: FakeClock) -> list[Any]:
    return kids(keys.to_verify(client, kid=kid, algorithm="ES256", now=clock()))


def test_published_keys_are_fetched_once_and_again_when_they_are_old(
    keys: ClientKeys, server: LittleServer, clock: FakeClock
):
    client = publishing(server, ES)
    for _ in range(3):
        assert find(keys, client, "ES256", clock) == ["ES256"]
    assert len(server.requests) == 1
    clock.advance(seconds=FRESH.total_seconds())
    assert find(keys, client, "ES256", clock) == ["ES256"]
    assert len(server.requests) == 2


def test_an_unknown_name_is_looked_for_anew(
    keys: ClientKeys, server: LittleServer, clock: FakeClock
):
    client = publishing(server, ES)
    find(keys, client, "ES256", clock)
    publishing(server, ES, public(key_of("ES256", "two"), kid="two"))
    clock.advance(seconds=ASK_AGAIN.total_seconds())
    assert find(keys, client, "two", clock) == ["two"]
    assert len(server.requests) == 2


def test_a_flood_of_unknown_names_is_no_flood_of_fetches(
    keys: ClientKeys, server: LittleServer, clock: FakeClock
):
    client = publishing(server, ES)
    for number in range(50):
        assert find(keys, client, f"nobody-{number}", clock) == []
    assert len(server.requests) == 1
    clock.advance(seconds=ASK_AGAIN.total_seconds())
    for number in range(50):
        assert find(keys, client, f"nobody-{number}", clock) == []
    assert len(server.requests) == 2
    assert find(keys, client, "ES256", clock) == ["ES256"]


def test_of_many_at_once_one_fetches_and_all_get_the_keys(
    app: Flask, keys: ClientKeys, server: LittleServer, clock: FakeClock
):
    client = publishing(server, ES)

    def run(_number: int) -> list[Any]:
        with app.app_context():
            return find(keys, client, "ES256", clock)

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(run, range(8))) == [["ES256"]] * 8
    assert len(server.requests) == 1


def test_nobody_waits_long_for_another_who_waits_for_an_answer(
    app: Flask, keys: ClientKeys, server: LittleServer, clock: FakeClock
):
    """Else one address that never answers has every thread of the process wait."""
    client, asked, over, honest = publishing(server, ES), Event(), Event(), server.answer

    def slow(connection: socket.socket) -> None:
        asked.set()
        over.wait(10)
        honest(connection)

    def run() -> list[Any]:
        with app.app_context():
            return find(keys, client, "ES256", clock)

    server.answer = slow
    with ThreadPoolExecutor(1) as thread:
        first = thread.submit(run)
        assert asked.wait(10)
        assert run() == []
        over.set()
        assert first.result() == ["ES256"]
    assert run() == ["ES256"]


def test_while_it_fails_it_is_asked_less_and_less(
    keys: ClientKeys, server: LittleServer, clock: FakeClock
):
    client = publishing(server, ES)
    server.answer = saying(b"", "500 Internal Server Error")
    for _ in range(60 * 20):
        assert find(keys, client, "ES256", clock) == []
        clock.advance(seconds=1)
    # At 0, 20, 60, 140 and 300 seconds, then every five minutes.
    assert len(server.requests) == 7
    publishing(server, ES)
    clock.advance(seconds=LONGEST_WAIT.total_seconds())
    assert find(keys, client, "ES256", clock) == ["ES256"]


def test_what_others_do_makes_no_wait_grow(app: Flask, server: LittleServer, clock: FakeClock):
    """Whoever has us wait for addresses that never answer shuts nobody else out for long."""
    fetcher = Fetcher(networks=LOOPBACK, limits=Limits(at_once=1, turn=0.01))
    keys, client = ClientKeys(fetcher, BOX), publishing(server, ES)
    with fetcher._places:
        for _ in range(3):
            assert find(keys, client, "ES256", clock) == []
            clock.advance(seconds=ASK_AGAIN.total_seconds())
    assert keys.problem(client) == "too many others are under way"
    assert find(keys, client, "ES256", clock) == ["ES256"]


@pytest.mark.parametrize(
    "bad", [b"", b"[]", b"<html>", b'{"keys": 1}', b"\xff\xfe", b"[" * 5000, b"x" * 70000]
)
def test_known_keys_outlast_a_bad_answer_for_an_hour(
    keys: ClientKeys, server: LittleServer, clock: FakeClock, bad: bytes
):
    client = publishing(server, ES)
    find(keys, client, "ES256", clock)
    server.answer = saying(bad)
    clock.advance(seconds=(KEPT - timedelta(seconds=1)).total_seconds())
    assert find(keys, client, "ES256", clock) == ["ES256"]
    clock.advance(seconds=1)
    assert find(keys, client, "ES256", clock) == []


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (saying(b"", "500 Internal Server Error"), "the answer was 500 and not 200"),
        (saying(b"<html>"), "the answer is no JWK Set"),
        (saying(b'{"keys": []}'), "no key in the answer can be used"),
    ],
    ids=["an error", "no set", "no key"],
)
def test_what_is_the_matter_is_known_and_in_the_log(
    keys: ClientKeys,
    server: LittleServer,
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
    answer: Any,
    problem: str,
):
    client = publishing(server, ES)
    server.answer = answer
    caplog.set_level(logging.INFO)
    assert find(keys, client, "ES256", clock) == []
    assert keys.problem(client) == problem
    assert f"keys at {server.url('/jwks')}: {problem}" in caplog.text
    publishing(server, ES)
    clock.advance(seconds=LONGEST_WAIT.total_seconds())
    assert find(keys, client, "ES256", clock) == ["ES256"]
    assert keys.problem(client) is None


def test_a_registration_that_changed_has_other_keys(keys: ClientKeys, clock: FakeClock):
    first = with_keys(ES)
    assert find(keys, first, "ES256", clock) == ["ES256"]
    second = RegisteredClient("shop", with_keys(RS).metadata, (), disabled=False, revision=2)
    assert find(keys, second, "ES256", clock) == []


def sealed(secret: str, number: int, box: Box = BOX, **more: Any) -> StoredSecret:
    return StoredSecret(str(number), "", **{"expires_at": None, **more}, last_used_at=None,
                        sealed=box.seal(secret))  # fmt: skip


def sharing(*secrets: StoredSecret) -> RegisteredClient:
    metadata = as_registered("shop", token_endpoint_auth_method="client_secret_jwt").metadata
    return RegisteredClient("shop", metadata, secrets, disabled=False, revision=1)


def test_secrets_that_count_are_keys_where_they_are_long_enough(keys: ClientKeys, clock: FakeClock):
    hashed = StoredSecret("0", "hash", None, None)
    client = sharing(
        hashed,
        sealed("a" * 64, 1),
        sealed("b" * 43, 2),
        sealed("c" * 64, 3, expires_at=clock()),
    )
    assert keys.secrets(client, clock()) == ("a" * 64, "b" * 43)
    for algorithm, number in (("HS256", 2), ("HS384", 1), ("HS512", 1)):
        found = keys.to_verify(client, kid="any", algorithm=algorithm, now=clock())
        assert [key.raw_value for key in found] == [b"a" * 64, b"b" * 43][:number]
    assert keys.to_verify(client, kid=None, algorithm="RS256", now=clock()) == ()
    assert "a" * 64 not in repr(client)


def test_a_secret_sealed_by_a_lost_key_says_so(keys: ClientKeys, clock: FakeClock):
    lost = Box([Fernet.generate_key().decode()])
    with pytest.raises(Unreadable):
        keys.secrets(sharing(sealed("a" * 64, 1, lost)), clock())
