"""Clients that sign: each rule of RFC 7523 broken alone, beside an assertion that is good."""

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet
from hypothesis import given, settings
from hypothesis import strategies as st

from idp.config import load_settings
from idp.models import ClientSecret, Entry, db
from idp.oidc.client_auth.assertion import (
    KEY_ALGORITHMS,
    ORDINARY,
    PURPOSE,
    SECRET_ALGORITHMS,
)
from tests.helpers import base64url
from tests.helpers.clock import FakeClock
from tests.helpers.databases import Databases
from tests.helpers.little_server import little_server, saying
from tests.helpers.relying_party import RelyingParty, asserting
from tests.helpers.signing import jwks, key_of, public, signed
from tests.oidc.desk import Desk, Keys, code_form

ISSUER = "https://id.example.com"
TOKEN = f"{ISSUER}/oauth/token"
INTROSPECT = f"{ISSUER}/oauth/introspect"
NUMBERS = count(1)


@pytest.fixture(scope="module")
def desk(databases: Databases, made_keys: Keys) -> Iterator[Desk]:
    """One for all tests of this module: each has clients of its own."""
    with databases.fresh("sqlite") as url:
        loaded = load_settings(
            environ={},
            issuer=ISSUER,
            keys=[Fernet.generate_key().decode()],
            database_url=url,
            outbound_networks=["127.0.0.0/8"],
        )
        desk = Desk(loaded, FakeClock(), made_keys)
        yield desk
        with desk.app.app_context():
            db.engine.dispose()


def keyed(desk: Desk, algorithm: str = "ES256", **members: Any) -> RelyingParty:
    """A client that signs with a key of its own."""
    if "jwks_uri" not in members:
        members.setdefault("jwks", jwks(public(key_of(algorithm), kid="1")))
    party = desk.client(
        f"keyed-{next(NUMBERS)}", token_endpoint_auth_method="private_key_jwt", **members
    )
    party.signing_key, party.assertion_algorithm = key_of(algorithm), algorithm
    return party


def sharing(desk: Desk, **members: Any) -> RelyingParty:
    """A client that signs with its secret."""
    return desk.client(
        f"sharing-{next(NUMBERS)}", token_endpoint_auth_method="client_secret_jwt", **members
    )


def introspect(desk: Desk, assertion: str, **form: str) -> httpx.Response:
    return desk.post("/oauth/introspect", {"token": "x", **asserting(assertion), **form})


def assert_let_in(response: httpx.Response) -> None:
    assert (response.status_code, response.json()) == (200, {"active": False})


def assert_refused(desk: Desk, response: httpx.Response, reason: str) -> None:
    assert response.status_code == 401
    assert response.json()["error"] == "invalid_client"
    assert reason in desk.events("client.authentication.refused")[-1].data["reason"]


@pytest.mark.parametrize("algorithm", KEY_ALGORITHMS)
def test_a_key_lets_its_client_in(desk: Desk, algorithm: str):
    party = keyed(desk, algorithm)
    assert_let_in(introspect(desk, party.assertion()))
    others = party.assertion(key=key_of(algorithm, "another"))
    assert_refused(desk, introspect(desk, others), "not signed by a key of the client")


@pytest.mark.parametrize("algorithm", SECRET_ALGORITHMS)
def test_a_secret_lets_its_client_in(desk: Desk, algorithm: str):
    party = sharing(desk, token_endpoint_auth_signing_alg=algorithm)
    claims = claims_of(party)
    assert_let_in(introspect(desk, signed(claims, party.client_secret or "", algorithm)))
    others = signed({**claims, "jti": "2"}, "x" * 64, algorithm)
    assert_refused(desk, introspect(desk, others), "not signed by a key of the client")


def claims_of(party: RelyingParty, **changes: Any) -> dict[str, Any]:
    claims: dict[str, Any] = json.loads(base64url.decode(party.assertion(**changes).split(".")[1]))
    return claims


