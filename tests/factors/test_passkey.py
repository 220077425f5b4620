"""The passkey as a factor: what it asks, what it shows, what it keeps."""

import json
from base64 import urlsafe_b64decode
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any, get_args
from uuid import UUID

import pytest
from fido2 import cbor

from idp.assurance import Offer, Trait
from idp.factors.base import Enrolled, Factor, Proof, Refused, Task, Tools, Wish
from idp.factors.passkey import (
    AttestationPolicy,
    Passkey,
    accepted_credentials,
    bound_challenge,
    provider_name,
    unknown_credential,
    user_details,
)
from idp.factors.passkey.aaguid import label_for
from idp.factors.passkey.answer import LIMIT
from idp.factors.passkey.refusals import Ceremonial, Reason, refused
from idp.models import Credential, User, db
from tests.factors.passkeys import (
    ORIGIN,
    TASK,
    answer,
    authenticator,
    enrol,
    enrolled,
    stored,
    use,
    used,
)
from tests.factors.storage import add_person, make_tools
from tests.factors.verdicts import reason
from tests.helpers import base64url
from tests.helpers.attestation import AttestationRoot
from tests.helpers.authenticator import SoftAuthenticator
from tests.helpers.clock import NOON

UP_ONLY = frozenset({Trait.POSSESSION, Trait.PHISHING_RESISTANT})
WITH_UV = UP_ONLY | {Trait.USER_VERIFICATION}
APPLE = UUID("fbfc3007-154e-4ecc-8c0b-6e020557d7bd")
REQUIRED = Task("transaction", user_verification="required")


@pytest.fixture
def factor(tools: Tools) -> Passkey:
    return Passkey(tools)


def asked(factor: Passkey, user: User | None, **task: Any) -> dict[str, Any]:
    """The request options."""
    ceremony = factor.begin(user, Task("transaction", **task), NOON)
    options: dict[str, Any] = ceremony.public["options"]
    return options


def test_is_a_factor(tools: Tools) -> None:
    factor: Factor = Passkey(tools)
    assert (factor.name, factor.enrolable, factor.on_request) == ("passkey", True, False)
    assert factor.answer_fields == {"passkey_response"}
    assert factor.can_prove == WITH_UV | {Trait.HARDWARE_PROTECTED}


def test_asks_anybody_while_nobody_is_named(factor: Passkey, tools: Tools) -> None:
    ceremony = factor.begin(None, TASK, NOON)
    challenge = ceremony.public["options"].pop("challenge")
    assert ceremony.public == {
        "options": {
            "rpId": "id.example.org",
            "timeout": 300_000,
            "allowCredentials": [],
            "userVerification": "preferred",
        },
        "autofill": True,
    }
    assert len(base64url.decode(challenge)) == 32
    assert challenge != factor.begin(None, TASK, NOON).public["options"]["challenge"]


def test_asks_a_person_for_one_of_hers(factor: Passkey, alice: User, bob: User) -> None:
    first = enrolled(factor, alice, authenticator())
    later = NOON + timedelta(minutes=1)
    second = enrolled(factor, alice, authenticator(transports=("usb", "nfc")), now=later)
    enrolled(factor, bob, authenticator())
    ceremony = factor.begin(alice, TASK, NOON)
    assert ceremony.public["options"]["allowCredentials"] == [
        {"id": first.lookup, "type": "public-key", "transports": ["hybrid", "internal"]},
        {"id": second.lookup, "type": "public-key", "transports": ["nfc", "usb"]},
    ]
    assert "autofill" not in ceremony.public


def test_a_name_that_was_typed_is_asked_like_any_other(
    factor: Passkey, alice: User, bob: User
) -> None:
    """Whose it is, and what sort of passkeys she has, is nobody's business yet."""
    for transports in (("usb", "nfc"), ("internal",), ("hybrid",)):
        enrolled(factor, alice, authenticator(transports=transports))
    shown = []
    for user, name in ((alice, alice.email), (bob, bob.email), (None, "nobody@example.com")):
        public = dict(factor.begin(user, Task("transaction", login_name=name), NOON).public)
        shown.append({**public, "options": {**public["options"], "challenge": ""}})
    assert shown[0] == shown[1] == shown[2]
    assert shown[0]["options"]["allowCredentials"] == []
    assert "autofill" not in shown[0]


def test_a_passkey_says_whose_it_is_whatever_was_typed(
    factor: Passkey, alice: User, bob: User
) -> None:
    """And so whoever has one here learns nothing by showing it beside another name."""
    soft = authenticator()
    enrolled(factor, alice, soft)
    for user, name in ((alice, alice.email), (bob, bob.email), (None, "nobody@example.com")):
        proof = use(factor, user, soft, task=Task("transaction", login_name=name))
        assert isinstance(proof, Proof)
        assert proof.user_id == alice.id


