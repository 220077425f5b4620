"""Signing keys over their life: published before they sign, and until their tokens are gone."""

import gc
import hmac
import json
import weakref
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from joserfc import jwt
from joserfc.jwk import ECKey, Key, RSAKey
from joserfc.jws import JWSRegistry
from sqlalchemy import select

from idp.audit import Context
from idp.config import Settings
from idp.models import AuditEvent, SigningKey, db
from idp.secrecy import Box
from idp.services import jose
from idp.services.jose import ALGORITHMS, InvalidToken
from idp.services.key_rotation import CannotRetire, KeyRotation
from idp.services.keys import KeysUnreadable, NoSigningKey, SigningKeys
from tests.helpers.clock import FakeClock
from tests.helpers.house import made_once

CLAIMS = {"sub": "ann"}


class Node:
    """One process of the provider."""

    def __init__(self, settings: Settings, clock: FakeClock, box: Box | None = None) -> None:
        box = box or Box(settings.keys)
        self.clock, self.settings = clock, settings
        self.keys = SigningKeys(settings, box)
        self.rotation = KeyRotation(settings, box, self.keys)

    @property
    def context(self) -> Context:
        return Context(at=self.clock())

    def sign(self, algorithm: str = "ES256") -> str:
        return self.keys.sign(CLAIMS, algorithm=algorithm, now=self.clock())

    def accepts(self, token: str) -> bool:
        try:
            return self.keys.verify(token, typ="JWT", now=self.clock()) == CLAIMS
        except InvalidToken:
            return False

    def published(self, algorithm: str = "ES256") -> list[str]:
        keys = json.loads(self.keys.key_set(self.clock()).body)["keys"]
        return [key["kid"] for key in keys if key["alg"] == algorithm]


@pytest.fixture
def node(app: Flask, settings: Settings, clock: FakeClock) -> Node:
    node = Node(settings, clock)
    box = Box(settings.keys)
    KeyRotation(settings, box, node.keys, make_key=made_once).prepare(node.context)
    return node


def kid_of(token: str) -> str:
    return jose.read(token).kid


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_very_first_keys_sign_at_once(node: Node, algorithm: str):
    assert node.accepts(node.sign(algorithm))


def test_preparing_again_makes_nothing(node: Node):
    assert node.rotation.prepare(node.context) == ()


def test_there_is_no_signing_before_there_are_keys(
    app: Flask, settings: Settings, clock: FakeClock
):
    with pytest.raises(NoSigningKey):
        Node(settings, clock).sign()


def test_the_key_set_holds_public_parts_only_and_distinct_kids(node: Node):
    keys = json.loads(node.keys.key_set(node.clock()).body)["keys"]
    assert [sorted(key) for key in keys if key["kty"] == "EC"] == [
        ["alg", "crv", "kid", "kty", "use", "x", "y"]
    ]
    assert not any(key.keys() & {"d", "p", "q", "dp", "dq", "qi", "k"} for key in keys)
    assert len({key["kid"] for key in keys}) == len(keys) == len(ALGORITHMS)


def test_private_keys_are_stored_sealed(node: Node, box: Box):
    row = db.session.scalars(select(SigningKey).where(SigningKey.algorithm == "ES256")).one()
    private = box.open(row.private_jwk)
    assert private["d"] not in row.private_jwk
    assert "d" not in row.public_jwk


def test_a_successor_is_published_before_it_signs(node: Node, clock: FakeClock):
    old = kid_of(node.sign())
    node.rotation.rotate(node.context)
    clock.advance(hours=23, minutes=59)
    assert len(node.published()) == 2
    assert kid_of(node.sign()) == old
    clock.advance(minutes=1)
    assert kid_of(node.sign()) != old


def test_nothing_that_was_signed_fails_to_verify_in_its_lifetime(
    node: Node, clock: FakeClock, settings: Settings
):
    node.rotation.rotate(node.context)
    signed: list[tuple[datetime, str]] = []
    for _ in range(40 * 12):
        clock.advance(minutes=5)
        signed.append((clock(), node.sign()))
        alive = clock() - settings.id_token_lifetime
        assert all(node.accepts(token) for at, token in signed if at >= alive)
        node.rotation.sweep(clock())
    assert len({kid_of(token) for _, token in signed}) == 2


