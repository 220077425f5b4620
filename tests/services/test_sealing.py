"""What is said to one client alone: signed, encrypted or both, by its registered keys."""

import json
from typing import Any

import pytest
from flask import Flask
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, Key, OKPKey

from idp.audit import Context
from idp.config import Settings
from idp.protocol.errors import OAuthError
from idp.secrecy import Box
from idp.services.client_keys import ClientKeys
from idp.services.clients import RegisteredClient
from idp.services.fetch import Fetcher
from idp.services.jwe import ALGORITHMS, CIPHERS
from idp.services.key_rotation import KeyRotation
from idp.services.keys import SigningKeys
from idp.services.sealing import Manner, Sealing
from tests.helpers.clock import FakeClock
from tests.helpers.house import made_once
from tests.oidc.desk import header_of
from tests.services.people import as_registered

CLAIMS = {"sub": "ann", "name": "Ann Archer", "aud": "shop"}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture(scope="module")
def rsa() -> Key:
    return named(JWKRegistry.generate_key("RSA", 2048), "rsa-1")


EC = JWKRegistry.generate_key("EC", "P-256")
X25519 = JWKRegistry.generate_key("OKP", "X25519")
STRANGERS = {
    "EC": JWKRegistry.generate_key("EC", "P-256"),
    "OKP": JWKRegistry.generate_key("OKP", "X25519"),
    "RSA": JWKRegistry.generate_key("RSA", 2048),
}


def named(key: Key, kid: str, **members: str) -> Key:
    return JWKRegistry.import_key({**key.as_dict(private=True), "kid": kid, **members})


class Sealer:
    """Our end, with a client's keys as it registered them."""

    def __init__(self, settings: Settings, clock: FakeClock) -> None:
        box = Box(settings.keys)
        self.clock = clock
        self.keys = SigningKeys(settings, box)
        KeyRotation(settings, box, self.keys, make_key=made_once).prepare(Context(at=clock()))
        self.sealing = Sealing(self.keys, ClientKeys(Fetcher.of(settings), box))

    def seal(self, client: RegisteredClient, message: Any = "id_token") -> str:
        return self.sealing.seal(message, CLAIMS, client=client, now=self.clock())

    def signed(self, token: str) -> bool:
        """Is it a JWT of ours with these claims?"""
        return self.keys.verify(token, typ="JWT", now=self.clock()) == CLAIMS


@pytest.fixture
def sealer(app: Flask, settings: Settings, clock: FakeClock) -> Sealer:
    return Sealer(settings, clock)


def client_with(*keys: Key, alg: str, enc: str | None = None, **members: Any) -> RegisteredClient:
    registered = {
        "jwks": {"keys": [key.as_dict(private=False) for key in keys]},
        "id_token_encrypted_response_alg": alg,
        **({"id_token_encrypted_response_enc": enc} if enc else {}),
    }
    return as_registered(members.pop("client_id", "shop"), **{**registered, **members})


def opened(token: str, key: Key, alg: str, enc: str) -> jwe.CompactEncryption:
    return jwe.decrypt_compact(token, key, algorithms=[alg, enc])


def payload(found: jwe.CompactEncryption) -> str:
    assert found.plaintext is not None
    return found.plaintext.decode()


def key_for(alg: str, rsa: Key, number: int) -> Key:
    """Agreement alternately with either sort of curve."""
    return rsa if alg.startswith("RSA") else named((EC, X25519)[number % 2], f"agree-{number}")


@pytest.mark.parametrize("enc", CIPHERS)
@pytest.mark.parametrize("alg", ALGORITHMS)
def test_each_algorithm_and_cipher_is_read_by_the_client_alone(
    sealer: Sealer, rsa: Key, alg: str, enc: str
):
    key = key_for(alg, rsa, CIPHERS.index(enc))
    token = sealer.seal(client_with(key, alg=alg, enc=enc))
    header = header_of(token)
    header.pop("epk", None)
    assert header == {"alg": alg, "enc": enc, "typ": "JWT", "cty": "JWT", "kid": key.kid}
    assert sealer.signed(payload(opened(token, key, alg, enc)))
    with pytest.raises((JoseError, ValueError)):
        opened(token, STRANGERS[key.key_type], alg, enc)