@pytest.mark.parametrize("make", [keyed, sharing])
def test_a_code_is_redeemed_and_tokens_are_revoked_by_it(desk: Desk, make: Any):
    party = make(desk)
    tokens = desk.tokens(party, scopes=("openid", "offline_access"))
    assert tokens.claims["aud"] == party.client_id
    answer = party.post(f"{ISSUER}/oauth/introspect", {"token": tokens.access_token})
    assert answer.json()["active"] is True
    assert party.post(f"{ISSUER}/oauth/revoke", {"token": tokens.access_token}).is_success


def test_the_client_need_not_be_named_beside_its_assertion(desk: Desk):
    party = keyed(desk)
    form = {**code_form(desk.code(party)), **asserting(party.assertion())}
    assert desk.post("/oauth/token", form).status_code == 200


AUDIENCES = {
    "the issuer": (ISSUER, True),
    "the token endpoint": (TOKEN, True),
    "what is called": (INTROSPECT, True),
    "a list with one of them": (["https://other.example", TOKEN], True),
    "another endpoint": (f"{ISSUER}/oauth/revoke", False),
    "another provider": ("https://id.example.org", False),
    "the issuer and a slash": (f"{ISSUER}/", False),
    "a prefix": ("https://id.example.co", False),
    "an empty list": ([], False),
    "a list with a number": ([ISSUER, 1], False),
    "an object": ({"iss": ISSUER}, False),
    "nobody": (None, False),
}


@pytest.mark.parametrize(("audience", "good"), AUDIENCES.values(), ids=AUDIENCES)
def test_it_is_for_us(desk: Desk, audience: Any, good: bool):
    response = introspect(desk, keyed(desk).assertion(aud=audience))
    if good:
        assert_let_in(response)
    else:
        assert_refused(desk, response, "for somebody else")


FAPI2: dict[str, Any] = {"profile": "fapi2", "dpop_bound_access_tokens": True}
"""A registration by the profile itself; what it turns on is not spelt out here."""


@pytest.mark.parametrize(
    ("audience", "good"),
    [(ISSUER, True), ([ISSUER], False), (TOKEN, False), (INTROSPECT, False), (None, False)],
    ids=["the issuer", "a list", "the token endpoint", "what is called", "nobody"],
)
def test_in_fapi2_it_is_for_the_issuer_and_nothing_else(desk: Desk, audience: Any, good: bool):
    response = introspect(desk, keyed(desk, **FAPI2).assertion(aud=audience))
    assert response.status_code == (200 if good else 401)


@pytest.mark.parametrize(
    ("algorithm", "good"),
    [("PS256", True), ("ES256", True), ("EdDSA", True), ("RS256", False), ("ES384", False)],
)
def test_in_fapi2_few_algorithms_will_do(desk: Desk, algorithm: str, good: bool):
    response = introspect(desk, keyed(desk, algorithm, **FAPI2).assertion())
    assert response.status_code == (200 if good else 401)


def test_nobody_is_of_that_profile_unasked(desk: Desk):
    assert ORDINARY.issuer_only is False
    assert_let_in(introspect(desk, keyed(desk, "RS256").assertion(aud=[TOKEN])))


CLAIMS = {
    "from somebody else": ({"iss": "rival"}, "not from and about"),
    "from nobody": ({"iss": None}, "not from and about"),
    "from the issuer": ({"iss": ISSUER}, "not from and about"),
    "no jti": ({"jti": None}, "without a jti"),
    "an empty jti": ({"jti": ""}, "without a jti"),
    "a jti that is a number": ({"jti": 7}, "without a jti"),
    "a jti without end": ({"jti": "x" * 1025}, "without a jti"),
    "no exp": ({"exp": None}, "without exp"),
    "exp is text": ({"exp": "2030-06-01"}, "not a time"),
}


