"""Whatever is sent, the answer is a refusal: fuzzed around what an authenticator really says."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from fido2 import cbor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idp.factors.base import Enrolled, Proof, Refused, Tools
from idp.factors.passkey import Passkey
from idp.models import User, db
from tests.factors.passkeys import TASK, authenticator, enrolled, stored
from tests.helpers import base64url
from tests.helpers.clock import NOON

_SHARED = settings(
    max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.binary(max_size=40).map(base64url.encode)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)
cbor_values: st.SearchStrategy[Any] = st.recursive(
    st.booleans()
    | st.integers(min_value=-(2**63), max_value=2**63)
    | st.text(max_size=9)
    | st.binary(max_size=80),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)


@pytest.fixture
def factor(tools: Tools) -> Passkey:
    return Passkey(tools)


@pytest.fixture
def sign_in(factor: Passkey, alice: User) -> Callable[[Callable[[dict[str, Any]], str]], object]:
    """Signs in with what the given function makes of an honest response."""
    soft = authenticator()
    enrolled(factor, alice, soft)

    def attempt(bend: Callable[[dict[str, Any]], str]) -> object:
        ceremony = factor.begin(None, TASK, NOON)
        text = bend(soft.get_assertion(ceremony.public["options"]))
        verdict = factor.verify(None, stored(ceremony), {"passkey_response": text}, NOON)
        db.session.rollback()
        return verdict

    return attempt


@pytest.fixture
def register(factor: Passkey, alice: User) -> Callable[[Callable[[dict[str, Any]], str]], object]:
    """Registers with what the given function makes of an honest response."""

    def attempt(bend: Callable[[dict[str, Any]], str]) -> object:
        ceremony = factor.begin_enrolment(alice, NOON)
        text = bend(authenticator().make_credential(ceremony.public["options"]))
        sent = {"passkey_response": text}
        verdict = factor.finish_enrolment(alice, stored(ceremony), sent, NOON)
        db.session.rollback()
        return verdict

    return attempt


def test_unbent_both_pass(sign_in: Any, register: Any) -> None:
    assert not isinstance(sign_in(json.dumps), Refused)
    assert not isinstance(register(json.dumps), Refused)


@_SHARED
@given(text=st.text(max_size=300) | values.map(json.dumps))
def test_anything_at_all(sign_in: Any, register: Any, text: str) -> None:
    assert isinstance(sign_in(lambda _: text), Refused)
    assert isinstance(register(lambda _: text), Refused)


_SIGN_IN = ("id", "rawId", "type", "response", "clientDataJSON", "authenticatorData", "signature")
_REGISTER = ("id", "rawId", "type", "response", "clientDataJSON", "attestationObject")


@_SHARED
@given(name=st.sampled_from(_SIGN_IN), value=values)
def test_one_member_of_an_assertion_is_anything(sign_in: Any, name: str, value: Any) -> None:
    assert isinstance(sign_in(_replaced(name, value)), Refused)


@_SHARED
@given(name=st.sampled_from(_REGISTER), value=values)
def test_one_member_of_a_registration_is_anything(register: Any, name: str, value: Any) -> None:
    assert isinstance(register(_replaced(name, value)), Refused)


def _replaced(name: str, value: Any) -> Callable[[dict[str, Any]], str]:
    def bend(response: dict[str, Any]) -> str:
        holder = response if name in response else response["response"]
        holder[name] = value if value != holder.get(name) else None
        return json.dumps(response)

    return bend


@_SHARED
@given(name=st.sampled_from(["authenticatorAttachment", "transports", "userHandle"]), value=values)
def test_members_that_may_be_much_do_no_harm(
    sign_in: Any, register: Any, name: str, value: Any
) -> None:
    for ceremony in (sign_in, register):
        assert isinstance(ceremony(_replaced(name, value)), Proof | Enrolled | Refused)


@_SHARED
@given(raw=st.binary(max_size=300))
def test_any_bytes_for_the_signed_parts(sign_in: Any, register: Any, raw: bytes) -> None:
    text = base64url.encode(raw)
    for name in ("clientDataJSON", "authenticatorData", "signature", "userHandle"):
        assert isinstance(sign_in(_with(name, text)), Refused)
    for name in ("clientDataJSON", "attestationObject"):
        assert isinstance(register(_with(name, text)), Refused)


@_SHARED
@given(place=st.integers(min_value=0, max_value=400), byte=st.integers(min_value=1, max_value=255))
def test_one_byte_of_an_assertion_is_another(sign_in: Any, place: int, byte: int) -> None:
    for name in ("clientDataJSON", "authenticatorData", "signature"):

        def bend(response: dict[str, Any], name: str = name) -> str:
            raw = bytearray(base64url.decode(response["response"][name]))
            raw[place % len(raw)] ^= byte
            return _with(name, base64url.encode(bytes(raw)))(response)

        assert isinstance(sign_in(bend), Refused)


@_SHARED
@given(
    fmt=st.sampled_from(
        ["none", "packed", "tpm", "android-key", "android-safetynet", "apple", "fido-u2f"]
    ),
    members=st.dictionaries(
        st.sampled_from(["alg", "sig", "x5c", "ver", "certInfo", "pubArea", "response"]),
        cbor_values | st.lists(st.binary(max_size=60), max_size=3) | st.just("2.0") | st.just(-7),
        min_size=1,
    ),
)
def test_any_statement_in_any_format(register: Any, fmt: str, members: dict[str, Any]) -> None:
    def bend(response: dict[str, Any]) -> str:
        whole: Any = cbor.decode(base64url.decode(response["response"]["attestationObject"]))
        bent = cbor.encode({**whole, "fmt": fmt, "attStmt": members})
        return _with("attestationObject", base64url.encode(bent))(response)

    assert isinstance(register(bend), Refused)


@_SHARED
@given(key=st.dictionaries(st.integers(-4, 4), cbor_values, max_size=5) | cbor_values)
def test_any_value_for_a_key(register: Any, key: Any) -> None:
    def bend(response: dict[str, Any]) -> str:
        whole: Any = cbor.decode(base64url.decode(response["response"]["attestationObject"]))
        data = whole["authData"]
        length = int.from_bytes(data[53:55])
        bent = cbor.encode({**whole, "authData": data[: 55 + length] + cbor.encode(key)})
        return _with("attestationObject", base64url.encode(bent))(response)

    assert isinstance(register(bend), Refused)


def _with(name: str, text: str) -> Callable[[dict[str, Any]], str]:
    return lambda response: json.dumps(response | {"response": response["response"] | {name: text}})
