"""JWTs that clients sign: by whom, by what, for how long; and every way to lie about it."""

import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from idp.protocol.json_values import parse_json
from idp.secrecy import Box
from idp.services.client_jwts import (
    MAX_JWT,
    SKEW,
    ClientJwts,
    InvalidClientJwt,
    audiences,
    check_times,
    read,
)
from idp.services.client_keys import ClientKeys
from idp.services.clients import RegisteredClient, StoredSecret
from idp.services.fetch import Fetcher
from tests.helpers import base64url
from tests.helpers.clock import FakeClock
from tests.helpers.little_server import little_server
from tests.helpers.signing import jwks, key_of, public, signed
from tests.services.people import as_registered

ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA", "Ed25519"),
)
SECRET = "s" * 64
CLAIMS = {"iss": "shop"}


@pytest.fixture
def jwts() -> ClientJwts:
    return ClientJwts(ClientKeys(Fetcher(), Box([Fernet.generate_key().decode()])))


def owner_of(algorithm: str) -> RegisteredClient:
    return as_registered("shop", jwks=jwks(public(key_of(algorithm), kid="1")))


def refused(jwts: ClientJwts, token: str, client: RegisteredClient, clock: FakeClock, **use: Any):
    use.setdefault("algorithms", ALGORITHMS)
    with pytest.raises(InvalidClientJwt) as error:
        jwts.verify(read(token), client, now=clock(), **use)
    return str(error.value)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_a_registered_key_signed_is_believed(
    jwts: ClientJwts, clock: FakeClock, algorithm: str
):
    client = owner_of(algorithm)
    token = signed(CLAIMS, key_of(algorithm), algorithm, kid="1", typ="JWT", x5t="ignored")
    found = jwts.verify(read(token), client, algorithms=[algorithm], now=clock())
    assert found == CLAIMS
    other = signed(CLAIMS, key_of(algorithm, "another"), algorithm, kid="1")
    assert "not signed" in refused(jwts, other, client, clock)
    changed = signed({"iss": "rival"}, key_of(algorithm), algorithm, kid="1").split(".")
    spliced = ".".join([*changed[:2], token.split(".")[2]])
    assert "not signed" in refused(jwts, spliced, client, clock)
    assert "not allowed" in refused(jwts, token, client, clock, algorithms=["none"])


def test_a_name_leads_to_its_own_key_only(jwts: ClientJwts, clock: FakeClock):
    first, second = key_of("ES256"), key_of("ES256", "two")
    client = as_registered("shop", jwks=jwks(public(first, kid="1"), public(second, kid="2")))
    for named in ({"kid": "2"}, {}):
        token = signed(CLAIMS, second, "ES256", **named)
        assert jwts.verify(read(token), client, algorithms=["ES256"], now=clock())
    assert "not signed" in refused(jwts, signed(CLAIMS, second, "ES256", kid="1"), client, clock)


def test_a_public_key_is_no_secret(jwts: ClientJwts, clock: FakeClock):
    """Algorithm confusion: what everybody knows, used as the key of an HMAC."""
    key = key_of("RS256")
    client = owner_of("RS256")
    material = key.raw_value.public_key()  # type: ignore[union-attr]
    spellings = [
        material.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        json.dumps(public(key, kid="1")).encode(),
        str(key.as_dict(private=False)["n"]).encode(),
    ]
    for one in spellings:
        token = hmac_signed(one)
        assert "not allowed" in refused(jwts, token, client, clock)
        both = (*ALGORITHMS, "HS256")
        assert "not signed" in refused(jwts, token, client, clock, algorithms=both)


def hmac_signed(key: bytes) -> str:
    head = base64url.encode(json.dumps({"alg": "HS256", "kid": "1"}).encode())
    content = f"{head}.{base64url.encode(json.dumps(CLAIMS).encode())}"
    return f"{content}.{base64url.encode(hmac.digest(key, content.encode(), hashlib.sha256))}"


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_what_a_shared_secret_signed_is_believed(clock: FakeClock, algorithm: str):
    box = Box([Fernet.generate_key().decode()])
    jwts = ClientJwts(ClientKeys(Fetcher(), box))
    metadata = as_registered("shop").metadata
    stored = StoredSecret("1", "", clock() + timedelta(hours=1), None, box.seal(SECRET))
    client = RegisteredClient("shop", metadata, (stored,), disabled=False, revision=1)
    token = signed(CLAIMS, SECRET, algorithm)
    assert jwts.verify(read(token), client, algorithms=[algorithm], now=clock()) == CLAIMS
    use = {"algorithms": [algorithm]}
    assert "not signed" in refused(jwts, signed(CLAIMS, "t" * 64, algorithm), client, clock, **use)
    clock.advance(hours=1)
    assert "not signed" in refused(jwts, token, client, clock, **use)


