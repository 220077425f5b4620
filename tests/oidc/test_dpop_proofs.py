"""Proofs one by one: each thing that RFC 9449 section 4.3 asks for, broken singly."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OctKey, RSAKey

from idp.config import Settings, load_settings
from idp.protocol.errors import OAuthError
from idp.services.dpop import ALGORITHMS, Proof, Proofs
from idp.services.jose import make_key
from tests.helpers import base64url
from tests.helpers.clock import FakeClock
from tests.helpers.dpop import REMOVED, Prover, sign

ISSUER = "https://id.example.com"
PATH = "/oauth/token"
KEYS = [Fernet.generate_key().decode()]


def settings_with(**values: Any) -> Settings:
    return load_settings(environ={}, issuer=ISSUER, keys=KEYS, **values)


@pytest.fixture(scope="module")
def proofs() -> Proofs:
    return Proofs(settings_with())


@pytest.fixture(scope="module")
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="module")
def prover(clock: FakeClock) -> Prover:
    return Prover(ISSUER, clock)


def check(proofs: Proofs, text: str, clock: FakeClock, **changes: Any) -> Proof:
    wanted = {"method": "POST", "path": PATH, "now": clock(), **changes}
    return proofs.check(text, **wanted)


def refusal(proofs: Proofs, text: str, clock: FakeClock, **changes: Any) -> OAuthError:
    with pytest.raises(OAuthError) as refused:
        check(proofs, text, clock, **changes)
    return refused.value


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_honest_proof_names_its_key(proofs: Proofs, clock: FakeClock, algorithm: str):
    prover = Prover(ISSUER, clock, algorithm)
    proof = check(proofs, prover.proof("POST", PATH, jti="j-1"), clock)
    assert proof == Proof(jkt=prover.jkt, jti="j-1")


GOOD = {
    "ten seconds slow": {"iat": -10},
    "ten seconds fast": {"iat": 10},
    "a minute slow": {"iat": -60},
    "a fraction of a second": {"iat": 0.5},
    "a query": {"htu": f"{ISSUER}{PATH}?a=b"},
    "a fragment": {"htu": f"{ISSUER}{PATH}#here"},
    "the host in capitals": {"htu": f"https://ID.Example.COM{PATH}"},
    "the scheme in capitals": {"htu": f"HTTPS://id.example.com{PATH}"},
    "the default port": {"htu": f"https://id.example.com:443{PATH}"},
    "encoded where it need not be": {"htu": f"{ISSUER}/oauth/%74oken"},
    "a claim that nobody knows": {"sub": "x", "nested": {"a": [1, None]}},
    "a nonce that nobody gave": {"nonce": "whatever"},
    "a jti as long as it may be": {"jti": "j" * 256},
}


@pytest.mark.parametrize("claims", GOOD.values(), ids=GOOD)
def test_it_may_have(proofs: Proofs, clock: FakeClock, prover: Prover, claims: dict[str, Any]):
    if "iat" in claims:
        claims = {**claims, "iat": int(clock().timestamp()) + claims["iat"]}
    assert check(proofs, prover.proof("POST", PATH, **claims), clock).jkt == prover.jkt


NOW = int(FakeClock()().timestamp())
OTHER = make_key("ES256")

BAD_CLAIMS: dict[str, dict[str, Any]] = {
    "no jti": {"jti": REMOVED},
    "an empty jti": {"jti": ""},
    "a jti that is a number": {"jti": 7},
    "a jti that is too long": {"jti": "j" * 257},
    "no htm": {"htm": REMOVED},
    "another method": {"htm": "GET"},
    "the method in small letters": {"htm": "post"},
    "no htu": {"htu": REMOVED},
    "another path": {"htu": f"{ISSUER}/oauth/userinfo"},
    "a slash more": {"htu": f"{ISSUER}{PATH}/"},
    "another host": {"htu": f"https://evil.example{PATH}"},
    "another port": {"htu": f"https://id.example.com:8443{PATH}"},
    "another scheme": {"htu": f"http://id.example.com{PATH}"},
    "a user name": {"htu": f"https://x@id.example.com{PATH}"},
    "a path alone": {"htu": PATH},
    "an address that is none": {"htu": "https://[::1"},
    "htu is a list": {"htu": [f"{ISSUER}{PATH}"]},
    "no iat": {"iat": REMOVED},
    "iat as text": {"iat": str(NOW)},
    "iat as a truth": {"iat": True},
    "an hour old": {"iat": NOW - 3600},
    "an hour ahead": {"iat": NOW + 3600},
    "just too old": {"iat": NOW - 61},
    "just too far ahead": {"iat": NOW + 61},
    "iat beyond any calendar": {"iat": 10**30},
}


@pytest.mark.parametrize("claims", BAD_CLAIMS.values(), ids=BAD_CLAIMS)
def test_a_claim_that_does_not_hold_is_refused(
    proofs: Proofs, clock: FakeClock, prover: Prover, claims: dict[str, Any]
):
    error = refusal(proofs, prover.proof("POST", PATH, **claims), clock)
    assert (error.error, error.status) == ("invalid_dpop_proof", 400)
    assert check(proofs, prover.proof("POST", PATH), clock)


def private(prover: Prover) -> dict[str, Any]:
    assert prover.key is not None
    return {**prover.public, "d": prover.key.as_dict(private=True)["d"]}


BAD_HEADERS: dict[str, Callable[[Prover], dict[str, Any]]] = {
    "no typ": lambda _: {"typ": REMOVED},
    "another typ": lambda _: {"typ": "JWT"},
    "typ in capitals": lambda _: {"typ": "DPOP+JWT"},
    "no alg": lambda _: {"alg": REMOVED},
    "alg none": lambda _: {"alg": "none"},
    "alg is a list": lambda _: {"alg": ["ES256"]},
    "an alg that is not offered": lambda _: {"alg": "ES384"},
    "a symmetric alg": lambda _: {"alg": "HS256"},
    "another alg than the key's": lambda _: {"alg": "EdDSA"},
    "no jwk": lambda _: {"jwk": REMOVED},
    "jwk is text": lambda _: {"jwk": "key"},
    "jwk with the private part": lambda prover: {"jwk": private(prover)},
    "a symmetric jwk": lambda _: {"jwk": {"kty": "oct", "k": "c2VjcmV0"}},
    "jwk of another curve": lambda prover: {"jwk": {**prover.public, "crv": "P-384"}},
    "jwk off the curve": lambda prover: {"jwk": {**prover.public, "y": prover.public["x"]}},
    "jwk without a coordinate": lambda prover: {"jwk": {**prover.public, "y": 7}},
    "crit": lambda _: {"crit": ["exp"], "exp": 1},
    "b64": lambda _: {"b64": False},
    "zip": lambda _: {"zip": "DEF"},
    "jku": lambda _: {"jku": "https://evil.example/keys"},
    "x5u": lambda _: {"x5u": "https://evil.example/certificate"},
}


@pytest.mark.parametrize("change", BAD_HEADERS.values(), ids=BAD_HEADERS)
@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_a_header_that_does_not_hold_is_refused(
    proofs: Proofs, clock: FakeClock, prover: Prover, change: Callable[[Prover], dict[str, Any]]
):
    header = change(prover)
    signer = _signer(header.get("alg"))
    text = prover.proof("POST", PATH, header=header, signer=signer)
    error = refusal(proofs, text, clock)
    assert error.error == "invalid_dpop_proof"
    assert check(proofs, prover.proof("POST", PATH, header={"kid": "mine"}), clock)


def _signer(algorithm: object) -> Any:
    """A key that can sign so: what is refused must not be refused for want of a signature."""
    return {
        "HS256": OctKey.import_key("s" * 32),
        "ES384": ECKey.generate_key("P-384"),
        "EdDSA": make_key("EdDSA"),
    }.get(str(algorithm))


def test_a_signature_by_another_key_is_refused(proofs: Proofs, clock: FakeClock, prover: Prover):
    text = prover.proof("POST", PATH, signer=OTHER)
    assert "signature" in refusal(proofs, text, clock).description


def test_a_body_that_was_changed_is_refused(proofs: Proofs, clock: FakeClock, prover: Prover):
    head, _, signature = prover.proof("POST", PATH).split(".")
    body = prover.proof("POST", PATH).split(".")[1]
    assert refusal(proofs, f"{head}.{body}.{signature}", clock).error == "invalid_dpop_proof"


MALFORMED: dict[str, Callable[[str], str]] = {
    "nothing": lambda _: "",
    "two parts": lambda text: text.rpartition(".")[0],
    "four parts": lambda text: f"{text}.x",
    "two headers, as a server joins them": lambda text: f"{text}, {text}",
    "two headers, one empty": lambda text: f",{text}",
    "JSON serialisation": lambda text: json.dumps({"payload": text.split(".")[1]}),
    "a header that is no JSON": lambda text: f"e30x.{text.split('.', 1)[1]}",
    "a header that is a list": lambda text: f"W10.{text.split('.', 1)[1]}",
    "letters of another world": lambda text: text + "\u00e9",
    "longer than any": lambda text: text + "A" * 8192,
    "only dots": lambda _: "..",
}


@pytest.mark.parametrize("spoil", MALFORMED.values(), ids=MALFORMED)
def test_what_is_no_proof_is_refused(
    proofs: Proofs, clock: FakeClock, prover: Prover, spoil: Callable[[str], str]
):
    error = refusal(proofs, spoil(prover.proof("POST", PATH)), clock)
    assert error.error == "invalid_dpop_proof"


@pytest.mark.parametrize("claims", [[], "text", None, 7, {"jti": {"a": {"b": [[[[[[[1]]]]]]]}}}])
def test_a_body_that_is_no_set_of_claims_is_refused(
    proofs: Proofs, clock: FakeClock, prover: Prover, claims: Any
):
    assert prover.key is not None
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": prover.public}
    assert refusal(proofs, sign(header, claims, prover.key), clock).error == "invalid_dpop_proof"


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_a_short_rsa_key_is_refused(proofs: Proofs, clock: FakeClock):
    prover = Prover(ISSUER, clock, "RS256", key=RSAKey.generate_key(1024))
    assert "2048" in refusal(proofs, prover.proof("POST", PATH), clock).description


def test_a_key_that_takes_long_to_try_is_refused_at_once(proofs: Proofs, clock: FakeClock):
    prover = Prover(ISSUER, clock, "RS256")
    modulus = prover.public["n"]
    heavy = {**prover.public, "e": base64url.encode(base64url.decode(modulus)[:-1] + b"\x01")}
    error = refusal(proofs, prover.proof("POST", PATH, header={"jwk": heavy}), clock)
    assert "exponent" in error.description  # and not the signature, which would take long to try


def test_only_algorithms_that_are_allowed_here(proofs: Proofs, clock: FakeClock):
    prover = Prover(ISSUER, clock, "RS256")
    text = prover.proof("POST", PATH)
    assert check(proofs, text, clock)
    error = refusal(proofs, text, clock, algorithms=("ES256", "PS256"))
    assert "alg must be one of: ES256, PS256" in error.description


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
algs = st.sampled_from(ALGORITHMS) | anything
jwk_members = st.dictionaries(
    st.sampled_from(("kty", "crv", "x", "y", "n", "e", "d", "k", "use", "alg", "x5c")),
    st.sampled_from(("EC", "RSA", "OKP", "oct", "P-256", "Ed25519", "AQAB", "", "A" * 43))
    | st.binary(max_size=300).map(base64url.encode)
    | anything,
)


@given(
    header=st.dictionaries(st.sampled_from(("typ", "alg", "kid", "jwk", "crit")), algs),
    jwk=st.none() | jwk_members | anything,
    claims=st.dictionaries(st.sampled_from(("jti", "htm", "htu", "iat", "ath")), anything),
)
def test_whatever_stands_in_it_what_is_no_proof_is_refused(
    proofs: Proofs,
    clock: FakeClock,
    prover: Prover,
    header: dict[str, Any],
    jwk: Any,
    claims: dict[str, Any],
):
    changed = header if jwk is None else {**header, "jwk": jwk}
    text = _signed_by_another(prover, changed, claims)
    assert refusal(proofs, text, clock).error == "invalid_dpop_proof"
    assert check(proofs, prover.proof("POST", PATH), clock)


def _signed_by_another(prover: Prover, header: dict[str, Any], claims: dict[str, Any]) -> str:
    """With the signature of another: of the right length, whatever alg it claims."""
    signature = prover.proof("POST", PATH).rpartition(".")[2]
    changed = {"typ": "dpop+jwt", "alg": "ES256", "jwk": prover.public, **header}
    parts = [json.dumps(changed), json.dumps(claims)]
    return ".".join([*(base64url.encode(part.encode()) for part in parts), signature])


# At a resource


def test_it_is_for_one_access_token(proofs: Proofs, clock: FakeClock, prover: Prover):
    good = prover.proof("POST", PATH, token="t-1")
    assert check(proofs, good, clock, access_token="t-1")
    assert "ath" in refusal(proofs, good, clock, access_token="t-2").description
    without = prover.proof("POST", PATH)
    assert "ath" in refusal(proofs, without, clock, access_token="t-1").description


# Where clients with certificates go


def test_the_other_origin_that_is_configured_counts_too(clock: FakeClock):
    proofs = Proofs(
        settings_with(
            mtls_origin="https://mtls.example.com",
            client_certificate_header="Client-Cert",
            trusted_proxies=["127.0.0.1"],
        )
    )
    there = Prover("https://mtls.example.com", clock)
    assert check(proofs, there.proof("POST", PATH), clock)
    assert check(proofs, Prover(ISSUER, clock).proof("POST", PATH), clock)


# What is said of one that does not hold


def test_the_answer_says_what_it_must_be(proofs: Proofs, clock: FakeClock, prover: Prover):
    """Whoever sees it has no other way to find out where the two of us differ."""

    def said(path: str = PATH, **claims: Any) -> str | None:
        text = prover.proof("POST", PATH, **claims)
        return refusal(proofs, text, clock, path=path).description

    assert said(htm="GET") == "DPoP: htm must be POST."
    assert said(htu=f"{ISSUER}{PATH}/") == f"DPoP: htu must be {ISSUER}{PATH}."
    # It is said in a header as well.
    assert said('/a"b\\c\n') == f"DPoP: htu must be {ISSUER}/a%22b%5Cc%0A."
    assert said(iat=NOW - 61) == f"DPoP: iat must be within 60 seconds of {NOW}."
    assert said(header={"crit": ["exp"]}) == (
        "DPoP: There must be one DPoP header with one proof:"
        " its header has members that are not accepted."
    )


# Nonces


@pytest.fixture(scope="module")
def strict() -> Proofs:
    return Proofs(settings_with(dpop_nonces=True))


def test_with_nonces_a_proof_without_one_is_told_to_use_one(strict: Proofs, prover: Prover):
    clock = FakeClock()
    for claims in ({}, {"nonce": "made up"}, {"nonce": 7}, {"nonce": "\u00e9"}):
        error = refusal(strict, prover.proof("POST", PATH, **claims), clock)
        assert error.error == "use_dpop_nonce"
    nonce = strict.nonces.fresh(clock())
    assert check(strict, prover.proof("POST", PATH, nonce=nonce), clock)


def test_a_nonce_is_good_for_five_minutes_and_not_for_seven(strict: Proofs):
    clock = FakeClock()
    prover = Prover(ISSUER, clock, nonce=strict.nonces.fresh(clock()))
    clock.advance(minutes=5)
    assert check(strict, prover.proof("POST", PATH), clock)
    clock.advance(minutes=2)
    assert refusal(strict, prover.proof("POST", PATH), clock).error == "use_dpop_nonce"


def test_with_a_nonce_a_clock_may_be_minutes_off(strict: Proofs, proofs: Proofs, prover: Prover):
    clock = FakeClock()
    nonce = strict.nonces.fresh(clock())
    late = prover.proof("POST", PATH, nonce=nonce, iat=NOW - 290)
    assert check(strict, late, clock)
    assert refusal(proofs, late, clock).error == "invalid_dpop_proof"
    later = prover.proof("POST", PATH, nonce=nonce, iat=NOW - 3600)
    assert refusal(strict, later, clock).error == "invalid_dpop_proof"


def test_nonces_are_known_on_every_node_and_survive_a_new_key(clock: FakeClock, prover: Prover):
    def node(*keys: str) -> Proofs:
        return Proofs(load_settings(environ={}, issuer=ISSUER, keys=list(keys), dpop_nonces=True))

    new = Fernet.generate_key().decode()
    text = prover.proof("POST", PATH, nonce=node(*KEYS).nonces.fresh(clock()))
    assert check(node(new, *KEYS), text, clock)
    assert refusal(node(new), text, clock).error == "use_dpop_nonce"
