"""Client authentication: one method at a time, the one that was registered, and no oracle."""

import base64

import httpx
import pytest

from tests.helpers.relying_party import asserting
from tests.helpers.signing import key_of, signed
from tests.oidc.desk import Desk, code_form, on_both


def basic(client_id: str | bytes, secret: str = "") -> dict[str, str]:
    raw = client_id if isinstance(client_id, bytes) else f"{client_id}:{secret}".encode()
    return {"Authorization": f"Basic {base64.b64encode(raw).decode()}"}


@on_both
@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "none"])
def test_the_registered_method_lets_a_client_in(desk: Desk, method: str):
    party = desk.client(token_endpoint_auth_method=method)
    assert party.token_request(**code_form(desk.code(party))).status_code == 200


@pytest.mark.parametrize(
    "registered", ["client_secret_basic", "client_secret_post", "none"], ids="registered {}".format
)
@pytest.mark.parametrize(
    "used", ["client_secret_basic", "client_secret_post", "none"], ids="used {}".format
)
def test_another_method_than_the_registered_one_is_refused(desk: Desk, registered: str, used: str):
    party = desk.client(token_endpoint_auth_method=registered)
    secret = party.client_secret or "x" * 43
    code = desk.code(party)
    form, headers = code_form(code), {}
    if used == "client_secret_basic":
        headers = basic("shop", secret)
    else:
        form["client_id"] = "shop"
    if used == "client_secret_post":
        form["client_secret"] = secret
    response = desk.post("/oauth/token", form, headers=headers)
    if registered == used:
        assert response.status_code == 200
    else:
        assert_refused(response)
        assert desk.events("client.authentication.refused")[0].data["reason"] == "method"
        assert party.token_request(**code_form(code)).status_code == 200


def assert_refused(response: httpx.Response) -> None:
    assert response.status_code == 401
    assert response.json() == {
        "error": "invalid_client",
        "error_description": "Client authentication failed.",
    }
    assert response.headers["WWW-Authenticate"] == (
        'Basic realm="https://id.example.com", charset="UTF-8"'
    )
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(basic("shop", "wrong"), id="a wrong secret"),
        pytest.param(basic("shop", ""), id="an empty secret"),
        pytest.param(basic(b"shop"), id="no colon"),
        pytest.param(basic("nobody", "wrong"), id="an unknown client"),
        pytest.param(basic(b"\xff\xfe:\xff"), id="not UTF-8"),
        pytest.param(basic("%ff", "%ff"), id="not UTF-8 once decoded"),
        pytest.param(basic("shop%00", "x"), id="NUL once decoded"),
        pytest.param({"Authorization": "Basic ***"}, id="not base64"),
        pytest.param({"Authorization": "Basic"}, id="nothing"),
        pytest.param({"Authorization": "Bearer abc"}, id="another scheme"),
        pytest.param({}, id="no credentials at all"),
    ],
)
def test_wrong_credentials_are_a_401_that_says_how(desk: Desk, headers: dict[str, str]):
    party = desk.client()
    code = desk.code(party)
    assert_refused(desk.post("/oauth/token", code_form(code), headers=headers))
    assert party.token_request(**code_form(code)).status_code == 200


def test_the_scheme_is_not_case_sensitive(desk: Desk):
    party = desk.client()
    form = code_form(desk.code(party))
    headers = basic("shop", party.client_secret or "")
    headers["Authorization"] = headers["Authorization"].replace("Basic", "bAsIc")
    assert desk.post("/oauth/token", form, headers=headers).status_code == 200


def test_both_halves_of_a_basic_header_are_form_encoded(desk: Desk):
    party = desk.client("my shop/1")
    form = code_form(desk.code(party))
    secret = party.client_secret or ""
    assert_refused(desk.post("/oauth/token", form, headers=basic("my shop%2", secret)))
    headers = basic("my+shop%2F1", secret)
    assert desk.post("/oauth/token", form, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "extra",
    [
        pytest.param({"client_secret": "SECRET"}, id="header and body"),
        pytest.param({"client_id": "shop", "client_secret": "SECRET"}, id="header and whole body"),
        pytest.param({"client_id": "rival"}, id="two names"),
    ],
)
def test_two_ways_at_once_are_refused(desk: Desk, extra: dict[str, str]):
    party = desk.client()
    secret = party.client_secret or ""
    extra = {name: value.replace("SECRET", secret) for name, value in extra.items()}
    code = desk.code(party)
    headers = basic("shop", secret)
    response = desk.post("/oauth/token", {**code_form(code), **extra}, headers=headers)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")
    honest = {**code_form(code), "client_id": "shop"}
    assert desk.post("/oauth/token", honest, headers=headers).status_code == 200