def unsigned(signature: str = "", **header: Any) -> str:
    head = base64url.encode(json.dumps({"alg": "none", **header}).encode())
    return f"{head}.{base64url.encode(json.dumps(CLAIMS).encode())}.{signature}"


def test_an_unsigned_one_is_refused_unless_it_is_asked_for(jwts: ClientJwts, clock: FakeClock):
    client = owner_of("ES256")
    assert "not allowed" in refused(jwts, unsigned(), client, clock)
    both = ["ES256", "none"]
    assert jwts.verify(read(unsigned()), client, algorithms=both, now=clock()) == CLAIMS
    assert "is a signature" in refused(jwts, unsigned("AAAA"), client, clock, algorithms=both)
    head, body, _ = signed(CLAIMS, key_of("ES256"), "ES256").split(".")
    assert "not signed" in refused(jwts, f"{head}.{body}.", client, clock, algorithms=both)


@pytest.mark.parametrize("spelling", ["None", "NONE", "nOnE", "", " none", "es256", "ES256 "])
def test_algorithms_are_spelt_exactly(jwts: ClientJwts, clock: FakeClock, spelling: str):
    token = unsigned(alg=spelling)
    assert "not allowed" in refused(jwts, token, owner_of("ES256"), clock, algorithms=ALGORITHMS)


def token_with(**header: Any) -> str:
    return signed(CLAIMS, key_of("ES256"), "ES256", **header)


GOOD = signed(CLAIMS, key_of("ES256"), "ES256")
HEAD, BODY, SIGNATURE = GOOD.split(".")
TWICE = b'{"alg": "none", "alg": "ES256"}'

MALFORMED = {
    "empty": "",
    "one part": HEAD,
    "two parts": f"{HEAD}.{BODY}",
    "four parts": f"{GOOD}.x",
    "five parts, as a JWE has": f"{HEAD}.{BODY}.{BODY}.{BODY}.{SIGNATURE}",
    "padding": f"{HEAD}=.{BODY}.{SIGNATURE}",
    "a line end": f"{GOOD}\n",
    "a space": f" {GOOD}",
    "base64 of the other kind": f"{HEAD}.{BODY}.+/+/",
    "a part that is no length": f"{HEAD}.{BODY}A.{SIGNATURE}" if len(BODY) % 4 == 0 else "a.b.c",
    "not ASCII": f"{HEAD}.{BODY}.é",
    "JSON serialisation": json.dumps({"protected": HEAD, "payload": BODY, "signature": SIGNATURE}),
    "general JSON": json.dumps({"payload": BODY, "signatures": []}),
    "too long": signed({"x": "y" * MAX_JWT}, key_of("ES256"), "ES256"),
    "a header that is no object": f"{base64url.encode(b'[]')}.{BODY}.{SIGNATURE}",
    "a header without alg": f"{base64url.encode(b'{}')}.{BODY}.{SIGNATURE}",
    "alg is no text": token_with(alg=["ES256"]),
    "kid is no text": token_with(kid=7),
    "typ is no text": token_with(typ={}),
    "alg twice": f"{base64url.encode(TWICE)}.{BODY}.{SIGNATURE}",
    "claims that are no object": signed(b'"shop"', key_of("ES256"), "ES256"),
    "claims that are not JSON": signed(b"{", key_of("ES256"), "ES256"),
    "claims that are not UTF-8": signed(b'{"a": "\xff"}', key_of("ES256"), "ES256"),
    "a claim twice": signed(b'{"iss": "a", "iss": "b"}', key_of("ES256"), "ES256"),
    "claims without a bottom": signed(
        b'{"a":' + b"[" * 20 + b"]" * 20 + b"}", key_of("ES256"), "ES256"
    ),
    "NaN": signed(b'{"exp": NaN}', key_of("ES256"), "ES256"),
    "jku": token_with(jku="https://evil.example/jwks"),
    "x5u": token_with(x5u="https://evil.example/cert"),
    "a key of its own": token_with(jwk=public(key_of("ES256"))),
    "a certificate of its own": token_with(x5c=["MIIB"]),
    "crit": token_with(crit=["exp"]),
    "an empty crit": token_with(crit=[]),
    "unencoded": token_with(b64=False, crit=["b64"]),
    "compressed": token_with(zip="DEF"),
    "encrypted": token_with(enc="A128GCM"),
}


