"""The claims parameter, and what of a person leaves the house."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol.claims import (
    MAX_CLAIMS_TEXT,
    PERSONAL_CLAIMS,
    RESERVED_CLAIMS,
    ClaimRequest,
    ClaimsRequest,
    select_claims,
)
from idp.protocol.errors import OAuthError
from idp.protocol.scopes import SCOPE_NAMES
from tests.protocol.attempts import attempt

ALICE = {
    "name": "Alice Adler",
    "family_name": "Adler",
    "given_name": "Alice",
    "middle_name": "B.",
    "nickname": "Ali",
    "preferred_username": "alice",
    "profile": "https://alice.example/",
    "picture": "https://alice.example/me.png",
    "website": "https://alice.example/",
    "gender": "female",
    "birthdate": "1980-02-29",
    "zoneinfo": "Europe/Vienna",
    "locale": "de-AT",
    "updated_at": 0,
    "email": "alice@example.com",
    "email_verified": False,
    "phone_number": "+43 1 234",
    "phone_number_verified": True,
    "address": {"locality": "Wien", "country": "AT", "region": "", "planet": "Earth"},
    "groups": ["staff"],
}


def parse(value: object) -> ClaimsRequest:
    return ClaimsRequest.parse(json.dumps(value))


class TestTheClaimsParameter:
    def test_is_read_for_both_places(self):
        request = parse({"userinfo": {"name": None}, "id_token": {"email": {"essential": True}}})
        assert request.userinfo == {"name": ClaimRequest()}
        assert request.id_token == {"email": ClaimRequest(essential=True)}

    def test_says_which_acr_is_wanted_and_how_much(self):
        request = parse({"id_token": {"acr": {"essential": True, "values": ["phr", "2"]}}})
        assert request.acr_values == ("phr", "2")
        assert request.acr_is_essential

    def test_a_single_acr_value_stands_before_the_others(self):
        request = parse({"id_token": {"acr": {"value": "phr", "values": ["2"]}}})
        assert request.acr_values == ("phr", "2")
        assert not request.acr_is_essential

    def test_an_acr_asked_for_at_userinfo_is_not_a_demand(self):
        request = parse({"userinfo": {"acr": {"essential": True, "value": "phr"}}})
        assert request.acr_values == ()
        assert not request.acr_is_essential

    def test_names_the_subject_it_insists_on(self):
        assert parse({"id_token": {"sub": {"value": "u1"}}}).subject == "u1"
        assert parse({"id_token": {"sub": None}}).subject is None

    def test_ignores_members_that_are_not_ours(self):
        request = parse({"other": 1, "userinfo": {"name": {"essential": False, "purpose": "x"}}})
        assert request.userinfo == {"name": ClaimRequest()}
        assert request.id_token == {}

    def test_may_be_laid_out_over_lines(self):
        assert ClaimsRequest.parse('{\n\t"userinfo": {"name": null}\r\n}').userinfo

    def test_cannot_be_changed_afterwards(self):
        request = parse({"id_token": {"acr": {"values": ["phr"]}}})
        with pytest.raises(TypeError):
            request.id_token["acr"] = ClaimRequest()  # type: ignore[index]

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("", id="nothing"),
            pytest.param("{", id="not JSON"),
            pytest.param("[]", id="an array"),
            pytest.param("null", id="null"),
            pytest.param('{"userinfo": null}', id="a place that is null"),
            pytest.param('{"userinfo": ["name"]}', id="a place that is an array"),
            pytest.param('{"userinfo": {"name": true}}', id="a claim that is neither"),
            pytest.param('{"userinfo": {"name": {"essential": "true"}}}', id="essential as text"),
            pytest.param('{"userinfo": {"name": {"essential": 1}}}', id="essential as a number"),
            pytest.param('{"userinfo": {"name": {"values": "a"}}}', id="values that are no array"),
            pytest.param('{"id_token": {"acr": {"values": [2]}}}', id="an acr that is a number"),
            pytest.param('{"id_token": {"sub": {"value": 7}}}', id="a sub that is a number"),
            pytest.param('{"id_token": {}, "id_token": {"acr": null}}', id="a place named twice"),
            pytest.param('{"userinfo": {"a": null, "a": null}}', id="a claim named twice"),
            pytest.param('{"userinfo": {"a": {"value": NaN}}}', id="not a number"),
            pytest.param('{"userinfo": {"a": {"value": 1e999}}}', id="an endless number"),
            pytest.param('{"userinfo": {"a": {"value": "\\u0000"}}}', id="an escaped NUL"),
            pytest.param('{"userinfo": {"a": {"value": "\\ud800"}}}', id="half a character"),
            pytest.param('{"userinfo": {"a\\u0000": null}}', id="a NUL in a name"),
            pytest.param("\x00{}", id="a NUL outside"),
            pytest.param('{"userinfo": {"a": {"value": ' + "[" * 9 + "]" * 9 + "}}}", id="depth"),
            pytest.param("[" * 4000, id="depth that would end the stack"),
            pytest.param('{"a": "' + "x" * MAX_CLAIMS_TEXT + '"}', id="length"),
            pytest.param('{"a": ' + "9" * 5000 + "}", id="a number of 5000 digits"),
            pytest.param(
                json.dumps({"userinfo": {f"c{n}": None for n in range(65)}}), id="65 claims"
            ),
        ],
    )
    def test_is_refused_as_an_invalid_request(self, text):
        with pytest.raises(OAuthError) as refused:
            ClaimsRequest.parse(text)
        assert refused.value.error == "invalid_request"
        assert refused.value.redirectable

    def test_64_claims_are_fine(self):
        assert len(parse({"userinfo": {f"c{n}": None for n in range(64)}}).userinfo) == 64

    def test_cannot_reach_the_claims_of_a_scope_the_client_is_not_registered_for(self):
        request = parse({"userinfo": {"groups": None, "name": None, "acr": None}})
        permitted = request.permitted(["openid", "profile"])
        assert list(permitted.userinfo) == ["name", "acr"]


class TestSelectingClaims:
    def test_all_scopes_give_all_standard_claims_but_sub(self):
        given = select_claims(ALICE, scopes=SCOPE_NAMES)
        assert set(given) == set(ALICE) == set(PERSONAL_CLAIMS)
        assert len(PERSONAL_CLAIMS) == 19 + 1  # OIDC Core 5.1 without sub; groups

    def test_no_scope_gives_nothing(self):
        assert select_claims(ALICE, scopes=["openid", "offline_access", "orders:read"]) == {}

    def test_a_claim_asked_for_by_name_is_given_beside_the_scopes(self):
        given = select_claims(ALICE, scopes=["email"], requested={"nickname": ClaimRequest()})
        assert set(given) == {"email", "email_verified", "nickname"}

    def test_the_address_is_an_object_of_its_known_filled_members(self):
        assert select_claims(ALICE, scopes=["address"]) == {
            "address": {"locality": "Wien", "country": "AT"}
        }

    def test_false_zero_and_an_empty_list_of_groups_are_values(self):
        profile = {**ALICE, "groups": []}
        given = select_claims(profile, scopes=SCOPE_NAMES)
        assert given["email_verified"] is False
        assert given["updated_at"] == 0
        assert given["groups"] == []

    @pytest.mark.parametrize(
        ("profile", "scope"),
        [
            pytest.param({"name": None}, "profile", id="a claim that is None"),
            pytest.param({"name": ""}, "profile", id="a claim that is empty"),
            pytest.param({}, "profile", id="claims that are not there"),
            pytest.param({"address": {}}, "address", id="an empty address"),
            pytest.param({"address": {"country": ""}}, "address", id="an address of empty parts"),
            pytest.param({"address": "Wien"}, "address", id="an address that is no object"),
            pytest.param({"email_verified": True}, "email", id="verified, but no address"),
            pytest.param({"phone_number_verified": True}, "phone", id="verified, but no number"),
        ],
    )
    def test_nothing_is_given_for(self, profile, scope):
        assert select_claims(profile, scopes=[scope]) == {}

    def test_whether_the_email_is_verified_may_be_asked_alone(self):
        requested = {"email_verified": ClaimRequest()}
        assert select_claims(ALICE, scopes=[], requested=requested) == {"email_verified": False}

    def test_a_claim_in_a_language_is_given_by_its_own_name(self):
        profile = {**ALICE, "name#ja": "アリス"}
        requested = {"name#ja": ClaimRequest()}
        assert select_claims(profile, scopes=[], requested=requested) == {"name#ja": "アリス"}

    @pytest.mark.parametrize("name", sorted(RESERVED_CLAIMS))
    def test_profile_data_never_speaks_for_the_provider(self, name):
        profile = {**ALICE, name: "forged", f"{name}#en": "forged"}
        requested = {name: ClaimRequest(essential=True), f"{name}#en": ClaimRequest()}
        given = select_claims(profile, scopes=SCOPE_NAMES, requested=requested)
        assert "forged" not in given.values()

    def test_what_is_no_claim_of_a_person_stays_inside(self):
        profile = {**ALICE, "is_admin": True, "password_hash": "x"}
        requested = {"is_admin": ClaimRequest(), "password_hash": ClaimRequest()}
        assert select_claims(profile, scopes=[], requested=requested) == {}

    @given(
        st.dictionaries(
            st.one_of(st.text(), st.sampled_from([*ALICE, *RESERVED_CLAIMS])), st.none()
        )
    )
    def test_whatever_is_asked_for_by_name_no_reserved_claim_comes_out(self, requested):
        profile = dict.fromkeys([*requested, *ALICE], "x")
        asked = dict.fromkeys(requested, ClaimRequest())
        given = select_claims(profile, scopes=SCOPE_NAMES, requested=asked)
        assert RESERVED_CLAIMS.isdisjoint(name.partition("#")[0] for name in given)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(
    st.one_of(
        st.text(),
        JSON.map(json.dumps),
        st.fixed_dictionaries({"id_token": JSON, "userinfo": JSON}).map(json.dumps),
        st.dictionaries(st.text(), JSON).map(lambda named: json.dumps({"id_token": named})),
    )
)
def test_any_text_is_read_or_refused_as_an_invalid_request(text):
    read = attempt(lambda: ClaimsRequest.parse(text))
    if isinstance(read, OAuthError):
        assert read.error == "invalid_request"
    else:
        assert read.permitted(SCOPE_NAMES) == read
