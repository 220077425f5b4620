"""Direct requests: a form, in the body, each parameter once, and of a size that has a bound."""

from io import BytesIO
from urllib.parse import parse_qsl, urlencode

import pytest
from werkzeug.test import TestResponse

from idp.audit import Context
from idp.oidc.direct import FORM, MAX_BODY, Direct, read_form
from idp.protocol.errors import OAuthError
from tests.helpers.clock import NOON
from tests.oidc.desk import Desk, code_form

TOKEN = "/oauth/token"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        pytest.param("", "invalid_request", id="nothing"),
        pytest.param("grant_type=", "invalid_request", id="an empty grant_type"),
        pytest.param("grant_type=password", "unsupported_grant_type", id="the password grant"),
        pytest.param("grant_type=%22%5C", "unsupported_grant_type", id="no word at all"),
        pytest.param("code=a&code=b", "invalid_request", id="a parameter twice"),
        pytest.param("code=a&code=", "invalid_request", id="twice, once empty"),
        pytest.param("odd=1&odd=1", "invalid_request", id="an unknown parameter twice"),
        pytest.param("code=%00", "invalid_request", id="NUL"),
        pytest.param("a%00=b", "invalid_request", id="NUL in a name"),
        pytest.param("code=%ff", "invalid_request", id="not UTF-8"),
        pytest.param(b"code=\xff", "invalid_request", id="not UTF-8 and not encoded"),
        pytest.param("&".join(f"a{n}=1" for n in range(101)), "invalid_request", id="too many"),
        pytest.param('{"grant_type": "x"}', "invalid_request", id="JSON called a form"),
    ],
)
def test_a_form_out_of_form_is_refused_as_json(desk: Desk, body: str | bytes, error: str):
    response = desk.post(TOKEN, body)
    assert (response.status_code, response.json()["error"]) == (400, error)
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("", id="nothing"),
        pytest.param("a=1&b=2&a=3", id="plain pairs, one twice"),
        pytest.param("a=&b&=c&&=", id="blanks and no equals signs"),
        pytest.param("a=b=c&d==", id="more equals signs than one"),
        pytest.param("a+b=c+d&e=%2B%20", id="spaces and plus signs"),
        pytest.param("a=%zz&b=%&c=%4", id="percent signs that say nothing"),
        pytest.param("n%C3%A4me=Zo%C3%AB%E2%98%83&x=ë", id="text beyond ASCII"),
        pytest.param("a;b=c;d&e#f?g=h", id="other separators"),
    ],
)
def test_a_form_is_read_as_the_standard_library_reads_it(body: str):
    """Only sooner, where nothing is encoded."""
    direct = Direct(
        method="POST",
        path=TOKEN,
        content_type=FORM,
        authorization=None,
        query="",
        body=body.encode(),
        context=Context(at=NOON),
    )
    expected: dict[str, list[str]] = {}
    for name, value in parse_qsl(body, keep_blank_values=True, errors="strict"):
        expected.setdefault(name, []).append(value)
    once = {name: tuple(values) for name, values in expected.items()}
    if any(len(values) > 1 for values in once.values()):
        with pytest.raises(OAuthError, match="more than once"):
            read_form(direct)
    else:
        assert dict(read_form(direct).values) == once


def test_a_body_beyond_the_bound_is_refused(desk: Desk):
    response = desk.post(TOKEN, "code=" + "a" * MAX_BODY)
    assert (response.status_code, response.json()["error"]) == (413, "invalid_request")


def in_chunks(desk: Desk, body: bytes) -> TestResponse:
    """As a server hands it over that came without its length: to be read to its end."""
    return desk.app.test_client().post(
        TOKEN,
        input_stream=BytesIO(body),
        headers={"Transfer-Encoding": "chunked"},
        content_type="application/x-www-form-urlencoded",
        base_url=desk.settings.issuer,
        environ_overrides={"wsgi.input_terminated": True},
    )


def test_what_comes_in_chunks_is_refused_beyond_it_and_not_cut_off(desk: Desk):
    party = desk.client(token_endpoint_auth_method="none")
    honest = urlencode({**code_form(desk.code(party)), "client_id": party.client_id}).encode()
    assert in_chunks(desk, honest).status_code == 200
    again = urlencode({**code_form(desk.code(party)), "client_id": party.client_id}).encode()
    padded = again + b"&a=".ljust(MAX_BODY, b"a")
    assert in_chunks(desk, padded).status_code == 413


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data", "text/plain"])
def test_only_a_form_is_a_form(desk: Desk, content_type: str):
    response = desk.post(TOKEN, {"grant_type": "x"}, headers={"Content-Type": content_type})
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


def test_a_charset_beside_the_type_does_no_harm(desk: Desk):
    party = desk.client(token_endpoint_auth_method="none")
    form = {**code_form(desk.code(party)), "client_id": "shop"}
    kind = "application/x-www-form-urlencoded; charset=UTF-8"
    assert desk.post(TOKEN, form, headers={"Content-Type": kind}).status_code == 200


def test_the_query_cannot_win_over_the_body(desk: Desk):
    party = desk.client(token_endpoint_auth_method="none")
    form = {**code_form(desk.code(party)), "client_id": "shop"}
    query = "?grant_type=refresh_token&code=nonsense&client_id=rival"
    assert desk.post(TOKEN + query, form).status_code == 200


@pytest.mark.parametrize("missing", ["grant_type", "code"])
def test_what_must_be_there_is_missed(desk: Desk, missing: str):
    party = desk.client()
    code = desk.code(party)
    response = party.token_request(**code_form(code, **{missing: None}))
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")
    assert party.token_request(**code_form(code)).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"code_verifier": None}, id="no verifier"),
        pytest.param({"code_verifier": "short"}, id="a verifier too short"),
        pytest.param({"code_verifier": "x" * 43}, id="another verifier"),
        pytest.param({"redirect_uri": None}, id="no redirect_uri"),
        pytest.param({"redirect_uri": "https://evil.example/"}, id="another redirect_uri"),
        pytest.param({"code": "nonsense"}, id="another code"),
    ],
)
def test_what_does_not_fit_the_code_is_an_invalid_grant(desk: Desk, changes: dict[str, str | None]):
    party = desk.client()
    code = desk.code(party)
    response = party.token_request(**code_form(code, **changes))
    assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")
    assert party.token_request(**code_form(code)).status_code == 200


def test_a_grant_type_that_the_client_did_not_register_is_unauthorized(desk: Desk):
    party = desk.client(grant_types=["authorization_code"])
    response = party.token_request(grant_type="refresh_token", refresh_token="x")
    assert (response.status_code, response.json()["error"]) == (400, "unauthorized_client")


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/introspect", "/oauth/revoke"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_other_methods_are_not_allowed(desk: Desk, path: str, method: str):
    assert desk.http.request(method, path).status_code == 405


@pytest.mark.parametrize("path", ["/oauth/introspect", "/oauth/revoke"])
def test_a_token_has_to_be_there(desk: Desk, path: str):
    response = desk.client().post(f"https://id.example.com{path}", {"token_type_hint": "x"})
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")