@pytest.mark.parametrize("token", MALFORMED.values(), ids=MALFORMED)
def test_what_is_out_of_form_is_not_even_read(token: str):
    with pytest.raises(InvalidClientJwt):
        read(token)
    assert read(GOOD).claims == CLAIMS


def test_nothing_is_fetched_for_a_header_that_points_somewhere(jwts: ClientJwts, clock: FakeClock):
    with little_server() as server:
        for name in ("jku", "x5u"):
            with pytest.raises(InvalidClientJwt):
                read(token_with(**{name: server.url("/jwks")}))
        assert server.requests == []


NOW = 0
FUTURE, PAST = 60, -60

TIMES: dict[str, tuple[dict[str, Any], dict[str, Any], str | None]] = {
    "good": ({"exp": FUTURE, "iat": NOW, "nbf": NOW}, {}, None),
    "fractions": ({"exp": 0.5, "iat": -0.5}, {}, None),
    "just expired": ({"exp": -29}, {}, None),
    "expired": ({"exp": -30}, {}, "expired"),
    "long expired": ({"exp": -(10**30)}, {}, "expired"),
    "without exp": ({"iat": NOW}, {}, "without exp"),
    "exp is nothing": ({"exp": None}, {}, "without exp"),
    "without exp, and nobody minds": ({}, {"required": ()}, None),
    "without nbf": ({"exp": FUTURE}, {"required": ("exp", "nbf")}, "without exp or nbf"),
    "a clock that is a little ahead": ({"exp": FUTURE, "nbf": 8, "iat": 8}, {}, None),
    "nbf in the future": ({"exp": 120, "nbf": 60}, {}, "not good yet"),
    "iat in the future": ({"exp": 120, "iat": 60}, {}, "not good yet"),
    "long, but not too long": ({"exp": 3600}, {"longest": timedelta(hours=1)}, None),
    "too long": ({"exp": 3631}, {"longest": timedelta(hours=1)}, "too long"),
    "for longer than a float can say": (
        {"exp": 10**400},
        {"longest": timedelta(hours=1)},
        "too long",
    ),
    "in a future that no float reaches": ({"exp": FUTURE, "nbf": 10**400}, {}, "not good yet"),
    "expired before all times": ({"exp": -(10**400)}, {}, "expired"),
    "for ever": ({"exp": 10**300}, {"longest": timedelta(hours=1)}, "too long"),
    "old, but not too old": ({"exp": 9, "nbf": -3600}, {"oldest": timedelta(hours=1)}, None),
    "too old": ({"exp": 9, "nbf": -3631}, {"oldest": timedelta(hours=1)}, "too old"),
    "exp is text": ({"exp": "soon"}, {}, "exp is not a time"),
    "exp is true": ({"exp": True}, {}, "exp is not a time"),
    "nbf is a list": ({"exp": FUTURE, "nbf": [1]}, {}, "nbf is not a time"),
}


@pytest.mark.parametrize(("offsets", "rules", "why"), TIMES.values(), ids=TIMES)
def test_times(clock: FakeClock, offsets: dict[str, Any], rules: dict[str, Any], why: str | None):
    now = int(clock().timestamp())
    claims = {
        name: one + now if isinstance(one, int | float) and not isinstance(one, bool) else one
        for name, one in offsets.items()
    }
    assert SKEW.total_seconds() == 30
    if why is None:
        check_times(claims, clock(), **rules)
        return
    with pytest.raises(InvalidClientJwt, match=why):
        check_times(claims, clock(), **rules)


@pytest.mark.parametrize(
    ("aud", "found"),
    [
        ('"a"', ("a",)),
        ('["a", "b"]', ("a", "b")),
        ("[]", ()),
        ('["a", 1]', ()),
        ("null", ()),
        ("1", ()),
        ('{"a": "b"}', ()),
    ],
)
def test_audiences(aud: str, found: tuple[str, ...]):
    claims: Any = parse_json(f'{{"aud": {aud}}}')
    assert audiences(claims) == found
