"""Signing keys by command."""

from typing import Any

import pytest

from idp.services.jose import ALGORITHMS
from tests.cli.command import Command


@pytest.fixture
def keys(idp: Command) -> list[dict[str, Any]]:
    """The first keys."""
    idp.json("keys", "rotate")
    found: list[dict[str, Any]] = idp.json("keys", "list")
    return found


def test_none_yet_is_said(sqlite_idp: Command) -> None:
    assert "idp serve" in sqlite_idp.done("keys", "list")


def test_the_first_ones_sign_at_once(keys: list[dict[str, Any]]) -> None:
    assert {(key["algorithm"], key["state"]) for key in keys} == {
        (name, "signing") for name in ALGORITHMS
    }


def test_a_successor_waits_to_be_seen(idp: Command, keys: list[dict[str, Any]]) -> None:
    (successor,) = idp.json("keys", "rotate", "--algorithm", "ES256")
    assert successor["state"] == "waiting"
    assert len(idp.json("keys", "list")) == len(keys) + 1


def test_a_leaked_key_goes_at_once(idp: Command, keys: list[dict[str, Any]]) -> None:
    leaked = next(key["kid"] for key in keys if key["algorithm"] == "ES256")
    (successor,) = idp.json("keys", "rotate", "--algorithm", "ES256", "--at-once")
    assert successor["state"] == "signing"
    assert "no longer published" in idp.done("keys", "retire", leaked, "--at-once")
    assert leaked not in {key["kid"] for key in idp.json("keys", "list")}
    gone = {key["kid"]: key["state"] for key in idp.json("keys", "list", "--all")}
    assert gone[leaked] == "removed"


def test_the_only_key_is_not_retired(idp: Command, keys: list[dict[str, Any]]) -> None:
    assert "rotate first" in idp.refused("keys", "retire", keys[0]["kid"])
    assert "There is no published key x." in idp.refused("keys", "retire", "x")


@pytest.mark.usefixtures("keys")
def test_keys_sealed_by_another_deployment_are_told(sqlite_idp: Command) -> None:
    sqlite_idp.json("keys", "rotate")
    other = sqlite_idp.with_(IDP_KEYS="b3RoZXIga2V5IG90aGVyIGtleSBvdGhlciBrZXkgb3Q=")
    assert "cannot be read with the configured deployment keys" in other.refused("keys", "rotate")


@pytest.mark.usefixtures("keys")
def test_nothing_private_is_shown(idp: Command) -> None:
    told = idp.done("keys", "list", "--json", "--all") + idp.done("audit", "search", "--json")
    assert '"d"' not in told
    assert "private" not in told


def test_at_a_terminal_it_asks_before_tokens_are_worthless(sqlite_idp: Command) -> None:
    sqlite_idp.json("keys", "rotate")
    one, two, *_ = (key["kid"] for key in sqlite_idp.json("keys", "list"))
    sqlite_idp.json("keys", "rotate", "--at-once")
    retire = ("keys", "retire")
    assert sqlite_idp.at_terminal(*retire, one, "--at-once", typed="n\n").exit_code == 1
    assert one in {key["kid"] for key in sqlite_idp.json("keys", "list")}
    assert sqlite_idp.at_terminal(*retire, one, "--at-once", typed="y\n").exit_code == 0
    assert sqlite_idp.at_terminal(*retire, two, "--at-once", "--yes", typed="").exit_code == 0
    assert {one, two}.isdisjoint(key["kid"] for key in sqlite_idp.json("keys", "list"))
