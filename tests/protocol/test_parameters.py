"""Parameters as they came: once each, of sane size, of clean text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol.errors import OAuthError
from idp.protocol.parameters import MAX_PARAMETERS, Parameters
from tests.protocol.attempts import attempt

PAIRS = st.lists(st.tuples(st.text(), st.text()))


def test_a_value_is_found_by_its_name():
    assert Parameters.of([("a", "1"), ("b", "2")]).get("b") == "2"


def test_an_empty_value_counts_as_absent():
    assert Parameters.of([("a", "")]).get("a") is None
    assert Parameters.of([("resource", ""), ("resource", "x")]).all("resource") == ("x",)


@given(PAIRS)
def test_its_length_is_that_of_all_that_was_sent(pairs):
    assert Parameters.of(pairs).length == sum(len(name) + len(value) for name, value in pairs)


def test_a_repeated_parameter_has_no_value():
    parameters = Parameters.of([("a", "1"), ("a", "1")])
    with pytest.raises(OAuthError, match="more than once"):
        parameters.get("a")
    assert parameters.clean("a") is None


@pytest.mark.parametrize(
    ("name", "value", "fits"),
    [
        pytest.param("state", "s" * 4096, True, id="a state of 4 kB"),
        pytest.param("state", "s" * 4097, False, id="a longer state"),
        pytest.param("nonce", "n" * 1024, True, id="a nonce of 1 kB"),
        pytest.param("nonce", "n" * 1025, False, id="a longer nonce"),
        pytest.param("whatever", "w" * 2048, True, id="an unknown parameter of 2 kB"),
        pytest.param("whatever", "w" * 2049, False, id="a longer unknown parameter"),
        pytest.param("n" * 2049, "", False, id="a name without end"),
        pytest.param("state", "ünïcödé ☂", True, id="letters of every script"),
        pytest.param("state", "a\x00b", False, id="a NUL"),
        pytest.param("state", "a\r\nb", False, id="a line end"),
        pytest.param("state", "a\x7fb", False, id="a delete"),
        pytest.param("state", "a\x85b", False, id="a C1 control"),
        pytest.param("state", "a\ud800b", False, id="half a character"),
        pytest.param("whatever", "a\x00b", False, id="a NUL in an unknown parameter"),
        pytest.param("a\x00", "b", False, id="a NUL in a name"),
        pytest.param("claims", "{\r\n\t}", True, id="claims over lines"),
        pytest.param("claims", "{\x00}", False, id="claims with a NUL"),
    ],
)
def test_a_value_is_of_sane_size_and_clean_text(name, value, fits):
    parameters = Parameters.of([(name, value)])
    if fits:
        parameters.check_form()
    else:
        with pytest.raises(OAuthError) as refused:
            parameters.check_form()
        assert refused.value.error == "invalid_request"
        assert parameters.clean(name) is None


def test_only_resource_may_be_repeated():
    Parameters.of([("resource", "a"), ("resource", "b")]).check_form()
    for name in ("state", "scope", "nonce", "ui_locales", "audience", "unknown"):
        with pytest.raises(OAuthError, match="more than once"):
            Parameters.of([(name, "a"), (name, "b")]).check_form()


def test_an_empty_repetition_is_still_a_repetition():
    with pytest.raises(OAuthError, match="more than once"):
        Parameters.of([("state", "a"), ("state", "")]).check_form()


@pytest.mark.parametrize(
    "pairs",
    [
        pytest.param([(f"p{n}", "") for n in range(MAX_PARAMETERS + 1)], id="too many names"),
        pytest.param([("resource", "")] * (MAX_PARAMETERS + 1), id="one name too often"),
        pytest.param([("request", "x" * 65536)], id="too much text"),
    ],
)
def test_a_request_that_is_too_large_is_not_even_looked_at(pairs):
    with pytest.raises(OAuthError, match="too large") as refused:
        Parameters.of(pairs).check_size()
    assert not refused.value.redirectable


def test_a_message_does_not_repeat_a_name_that_was_made_up():
    with pytest.raises(OAuthError) as refused:
        Parameters.of([("<script>", "a"), ("<script>", "b")]).check_form()
    assert "script" not in refused.value.description


def test_what_was_resolved_can_be_taken_out():
    left = Parameters.of([("request_uri", "urn:x"), ("client_id", "c")]).without("request_uri")
    assert left == Parameters.of([("client_id", "c")])


@given(PAIRS)
def test_they_survive_being_stored(pairs):
    parameters = Parameters.of(pairs)
    assert Parameters.from_json(parameters.to_json()) == parameters


@given(PAIRS)
def test_any_pairs_are_checked_with_no_other_exception(pairs):
    for check in (Parameters.of(pairs).check_size, Parameters.of(pairs).check_form):
        refused = attempt(check)
        assert refused is None or refused.error == "invalid_request"
