"""Signatures that are known again: spared a second look, and nothing else is spared."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from idp.services import jose
from idp.services.jose import ALGORITHMS, InvalidToken, Pinned
from idp.services.signatures import Signatures
from tests.helpers.house import made_once

CLAIMS = {"sub": "ann", "jti": "1"}
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of the curve P-256."""


class Watched(Pinned):
    """A key that counts how often something was verified with it."""

    verified = 0

    def get_op_key(self, operation):
        self.verified += operation == "verify"
        return super().get_op_key(operation)


def watched(algorithm: str = "ES256") -> Watched:
    return Watched(made_once(algorithm), algorithm)


def signed(key: Pinned, claims: dict[str, str] = CLAIMS, typ: str = "at+jwt") -> str:
    return jose.sign(claims, key=key, kid="one", typ=typ)


def accepts(key: Pinned, token: str) -> bool:
    try:
        return jose.claims_of(jose.verify(jose.read(token), key=key)) == CLAIMS
    except InvalidToken:
        return False


def with_signature(token: str, raw: bytes) -> str:
    return f"{token.rpartition('.')[0]}.{jose._encode(raw)}"


def signature_of(token: str) -> bytes:
    return jose._decode(token.rpartition(".")[2])


def changed_by_a_bit(token: str) -> Iterator[str]:
    """Every text that differs from ``token`` in one bit, as far as it is one."""
    for at, letter in enumerate(token):
        for bit in range(7):
            yield token[:at] + chr(ord(letter) ^ 1 << bit) + token[at + 1 :]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_token_is_verified_once(algorithm: str) -> None:
    key = watched(algorithm)
    token = signed(key)
    assert [accepts(key, token) for _ in range(3)] == [True] * 3
    assert key.verified == 1


def test_each_token_is_verified_by_itself() -> None:
    key = watched()
    one, other = signed(key), signed(key)  # the same claims, and another signature
    assert one != other
    assert accepts(key, one)
    assert accepts(key, other)
    assert key.verified == 2


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_one_bit_changed_anywhere_is_seen_in_a_token_that_is_known(algorithm: str) -> None:
    key = watched(algorithm)
    token = signed(key, typ="JWT")
    assert accepts(key, token)
    assert not [one for one in changed_by_a_bit(token) if accepts(key, one)]
    assert accepts(key, token)
    assert len(key.signatures) == 1


def test_letters_moved_from_one_part_to_the_next_are_seen() -> None:
    """Whatever is remembered has to know where the parts end."""
    key = watched()
    token = signed(key)
    assert accepts(key, token)
    header, payload, signature = token.split(".")
    for moved in (
        f"{header}.{payload}{signature[:4]}.{signature[4:]}",
        f"{header}.{payload[:-4]}.{payload[-4:]}{signature}",
        f"{header}{payload[:4]}.{payload[4:]}.{signature}",
        f"{header[:-4]}.{header[-4:]}{payload}.{signature}",
    ):
        assert moved not in key.signatures
        assert not accepts(key, moved)
    assert token in key.signatures


def test_a_signature_in_its_other_form_is_verified_by_itself() -> None:
    """Of an ECDSA signature (r, s) there is also (r, n - s), which anybody can make."""
    key = watched()
    token = signed(key)
    assert accepts(key, token)
    raw = signature_of(token)
    other = raw[:32] + (ORDER - int.from_bytes(raw[32:])).to_bytes(32)
    assert accepts(key, with_signature(token, other))
    assert key.verified == 2


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_signature_is_written_in_one_way(algorithm: str) -> None:
    """The last letter of base64 holds bits that mean nothing."""
    key = watched(algorithm)
    token = signed(key)
    alike = [
        one
        for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        if signature_of(one := token[:-1] + letter) == signature_of(token)
    ]
    assert len(alike) > 1
    assert [one for one in alike if accepts(key, one)] == [token]


def test_what_is_no_signature_of_a_curve_is_refused() -> None:
    key = watched()
    token = signed(key)
    r, s = signature_of(token)[:32], signature_of(token)[32:]
    for raw in (r + s + b"\0", r, bytes(64), r + bytes(32), r + (ORDER).to_bytes(32)):
        assert not accepts(key, with_signature(token, raw))
    assert accepts(key, token)


def test_what_is_refused_is_not_remembered() -> None:
    key = watched()
    token = signed(key)
    forged = with_signature(token, bytes(64))
    for _ in range(2):
        assert not accepts(key, forged)
    assert key.verified == 2
    assert len(key.signatures) == 0


def test_what_one_key_knows_another_does_not() -> None:
    mine, other = watched(), Watched(jose.make_key("ES256"), "ES256")
    token = signed(mine)
    assert accepts(mine, token)
    assert not accepts(other, token)
    assert other.verified == 1


def test_a_known_token_is_held_against_the_algorithm_of_the_key() -> None:
    """Were it remembered, by mistake, under a key for something else."""
    mine, other = watched("RS256"), watched("PS256")
    token = signed(mine)
    other.signatures.remember(token)
    assert not accepts(other, token)
    assert accepts(mine, token)


def test_the_oldest_are_forgotten_first() -> None:
    some = Signatures(most=6)
    for number in range(10):
        some.remember(f"token {number}")
        assert f"token {number}" in some
        assert len(some) <= 6
    known = [number for number in range(10) if f"token {number}" in some]
    assert known == list(range(known[0], 10))
    assert len(known) >= 3


def test_no_token_is_kept_itself() -> None:
    some = Signatures()
    some.remember("a secret")
    assert "a secret" in some
    assert "a secret" not in repr(vars(some))


def test_threads_share_it_and_it_stays_bounded() -> None:
    some = Signatures(most=8)

    def use(thread: int) -> int:
        known = 0
        for number in range(2000):
            some.remember(f"{thread} {number}")
            known += f"{thread} {number}" in some
            assert f"{thread} {number + 1}" not in some
        return known

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(use, range(4)))
    assert all(found)
    assert len(some) <= 8 + 4
