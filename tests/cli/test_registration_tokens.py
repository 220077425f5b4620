"""Tokens with which applications register themselves, made, listed and revoked by command."""

import pytest

from idp.audit import Context
from idp.services import registration_tokens
from tests.cli.command import Command, lines

MAKE = ("clients", "registration-token")
APP = {"redirect_uris": ["https://app.example/callback"]}


def is_good(idp: Command, token: str) -> bool:
    with idp.services() as services:
        return registration_tokens.is_good(token, services.clock())


def test_a_token_is_told_once_and_good_once_for_a_week(idp: Command) -> None:
    made = idp.json(*MAKE)
    assert is_good(idp, made["registration_token"])
    (listed,) = idp.json("clients", "registration-tokens")
    assert listed["uses_left"] == 1
    assert listed["prefix"] == made["registration_token"][:6]
    assert made["registration_token"] not in str(listed)
    assert (listed["expires_at"], listed["id"]) == (made["expires_at"], made["id"])


def test_how_often_and_how_long_can_be_said(sqlite_idp: Command) -> None:
    made = sqlite_idp.json(*MAKE, "--uses", "5", "--expires-in", "3600")
    assert made["uses_left"] == 5
    for wrong in (("--uses", "0"), ("--expires-in", "1"), ("--uses", "many")):
        sqlite_idp.misused(*MAKE, *wrong)


def test_it_is_said_when_it_would_do_nothing(sqlite_idp: Command) -> None:
    assert "It does nothing before" in sqlite_idp.done(*MAKE)
    on = sqlite_idp.with_(IDP_CLIENT_REGISTRATION="initial_token")
    assert "It does nothing before" not in on.done(*MAKE)


def test_a_token_is_revoked(idp: Command) -> None:
    made = idp.json(*MAKE)
    idp.done("clients", "revoke-registration-token", made["id"])
    assert not is_good(idp, made["registration_token"])
    assert idp.json("clients", "registration-tokens") == []
    refused = idp.refused("clients", "revoke-registration-token", made["id"])
    assert refused == f"There is no registration token {made['id']}."


def test_what_registered_itself_is_listed_as_such(sqlite_idp: Command) -> None:
    idp = sqlite_idp.with_(IDP_CLIENT_REGISTRATION="open")
    idp.done("clients", "add", "--redirect-uri", "https://shop.example/cb", "--id", "shop")
    with idp.services() as services:
        made = services.client_registration.register(APP, Context(at=services.clock()), token=None)
    listed = {one["client_id"]: one for one in idp.json("clients", "list")}
    assert listed["shop"]["managed_by"] == "command"
    assert "first_used_at" not in listed["shop"]
    shown = idp.json("clients", "show", made.client_id)
    assert (shown["managed_by"], shown["first_used_at"]) == ("registration", None)
    rows = {row[0]: row for row in lines(idp.done("clients", "list"))}
    assert "registration" in rows[made.client_id]


WRONG = {
    "how": ({"IDP_CLIENT_REGISTRATION": "yes"}, "client_registration: must be one of off"),
    "a page": ({"IDP_PRIVACY_URL": "privacy"}, "privacy_url: must be an address"),
    "a script": ({"IDP_TERMS_URL": "javascript:alert(1)"}, "terms_url: must be an address"),
}


@pytest.mark.parametrize(("settings", "why"), WRONG.values(), ids=WRONG)
def test_a_setting_that_makes_no_sense(
    sqlite_idp: Command, settings: dict[str, str], why: str
) -> None:
    assert why in sqlite_idp.with_(**settings).refused("clients", "list")
