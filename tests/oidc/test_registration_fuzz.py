"""Whatever is sent to the registration endpoint: registered, or refused by a registered code."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idp.protocol.client_metadata import ISSUED_MEMBERS, MEMBERS
from idp.protocol.errors import ERROR_CODES
from tests.helpers.databases import Databases
from tests.oidc.registering import CALLBACK, Counter, bearer, counter

NAMES = (
    *(one.name for one in MEMBERS),
    *sorted(ISSUED_MEMBERS),
    *("software_statement", "client_name#de", "logo_uri#", "nobody_knows", "\0", "\ud800"),
)
TEXTS = (
    *("openid", "code", "none", "web", "native", "https://app.example/", CALLBACK, "HS256", "é"),
    *(
        "https://[",
        "http://127.0.0.1:99999/",
        "\0",
        "\ud800",
        "",
        "x" * 3000,
        "-1",
        "private_key_jwt",
    ),
)
scalars = (
    st.sampled_from((*TEXTS, 10**400, -(10**400), 10**4000))
    | st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(("keys", "kty", "kid", "n", "d")), inner, max_size=3)
    ),
    max_leaves=6,
)
members = st.dictionaries(st.sampled_from(NAMES), values, max_size=6)
honest = st.fixed_dictionaries({"redirect_uris": st.just([CALLBACK])})
sent = st.tuples(members, honest).map(lambda pair: {**pair[1], **pair[0]})
bodies = st.binary(max_size=60) | (sent | members | values).map(
    lambda one: json.dumps(one).encode()
)
authorizations = st.none() | st.sampled_from(
    (
        "Bearer",
        "Bearer ",
        "Bearer x",
        "bearer \xe9",
        "Basic x",
        "",
        "DPoP x",
        "Bearer " + "x" * 9000,
    )
)


@pytest.fixture(scope="module")
def desk(databases: Databases) -> Iterator[Counter]:
    with databases.fresh("sqlite") as url, counter(url, client_registration_limit=10_000) as made:
        yield made


@pytest.fixture(scope="module")
def mine(desk: Counter) -> dict[str, Any]:
    return desk.registered()


def send(desk: Counter, method: str, path: str, body: bytes, headers: dict[str, str]) -> Any:
    # Not by httpx, which sends only ASCII in headers.
    return desk.house.app.test_client().open(
        path, method=method, data=body, headers=headers, content_type="application/json"
    )


@settings(max_examples=150)
@given(body=bodies, authorization=authorizations)
def test_registering_is_never_a_server_error(
    desk: Counter, body: bytes, authorization: str | None
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = send(desk, "POST", "/oauth/register", body, headers)
    told = answer.get_json()
    if answer.status_code == 201:
        assert told["redirect_uris"] or "authorization_code" not in told["grant_types"]
        return
    assert answer.status_code in {400, 401}
    assert told["error"] in ERROR_CODES


@settings(max_examples=80)
@given(body=bodies, changes=members)
def test_nor_is_replacing_a_registration(
    desk: Counter, mine: dict[str, Any], body: bytes, changes: dict[str, Any]
) -> None:
    path = f"/oauth/register/{mine['client_id']}"
    mine_with = {"redirect_uris": [CALLBACK], **changes, "client_id": mine["client_id"]}
    for content in (body, json.dumps(mine_with).encode()):
        answer = send(desk, "PUT", path, content, bearer(mine["registration_access_token"]))
        told = answer.get_json()
        assert answer.status_code in {200, 400}
        assert "error" not in told or told["error"] in ERROR_CODES
    read = send(desk, "GET", path, b"", bearer(mine["registration_access_token"]))
    assert read.status_code == 200
