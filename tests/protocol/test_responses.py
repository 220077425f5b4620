"""An authorization response: where it goes and what is in it."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol.errors import OAuthError, not_redirectable
from idp.protocol.responses import AuthorizationResponse, ReplyTo

ISSUER = "https://idp.example"


def reply(mode="query", redirect_uri="https://app.example/cb", state: str | None = "s") -> ReplyTo:
    return ReplyTo(redirect_uri=redirect_uri, mode=mode, state=state)


def success(to: ReplyTo) -> AuthorizationResponse:
    return AuthorizationResponse.success(to, {"code": "c"}, issuer=ISSUER)


@pytest.mark.parametrize(
    ("registered", "mode", "url"),
    [
        pytest.param(
            "https://app.example/cb",
            "query",
            "https://app.example/cb?code=c&state=s&iss=https%3A%2F%2Fidp.example",
            id="in the query",
        ),
        pytest.param(
            "https://app.example/cb?dummy1=lorem&dummy2=ipsum",
            "query",
            "https://app.example/cb?dummy1=lorem&dummy2=ipsum"
            "&code=c&state=s&iss=https%3A%2F%2Fidp.example",
            id="behind the query that was registered",
        ),
        pytest.param(
            "https://app.example/cb?",
            "query",
            "https://app.example/cb?code=c&state=s&iss=https%3A%2F%2Fidp.example",
            id="behind an empty query",
        ),
        pytest.param(
            "https://app.example/cb?a=b",
            "fragment",
            "https://app.example/cb?a=b#code=c&state=s&iss=https%3A%2F%2Fidp.example",
            id="in the fragment",
        ),
        pytest.param(
            "com.example.app:/cb",
            "query",
            "com.example.app:/cb?code=c&state=s&iss=https%3A%2F%2Fidp.example",
            id="to a native application",
        ),
    ],
)
def test_the_address_to_redirect_to(registered, mode, url):
    assert success(reply(mode, registered)).url() == url


def test_a_form_post_has_no_address_but_has_its_parameters():
    response = success(reply("form_post"))
    assert response.parameters == {"code": "c", "state": "s", "iss": ISSUER}
    with pytest.raises(ValueError, match="posted"):
        response.url()


def test_without_a_state_none_is_sent():
    assert success(reply(state=None)).parameters == {"code": "c", "iss": ISSUER}


def test_a_parameter_of_the_answer_cannot_replace_state_or_iss():
    response = AuthorizationResponse.success(reply(), {"iss": "x", "state": "y"}, issuer=ISSUER)
    assert response.parameters == {"iss": ISSUER, "state": "s"}


def test_a_refusal_names_the_issuer_and_brings_the_state_back():
    error = OAuthError("access_denied", "You said no.")
    assert AuthorizationResponse.failure(reply(), error, issuer=ISSUER).parameters == {
        "error": "access_denied",
        "error_description": "You said no.",
        "state": "s",
        "iss": ISSUER,
    }


def test_an_error_that_must_stay_here_cannot_be_sent():
    error = not_redirectable("invalid_request", "redirect_uri is missing.")
    with pytest.raises(ValueError, match="must be shown here"):
        AuthorizationResponse.failure(reply(), error, issuer=ISSUER)


@pytest.mark.parametrize("parameters", [{"code": "c"}, {"code": "c", "iss": ""}])
def test_a_response_without_an_issuer_cannot_be_made(parameters):
    with pytest.raises(ValueError, match="iss"):
        AuthorizationResponse("https://app.example/cb", parameters, "query")


def test_a_response_in_an_unknown_mode_cannot_be_made():
    with pytest.raises(ValueError, match="response mode"):
        AuthorizationResponse("https://app.example/cb", {"iss": ISSUER}, "smoke")


def test_a_space_is_percent_encoded_so_that_every_decoder_reads_it():
    assert "state=a%20b%2Bc&" in success(reply(state="a b+c")).url()


@given(st.text(min_size=1), st.sampled_from(["query", "fragment"]))
def test_any_state_comes_back_as_it_was(state, mode):
    parts = urlsplit(success(reply(mode, state=state)).url())
    received = parts.query if mode == "query" else parts.fragment
    assert dict(parse_qsl(received))["state"] == state
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "https://app.example/cb"
