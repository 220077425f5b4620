"""What a person holds, and what would be left without one of it."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import combinations

import pytest

from idp.assurance import (
    MAILBOX,
    PASSWORD,
    RECOVERY_CODE,
    TOTP,
    Challenge,
    Demand,
    Evidence,
    Offer,
    Rung,
    Satisfied,
    Shown,
    account_floor,
    decide,
    passkey,
)
from idp.factors import build
from idp.models import Credential, User
from idp.services.holdings import Holdings
from tests.factors.storage import make_tools
from tests.helpers.clock import NOON

Way = tuple[str, ...]
USER = User(id="ann", email="ann@example.com", email_verified=True, disabled_at=None)
MISSING = User(id="ann", email="ann@example.com", email_verified=False, disabled_at=None)
_KEY = {"attested_by": None, "aaguid": ""}
_DATA = {
    "passkey": {"uv": True, "be": True, "bs": True, **_KEY},
    "key": {"uv": False, "be": False, "bs": False, **_KEY},
}


@pytest.fixture
def holdings() -> Holdings:
    tools = make_tools()
    return Holdings(tools.settings, build(tools))


def held(*names: str) -> list[Credential]:
    """One credential a name; "key" is a passkey that verifies nobody."""
    return [
        Credential(
            id=f"{name}{number}",
            user_id="ann",
            kind="passkey" if name == "key" else name,
            label=None,
            data=_DATA.get(name, {}),
            created_at=NOON,
            used_at=None,
        )
        for number, name in enumerate(names)
    ]


def proved(*shown: tuple[str, Shown]) -> list[Evidence]:
    return [
        Evidence(
            method=method,
            credential_id=None,
            proves=one.proves,
            amr=one.amr,
            at=NOON + timedelta(seconds=place),
            transaction_id="t",
        )
        for place, (method, one) in enumerate(shown)
    ]


BY_MAIL = ("magic_link",)
PASSWORD_OR_MAIL = (("password",), BY_MAIL)
LOSSES = {
    "the only password": (["password"], USER, (True, (BY_MAIL,), False, None)),
    "one of two ways": (["passkey", "password"], USER, (False, PASSWORD_OR_MAIL, True, 15)),
    "one of two passkeys": (
        ["passkey", "passkey"],
        USER,
        (False, (("passkey",),), False, None),
    ),
    "the only passkey, no password": (["passkey"], USER, (True, (BY_MAIL,), True, None)),
    "the app beside a password": (["totp", "password"], USER, (False, PASSWORD_OR_MAIL, True, 15)),
    "the app beside a password and a passkey": (
        ["totp", "password", "passkey"],
        USER,
        (False, (("passkey",),), False, None),
    ),
    "the passkey beside a password and an app": (
        ["passkey", "password", "totp"],
        USER,
        (False, (("password", "totp"), ("magic_link", "totp")), False, None),
    ),
    "the app beside a password and a key that verifies nobody": (
        ["totp", "password", "key"],
        USER,
        (False, (("password", "passkey"), ("passkey", "magic_link")), False, None),
    ),
    "the app of who signs in by mail": (["totp"], USER, (False, (BY_MAIL,), True, None)),
    "a password beside a passkey": (
        ["password", "passkey"],
        USER,
        (False, (("passkey",),), False, None),
    ),
    "a password beside an app": (
        ["password", "totp"],
        USER,
        (True, (("magic_link", "totp"),), False, None),
    ),
    "a key beside a password, no address": (
        ["key", "password"],
        MISSING,
        (False, (("password",),), True, 15),
    ),
}


@pytest.mark.parametrize(("names", "user", "expected"), LOSSES.values(), ids=LOSSES)
def test_what_is_left(
    holdings: Holdings,
    names: Sequence[str],
    user: User,
    expected: tuple[bool, tuple[tuple[str, ...], ...], bool, int | None],
) -> None:
    """The first of them is lost; codes that came with a second step do not count for one."""
    credentials = held(*names, "recovery_code")
    loss = holdings.loss(user, credentials[0], credentials)
    found = (loss.is_last_way, loss.ways, loss.ends_second_step, loss.password_minimum)
    assert found == expected


KINDS = ("password", "passkey", "key", "totp", "recovery_code")
SUBSETS = [names for size in range(len(KINDS) + 1) for names in combinations(KINDS, size)]


def sign_ins(offers: Sequence[Offer], demand: Demand, given: tuple[Offer, ...] = ()) -> set[Way]:
    """Every sequence of methods by which a sign-in with ``demand`` comes to its end."""
    shown = [(one.method, Shown(one.proves, ("any",))) for one in given]
    decision = decide(demand, proved(*shown), offers)
    if not isinstance(decision, Challenge):
        return {tuple(one.method for one in given)} if isinstance(decision, Satisfied) else set()
    asked = {choice.method for choice in decision.choices}
    left = [one for one in offers if one.method in asked and one not in given]
    return {way for one in left for way in sign_ins(offers, demand, (*given, one))}


@pytest.mark.parametrize("user", [USER, MISSING], ids=["a mailbox", "no mailbox"])
@pytest.mark.parametrize("names", SUBSETS, ids="+".join)
def test_what_is_said_to_be_a_way_is_one_and_none_is_left_out(
    holdings: Holdings, names: tuple[str, ...], user: User
) -> None:
    """Beside what a sign-in itself does, whatever she has."""
    credentials = held(*names)
    offers = holdings.offers(user, credentials)
    walked = sign_ins(offers, Demand(floor=account_floor(offers)))
    daily = {way for way in walked if "recovery_code" not in way}
    least = {frozenset(way) for way in daily}
    ways = holdings.ways(user, credentials)
    assert set(ways) <= daily
    assert {frozenset(way) for way in ways} == {
        one for one in least if not any(less < one for less in least)
    }
    by_code = holdings.way_by_code(user, credentials)
    codes = walked - daily
    assert by_code in codes if codes else by_code is None
    for lost in credentials:
        loss = holdings.loss(user, lost, credentials)
        opens = [way for way in loss.ways if {"password", "passkey"} & set(way)]
        assert not (loss.is_last_way and opens)
        assert loss.is_last_way or opens or not {"password", "passkey", "key"} & set(names)


STRONGEST = {
    "a password": (["password"], Rung.ONE_FACTOR),
    "a password and codes": (["password", "recovery_code"], Rung.MFA),
    "a password and an app": (["password", "totp"], Rung.MFA),
    "a passkey": (["passkey"], Rung.PHR),
    "a password and a key": (["password", "key"], Rung.PHR),
    "a mailbox and an app": (["totp"], Rung.SECOND_STEP),
    "nothing but a mailbox": ([], Rung.ONE_FACTOR),
}


@pytest.mark.parametrize(("names", "rung"), STRONGEST.values(), ids=STRONGEST)
def test_the_strongest_proof_she_can_give(
    holdings: Holdings, names: Sequence[str], rung: Rung
) -> None:
    assert holdings.strongest(USER, held(*names)) is rung


UV_PASSKEY = passkey(user_verified=True, backup_eligible=True, attested=False)
DEMANDED = {
    "a password alone": (proved(("password", PASSWORD)), Rung.PHR),
    "a code in place of what is lost": (
        proved(("password", PASSWORD), ("recovery_code", RECOVERY_CODE)),
        Rung.MFA,
    ),
    "a code alone opens nothing": (proved(("recovery_code", RECOVERY_CODE)), Rung.PHR),
    "a code, and the passkey after all": (
        proved(("recovery_code", RECOVERY_CODE), ("passkey", UV_PASSKEY)),
        Rung.PHR,
    ),
}


@pytest.mark.parametrize(("evidence", "rung"), DEMANDED.values(), ids=DEMANDED)
def test_what_a_change_is_asked_to_stand_on(
    holdings: Holdings, evidence: Sequence[Evidence], rung: Rung
) -> None:
    credentials = held("password", "passkey", "recovery_code")
    assert holdings.demanded(USER, credentials, evidence) is rung


MAILED = proved(("magic_link", MAILBOX), ("totp", TOTP))
BY_CODE = {
    "a password and an app": (proved(("password", PASSWORD), ("totp", TOTP)), Rung.MFA),
    "a mailbox and an app": (MAILED, Rung.SECOND_STEP),
    "the passkey": (proved(("passkey", UV_PASSKEY)), None),
    "a key that verifies nobody": (
        proved(("passkey", passkey(user_verified=False, backup_eligible=True, attested=False))),
        None,
    ),
    "a code already": (proved(("password", PASSWORD), ("recovery_code", RECOVERY_CODE)), None),
    "nothing": ([], None),
}


@pytest.mark.parametrize(("evidence", "rung"), BY_CODE.values(), ids=BY_CODE)
def test_what_a_change_would_stand_on_with_a_code(
    holdings: Holdings, evidence: Sequence[Evidence], rung: Rung | None
) -> None:
    """None where a code would not help, or leave no more than one step."""
    credentials = held("password", "passkey", "totp", "recovery_code")
    assert holdings.demanded_by_code(USER, credentials, evidence) is rung
    assert holdings.demanded_by_code(USER, credentials[:-1], evidence) is None


COMES_BACK = {
    "a password": (USER, ["password", "passkey", "recovery_code"], True),
    "the mailbox": (USER, ["passkey", "recovery_code"], True),
    "nothing but the passkey": (MISSING, ["passkey", "recovery_code"], False),
    "no codes": (USER, ["password", "passkey"], False),
}


@pytest.mark.parametrize(("user", "names", "expected"), COMES_BACK.values(), ids=COMES_BACK)
def test_who_could_come_in_anew_by_a_code(
    holdings: Holdings, user: User, names: Sequence[str], expected: bool
) -> None:
    assert holdings.comes_back_by_code(user, held(*names)) is expected


def test_only_codes_stand_in_for_a_lost_step(holdings: Holdings) -> None:
    assert holdings.last_resorts == ("recovery_code",)
