"""Around every request: where hooks stand, whose host it is, and how an answer is sent."""

from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import flask
import pytest
from flask import after_this_request, appcontext_tearing_down, request, request_tearing_down
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, MapAdapter, Rule
from werkzeug.test import Client

from idp.web.frame import App
from idp.web.requests import Request
from idp.web.responses import Response, named
from idp.web.routing import Adapter, Matches
from tests.helpers.clock import FakeClock
from tests.helpers.house import House


@pytest.fixture
def app() -> App:
    """Two addresses, with what happens around each told in a header."""
    made = App("toy", issuer="https://id.example.com")
    made.secret_key = "toy"

    @made.get("/whole/")
    def whole() -> Response:
        response = Response("a body", headers={"X-Own": "said"})
        response.say_beside(named(("x-own", "not said"), ("X-Beside", "added")))
        response.say_beside(named(("X-Beside", "again")))
        return response

    @made.get("/piecemeal")
    def piecemeal() -> Response:
        return Response(iter([b"a ", b"body"]))

    @made.get("/away")
    def away() -> Response:
        return Response(status=302, headers={"Location": "https://shop.example.com/caf\u00e9"})

    return made


def test_what_stands_beside_gives_way_to_what_is_said(app: App) -> None:
    found = Client(app).get("/whole/")
    assert found.text == "a body"
    assert found.headers.getlist("X-Own") == ["said"]
    assert found.headers.getlist("X-Beside") == ["added"]


def test_flasks_own_answer_is_sent_like_ours(app: App) -> None:
    @app.get("/flasks")
    def flasks() -> flask.Response:
        return flask.Response("theirs", 201, {"X-Own": "said"})

    @app.after_request
    def add(response: Response) -> Response:
        response.say_beside(named(("x-own", "not said"), ("X-Beside", "added")))
        return response

    found = Client(app).get("/flasks")
    assert (found.status_code, found.text) == (201, "theirs")
    assert found.headers.getlist("X-Own") == ["said"]
    assert found.headers.getlist("X-Beside") == ["added"]


def test_HEAD_is_told_the_length_and_no_body(app: App) -> None:
    found = Client(app).head("/whole/")
    assert found.data == b""
    assert found.headers["Content-Length"] == "6"
    assert found.headers["X-Beside"] == "added"


def test_a_body_in_pieces_is_sent_and_closed(app: App) -> None:
    closed = []

    @app.after_request
    def watch(response: Response) -> Response:
        response.call_on_close(lambda: closed.append(True))
        return response

    with Client(app).get("/piecemeal") as found:
        assert found.data == b"a body"
    assert closed


def test_an_address_with_other_letters_is_sent_as_an_address(app: App) -> None:
    assert Client(app).get("/away").headers["Location"] == "https://shop.example.com/caf%C3%A9"


def test_a_redirect_of_the_router_goes_to_the_issuers_host(app: App) -> None:
    found = Client(app).get("/whole", headers={"Host": "elsewhere.example.net"})
    assert found.status_code == 308
    assert found.headers["Location"] == "https://id.example.com/whole/"


def test_a_known_address_is_what_it_was_the_first_time(app: App) -> None:
    client = Client(app)
    for _time in range(2):
        assert client.get("/piecemeal").text == "a body"
        assert client.head("/piecemeal").data == b""
        assert client.post("/piecemeal").status_code == 405
        assert client.get("/piecemeal/").status_code == 404
        assert client.get("/whole").status_code == 308


def test_no_more_addresses_are_remembered_than_are_written_out(app: App) -> None:
    @app.get("/people/<name>")
    def person(name: str) -> str:
        return name

    client = Client(app)
    for spelling in ("/piecemeal", "/./piecemeal", "/people/ada", "/people/zoe", "/nowhere"):
        client.get(spelling, follow_redirects=True)
    assert set(app._matches.whole) == {("GET", "/piecemeal")}
    assert set(app._matches.shapes) == {("GET", 3, "people")}
    assert [shape.rule.rule for shape in app._matches.shapes["GET", 3, "people"]] == [ALONE]


def test_an_address_is_remembered_as_it_is_written_out_alone() -> None:
    routes, matches = Map([Rule("/piecemeal", endpoint="piecemeal")]), Matches()
    for path in ("//piecemeal", "/piecemeal"):
        place = ("id.example.com", "/", "", "https", path, "GET", "")
        rule, _values = Adapter(routes, *place, matches=matches).match(return_rule=True)
        assert rule.endpoint == "piecemeal"
    assert set(matches.whole) == {("GET", "/piecemeal")}


