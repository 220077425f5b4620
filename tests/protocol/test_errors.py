"""Errors carry registered codes and descriptions that fit their grammar."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol.errors import ERROR_CODES, OAuthError, not_redirectable

DESCRIPTION = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]*")


@pytest.mark.parametrize(
    "code",
    [
        "invalid_request",
        "unsupported_response_type",
        "login_required",
        "unmet_authentication_requirements",
        "insufficient_user_authentication",
        "request_uri_not_supported",
        "invalid_target",
    ],
)
def test_registered_codes_are_known(code):
    assert code in ERROR_CODES
    assert OAuthError(code, "Why.").error == code


def test_an_unregistered_code_is_our_own_mistake():
    with pytest.raises(ValueError, match="not a registered error code"):
        OAuthError("bad_request", "Why.")


@given(st.text())
def test_whatever_a_description_is_made_from_it_fits_the_grammar(text):
    assert DESCRIPTION.fullmatch(OAuthError("invalid_request", text).description)


def test_an_error_may_travel_unless_it_says_otherwise():
    assert OAuthError("invalid_scope", "Why.").redirectable
    assert not not_redirectable("invalid_request", "Why.").redirectable


def test_the_parameters_of_an_error_are_those_of_the_specification():
    error = OAuthError("invalid_scope", "Why.", uri="https://idp.example/help")
    assert error.parameters() == {
        "error": "invalid_scope",
        "error_description": "Why.",
        "error_uri": "https://idp.example/help",
    }
    assert OAuthError("invalid_scope", "Why.").parameters().keys() == {
        "error",
        "error_description",
    }
