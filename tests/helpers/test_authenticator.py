"""The software authenticator against py_webauthn, which did not come from this house."""

from typing import Any, get_args

import pytest
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers.exceptions import InvalidAuthenticationResponse, InvalidRegistrationResponse
from webauthn.helpers.structs import AttestationFormat, PublicKeyCredentialDescriptor
from webauthn.registration.verify_registration_response import VerifiedRegistration

from tests.helpers import base64url
from tests.helpers.attestation import AttestationRoot
from tests.helpers.authenticator import (
    AlreadyRegistered,
    NoCredential,
    SoftAuthenticator,
    Tampering,
)
from tests.helpers.passkey import Algorithm

ORIGIN = "https://idp.test"
RP_ID = "idp.test"
CHALLENGE = b"c" * 32
MODEL = bytes.fromhex("ea9b8d664d011d213ce4b6b48cb575d4")


def creation_options(exclude: list[bytes] | None = None) -> str:
    options = generate_registration_options(
        rp_id=RP_ID,
        rp_name="Test",
        user_name="ana",
        user_id=b"user-1",
        challenge=CHALLENGE,
        exclude_credentials=[PublicKeyCredentialDescriptor(id=i) for i in exclude or []],
    )
    return options_to_json(options)


def request_options(allow: list[bytes] | None = None) -> str:
    options = generate_authentication_options(
        rp_id=RP_ID,
        challenge=CHALLENGE,
        allow_credentials=[PublicKeyCredentialDescriptor(id=i) for i in allow or []],
    )
    return options_to_json(options)


def register(authenticator: SoftAuthenticator, **knobs: Any) -> VerifiedRegistration:
    roots = knobs.pop("trusting", None)
    return verify_registration_response(
        credential=authenticator.make_credential(creation_options(), **knobs),
        expected_challenge=CHALLENGE,
        expected_rp_id=RP_ID,
        expected_origin=ORIGIN,
        require_user_verification=True,
        pem_root_certs_bytes_by_fmt={AttestationFormat.PACKED: [roots.pem]} if roots else None,
    )


def authenticate(
    authenticator: SoftAuthenticator, registered: VerifiedRegistration, **knobs: Any
) -> VerifiedAuthentication:
    return verify_authentication_response(
        credential=authenticator.get_assertion(request_options(), **knobs),
        expected_challenge=CHALLENGE,
        expected_rp_id=RP_ID,
        expected_origin=ORIGIN,
        credential_public_key=registered.credential_public_key,
        credential_current_sign_count=registered.sign_count,
        require_user_verification=True,
    )


@pytest.fixture
def authenticator() -> SoftAuthenticator:
    return SoftAuthenticator(ORIGIN, aaguid=MODEL)


@pytest.mark.parametrize("attestation", ["none", "self"])
@pytest.mark.parametrize("algorithm", get_args(Algorithm))
def test_a_passkey_is_accepted(
    authenticator: SoftAuthenticator, algorithm: Algorithm, attestation: str
) -> None:
    registered = register(authenticator, algorithm=algorithm, attestation=attestation)
    assert registered.user_verified
    assert registered.aaguid == "ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4"
    assert registered.credential_device_type == "multi_device"
    signed_in = authenticate(authenticator, registered)
    assert signed_in.user_verified
    assert signed_in.credential_backed_up


def test_a_vendors_chain_is_accepted_by_who_trusts_the_root(
    authenticator: SoftAuthenticator,
) -> None:
    root = AttestationRoot.generate()
    registered = register(authenticator, attestation=root, be=False, bs=False, trusting=root)
    assert registered.fmt == "packed"
    assert registered.credential_device_type == "single_device"


def test_a_vendors_chain_is_refused_by_who_trusts_another_root(
    authenticator: SoftAuthenticator,
) -> None:
    stranger = AttestationRoot.generate("Another Root")
    with pytest.raises(InvalidRegistrationResponse, match="chain"):
        register(authenticator, attestation=AttestationRoot.generate(), trusting=stranger)


def changed(**members: Any) -> Tampering:
    return Tampering(client_data=lambda honest: {**honest, **members})


def flipped(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


LIES: dict[str, tuple[dict[str, Any], str]] = {
    "another origin": ({"origin": "https://evil.test"}, "origin"),
    "another challenge": ({"tampering": changed(challenge="bm90")}, "challenge"),
    "a registration's type": ({"tampering": changed(type="webauthn.create")}, "type"),
    "another site's hash": (
        {"tampering": Tampering(authenticator_data=lambda data: b"x" * 32 + data[32:])},
        "RP ID hash",
    ),
    "nobody present": ({"up": False}, "not present"),
    "nobody verified": ({"uv": False}, "not verified"),
    "a broken signature": ({"tampering": Tampering(signature=flipped)}, "signature"),
    "another id": (
        {"tampering": Tampering(response=lambda honest: {**honest, "id": "bm90"})},
        "raw_id",
    ),
}


@pytest.mark.parametrize(("knobs", "complaint"), LIES.values(), ids=LIES)
def test_each_lie_about_an_assertion_is_found_out_for_what_it_is(
    authenticator: SoftAuthenticator, knobs: dict[str, Any], complaint: str
) -> None:
    registered = register(authenticator)
    with pytest.raises(InvalidAuthenticationResponse, match=complaint):
        authenticate(authenticator, registered, **knobs)
    assert authenticate(authenticator, registered).user_verified


def test_a_regressing_counter_is_found_out() -> None:
    authenticator = SoftAuthenticator(ORIGIN, counts=True)
    registered = register(authenticator, be=False, bs=False)
    assert [authenticate(authenticator, registered).new_sign_count for _ in "ab"] == [1, 2]
    registered.sign_count = 2
    with pytest.raises(InvalidAuthenticationResponse, match="sign count"):
        authenticate(authenticator, registered, counter=1)


def test_what_the_response_says_can_be_chosen(authenticator: SoftAuthenticator) -> None:
    register(authenticator)
    honest = authenticator.get_assertion(request_options())
    assert base64url.decode(honest["response"]["userHandle"]) == b"user-1"
    anonymous = authenticator.get_assertion(request_options(), user_handle=None)
    assert "userHandle" not in anonymous["response"]
    framed = authenticator.get_assertion(
        request_options(), cross_origin=True, top_origin="https://evil.test"
    )
    client_data = base64url.decode(framed["response"]["clientDataJSON"])
    assert b'"crossOrigin":true,"topOrigin":"https://evil.test"' in client_data


def test_the_options_decide_which_passkey_answers(authenticator: SoftAuthenticator) -> None:
    first, second = register(authenticator), register(authenticator)
    newest = authenticator.get_assertion(request_options())
    assert base64url.decode(newest["id"]) == second.credential_id
    named = authenticator.get_assertion(request_options(allow=[first.credential_id]))
    assert base64url.decode(named["id"]) == first.credential_id
    with pytest.raises(NoCredential):
        authenticator.get_assertion(request_options(allow=[b"unknown"]))
    with pytest.raises(AlreadyRegistered):
        authenticator.make_credential(creation_options(exclude=[first.credential_id]))


def test_an_authenticator_keeps_sites_apart(authenticator: SoftAuthenticator) -> None:
    register(authenticator)
    with pytest.raises(NoCredential):
        authenticator.get_assertion({"challenge": "AAAA", "rpId": "other.test"})