ALONE = "/people/<name>"
OF_ANY_LENGTH = "/files/<path:name>/shown"


def test_an_address_with_more_slashes_is_looked_for_again() -> None:
    """As many as somebody likes, each of which would be one more to remember."""
    rules = (ALONE, OF_ANY_LENGTH, "/<shelf>/<book>/lent")
    routes, matches = Map([Rule(one, endpoint=one) for one in rules]), Matches()
    sent = ["/people/zoe", "/a/b/lent", *(f"/files{'/a' * many}/shown" for many in range(1, 9))]
    spelt = [f"{'/' * many}{path}" for many in range(3) for path in sent]
    for path in (*spelt, "people/zoe", "elsewhere/people/zoe", "//elsewhere/zoe", *spelt):
        place = ("id.example.com", "/", "", "https", path, "GET", "")
        found = _found(Adapter(routes, *place, matches=matches))
        assert found == _found(MapAdapter(routes, *place)), path
    remembered = {(("GET", 3, "people"), ALONE), (("GET", 4, "files"), OF_ANY_LENGTH)}
    assert matches.seen == remembered


TOGETHER = {
    "alone": ([], True),
    "with what is below it": (["/people/<name>/books", "/people/ada/books"], True),
    "with itself by another name": (["/people/<who>"], True),
    "with its folder": (["/people/"], True),
    "with one that is written out": (["/people/ada"], True),
    "with one that is written out, and a folder": (["/people/ada/"], True),
    "with one of another kind": (["/people/<int:number>"], False),
    "with one that takes all": (["/people/<path:rest>"], False),
}
PEOPLE = ["/people/zoe", "/people/ada", "/people/7", "/people/a b\n", "/people/ada/", "/people/"]


@pytest.mark.parametrize(("others", "is_remembered"), TOGETHER.values(), ids=TOGETHER)
def test_an_end_is_taken_for_the_variable_where_nothing_else_may_be_there(
    others: list[str], is_remembered: bool
) -> None:
    routes = Map([Rule(one, endpoint=one) for one in (ALONE, *others)])
    matches = Matches()
    for path in PEOPLE * 2:
        place = ("id.example.com", "/", "", "https", path, "GET", "")
        assert _found(Adapter(routes, *place, matches=matches)) == _found(
            MapAdapter(routes, *place)
        )
    assert bool(matches.shapes) == is_remembered


def test_an_end_has_the_method_of_its_route() -> None:
    look = Rule(ALONE, endpoint="look", methods=["GET"])
    routes, matches = Map([look, Rule(ALONE, endpoint="change", methods=["POST"])]), Matches()
    expected = {"POST": "change", "PUT": "MethodNotAllowed", "GET": "look", "HEAD": "look"}
    for method, found in [*expected.items()] * 2:
        place = ("id.example.com", "/", "", "https", "/people/ada", method, "")
        assert _found(Adapter(routes, *place, matches=matches))[0] == found


def test_where_a_default_may_lead_away_nothing_is_taken_for_a_variable() -> None:
    first = Rule("/people", endpoint="people", defaults={"name": "ada"})
    routes, matches = Map([first, Rule(ALONE, endpoint="people")]), Matches()
    for path in ("/people/zoe", "/people/ada"):
        place = ("id.example.com", "/", "", "https", path, "GET", "")
        assert _found(Adapter(routes, *place, matches=matches)) == _found(
            MapAdapter(routes, *place)
        )


def test_every_route_of_the_program_is_found_as_by_the_tree(sqlite_url: str) -> None:
    routes = House(sqlite_url, FakeClock()).app.url_map
    matches = Matches()
    paths = [path for rule in routes.iter_rules() for path in _paths(rule, routes)]
    for path in [*paths, *paths]:
        for method in ("GET", "POST"):
            place = ("id.example.com", "/", "", "https", path, method, "")
            found = _found(Adapter(routes, *place, matches=matches))
            assert found == _found(MapAdapter(routes, *place)), (method, path)
    assert {shape.rule.rule for shapes in matches.shapes.values() for shape in shapes} > {
        "/login/<transaction_id>",
        "/login/<transaction_id>/<method>",
        "/login/<transaction_id>/<method>/saved",
    }