def test_where_verification_is_required_keys_without_it_are_left_out(
    factor: Passkey, alice: User
) -> None:
    bare = enrolled(factor, alice, authenticator(), uv=False)
    assert [each["id"] for each in asked_required(factor, alice)] == [bare.lookup]
    able = enrolled(factor, alice, authenticator(), now=NOON + timedelta(minutes=1))
    assert [each["id"] for each in asked_required(factor, alice)] == [able.lookup]
    assert len(asked(factor, alice)["allowCredentials"]) == 2


def asked_required(factor: Passkey, user: User) -> Any:
    return asked(factor, user, user_verification="required")["allowCredentials"]


@pytest.mark.parametrize(
    ("made", "shown", "proves", "amr"),
    [
        ({}, {}, WITH_UV, ("pop", "user", "swk")),
        ({}, {"uv": False}, UP_ONLY, ("pop", "user", "swk")),
        ({"be": True, "bs": False}, {}, WITH_UV, ("pop", "user", "swk")),
        ({"be": False, "bs": False}, {}, WITH_UV, ("pop", "user")),
        ({"be": False, "bs": False}, {"uv": False}, UP_ONLY, ("pop", "user")),
    ],
    ids=["synced", "synced, not verified", "not synced yet", "bound", "bound, not verified"],
)
def test_shows_what_came_back(
    factor: Passkey,
    alice: User,
    made: dict[str, Any],
    shown: dict[str, Any],
    proves: frozenset[Trait],
    amr: tuple[str, ...],
) -> None:
    soft = authenticator()
    passkey = enrolled(factor, alice, soft, **made)
    assert used(factor, None, soft, **shown) == Proof(alice.id, passkey.id, proves, amr)


def test_what_the_client_says_of_the_authenticator_is_no_matter(
    factor: Passkey, alice: User
) -> None:
    usb = authenticator(transports=("usb",))
    enrolled(factor, alice, usb, be=True)
    assert used(factor, None, usb).amr == ("pop", "user", "swk")


@pytest.mark.parametrize("uv", [True, False], ids=["verified", "not verified"])
def test_making_one_is_a_proof(factor: Passkey, alice: User, uv: bool) -> None:
    made = enrol(factor, alice, authenticator(), uv=uv)
    assert isinstance(made, Enrolled)
    expected = WITH_UV if uv else UP_ONLY
    assert made.proof == Proof(alice.id, made.credential.id, expected, ("pop", "user", "swk"))


def test_a_first_verification_is_not_relied_upon_until_it_is_vouched_for(
    factor: Passkey, alice: User
) -> None:
    # Whoever finds a key without a PIN can set one.
    soft = authenticator()
    passkey = enrolled(factor, alice, soft, uv=False)
    for _ in range(2):
        proof = used(factor, None, soft, task=REQUIRED)
        assert proof.proves == UP_ONLY
        assert proof.signals == {"awaits_corroboration": True}
    factor.corroborated(passkey.id)
    db.session.commit()
    proof = used(factor, None, soft, task=REQUIRED)
    assert (proof.proves, proof.signals) == (WITH_UV, {})


def test_an_operation_is_under_the_signature(factor: Passkey, alice: User) -> None:
    soft = authenticator()
    enrolled(factor, alice, soft)
    task = replace(REQUIRED, binding="digest of 40 EUR")
    ceremony = factor.begin(alice, task, NOON)
    secret = stored(ceremony)
    nonce = base64url.decode(secret["nonce"])
    challenge = base64url.decode(ceremony.public["options"]["challenge"])
    assert challenge == bound_challenge(nonce, "digest of 40 EUR")
    assert challenge == sha256(b"idp confirm operation\0" + nonce + b"digest of 40 EUR").digest()
    assert ceremony.public["options"]["userVerification"] == "required"
    response = soft.get_assertion(ceremony.public["options"])
    swapped = secret | {"binding": "digest of 4000 EUR"}
    assert reason(factor.verify(alice, swapped, answer(response), NOON)) == "wrong_challenge"
    fresh = factor.begin(alice, task, NOON)
    response = soft.get_assertion(fresh.public["options"])
    assert reason(factor.verify(alice, stored(fresh), answer(response), NOON)) == "accepted"