def test_a_superseded_key_leaves_the_key_set_when_its_tokens_are_gone(
    node: Node, clock: FakeClock, settings: Settings
):
    token = node.sign()
    node.rotation.rotate(node.context)
    clock.advance(days=1)
    clock.advance(seconds=node.keys.keep.total_seconds() - 1)
    assert node.accepts(token)
    clock.advance(seconds=10)
    assert not node.accepts(token)
    assert kid_of(token) not in node.published()
    assert node.rotation.sweep(clock()) == len(ALGORITHMS)
    row = db.session.get(SigningKey, kid_of(token), populate_existing=True)
    assert row is not None
    assert row.private_jwk == ""


def test_a_waiting_successor_is_not_given_a_rival(node: Node):
    first = node.rotation.rotate(node.context)
    assert node.rotation.rotate(node.context) == first


def test_at_once_a_successor_signs_now(node: Node):
    old = kid_of(node.sign())
    (successor,) = node.rotation.rotate(node.context, algorithms=["ES256"], at_once=True)
    assert kid_of(node.sign()) == successor != old


def test_at_once_moves_a_waiting_successor_up(node: Node):
    (waiting,) = node.rotation.rotate(node.context, algorithms=["ES256"])
    node.rotation.rotate(node.context, algorithms=["ES256"], at_once=True)
    assert kid_of(node.sign()) == waiting


def test_rotation_by_age_comes_early_enough_to_be_published_first(
    node: Node, clock: FakeClock, settings: Settings
):
    clock.advance(days=88, hours=23)
    assert node.rotation.rotate_due(node.context) == ()
    clock.advance(hours=1)
    assert len(node.rotation.rotate_due(node.context)) == len(ALGORITHMS)
    assert node.rotation.rotate_due(node.context) == ()
    assert len(node.published()) == 2


def test_the_only_signing_key_cannot_be_retired(node: Node):
    with pytest.raises(CannotRetire, match="rotate first"):
        node.rotation.retire(kid_of(node.sign()), node.context)


def test_an_unknown_key_cannot_be_retired(node: Node):
    with pytest.raises(CannotRetire):
        node.rotation.retire("nonsense", node.context)


def test_retiring_lets_the_waiting_successor_sign_and_old_tokens_verify(node: Node):
    token = node.sign()
    (successor,) = node.rotation.rotate(node.context, algorithms=["ES256"])
    node.rotation.retire(kid_of(token), node.context)
    assert kid_of(node.sign()) == successor
    assert node.accepts(token)


def test_retiring_a_leaked_key_makes_its_tokens_worthless(node: Node):
    token = node.sign()
    for _ in range(2):
        node.rotation.rotate(node.context, algorithms=["ES256"])  # once: there is a successor then
    node.rotation.retire(kid_of(token), node.context, at_once=True)
    assert not node.accepts(token)
    assert kid_of(token) not in node.published()
    assert node.accepts(node.sign())


def test_a_token_that_is_known_is_worth_nothing_once_its_key_is_not_trusted(
    node: Node, settings: Settings, clock: FakeClock
):
    """Here and at another node, both of which had verified it."""
    other, token = Node(settings, clock), node.sign()
    assert node.accepts(token)
    assert other.accepts(token)
    for _ in range(2):
        node.rotation.rotate(node.context, algorithms=["ES256"])  # once: there is a successor then
    node.rotation.retire(kid_of(token), node.context, at_once=True)
    assert not node.accepts(token)
    clock.advance(seconds=3)
    assert not other.accepts(token)


def test_what_a_key_signed_is_forgotten_with_it(node: Node, clock: FakeClock):
    token = node.sign()
    assert node.accepts(token)
    gone = weakref.ref(node.keys._parsed[kid_of(token)].signatures)
    assert gone()
    node.rotation.rotate(node.context, algorithms=["ES256"], at_once=True)
    clock.advance(seconds=node.keys.keep.total_seconds() + 10)
    node.rotation.sweep(clock())
    clock.advance(seconds=3)
    assert node.accepts(node.sign())
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("comes_back", [True, False])
def test_what_this_process_signed_is_known_again_if_it_comes_back(
    node: Node, clock: FakeClock, comes_back: bool
):
    """Whoever is known is not verified: ``test_signatures``."""
    token = node.keys.sign(CLAIMS, algorithm="ES256", now=clock(), comes_back=comes_back)
    known = node.keys._parsed[kid_of(token)].signatures
    assert (token in known) is comes_back
    assert node.accepts(token)
    assert token in known