def test_an_empty_secret_in_the_body_counts_as_none(desk: Desk):
    party = desk.client(token_endpoint_auth_method="none")
    form = {**code_form(desk.code(party)), "client_id": "shop", "client_secret": ""}
    assert desk.post("/oauth/token", form).status_code == 200


def test_credentials_in_the_query_are_not_looked_at(desk: Desk):
    party = desk.client(token_endpoint_auth_method="client_secret_post")
    query = f"?client_id=shop&client_secret={party.client_secret}"
    assert_refused(desk.post(f"/oauth/token{query}", code_form(desk.code(party))))


@on_both
@pytest.mark.parametrize("then", ["disable", "rotate_secret", "delete"])
def test_what_is_done_to_a_client_counts_at_once(desk: Desk, then: str):
    party = desk.client()
    code = desk.code(party)
    with desk.rows():
        getattr(desk.services.client_registry, then)("shop", desk.context)
    assert_refused(party.token_request(**code_form(code)))


def test_why_is_in_the_audit_log_without_the_secret(desk: Desk):
    desk.client()
    desk.post("/oauth/token", {}, headers=basic("shop", "very-wrong"))
    desk.post("/oauth/token", {}, headers=basic("nobody", "very-wrong"))
    events = desk.events("client.authentication.refused")
    assert events == []  # no grant_type, so nobody was authenticated
    form = {"grant_type": "authorization_code", "code": "x"}
    desk.post("/oauth/token", form, headers=basic("shop", "very-wrong"))
    desk.post("/oauth/token", form, headers=basic("nobody", "very-wrong"))
    events = desk.events("client.authentication.refused")
    assert [(one.client_id, one.data["reason"]) for one in events] == [
        ("shop", "secret"),
        ("nobody", "unknown"),
    ]
    assert "very-wrong" not in repr([vars(one) for one in events])


UNREADABLE: dict[str, tuple[dict[str, str], dict[str, str], str]] = {
    "another scheme": ({}, {"Authorization": "Bearer x"}, "another scheme than Basic"),
    "no Basic": ({}, {"Authorization": "Basic !"}, "Basic without a name and a secret"),
    "no assertion": (asserting("x"), {}, "assertion: not a compact JWS"),
    "an assertion with its certificate": (
        asserting(signed({"sub": "shop"}, key_of("ES256"), "ES256", x5c=["x"])),
        {},
        "assertion: its header has members that are not accepted",
    ),
    "an assertion of no type": (
        {"client_assertion": "x"},
        {},
        "client_assertion without its client_assertion_type",
    ),
}


@pytest.mark.parametrize(("form", "headers", "reason"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_is_in_the_audit_log_too(
    desk: Desk, form: dict[str, str], headers: dict[str, str], reason: str
):
    sent = {"token": "x", "client_id": "shop", **form}
    assert_refused(desk.post("/oauth/introspect", sent, headers=headers))
    (event,) = desk.events("client.authentication.refused")
    assert (event.client_id, event.data["reason"]) == ("shop", reason)


def test_who_presents_nothing_at_all_is_in_no_log(desk: Desk):
    assert_refused(desk.post("/oauth/introspect", {"token": "x"}))
    assert desk.events("client.authentication.refused") == []


@pytest.mark.parametrize("path", ["/oauth/introspect", "/oauth/revoke"])
def test_the_other_endpoints_authenticate_alike(desk: Desk, path: str):
    party = desk.client()
    assert_refused(desk.post(path, {"token": "x"}, headers=basic("shop", "wrong")))
    assert_refused(desk.post(path, {"token": "x"}))
    assert party.post(f"https://id.example.com{path}", {"token": "x"}).status_code == 200


def test_introspection_is_not_for_public_clients(desk: Desk):
    desk.client(token_endpoint_auth_method="none")
    assert_refused(desk.post("/oauth/introspect", {"token": "x", "client_id": "shop"}))