@pytest.mark.parametrize(("changes", "reason"), CLAIMS.values(), ids=CLAIMS)
def test_claims_that_must_be_there(desk: Desk, changes: dict[str, Any], reason: str):
    party = keyed(desk)
    assert_refused(desk, introspect(desk, party.assertion(**changes)), reason)
    assert_let_in(introspect(desk, party.assertion(jti="x" * 1024)))


TIMES = {
    "expired": ({"exp": -31}, "expired"),
    "good for too long": ({"exp": 3631}, "too long"),
    "good for longer than a float can say": ({"exp": 10**400}, "too long"),
    "not good yet": ({"exp": 300, "nbf": 61}, "not good yet"),
    "made in the future": ({"exp": 300, "iat": 61}, "not good yet"),
    "a clock a little behind": ({"exp": -20}, None),
    "a clock a little ahead": ({"exp": 300, "nbf": 8, "iat": 8}, None),
    "an hour": ({"exp": 3600}, None),
    "without iat": ({"exp": 60, "iat": None}, None),
}


@pytest.mark.parametrize(("offsets", "reason"), TIMES.values(), ids=TIMES)
def test_times(desk: Desk, offsets: dict[str, int | None], reason: str | None):
    now = int(desk.clock().timestamp())
    moved: dict[str, Any] = {
        name: one if one is None else now + one for name, one in offsets.items()
    }
    response = introspect(desk, keyed(desk).assertion(**moved))
    if reason is None:
        assert_let_in(response)
    else:
        assert_refused(desk, response, reason)


def test_the_subject_says_who_it_is(desk: Desk):
    party, rival = keyed(desk), keyed(desk)
    about_rival = party.assertion(sub=rival.client_id)
    assert_refused(desk, introspect(desk, about_rival), "not from and about")
    about_nobody = party.assertion(sub=None)
    assert_refused(desk, introspect(desk, about_nobody), "unknown")
    named = introspect(desk, party.assertion(), client_id=rival.client_id)
    assert (named.status_code, named.json()["error"]) == (400, "invalid_request")


def test_one_works_once(desk: Desk):
    party, rival = keyed(desk), keyed(desk)
    assertion = party.assertion(jti="one")
    assert_let_in(introspect(desk, assertion))
    assert_refused(desk, introspect(desk, assertion), "replayed")
    resigned = party.assertion(jti="one", exp=int(desk.clock().timestamp()) + 90)
    assert_refused(desk, introspect(desk, resigned), "replayed")
    # The same name by another client is another.
    assert_let_in(introspect(desk, rival.assertion(jti="one")))


def test_one_is_remembered_for_as_long_as_it_is_good(desk: Desk):
    party = keyed(desk)
    now = int(desk.clock().timestamp())
    assertion = party.assertion(exp=now + 601)
    assert_let_in(introspect(desk, assertion))
    with desk.rows():
        ends = db.session.scalars(db.select(Entry.expires_at).where(Entry.purpose == PURPOSE))
        # As long as clocks may differ.
        assert now + 601 + 30 in [one.timestamp() for one in ends]
    desk.clock.advance(seconds=630)
    assert_refused(desk, introspect(desk, assertion), "replayed")
    desk.clock.advance(seconds=1)
    assert_refused(desk, introspect(desk, assertion), "expired")


def test_what_bought_nothing_was_not_used(desk: Desk):
    """The jti is used up by what the client is let in for, and nothing else."""
    party = keyed(desk)
    form = asserting(party.assertion())
    unknown = desk.post("/oauth/token", {"grant_type": "authorization_code", **form})
    assert (unknown.status_code, unknown.json()["error"]) == (400, "invalid_request")
    code = desk.code(party)
    assert desk.post("/oauth/token", {**code_form(code), **form}).status_code == 200
    assert desk.post("/oauth/token", {**code_form(desk.code(party)), **form}).status_code == 401


ODD = {
    "another type of assertion": {"client_assertion_type": "urn:example:saml"},
    "no type": {"client_assertion_type": ""},
    "no assertion": {"client_assertion": ""},
    "no JWT": {"client_assertion": "x"},
    "JSON": {"client_assertion": '{"payload": ""}'},
}


