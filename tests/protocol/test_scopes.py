"""Scopes: their order, their claims, their sentences."""

import pytest

from idp.protocol.scopes import (
    SCOPE_NAMES,
    SCOPES,
    claims_of,
    parse_scope,
    scope_of_claim,
    sentence,
)


def test_the_scopes_in_order():
    assert (
        *("openid", "profile", "email", "address", "phone", "offline_access", "groups"),
    ) == SCOPE_NAMES


def test_profile_gives_its_fourteen_claims():
    assert len(claims_of(["profile"])) == 14


@pytest.mark.parametrize(
    ("scope", "claims"),
    [
        pytest.param("openid", (), id="openid gives nothing of the person"),
        pytest.param("email", ("email", "email_verified"), id="email"),
        pytest.param("address", ("address",), id="address"),
        pytest.param("phone", ("phone_number", "phone_number_verified"), id="phone"),
        pytest.param("groups", ("groups",), id="groups"),
        pytest.param("offline_access", (), id="offline_access gives no claim"),
        pytest.param("orders:write", (), id="a scope of an API gives no claim"),
    ],
)
def test_a_scope_gives_its_claims(scope, claims):
    assert claims_of([scope]) == claims


def test_every_scope_has_a_sentence_for_the_person():
    assert all(sentence(scope.name) == scope.sentence != "" for scope in SCOPES)
    assert sentence("orders:write") is None


def test_a_claim_knows_its_scope_with_and_without_a_language():
    assert scope_of_claim("name") == scope_of_claim("name#ja") == "profile"
    assert scope_of_claim("acr") is None


@pytest.mark.parametrize(
    ("text", "scopes"),
    [
        pytest.param("openid email", ("openid", "email"), id="in order"),
        pytest.param("email openid email", ("email", "openid"), id="each once"),
        pytest.param("  openid  email ", ("openid", "email"), id="spaces do not count"),
        pytest.param("", (), id="empty"),
        pytest.param("api:read urn:x", ("api:read", "urn:x"), id="any scope token"),
    ],
)
def test_a_scope_parameter_is_read(text, scopes):
    assert parse_scope(text) == scopes


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('a"b', id="a quotation mark"),
        pytest.param("a\\b", id="a backslash"),
        pytest.param("ä", id="a letter outside ASCII"),
        pytest.param("a\tb", id="a tab"),
    ],
)
def test_what_is_no_scope_token_is_refused(text):
    with pytest.raises(ValueError, match="scope"):
        parse_scope(text)
