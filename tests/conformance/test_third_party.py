"""Third-party initiated login (OIDC Core 4): registered, told again, and gone by."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.conformance.conftest import SignIn
from tests.helpers.databases import Databases
from tests.helpers.house import House
from tests.helpers.user_agent import UserAgent
from tests.oidc.registering import Counter, counter

START = "https://app.example/start"


@pytest.fixture(scope="module")
def suite(databases: Databases) -> Iterator[Counter]:
    with databases.fresh("sqlite") as url, counter(url) as made:
        yield made


@pytest.fixture(scope="module")
def op(suite: Counter) -> House:
    return suite.house


def test_initiate_login_uri_is_told_again(suite: Counter) -> None:
    made = suite.registered(initiate_login_uri=START)
    assert made["initiate_login_uri"] == START
    assert suite.ask("GET", made).json()["initiate_login_uri"] == START


def test_initiate_login_uri_has_to_be_https(suite: Counter) -> None:
    told = suite.refused(initiate_login_uri=START.replace("https", "http"))
    assert told["error"] == "invalid_client_metadata"
    assert "initiate_login_uri must start with https://" in told["error_description"]


def test_a_sign_in_begun_here_ends_there(suite: Counter, log_in: SignIn, agent: UserAgent) -> None:
    app = suite.party(suite.registered(client_name="Lanterns", initiate_login_uri=START))
    app.finish(log_in(app, agent=agent))
    text = agent.page("/me/apps").response.text
    (anchor,) = [one for one in text.split("<a ")[1:] if "Open Lanterns" in one]
    opened = urlsplit(anchor.partition('href="')[2].partition('"')[0])
    assert f"{opened.scheme}://{opened.netloc}{opened.path}" == START
    assert parse_qs(opened.query) == {"iss": [suite.house.settings.issuer]}
    # What the application does then: it knows the issuer, and asks it (OIDC Core 4).
    assert app.finish(log_in(app, agent=agent)).claims["iss"] == suite.house.settings.issuer