@pytest.mark.parametrize("changes", ODD.values(), ids=ODD)
def test_what_is_no_assertion(desk: Desk, changes: dict[str, str]):
    party = keyed(desk)
    response = introspect(desk, party.assertion(), **changes)
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
    assert_let_in(introspect(desk, party.assertion()))


@pytest.mark.parametrize(
    ("typ", "good"),
    [
        ("JWT", True),
        ("client-authentication+jwt", True),
        ("application/client-authentication+jwt", True),
        ("dpop+jwt", False),
        ("oauth-authz-req+jwt", False),
        ("at+jwt", False),
        ("", False),
    ],
)
def test_what_a_client_signs_for_another_use_is_no_assertion(desk: Desk, typ: str, good: bool):
    party = keyed(desk)
    token = signed(claims_of(party), key_of("ES256"), "ES256", typ=typ)
    response = introspect(desk, token)
    if good:
        assert_let_in(response)
    else:
        assert_refused(desk, response, "another type")


def test_the_registered_algorithm_is_the_only_one(desk: Desk):
    party = keyed(desk, "PS256", token_endpoint_auth_signing_alg="PS256")
    assert_let_in(introspect(desk, party.assertion()))
    other = signed(claims_of(party), key_of("RS256"), "RS256")
    assert_refused(desk, introspect(desk, other), "not allowed here")


@pytest.mark.parametrize("registered", ["EdDSA", "Ed25519"])
@pytest.mark.parametrize("written", ["EdDSA", "Ed25519"])
def test_the_two_names_of_one_algorithm_are_one(desk: Desk, registered: str, written: str):
    party = keyed(desk, "EdDSA", token_endpoint_auth_signing_alg=registered)
    assert_let_in(introspect(desk, signed(claims_of(party), key_of("EdDSA"), written)))


def test_methods_are_not_exchanged(desk: Desk):
    """By its registration a client signs with a key, or with its secret, or shows it."""
    party, secret_party = keyed(desk), sharing(desk)
    secret = secret_party.client_secret or ""
    by_secret = signed(claims_of(party), secret, "HS256")
    assert_refused(desk, introspect(desk, by_secret), "not allowed here")
    by_key = signed(claims_of(secret_party), key_of("ES256"), "ES256")
    assert_refused(desk, introspect(desk, by_key), "not allowed here")
    shown = {"token": "x", "client_id": secret_party.client_id, "client_secret": secret}
    assert_refused(desk, desk.post("/oauth/introspect", shown), "method")
    shown = {"token": "x", "client_id": party.client_id}
    assert_refused(desk, desk.post("/oauth/introspect", shown), "method")


def test_an_unsigned_assertion_is_refused(desk: Desk):
    party = keyed(desk)
    head = base64url.encode(b'{"alg":"none"}')
    body = base64url.encode(json.dumps(claims_of(party)).encode())
    assert_refused(desk, introspect(desk, f"{head}.{body}."), "not allowed here")


def test_an_assertion_and_a_secret_are_two_ways_at_once(desk: Desk):
    party = sharing(desk)
    both = introspect(desk, party.assertion(), client_secret=party.client_secret or "")
    assert (both.status_code, both.json()["error"]) == (400, "invalid_request")
    assert_let_in(introspect(desk, party.assertion()))


def test_a_disabled_client_is_refused_by_whatever_it_signs(desk: Desk):
    party = keyed(desk)
    with desk.rows():
        desk.services.client_registry.disable(party.client_id, desk.context)
    assert_refused(desk, introspect(desk, party.assertion()), "disabled")


