"""Documents that are sent again without asking: still right, still logged, still counted."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from wsgiref.types import StartResponse, WSGIEnvironment

import httpx
import pytest

from idp import measures
from idp.exposition import Figures
from idp.web.ready import Kept, Ready
from tests.helpers.clock import FakeClock
from tests.helpers.house import House
from tests.helpers.logged import logged

DOCUMENTS = (
    "/oauth/jwks",
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
    "/.well-known/oauth-protected-resource",
    "/api/v1/openapi.json",
)
SETTINGS_SEEN_WITHIN = timedelta(seconds=4)


@pytest.fixture
def house(sqlite_url: str, clock: FakeClock) -> House:
    return House(sqlite_url, clock)


class Behind:
    """What stands behind, and how often it was asked."""

    asked = 0

    def __call__(self, _environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        self.asked += 1
        start("200 OK", [("Content-Length", "6")])
        return [b"behind"]


def got(app: Ready, path: str = "/known", **headers: str) -> str:
    client = httpx.Client(transport=httpx.WSGITransport(app=app), base_url="http://localhost")
    method = headers.pop("method", "GET")
    return client.request(method, path, headers=headers).text


@pytest.fixture
def behind() -> Behind:
    return Behind()


@pytest.fixture
def ready(behind: Behind, clock: FakeClock) -> Ready:
    """With one document, of a text that is made of the clock's year."""
    made = {2026: "of 2026"}
    start = clock()

    def source(now: datetime) -> str | None:
        return made[2026] if now < start + timedelta(seconds=5) else None

    app = Ready(behind, clock)
    kept = Kept(source, made[2026], "a.document", "/known", (("Content-Length", "5"),), b"ready")
    app.keep("/known", kept)
    return app


def test_what_is_ready_asks_nobody(ready: Ready, behind: Behind) -> None:
    assert [got(ready), got(ready)] == ["ready", "ready"]
    assert behind.asked == 0


def test_what_is_due_to_be_looked_up_is(ready: Ready, behind: Behind, clock: FakeClock) -> None:
    clock.advance(seconds=5)
    assert got(ready) == "behind"
    assert behind.asked == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"If-None-Match": '"one"'},
        {"If-Modified-Since": "Thu, 26 Nov 2026 10:00:00 GMT"},
        {"Range": "bytes=0-1"},
        {"Cookie": "idp_session=one"},
        {"DPoP": "a.proof.of"},
        {"Content-Length": "2"},
        {"method": "HEAD"},
        {"method": "POST"},
    ],
    ids=lambda headers: next(iter(headers)) + next(iter(headers.values()))[:4],
)
def test_what_may_want_another_answer_is_asked_behind(
    ready: Ready, behind: Behind, headers: dict[str, str]
) -> None:
    got(ready, **headers)
    assert behind.asked == 1


def test_another_path_is_asked_behind(ready: Ready) -> None:
    assert got(ready, "/known/") == "behind"


@pytest.mark.parametrize("path", DOCUMENTS)
def test_the_second_answer_is_the_first_with_an_id_of_its_own(house: House, path: str) -> None:
    first, second = (house.http().get(path) for _ in range(2))
    assert second.status_code == 200
    assert second.content == first.content
    headers = [
        {name: said for name, said in one.headers.items() if name != "x-request-id"}
        for one in (first, second)
    ]
    assert headers[0] == headers[1]
    assert first.headers["X-Request-ID"] != second.headers["X-Request-ID"]
    mine = house.http().get(path, headers={"X-Request-ID": "an-id-of-mine"})
    assert mine.headers["X-Request-ID"] == "an-id-of-mine"


@pytest.mark.parametrize("path", DOCUMENTS)
def test_it_does_not_come_from_flask_again(house: House, path: str) -> None:
    """Whatever is done before a request is not, the second time."""
    seen: list[str] = []
    house.app.before_request(lambda: seen.append(path))
    for _ in range(3):
        assert house.http().get(path).status_code == 200
    assert seen == [path]


def test_each_is_logged_like_any_other(house: House) -> None:
    with logged() as written:
        for number in range(2):
            house.http().get("/oauth/jwks", headers={"X-Request-ID": f"number-{number}"})
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    lines = [line for line in lines if line["logger"] == "idp.access"]
    assert [line["request_id"] for line in lines] == ["number-0", "number-1"]
    told = [{**line, "time": "", "milliseconds": 0, "request_id": ""} for line in lines]
    assert told[0] == told[1]
    assert told[0]["route"] == "/oauth/jwks"


def test_each_is_counted_like_any_other(house: House) -> None:
    figures = Figures()
    measures.listen(figures)
    try:
        for _ in range(3):
            house.http().get("/oauth/jwks")
    finally:
        measures.listen(None)
    assert b'{endpoint="oidc.jwks",method="GET",status="200"} 3.0' in figures.exposed(())


def test_a_key_that_was_changed_here_is_published_at_once(house: House) -> None:
    def published() -> set[str]:
        return {key["kid"] for key in house.http().get("/oauth/jwks").json()["keys"]}

    before = published()
    assert published() == before
    with house.app.app_context():
        house.services.key_rotation.rotate(house.context, algorithms=["ES256"])
    assert published() > before


def test_a_setting_that_was_changed_here_is_published_at_once(house: House) -> None:
    def name() -> str:
        found = house.http().get("/.well-known/oauth-protected-resource").json()
        return str(found["resource_name"])

    assert name() == name() != "Elsewhere"
    with house.app.app_context():
        house.services.changed_settings.set({"site_name": "Elsewhere"}, house.context)
    assert name() == "Elsewhere"


def test_a_setting_that_was_changed_by_another_process_is_seen_soon(
    house: House, sqlite_url: str
) -> None:
    other = House(sqlite_url, house.clock)

    def name() -> str:
        found = house.http().get("/.well-known/oauth-protected-resource").json()
        return str(found["resource_name"])

    assert name() == name() != "Elsewhere"
    with other.app.app_context():
        other.services.changed_settings.set({"site_name": "Elsewhere"}, other.context)
    house.clock.advance(seconds=SETTINGS_SEEN_WITHIN.total_seconds())
    assert name() == "Elsewhere"
