"""Whatever is sent to a direct endpoint, the answer is one of the protocol's, and never a 500."""

import base64
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.fernet import Fernet
from hypothesis import given, settings
from hypothesis import strategies as st

from idp.config import load_settings
from idp.models import db
from tests.helpers.clock import FakeClock
from tests.helpers.databases import KINDS, Databases, Kind
from tests.helpers.signed_requests import jwks_of, signed
from tests.oidc.desk import Desk, Keys
from tests.services.people import CALLBACK

NAMES = (
    *("grant_type", "code", "redirect_uri", "code_verifier", "client_id", "client_secret"),
    *("refresh_token", "scope", "token", "token_type_hint", "access_token", "resource"),
    *("device_code", "subject_token", "subject_token_type", "actor_token", "audience"),
    *("acr_values", "max_age", "requested_token_type"),
    *("request", "request_uri", "response_type", "response_mode", "claims", "nonce"),
    *("client_assertion", "client_assertion_type"),
)
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
VALUES = (
    *("client_credentials", "urn:ietf:params:oauth:token-type:access_token"),
    *("urn:ietf:params:oauth:grant-type:device_code", EXCHANGE, "0", "https://api.example"),
    *("authorization_code", "refresh_token", "shop", "openid", "a.b.c", "e30.e30.e30", "\0", "%"),
    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    *("eyJhbGciOiJub25lIn0.e30.", "x" * 43, "", "🦆", "\ud7ff", "'", '"', "\\"),
)


@pytest.fixture(scope="module", params=KINDS)
def desk(request: pytest.FixtureRequest, databases: Databases, made_keys: Keys) -> Iterator[Desk]:
    kind: Kind = request.param
    with databases.fresh(kind) as url:
        configured = load_settings(
            environ={},
            issuer="https://id.example.com",
            keys=[Fernet.generate_key().decode()],
            database_url=url,
            public_client_requests=1_000_000,
        )
        desk = Desk(configured, FakeClock(), made_keys)
        device = "urn:ietf:params:oauth:grant-type:device_code"
        desk.client(token_endpoint_auth_method="none", grant_types=["authorization_code", device])
        machine = ["client_credentials", EXCHANGE]
        made = desk.client("machine", grant_types=machine, redirect_uris=[], scope="shop")
        pair = f"{made.client_id}:{made.client_secret}".encode()
        AS_THE_MACHINE.append(b"Basic " + base64.b64encode(pair))
        desk.client("signer", token_endpoint_auth_method="none", jwks=jwks_of("ES256"))
        yield desk
        with desk.app.app_context():
            db.engine.dispose()


values = st.sampled_from(VALUES) | st.text(max_size=40)
forms = st.lists(st.tuples(st.sampled_from(NAMES) | st.text(max_size=8), values), max_size=8)
bodies = st.binary(max_size=200) | forms.map(
    lambda pairs: urlencode(pairs, errors="replace").encode()
)
authorizations = st.none() | st.sampled_from(
    (
        *(b"Basic", b"Basic ", b"Basic c2hvcDo=", b"Basic \xff", b"Basic Og==", b"Bearer"),
        *(
            b"the machine's",
            b"Bearer a.b.c",
            b"Bearer \xe9",
            b"DPoP x",
            b"",
            b" ",
            b"basic c2hvcA==",
        ),
    )
)


AS_THE_MACHINE: list[bytes] = []
"""Its credentials, so that something gets past them."""

PATHS = (
    *("/oauth/token", "/oauth/introspect", "/oauth/revoke", "/oauth/userinfo", "/oauth/device"),
    "/oauth/par",
)


@settings(max_examples=150)
@given(
    path=st.sampled_from(PATHS),
    body=bodies,
    authorization=authorizations,
    query=st.sampled_from(("", "?access_token=x", "?a=%ff", "?grant_type=x")),
    proof=st.none() | st.sampled_from((b"", b"a.b.c", b"\xe9.\xff.", b"e30.e30.", b"..", b",")),
)
def test_no_direct_request_is_a_server_error(
    desk: Desk,
    path: str,
    body: bytes,
    authorization: bytes | None,
    query: str,
    proof: bytes | None,
):
    # Not by httpx, which sends only ASCII in headers: what a server is handed may be anything.
    if authorization == b"the machine's":
        authorization = AS_THE_MACHINE[-1]
    sent = {"Authorization": authorization, "DPoP": proof}
    headers = {name: one.decode("latin-1") for name, one in sent.items() if one is not None}
    response = desk.app.test_client().post(
        path + query,
        data=body,
        headers=headers,
        content_type="application/x-www-form-urlencoded",
        base_url=desk.settings.issuer,
    )
    assert response.status_code in {200, 201, 400, 401, 403}
    assert response.content_type == "application/json"
    if response.status_code >= 400:
        error = (response.get_json() or {}).get("error", "")
        assert error or response.headers["WWW-Authenticate"].startswith("Bearer realm=")


members = st.sampled_from(
    (
        *("iss", "aud", "sub", "exp", "nbf", "client_id", "redirect_uri", "response_type"),
        *("response_mode", "scope", "state", "nonce", "max_age", "claims", "request", "prompt"),
        *("authorization_details", "resource", "code_challenge", "id_token_hint", "acr_values"),
    )
) | st.text(max_size=8)
FAR = (10**400, -(10**400), 10**4000, 1e308, -1, 0.5)
"""Numbers that JSON can say; of some no float can be made."""

numbers = st.integers() | st.floats(allow_nan=False) | st.sampled_from(FAR)
leaves = st.none() | st.booleans() | numbers | values
said = st.recursive(
    leaves
    | st.sampled_from((CALLBACK, "https://evil.example/", "code", "id_token", "jwt", "form_post")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
objects = st.dictionaries(members, said, max_size=8)
beside = st.lists(st.tuples(st.sampled_from(NAMES), values), max_size=4)


@settings(max_examples=100)
@given(claims=objects, beside=beside, is_pushed=st.booleans())
def test_whatever_is_signed_leads_nowhere_that_is_not_registered(
    desk: Desk, claims: dict[str, Any], beside: list[tuple[str, str]], is_pushed: bool
):
    others = [(name, value) for name, value in beside if name not in ("client_id", "request")]
    asked = [("client_id", "signer"), ("request", signed(claims)), *others]
    sent = urlencode(asked, errors="replace")
    client = desk.app.test_client()
    if is_pushed:
        answer = client.post(
            "/oauth/par",
            data=sent,
            content_type="application/x-www-form-urlencoded",
            base_url=desk.settings.issuer,
        )
        assert (answer.status_code, answer.content_type) in PUSHED
        return
    answer = client.get(f"/oauth/authorize?{sent}", base_url=desk.settings.issuer)
    assert answer.status_code in {200, 303, 400}
    if answer.status_code == 200:
        assert f'<form method="post" action="{CALLBACK}"' in answer.text
    where = answer.headers.get("Location", "")
    assert where == "" or where.startswith(("/login/", f"{CALLBACK}?", f"{CALLBACK}#"))


PUSHED = {(status, "application/json") for status in (201, 400, 401)}


def test_and_an_honest_one_among_them_leads_on(desk: Desk):
    party = desk.client("honest", jwks=jwks_of("ES256"))
    asked = {"client_id": "honest", "request": signed(party.authorization_parameters())}
    answer = desk.http.get("/oauth/authorize", params=asked)
    assert answer.headers["Location"].startswith("/login/")