def test_offers_a_person_what_hers_can_show(tools: Tools, alice: User) -> None:
    maker = AttestationRoot.generate()
    factor = Passkey(tools, policy=AttestationPolicy(roots=(maker.pem,)))
    assert factor.offers(alice, []) == ()
    assert factor.offers(None, []) == (Offer("passkey", WITH_UV | {Trait.HARDWARE_PROTECTED}),)
    bare = enrolled(factor, alice, authenticator(), uv=False)
    assert factor.offers(alice, [bare]) == (Offer("passkey", UP_ONLY),)
    soft = authenticator()
    able = enrolled(factor, alice, soft)
    used(factor, None, soft)
    assert factor.offers(alice, [bare, able])[0] == Offer("passkey", WITH_UV, last_used=NOON)
    hard = enrolled(factor, alice, authenticator(), attestation=maker, be=False, bs=False, uv=False)
    assert [offer.proves for offer in factor.offers(alice, [bare, hard, able])] == [
        WITH_UV,
        UP_ONLY | {Trait.HARDWARE_PROTECTED},
        UP_ONLY,
    ]


def test_creation_options(factor: Passkey, alice: User) -> None:
    existing = enrolled(factor, alice, authenticator())
    ceremony = factor.begin_enrolment(alice, NOON)
    options = ceremony.public["options"]
    assert len(base64url.decode(options.pop("challenge"))) == 32
    assert ceremony.public == {
        "options": {
            "rp": {"id": "id.example.org", "name": "Gatehouse"},
            "user": {
                "id": alice.webauthn_handle,
                "name": "alice@example.com",
                "displayName": "alice@example.com",
            },
            "pubKeyCredParams": [
                {"type": "public-key", "alg": -7},
                {"type": "public-key", "alg": -8},
                {"type": "public-key", "alg": -257},
            ],
            "timeout": 300_000,
            "excludeCredentials": [
                {"id": existing.lookup, "type": "public-key", "transports": ["hybrid", "internal"]}
            ],
            "authenticatorSelection": {
                "residentKey": "required",
                "requireResidentKey": True,
                "userVerification": "preferred",
            },
            "attestation": "none",
        }
    }
    assert len(urlsafe_b64decode(alice.webauthn_handle + "==")) == 64
    assert alice.id not in json.dumps(options)


def test_creation_options_as_the_occasion_wants_them(factor: Passkey, alice: User) -> None:
    ceremony = factor.begin_enrolment(
        alice, NOON, Wish(user_verification="required", prompted=True, conditional=True)
    )
    selection = ceremony.public["options"]["authenticatorSelection"]
    assert selection["authenticatorAttachment"] == "platform"
    assert selection["userVerification"] == "required"
    assert ceremony.public["upgrade"] is True


def test_a_passkey_is_kept_with_what_it_said(factor: Passkey, alice: User) -> None:
    soft = authenticator(aaguid=APPLE.bytes, transports=("internal", "hybrid", "internal", "smoke"))
    passkey = enrolled(factor, alice, soft, bs=False)
    (held,) = soft.credentials.values()
    assert (passkey.user_id, passkey.kind) == (alice.id, "passkey")
    assert (passkey.lookup, passkey.label) == (base64url.encode(held.id), "Apple Passwords")
    assert (passkey.counter, passkey.created_at, passkey.last_used_at) == (0, NOON, None)
    key = passkey.data.pop("public_key")
    assert dict(held.public_key) == dict(_cose(key))
    assert passkey.data == {
        "algorithm": -7,
        "aaguid": str(APPLE),
        "be": True,
        "bs": False,
        "uv": True,
        "transports": ["hybrid", "internal"],
        "attested_by": None,
    }


def _cose(text: str) -> Any:
    return cbor.decode(base64url.decode(text))


def test_names_are_numbered(factor: Passkey, alice: User, bob: User) -> None:
    apples = [authenticator(aaguid=APPLE.bytes) for _ in range(3)]
    first, second = (enrolled(factor, alice, soft) for soft in apples[:2])
    assert [first.label, second.label] == ["Apple Passwords", "Apple Passwords 2"]
    first.label = "My phone"
    db.session.commit()
    assert enrolled(factor, alice, apples[2]).label == "Apple Passwords"
    plain = [enrolled(factor, bob, authenticator()).label for _ in range(3)]
    assert plain == ["Passkey", "Passkey 2", "Passkey 3"]


def test_label_for_fills_the_gap() -> None:
    assert label_for("unheard of", ["Passkey", "Passkey 3", None]) == "Passkey 2"


def test_the_list_of_names_is_in_order() -> None:
    assert provider_name(str(APPLE)) == "Apple Passwords"
    assert provider_name("00000000-0000-0000-0000-000000000000") is None