def _paths(rule: Rule, routes: Map) -> Iterator[str]:
    """Its own, with each of its variables in turn being a word that stands in a route beside it."""
    parts = rule.rule.split("/")
    near = [one.rule.split("/") for one in routes.iter_rules()]
    words = {word for one in near if one[1:2] == parts[1:2] for word in one if word[:1] != "<"}
    for at in [at for at, part in enumerate(parts) if part[:1] == "<"] or [0]:
        for word in sorted(words | {"", "7"}) if at else [""]:
            yield "/".join(
                word if place == at else "x" if part[:1] == "<" else part
                for place, part in enumerate(parts)
            )


def _found(adapter: MapAdapter) -> tuple[str, object]:
    try:
        rule, values = adapter.match(return_rule=True)
    except HTTPException as error:
        return type(error).__name__, getattr(error, "new_url", None)
    return str(rule.endpoint), values


def test_whoever_wants_to_hear_of_the_end_of_a_request_does(app: App) -> None:
    over: list[str] = []

    def hear(_sender: App, **_told: object) -> None:
        over.append("a signal")

    app.teardown_request(lambda _error: over.append("a function"))
    with request_tearing_down.connected_to(hear, app):
        Client(app).get("/piecemeal")
    assert over == ["a function", "a signal"]


def test_whoever_wants_to_hear_of_the_end_of_what_surrounds_it_does(app: App) -> None:
    over: list[str] = []

    def hear(_sender: App, **_told: object) -> None:
        over.append("a signal")

    app.teardown_appcontext(lambda _error: over.append("first"))
    app.teardown_appcontext(lambda _error: over.append("second"))
    with appcontext_tearing_down.connected_to(hear, app):
        Client(app).get("/piecemeal")
    assert over == ["second", "first", "a signal"]


def test_what_surrounds_a_request_is_told_what_went_wrong(app: App) -> None:
    wrong: list[object] = []
    app.teardown_appcontext(lambda error: wrong.append(type(error)))
    error = ValueError("a view's")

    def fail() -> None:
        raise error

    app.before_request(fail)
    app.testing = True
    with pytest.raises(ValueError, match="a view's"):
        Client(app).get("/piecemeal")
    assert wrong == [ValueError]


@pytest.mark.parametrize("looks", [True, False], ids=["that were looked at", "nobody looked at"])
def test_files_are_closed(app: App, looks: bool) -> None:
    sent: list[Any] = []

    @app.post("/files")
    def files() -> str:
        sent.extend(request.files.values() if looks else [])
        return "done"

    Client(app).post("/files", data={"one": (BytesIO(b"text"), "one.txt")})
    assert [one.stream.closed for one in sent] == [True] * looks


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("a=b%20c&d=/?~", b"a=b%20c&d=/?~"),
        ("a=b c", b"a=b%20c"),
        ("a=\x00\x7f", b"a=%00%7F"),
        ("a=\xc3\xa9\xff", b"a=%C3%A9%FF"),
        ("", b""),
    ],
)
def test_a_query_is_visible_ASCII(sent: str, read: bytes) -> None:
    assert Request({"QUERY_STRING": sent, "REQUEST_METHOD": "GET"}).query_string == read


def test_a_signal_is_enough(app: App) -> None:
    over: list[App] = []

    def hear(sender: App, **_told: object) -> None:
        over.append(sender)

    with request_tearing_down.connected_to(hear, app):
        Client(app).get("/piecemeal")
    assert over == [app]


def test_hooks_go_from_the_outside_in_and_back(app: App) -> None:
    """As Flask documents it; ``App`` only looks them up once."""
    passed: list[str] = []
    for name in ("first", "second"):
        app.before_request(_noting(passed, f"before {name}"))
        app.after_request(_noting_answer(passed, f"after {name}"))

    @app.get("/noted")
    def noted() -> str:
        after_this_request(_noting_answer(passed, "after this"))
        return "noted"

    expected = ["before first", "before second", "after this", "after second", "after first"]
    for _time in range(2):
        passed.clear()
        assert Client(app).get("/noted").text == "noted"
        assert passed == expected


def test_a_hook_that_answers_ends_it(app: App) -> None:
    app.before_request(lambda: ("not now", 503))
    found = Client(app).get("/whole/")
    assert (found.status_code, found.text) == (503, "not now")


def _noting(passed: list[str], what: str) -> Callable[[], None]:
    def note() -> None:
        passed.append(what)

    return note


def _noting_answer(passed: list[str], what: str) -> Callable[[Response], Response]:
    def note(response: Response) -> Response:
        passed.append(what)
        return response

    return note
