"""Cross-origin: scripts of any origin may call what is theirs to call, and never with cookies."""

from collections.abc import Iterator

import pytest

from idp.models import db
from idp.oidc.capabilities import ENDPOINTS, endpoints_of
from idp.web.cross_origin import READABLE
from tests.helpers.databases import Databases
from tests.oidc.registering import HONEST, Counter, bearer, counter

ORIGIN = {"Origin": "https://spa.example.com"}
MINE = "/oauth/register/x"


@pytest.fixture(scope="module")
def desk(databases: Databases) -> Iterator[Counter]:
    with databases.fresh("sqlite") as url, counter(url) as made:
        yield made


OPEN = [
    *(("GET", "/.well-known/openid-configuration"), ("GET", "/.well-known/webfinger")),
    *(("GET", "/.well-known/oauth-authorization-server"), ("GET", "/oauth/jwks")),
    ("GET", "/.well-known/oauth-protected-resource"),
    *(("POST", "/oauth/token"), ("POST", "/oauth/revoke"), ("POST", "/oauth/par")),
    *([("POST", ENDPOINTS.device_authorization)] if ENDPOINTS.device_authorization else []),
    *(("GET", "/oauth/userinfo"), ("POST", "/oauth/userinfo")),
    *(("POST", "/oauth/register"), ("GET", MINE), ("PUT", MINE), ("DELETE", MINE)),
    *(("GET", "/api/v1/me/passkeys"), ("DELETE", "/api/v1/me/sessions/x")),
]


@pytest.mark.parametrize(("method", "path"), OPEN, ids=[" ".join(one) for one in OPEN])
def test_browser_clients_of_any_origin_may_call(desk: Counter, method: str, path: str) -> None:
    asked = {
        **ORIGIN,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization, content-type, dpop",
    }
    preflight = desk.http.options(path, headers=asked)
    assert preflight.status_code == 200
    assert preflight.headers["Access-Control-Allow-Origin"] == "*"
    assert method in preflight.headers["Access-Control-Allow-Methods"].split(", ")
    allowed = preflight.headers["Access-Control-Allow-Headers"].lower().split(", ")
    api = {"if-match", "idempotency-key"}
    assert set(allowed) == {"authorization", "content-type", "dpop"} | api
    assert "Access-Control-Allow-Credentials" not in preflight.headers
    answer = desk.http.request(method, path, headers=ORIGIN)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "DPoP-Nonce" in answer.headers["Access-Control-Expose-Headers"]
    assert "WWW-Authenticate" in answer.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in answer.headers


CLOSED = ("/oauth/introspect", "/oauth/authorize", "/login/", "/me", "/healthz", "/", "/nowhere")


@pytest.mark.parametrize("path", CLOSED)
def test_no_script_of_another_origin_reads_the_rest(desk: Counter, path: str) -> None:
    for answer in (
        desk.http.get(path, headers=ORIGIN),
        desk.http.options(path, headers={**ORIGIN, "Access-Control-Request-Method": "POST"}),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_every_endpoint_is_in_one_of_the_tables(desk: Counter) -> None:
    there = endpoints_of(desk.house.settings)
    open_to_scripts = {path.removesuffix("/x") for _, path in OPEN}
    for name in (one for one in dir(ENDPOINTS) if not one.startswith("_")):
        path = getattr(there, name)
        assert path is None or (path in open_to_scripts) == (name in READABLE), name


def test_refusals_may_be_read(desk: Counter) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded", **ORIGIN}
    answers = {
        400: desk.http.post("/oauth/token", content="x=1", headers=form),
        401: desk.http.get("/oauth/userinfo", headers={**bearer("x"), **ORIGIN}),
        404: desk.http.get("/.well-known/nothing", headers=ORIGIN),
        405: desk.http.get("/oauth/token", headers=ORIGIN),
        413: desk.http.post("/oauth/token", content="x" * 70_000, headers=form),
    }
    for status, answer in answers.items():
        assert answer.status_code == status
        assert answer.headers["Access-Control-Allow-Origin"] == "*", status


def test_so_may_a_failure_of_ours(databases: Databases) -> None:
    with databases.fresh("sqlite") as url, counter(url) as here:
        assert here.post(HONEST).status_code == 201
        with here.house.app.app_context(), db.engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE counters")
        answer = here.post(HONEST)
    assert answer.status_code == 503
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]
    assert answer.headers["Retry-After"]