def test_retiring_a_successor_that_waits_leaves_the_old_key_signing(node: Node):
    token = node.sign()
    (waiting,) = node.rotation.rotate(node.context, algorithms=["ES256"])
    node.rotation.retire(waiting, node.context)
    assert waiting not in node.published()
    assert kid_of(node.sign()) == kid_of(token)


def test_a_retired_successor_does_not_keep_a_new_one_from_being_made(node: Node, clock: FakeClock):
    (waiting,) = node.rotation.rotate(node.context, algorithms=["ES256"])
    node.rotation.retire(waiting, node.context)
    (second,) = node.rotation.rotate(node.context, algorithms=["ES256"])
    assert second != waiting
    clock.advance(days=1)
    assert kid_of(node.sign()) == second


def test_another_node_sees_a_rotation_within_seconds(
    node: Node, settings: Settings, clock: FakeClock
):
    other = Node(settings, clock)
    before = other.published()
    node.rotation.rotate(node.context, algorithms=["ES256"])
    assert other.published() == before
    clock.advance(seconds=3)
    assert len(other.published()) == 2


def test_another_node_looks_for_a_key_that_it_has_not_seen_yet(
    node: Node, settings: Settings, clock: FakeClock
):
    other = Node(settings, clock)
    other.published()
    node.rotation.rotate(node.context, algorithms=["ES256"], at_once=True)
    clock.advance(seconds=1)
    assert other.accepts(node.sign())


def test_a_node_whose_clock_lags_signs_with_the_first_key(
    node: Node, settings: Settings, clock: FakeClock
):
    late = FakeClock(clock() - timedelta(minutes=2))
    assert node.accepts(Node(settings, late).sign())


def test_two_nodes_that_start_together_make_one_set_of_keys(
    app: Flask, settings: Settings, clock: FakeClock
):
    first, second = Node(settings, clock), Node(settings, clock)
    first.rotation.prepare(first.context)
    second.rotation.prepare(second.context)
    assert len(second.published()) == 1


def test_with_another_deployment_key_it_refuses_and_changes_nothing(
    node: Node, settings: Settings, clock: FakeClock
):
    stranger = Node(settings, clock, Box([Fernet.generate_key().decode()]))
    for refused in (stranger.rotation.prepare, stranger.rotation.rotate):
        with pytest.raises(KeysUnreadable, match="IDP_KEYS"):
            refused(node.context)
    assert len(db.session.scalars(select(SigningKey)).all()) == len(ALGORITHMS)
    assert node.accepts(node.sign())


def test_a_new_deployment_key_in_front_of_the_old_one_opens_the_keys(
    node: Node, settings: Settings, clock: FakeClock
):
    both = Box([Fernet.generate_key().decode(), *settings.keys])
    assert node.accepts(Node(settings, clock, both).sign())


def test_the_entity_tag_changes_with_the_keys_only(node: Node, clock: FakeClock):
    before = node.keys.key_set(clock())
    clock.advance(minutes=1)
    assert node.keys.key_set(clock()) == before
    node.rotation.rotate(node.context)
    assert node.keys.key_set(clock()).etag != before.etag


def test_making_and_retiring_is_audited_without_key_material(node: Node):
    token = node.sign()
    for _ in range(2):
        node.rotation.rotate(node.context, algorithms=["ES256"])  # once: there is a successor then
    node.rotation.retire(kid_of(token), node.context)
    events = db.session.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
    assert [event.name for event in events] == [
        *["key.created"] * 4,
        "key.created",
        "key.rotated",
        "key.retired",
    ]
    assert events[-1].data["kid"] == kid_of(token)


def b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def forged(header: dict[str, object], key: Key) -> str:
    registry = JWSRegistry(algorithms=["ES256", "RS256"])
    return jwt.encode(header, CLAIMS, key, registry=registry)


def by_hand(header: dict[str, object], secret: bytes | None = None) -> str:
    """What no library would make: unsigned, or signed by HMAC."""
    text = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(CLAIMS).encode())}"
    mac = hmac.digest(secret, text.encode(), "sha256") if secret else b""
    return f"{text}.{b64(mac)}"


def with_header(token: str, header: str) -> str:
    """The same claims and signature under another header."""
    return f"{b64(header.encode())}.{token.partition('.')[2]}"


