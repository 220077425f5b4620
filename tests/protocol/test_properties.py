"""What holds for any authorization request whatever."""

from hypothesis import given
from hypothesis import strategies as st

from idp.protocol.authorization import identify, parse_authorization_request, reply_to
from idp.protocol.errors import ERROR_CODES, OAuthError
from idp.protocol.parameters import Parameters
from idp.protocol.redirect_uris import is_registered
from idp.protocol.responses import AuthorizationResponse
from idp.protocol.vocabulary import Prompt
from tests.protocol.attempts import attempt
from tests.protocol.test_authorization import CODE_CLIENT, EVERY_FLOW, EVERYTHING, GOOD

NAMES = [
    *GOOD,
    *("response_mode", "prompt", "max_age", "claims", "acr_values", "ui_locales", "display"),
    *("login_hint", "id_token_hint", "resource", "request", "request_uri", "registration"),
    *("authorization_details", "claims_locales"),
]
VALUES = st.one_of(
    st.text(),
    st.text(st.characters(exclude_categories=())),
    st.integers().map(str),
    st.sampled_from(
        [
            *GOOD.values(),
            *("query", "fragment", "form_post", "none", "login", "create", "0", "-1"),
            *("id_token", "code id_token", "token", '{"id_token": {"acr": null}}', "[]", "{}"),
        ]
    ),
)
CLIENTS = st.sampled_from([CODE_CLIENT, EVERY_FLOW])
ANY_REQUEST = st.lists(st.tuples(st.sampled_from(NAMES) | st.text(), VALUES), max_size=12)
NEARLY_GOOD = st.builds(
    lambda changes, more: [*{**GOOD, **changes}.items(), *more],
    st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=3),
    st.lists(st.tuples(st.sampled_from(NAMES) | st.text(), VALUES), max_size=1),
)
REQUESTS = (ANY_REQUEST | NEARLY_GOOD).map(Parameters.of)


@given(REQUESTS, CLIENTS)
def test_it_is_parsed_or_refused_and_nothing_else(parameters, metadata):
    request = attempt(lambda: parse_authorization_request(parameters, metadata, EVERYTHING))
    if isinstance(request, OAuthError):
        assert request.error in ERROR_CODES
        return
    assert is_registered(request.redirect_uri, metadata.redirect_uris)
    assert request.response_type in metadata.response_types
    assert set(request.scopes) <= set(metadata.scope)
    assert request.max_age is None or request.max_age >= 0
    assert Prompt.NONE not in request.prompts or len(request.prompts) == 1
    assert request.code_challenge or not request.wants_code
    assert request.nonce or not request.wants_id_token
    assert request.response_mode != "query" or not (request.wants_token or request.wants_id_token)


@given(REQUESTS, CLIENTS)
def test_an_error_that_may_travel_has_an_address_that_was_registered(parameters, metadata):
    refused = attempt(lambda: parse_authorization_request(parameters, metadata, EVERYTHING))
    if not isinstance(refused, OAuthError) or not refused.redirectable:
        return
    to = reply_to(parameters, metadata, EVERYTHING)
    assert is_registered(to.redirect_uri, metadata.redirect_uris)
    assert AuthorizationResponse.failure(to, refused, issuer="https://idp.example")


@given(REQUESTS, CLIENTS)
def test_what_was_accepted_goes_back_where_an_error_would_have_gone(parameters, metadata):
    request = attempt(lambda: parse_authorization_request(parameters, metadata, EVERYTHING))
    if not isinstance(request, OAuthError):
        assert request.reply_to == reply_to(parameters, metadata, EVERYTHING)


@given(REQUESTS)
def test_naming_the_client_fails_only_on_our_own_page(parameters):
    named = attempt(lambda: identify(parameters))
    assert named
    assert isinstance(named, str) or not named.redirectable