def test_keys_that_are_published_are_fetched_and_fetched_again(desk: Desk):
    with little_server() as server:
        server.answer = saying(json.dumps(jwks(public(key_of("ES256"), kid="1"))).encode())
        party = keyed(desk, jwks_uri=server.url("/jwks"))
        assert_let_in(introspect(desk, party.assertion()))
        second = key_of("ES256", "second")
        keys = [public(key_of("ES256"), kid="1"), public(second, kid="2")]
        server.answer = saying(json.dumps(jwks(*keys)).encode())
        desk.clock.advance(seconds=11)
        rotated = signed(claims_of(party), second, "ES256", kid="2")
        assert_let_in(introspect(desk, rotated))
        assert len(server.requests) == 2


def test_a_flood_of_bad_assertions_fetches_next_to_nothing(desk: Desk):
    with little_server() as server:
        server.answer = saying(json.dumps(jwks(public(key_of("ES256"), kid="1"))).encode())
        party = keyed(desk, jwks_uri=server.url("/jwks"))
        for number in range(20):
            forged = signed(claims_of(party), key_of("ES256", "forger"), "ES256", kid=f"{number}")
            assert introspect(desk, forged).status_code == 401
        assert len(server.requests) == 1
        assert_let_in(introspect(desk, party.assertion()))


def test_keys_that_cannot_be_fetched_let_nobody_in(desk: Desk):
    with little_server(saying(b"", "500 Oh")) as server:
        party = keyed(desk, jwks_uri=server.url("/jwks"))
        answer = introspect(desk, party.assertion())
        assert_refused(desk, answer, "(jwks_uri: the answer was 500 and not 200)")
        # Whoever sends it may have written the address: what there is behind it is not theirs.
        assert "500" not in answer.text


def test_rotating_a_secret_that_signs(desk: Desk):
    party = sharing(desk)
    old = party.client_secret or ""
    with desk.rows():
        new = desk.services.client_registry.rotate_secret(party.client_id, desk.context)
    assert_refused(desk, introspect(desk, party.assertion()), "not signed")
    party.client_secret = new
    assert_let_in(introspect(desk, party.assertion()))
    with desk.rows():
        desk.services.client_registry.add_secret(party.client_id, desk.context)
    assert_let_in(introspect(desk, party.assertion()))
    assert new != old
    assert len(new) == 64


def test_only_a_secret_that_signs_is_kept_readable_and_never_as_it_is(desk: Desk):
    signing, showing = sharing(desk), desk.client(f"showing-{next(NUMBERS)}")
    with desk.rows():
        rows = {row.client_id: row for row in db.session.scalars(db.select(ClientSecret))}
        assert rows[showing.client_id].sealed is None
        sealed = rows[signing.client_id].sealed
        assert sealed is not None
        assert signing.client_secret not in (sealed, rows[signing.client_id].secret_hash)
        assert desk.services.box.open(sealed) == signing.client_secret


def test_nothing_of_an_assertion_is_in_the_audit_log(desk: Desk):
    assertion = keyed(desk).assertion(jti="a-jti-to-look-for", aud="https://elsewhere.example")
    introspect(desk, assertion)
    told = repr([vars(one) for one in desk.events("client.authentication.refused")])
    assert "a-jti-to-look-for" not in told
    assert assertion.split(".")[2] not in told


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=4,
)


@settings(max_examples=100)
@given(
    claims=st.dictionaries(
        st.sampled_from(("iss", "sub", "aud", "jti", "exp", "iat", "nbf")), json_values, max_size=3
    ),
    header=st.dictionaries(st.sampled_from(("kid", "typ", "cty", "x")), json_values, max_size=2),
)
def test_whatever_a_client_signs_is_let_in_or_refused(
    desk: Desk, fuzzed: RelyingParty, claims: dict[str, Any], header: dict[str, Any]
):
    token = signed({**claims_of(fuzzed), **claims}, key_of("ES256"), "ES256", **header)
    response = introspect(desk, token)
    assert response.status_code in {200, 401}
    assert response.headers["Content-Type"] == "application/json"


@pytest.fixture(scope="module")
def fuzzed(desk: Desk) -> RelyingParty:
    return keyed(desk)