def test_a_cipher_that_was_not_named_is_the_usual_one(sealer: Sealer):
    token = sealer.seal(client_with(named(EC, "1"), alg="ECDH-ES"))
    assert header_of(token)["enc"] == "A128CBC-HS256"


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA", "PS256"])
def test_what_is_inside_is_signed_as_registered(sealer: Sealer, algorithm: str):
    key = named(EC, "1")
    token = sealer.seal(
        client_with(key, alg="ECDH-ES", enc="A256GCM", id_token_signed_response_alg=algorithm)
    )
    inner = payload(opened(token, key, "ECDH-ES", "A256GCM"))
    assert header_of(inner)["alg"] == algorithm
    assert sealer.signed(inner)


FITTING = {
    "the one for encryption": ({"use": "sig"}, {"use": "enc"}),
    "the one for the algorithm": ({"alg": "ECDH-ES+A256KW"}, {"alg": "ECDH-ES"}),
    "the first of two that would do": ({}, {}),
}


@pytest.mark.parametrize(("other", "right"), FITTING.values(), ids=FITTING)
def test_the_key_is(sealer: Sealer, other: dict[str, str], right: dict[str, str]):
    keys = [named(ECKey.generate_key("P-256"), "other", **other), named(EC, "right", **right)]
    ordered = keys if other else keys[::-1]
    token = sealer.seal(client_with(*ordered, alg="ECDH-ES", enc="A128GCM"))
    assert header_of(token)["kid"] == "right"


UNFITTING = {
    "another kind of key": ECKey.generate_key("P-256", {"kid": "1"}),
    "a key that signs": named(made_once("RS256"), "1", use="sig"),
    "a curve that only signs": OKPKey.generate_key("Ed25519", {"kid": "1"}),
}


@pytest.mark.parametrize("key", UNFITTING.values(), ids=UNFITTING)
def test_without_a_fitting_key_nothing_goes_out(sealer: Sealer, rsa: Key, key: Key):
    client = client_with(key, alg="RSA-OAEP-256")
    for attempt in (
        lambda: sealer.seal(client),
        lambda: sealer.sealing.ready(client, "id_token", now=sealer.clock()),
    ):
        with pytest.raises(OAuthError) as refused:
            attempt()
        assert (refused.value.error, refused.value.status) == ("invalid_request", 400)
    assert sealer.seal(client_with(key, rsa, alg="RSA-OAEP-256", client_id="fitting"))


def test_keys_that_cannot_be_fetched_are_missed_for_the_time_being(sealer: Sealer):
    client = as_registered(
        "shop",
        jwks_uri="http://localhost:1/jwks",
        id_token_encrypted_response_alg="ECDH-ES",
        authorization_encrypted_response_alg="ECDH-ES",
    )
    for message, travels in (("id_token", True), ("authorization", False)):
        with pytest.raises(OAuthError) as refused:
            sealer.seal(client, message)
        assert (refused.value.error, refused.value.status) == ("temporarily_unavailable", 503)
        assert refused.value.redirectable is travels


def test_what_is_encrypted_and_not_signed_is_the_claims_themselves(sealer: Sealer):
    key = named(EC, "1")
    client = client_with(
        key,
        alg="ECDH-ES",
        userinfo_encrypted_response_alg="ECDH-ES+A128KW",
        userinfo_encrypted_response_enc="A128GCM",
    )
    token = sealer.seal(client, "userinfo")
    assert "cty" not in header_of(token)
    assert json.loads(payload(opened(token, key, "ECDH-ES+A128KW", "A128GCM"))) == CLAIMS


MANNERS = {
    "id_token": ("RS256", False),
    "userinfo": (None, True),
    "authorization": ("RS256", False),
    "introspection": ("RS256", False),
}


@pytest.mark.parametrize(("message", "expected"), MANNERS.items(), ids=MANNERS)
def test_who_registers_nothing_gets_a(message: Any, expected: tuple[str | None, bool]):
    manner = Manner.of(message, as_registered("shop").metadata)
    assert (manner.signing, manner.is_plain, manner.encryption) == (*expected, None)