def test_related_origins(alice: User) -> None:
    shop = "https://login.example.com"
    factor = Passkey(make_tools(webauthn_origins=[ORIGIN, shop]))
    soft = authenticator()
    enrolled(factor, alice, soft, origin=shop)
    assert reason(use(factor, None, soft)) == "accepted"
    assert reason(use(factor, None, soft, origin=shop)) == "accepted"
    assert reason(use(factor, None, soft, origin="https://example.com")) == "wrong_origin"


def test_a_relying_party_above_the_issuer(alice: User) -> None:
    factor = Passkey(make_tools(webauthn_rp_id="example.org"))
    soft = authenticator()
    enrolled(factor, alice, soft)
    assert asked(factor, None)["rpId"] == "example.org"
    assert reason(use(factor, None, soft)) == "accepted"
    assert reason(use(Passkey(make_tools()), None, soft, credential=_held(soft))) == "wrong_rp_id"


def _held(soft: SoftAuthenticator) -> Any:
    (held,) = soft.credentials.values()
    return held


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "RS256"])
def test_counts_where_the_authenticator_does(factor: Passkey, alice: User, algorithm: Any) -> None:
    soft = authenticator(counts=True)
    passkey = enrolled(factor, alice, soft, algorithm=algorithm)
    for expected in (1, 2, 3):
        assert used(factor, None, soft).signals == {}
        db.session.refresh(passkey)
        assert passkey.counter == expected


@pytest.mark.parametrize(
    ("sent", "expected", "counts"),
    [
        ({}, "missing", False),
        ({"passkey_response": "  "}, "missing", False),
        ({"passkey_response": "{}"}, "malformed", True),
        ({"passkey_response": "x" * (LIMIT + 1)}, "malformed", True),
        ({"passkey_response": "[" * LIMIT}, "malformed", True),
        ({"passkey_response": "9" * LIMIT}, "malformed", True),
        ({"passkey_response": '"\\ud800"'}, "malformed", True),
    ],
    ids=["nothing", "spaces", "no members", "too long", "deep", "a long number", "half a sign"],
)
def test_what_is_no_answer(
    factor: Passkey, alice: User, sent: dict[str, str], expected: str, counts: bool
) -> None:
    verdicts = [
        factor.verify(None, stored(factor.begin(None, TASK, NOON)), sent, NOON),
        factor.finish_enrolment(alice, stored(factor.begin_enrolment(alice, NOON)), sent, NOON),
    ]
    for verdict in verdicts:
        assert isinstance(verdict, Refused)
        assert (verdict.reason, verdict.counts) == (expected, counts)
        assert verdict.spent is (expected != "missing")


def test_an_answer_may_be_so_long_and_no_longer(factor: Passkey, alice: User) -> None:
    soft = authenticator()
    enrolled(factor, alice, soft)
    for length, expected in ((LIMIT, "accepted"), (LIMIT + 1, "malformed")):
        ceremony = factor.begin(None, TASK, NOON)
        text = json.dumps(soft.get_assertion(ceremony.public["options"]))
        text = text[:-1] + " " * (length - len(text)) + "}"
        sent = {"passkey_response": text}
        assert reason(factor.verify(None, stored(ceremony), sent, NOON)) == expected


def test_every_refusal_is_a_calm_sentence() -> None:
    for ceremonial in get_args(Ceremonial):
        for each in Reason:
            message = refused(each, ceremonial).message
            assert message.endswith(".")
            assert "!" not in message
            assert 20 < len(message) < 140


def test_an_unknown_passkey_can_be_told_to_its_provider(
    factor: Passkey, tools: Tools, alice: User
) -> None:
    soft = authenticator()
    passkey = enrolled(factor, alice, soft)
    response = soft.get_assertion(asked(factor, None))
    told = unknown_credential(tools.settings.rp_id, answer(response))
    assert told == {"rpId": "id.example.org", "credentialId": passkey.lookup}
    assert unknown_credential(tools.settings.rp_id, {"passkey_response": "{}"}) is None


def test_providers_are_told_which_passkeys_count(factor: Passkey, alice: User) -> None:
    passkeys = [enrolled(factor, alice, authenticator()) for _ in range(2)]
    password = Credential(user_id=alice.id, kind="password", data={}, created_at=NOON)
    assert accepted_credentials("id.example.org", alice, [*passkeys, password]) == {
        "rpId": "id.example.org",
        "userId": alice.webauthn_handle,
        "allAcceptedCredentialIds": [passkey.lookup for passkey in passkeys],
    }


def test_providers_are_told_a_new_name(tables: None) -> None:
    carol = add_person("carol@example.com", name="Carol")
    assert user_details("id.example.org", carol) == {
        "rpId": "id.example.org",
        "userId": carol.webauthn_handle,
        "name": "carol@example.com",
        "displayName": "Carol",
    }
