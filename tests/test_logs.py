"""What is logged can be told apart by request, and holds nothing that lets anybody in."""

import json
import logging
import logging.config
from collections.abc import Iterator
from io import StringIO

import pytest

from idp import logs
from idp.audit import Context
from idp.web.services import Services
from tests.helpers.clock import FakeClock
from tests.helpers.house import PASSWORD, House, Person
from tests.helpers.logged import logged
from tests.helpers.sign_in import sign_in


@pytest.fixture
def lines() -> Iterator[StringIO]:
    """Everything that a serving process would write, at its most talkative."""
    with logged() as written:
        yield written


def test_every_line_is_json_and_names_its_request(
    sqlite_url: str, clock: FakeClock, lines: StringIO
) -> None:
    house = House(sqlite_url, clock)
    given = {"X-Request-ID": "trace-0123456789"}
    answered = house.http().get("/healthz", headers=given)
    assert answered.headers["X-Request-ID"] == "trace-0123456789"
    found = [json.loads(line) for line in lines.getvalue().splitlines()]
    (access,) = [line for line in found if line["logger"] == "idp.access"]
    assert access["request_id"] == "trace-0123456789"
    assert (access["method"], access["route"], access["status"]) == ("GET", "/healthz", 200)


def test_a_path_that_names_nothing_is_not_logged_as_the_request_before(
    sqlite_url: str, clock: FakeClock, lines: StringIO
) -> None:
    house = House(sqlite_url, clock)
    for path, given in (("/healthz", "the-one-before"), ("/login/reset/%00", "this-very-one")):
        house.http().get(path, headers={"X-Request-ID": given})
    found = [json.loads(line) for line in lines.getvalue().splitlines()]
    ids = [line["request_id"] for line in found if line["logger"] == "idp.access"]
    assert ids == ["the-one-before", "this-very-one"]


def test_a_whole_sign_in_leaves_no_secret_in_the_log(
    sqlite_url: str, clock: FakeClock, lines: StringIO
) -> None:
    house = House(sqlite_url, clock)
    alice, shop, agent = house.person(), house.client(), house.browser()
    callback = sign_in(
        agent, shop.authorization_url(), username=alice.email, password=alice.password
    )
    tokens = shop.finish(callback)
    house.do(lambda services: services.password_reset.request(alice.email, house.context))
    link = house.do(lambda services: reset_link(services, alice, house.context))
    agent.get(link)
    written = lines.getvalue()
    assert "idp.access" in written  # the control: something was written
    secrets = [
        PASSWORD,
        callback.parameters["code"],
        tokens.access_token,
        tokens.id_token,
        str(shop.client_secret),
        link.rsplit("/", 1)[1],
        *(str(cookie.value) for cookie in agent.cookies.jar),
    ]
    assert [secret for secret in secrets if secret in written] == []


def reset_link(services: Services, person: Person, context: Context) -> str:
    user = services.accounts.find(person.id)
    assert user is not None
    return services.password_reset.link(user, context)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("GET /callback?code=abc&state=x", "GET /callback?code=[redacted]&state=x"),
        ("password=hunter2 ", "password=[redacted] "),
        ("/device?user_code=WDJB-MJHT", "/device?user_code=[redacted]"),
        ("subject_token=a.b.c&x=y", "subject_token=[redacted]&x=y"),
        ("?state=x&id_token_hint=a.b.c", "?state=x&id_token_hint=[redacted]"),
        ("/login/reset/" + "a" * 43, "/login/reset/[redacted]"),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_what_looks_like_a_secret_is_taken_out(written: str, kept: str) -> None:
    record = logging.LogRecord("idp", logging.INFO, "", 0, written, None, None)
    assert logs.Redacted().filter(record)
    assert record.getMessage() == kept
