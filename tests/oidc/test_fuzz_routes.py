"""Every address there is, out of the table of routes itself: a new one is fuzzed by being there."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from idp.protocol.errors import ERROR_CODES
from tests.helpers.databases import Databases
from tests.helpers.html import parse
from tests.oidc.test_fuzz_front import ADDRESSES, REGISTERED, VALUES, is_registered
from tests.oidc.village import Route, Village, parts_of, routes, village_in, without_limits

PROTOCOL = ("/oauth", "/.well-known", "/device", "/api")
FORM = "application/x-www-form-urlencoded"

junk = st.sampled_from((*ADDRESSES, *VALUES)) | st.text(max_size=20)
headers = st.dictionaries(
    st.sampled_from(
        ("DPoP", "Origin", "Accept", "Accept-Language", "X-Forwarded-Host", "If-None-Match")
    ),
    st.sampled_from(("*", "null", "\xff", "a.b.c", "text/html", "https://evil.example")),
    max_size=2,
)


@pytest.fixture(scope="module")
def village(databases: Databases) -> Iterator[Village]:
    with databases.fresh("sqlite") as url, without_limits(url) as house:
        yield village_in(house)


def parameters(village: Village) -> st.SearchStrategy[list[tuple[str, str]]]:
    """Names that are known, each with what belongs there; or anything, and anything twice."""
    good = st.sampled_from(
        [(name, value) for name, values in village.natural.items() for value in values]
    )
    names = st.sampled_from(sorted(village.natural)) | st.text(max_size=6)
    whole = st.lists(good, min_size=3, max_size=16, unique_by=lambda one: one[0])
    return whole | st.lists(good | st.tuples(names, junk), max_size=6)


@st.composite
def requests(draw: st.DrawFn, village: Village) -> dict[str, Any]:
    """What is sent, whatever it is sent to."""
    sent, asked = draw(parameters(village)), draw(parameters(village))
    said = dict(draw(headers))
    odd = ("Basic \xff", "Basic Og==", "Bearer ", "x")
    authorization = draw(st.none() | st.sampled_from((*village.authorizations, *odd)))
    if authorization is not None:
        said["Authorization"] = authorization
    members = {name: [value] if name.endswith("s") else value for name, value in sent}
    body, kind = draw(
        st.sampled_from(
            (
                (urlencode(sent, errors="replace").encode(), FORM),
                (json.dumps(members).encode(), "application/json"),
                (b"\xff\x00{", "application/json"),
                (b"--x\r\n\r\n", "multipart/form-data; boundary=x"),
                (b"%ff=%00&&=", FORM),
            )
        )
    )
    return {
        "headers": said,
        "proves": draw(st.booleans()),
        "known": draw(st.booleans()),
        "body": body,
        "kind": kind,
        "query": urlencode(asked, errors="replace")
        + draw(st.sampled_from(("", "&a=%ff", "&\xff"))),
    }


def is_well(answer: TestResponse) -> None:
    """No failure of ours, a registered code, and nobody is sent to an address of a stranger."""
    assert answer.status_code < 500, answer.text
    where = answer.headers.get("Location", "")
    assert where == "" or is_ours(where) or is_registered(where), where
    assert "evil.example" not in answer.headers.get("Access-Control-Allow-Origin", "")
    if answer.mimetype == "application/json" and answer.status_code >= 400:
        told = answer.get_json()
        assert "message" in told or told.get("error", "invalid_token") in ERROR_CODES, told
    if answer.mimetype == "text/html":
        for form in parse(answer.text, "http://localhost:8000/").forms:
            assert is_ours(form.action) or form.action in REGISTERED, form.action


def is_ours(where: str) -> bool:
    if where.startswith("/"):
        return not where.startswith(("//", "/\\"))
    return urlsplit(where)[:2] == ("http", "localhost:8000")


def fuzz(village: Village, route: Route, examples: int) -> None:
    """Send so many requests there. Raises ``AssertionError``.

    What fails is shown as it was sent: to make it smaller takes longer than to read it.
    """
    varying = st.fixed_dictionaries({part: st.text(max_size=8) for part in parts_of(route)})

    @settings(max_examples=examples, phases=[Phase.generate])
    @given(sent=requests(village), parts=varying)
    def sending(sent: dict[str, Any], parts: dict[str, str]) -> None:
        is_well(village.ask(route, parts, sent))

    sending()


def test_every_endpoint_of_the_protocol(village: Village) -> None:
    found = [one for one in routes(village.house.app) if one[1].startswith(PROTOCOL)]
    assert ("POST", "/oauth/token") in found
    for route in found:
        fuzz(village, route, examples=8)


def test_every_page(village: Village) -> None:
    found = [one for one in routes(village.house.app) if not one[1].startswith(PROTOCOL)]
    assert ("POST", "/login/<transaction_id>") in found
    for route in found:
        fuzz(village, route, examples=2)


def test_what_is_sent_gets_somewhere(village: Village) -> None:
    """Else it would be the first check of each that is fuzzed, over and over."""
    basic, bearer = village.authorizations[0], village.authorizations[1]
    usual = {"proves": False, "known": False, "kind": FORM, "query": ""}
    wanted: dict[str, tuple[str, tuple[str, ...]]] = {
        "/oauth/par": (basic, ("response_type", "redirect_uri", "code_challenge")),
        "/oauth/token": (basic, ("grant_type", "refresh_token")),
        "/oauth/introspect": (basic, ("token",)),
        "/oauth/device": (basic, ("scope",)),
        "/oauth/userinfo": (bearer, ()),
    }
    for path, (authorization, names) in wanted.items():
        form = {name: village.natural[name][0] for name in names}
        if path == "/oauth/token":
            form["grant_type"] = "refresh_token"
        if path == "/oauth/par":
            form["code_challenge_method"] = "S256"
        sent = {"headers": {"Authorization": authorization}, "body": urlencode(form), **usual}
        answer = village.ask(("POST", path), {}, sent)
        assert answer.status_code in {200, 201}, (path, answer.text)


def test_a_new_address_is_fuzzed_by_being_there(databases: Databases) -> None:
    with databases.fresh("sqlite") as url, without_limits(url) as house:
        house.app.add_url_rule("/oauth/new", view_func=lambda: str(1 / 0), methods=["POST"])
        assert ("POST", "/oauth/new") in routes(house.app)
        with pytest.raises(AssertionError):
            fuzz(village_in(house), ("POST", "/oauth/new"), examples=1)
