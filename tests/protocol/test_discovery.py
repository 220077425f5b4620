"""The metadata document says what the tuples say, in registered names only."""

import json
from dataclasses import fields
from typing import Any

import pytest

from idp.protocol.capabilities import Capabilities
from idp.protocol.discovery import REGISTERED_NAMES, Endpoints, provider_metadata

ISSUER = "https://idp.example"
ENDPOINTS = Endpoints(
    authorization="/oauth/authorize",
    token="/oauth/token",
    userinfo="/oauth/userinfo",
    jwks="/oauth/jwks",
)
ALL_ENDPOINTS = Endpoints(**{one.name: f"/oauth/{one.name}" for one in fields(Endpoints)})
EVERYTHING: dict[str, Any] = {
    one.name: True if one.type is bool else ("x",) for one in fields(Capabilities)
}
ALL_CAPABILITIES = Capabilities(**EVERYTHING)


def document(capabilities: Capabilities | None = None, endpoints: Endpoints = ENDPOINTS, **more):
    return provider_metadata(
        issuer=ISSUER, endpoints=endpoints, capabilities=capabilities or Capabilities(), **more
    )


def test_what_a_relying_party_looks_for_first():
    found = document(Capabilities(acr_values=("urn:idp:acr:1fa", "phr")))
    assert found["issuer"] == ISSUER
    assert found["authorization_endpoint"] == "https://idp.example/oauth/authorize"
    assert found["token_endpoint"] == "https://idp.example/oauth/token"
    assert found["userinfo_endpoint"] == "https://idp.example/oauth/userinfo"
    assert found["jwks_uri"] == "https://idp.example/oauth/jwks"
    assert found["response_types_supported"] == ["code"]
    assert found["subject_types_supported"] == ["public"]
    assert found["acr_values_supported"] == ["urn:idp:acr:1fa", "phr"]
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["claims_parameter_supported"] is True
    assert found["authorization_response_iss_parameter_supported"] is True
    assert "RS256" in found["id_token_signing_alg_values_supported"]
    assert {"sub", "acr", "email", "groups"} <= set(found["claims_supported"])


def test_what_defaults_to_yes_is_said_when_it_is_no():
    assert document()["request_uri_parameter_supported"] is False
    assert document()["request_parameter_supported"] is False


def test_what_is_not_there_is_not_mentioned():
    found = document()
    for name in (
        *("registration_endpoint", "introspection_endpoint", "acr_values_supported"),
        *("userinfo_signing_alg_values_supported", "backchannel_logout_supported"),
        *("dpop_signing_alg_values_supported", "revocation_endpoint_auth_methods_supported"),
    ):
        assert name not in found
    assert [] not in found.values()


def test_every_capability_and_endpoint_is_said_in_registered_names():
    found = document(ALL_CAPABILITIES, ALL_ENDPOINTS)
    assert set(found) <= REGISTERED_NAMES
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize("field", [one.name for one in fields(Capabilities)])
def test_no_capability_is_forgotten(field):
    changed: dict[str, Any] = {field: EVERYTHING[field]}
    assert document(Capabilities(**changed)) != document()


@pytest.mark.parametrize("field", [one.name for one in fields(Endpoints)])
def test_no_endpoint_is_forgotten(field):
    assert f"{ISSUER}/oauth/{field}" in document(endpoints=ALL_ENDPOINTS).values()


def test_an_issuer_with_a_path_or_a_slash_is_repeated_as_it_is():
    found = provider_metadata(
        issuer="https://example.com/idp/", endpoints=ENDPOINTS, capabilities=Capabilities()
    )
    assert found["issuer"] == "https://example.com/idp/"
    assert found["token_endpoint"] == "https://example.com/idp/oauth/token"


def test_introspection_is_not_for_those_who_cannot_authenticate():
    found = document(endpoints=ALL_ENDPOINTS)
    assert "none" in found["revocation_endpoint_auth_methods_supported"]
    assert "none" not in found["introspection_endpoint_auth_methods_supported"]


def test_more_may_be_added_in_registered_names_only():
    assert document(extra={"op_tos_uri": "https://idp.example/terms"})["op_tos_uri"]
    with pytest.raises(ValueError, match="not registered metadata"):
        document(extra={"gatehouse_version": "1"})