def test_what_our_key_signed_under_the_name_of_another_algorithm_is_refused(node: Node):
    """The signature is right, and by our key; only its header does not say what the key is for."""
    row = db.session.scalars(select(SigningKey).where(SigningKey.algorithm == "ES256")).one()
    key = jose.reopened(Box(node.settings.keys).open(row.private_jwk))
    parts = [b64(json.dumps(one).encode()) for one in ({"alg": "RS256", "kid": row.id}, CLAIMS)]
    mine = [b64(json.dumps({"alg": "ES256", "kid": row.id}).encode()), parts[1]]
    texts = [".".join(one) for one in (parts, mine)]
    signed = [
        f"{one}.{b64(JWSRegistry.algorithms['ES256'].sign(one.encode(), key))}" for one in texts
    ]
    assert [node.accepts(one) for one in signed] == [False, True]


def public_pem(node: Node) -> bytes:
    keys = json.loads(node.keys.key_set(node.clock()).body)["keys"]
    return ECKey.import_key(next(key for key in keys if key["kty"] == "EC")).as_pem(private=False)


@pytest.mark.parametrize(
    "forge",
    [
        pytest.param(lambda node, kid: "", id="nothing"),
        pytest.param(lambda node, kid: "a.b.c", id="no base64"),
        pytest.param(lambda node, kid: "W10.e30.AA", id="a header that is a list"),
        pytest.param(lambda node, kid: "\u00e9.\u00e9.\u00e9", id="not ASCII"),
        pytest.param(lambda node, kid: node.sign() + ".", id="four parts"),
        pytest.param(lambda node, kid: "a" * 20000 + ".b.c", id="endless"),
        pytest.param(lambda node, kid: node.sign()[:-6] + "AAAAAA", id="another signature"),
        pytest.param(
            lambda node, kid: node.sign().rpartition(".")[0] + ".", id="no signature at all"
        ),
        pytest.param(
            lambda node, kid: forged({"alg": "ES256", "kid": kid}, ECKey.generate_key("P-256")),
            id="another key under our kid",
        ),
        pytest.param(
            lambda node, kid: forged({"alg": "RS256", "kid": kid}, RSAKey.generate_key(2048)),
            id="another algorithm under our kid",
        ),
        pytest.param(lambda node, kid: node.sign() + "=", id="padded"),
        pytest.param(lambda node, kid: node.sign() + "\n", id="a line end behind it"),
        pytest.param(
            lambda node, kid: node.sign().replace(".", ".!", 1), id="something between its letters"
        ),
        pytest.param(
            lambda node, kid: with_header(node.sign(), f'{{"alg":"RS256","kid":"{kid}"}}'),
            id="a header that another algorithm is named in afterwards",
        ),
        pytest.param(
            lambda node, kid: with_header(
                node.sign(), f'{{"alg":"ES256","alg":"ES256","kid":"{kid}"}}'
            ),
            id="its algorithm named twice",
        ),
        pytest.param(lambda node, kid: by_hand({"alg": "none", "kid": kid}), id="algorithm none"),
        pytest.param(
            lambda node, kid: by_hand({"alg": "HS256", "kid": kid}, public_pem(node)),
            id="our public key as an HMAC secret",
        ),
        pytest.param(
            lambda node, kid: forged(
                {"alg": "ES256", "kid": kid, "jwk": (key := ECKey.generate_key("P-256")).as_dict()},
                key,
            ),
            id="a key of its own in the header",
        ),
        pytest.param(
            lambda node, kid: forged({"alg": "ES256"}, ECKey.generate_key("P-256")), id="no kid"
        ),
    ],
)
def test_a_forgery_is_refused(node: Node, forge):
    real = node.sign()
    assert not node.accepts(forge(node, kid_of(real)))
    assert node.accepts(real)


def test_a_token_of_another_type_is_refused(node: Node, clock: FakeClock):
    token = node.keys.sign(CLAIMS, algorithm="ES256", now=clock(), typ="at+jwt")
    assert node.keys.verify(token, typ="at+jwt", now=clock()) == CLAIMS
    with pytest.raises(InvalidToken):
        node.keys.verify(token, typ="JWT", now=clock())
    assert node.keys.verify(token, typ="at+jwt", now=clock()) == CLAIMS
