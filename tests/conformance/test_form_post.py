"""OP Form Post: the same answers, posted by a page that sends itself."""

import re
from typing import Any

import pytest

from tests.conformance.conftest import SignIn
from tests.helpers.house import CALLBACK, House, Person
from tests.helpers.html import parse
from tests.helpers.relying_party import RelyingParty
from tests.helpers.user_agent import UserAgent
from tests.web.walking import gone

TYPES = ("code", "id_token", "id_token token", "code id_token", "code token", "code id_token token")


@pytest.fixture(scope="module")
def poster(op: House) -> RelyingParty:
    """A client of every flow."""
    return op.client(
        client_name="Poster",
        response_types=list(TYPES),
        grant_types=["authorization_code", "implicit"],
    )


@pytest.mark.parametrize("response_type", TYPES)
def test_server(poster: RelyingParty, log_in: SignIn, alice: Person, response_type: str) -> None:
    departure = log_in(poster, response_type=response_type, response_mode="form_post")
    assert departure.url == CALLBACK
    assert departure.form is not None
    assert ("code" in departure.form) == ("code" in response_type.split())
    assert set(poster.at_once(departure).raw) == set(departure.form)
    if "code" in departure.form:
        assert poster.finish(departure).claims["sub"] == alice.id


@pytest.mark.parametrize("response_type", TYPES)
def test_errors_are_posted_too(poster: RelyingParty, agent: UserAgent, response_type: str) -> None:
    changes: dict[str, Any] = {"response_type": response_type, "prompt": "none"}
    url = poster.authorization_url(response_mode="form_post", **changes)
    departure = gone(agent.get(url))
    assert departure.form is not None
    assert departure.parameters["error"] == "login_required"


HOSTILE = "\"><script>alert('x')</script>&amp;+% ü\u2028"


def test_the_page_sends_itself_and_has_a_button(poster: RelyingParty, agent: UserAgent) -> None:
    url = poster.authorization_url(response_mode="form_post", prompt="none", state=HOSTILE)
    response = agent.client.get(url)
    (form,) = parse(response.text, url).forms
    assert (form.action, form.method) == (CALLBACK, "post")
    assert form.fields["state"] == HOSTILE
    assert [button.label for button in form.buttons] == ["Continue"]
    assert "<script>alert" not in response.text
    policy = response.headers["Content-Security-Policy"]
    assert "form-action 'self' https://shop.example" in policy
    assert "'unsafe-inline'" not in policy
    assert "onload" not in response.text
    scripts = re.findall(r"<script[^>]*>", response.text)
    assert scripts
    assert all("nonce=" in script and "src=" in script for script in scripts)
    assert response.headers["Cache-Control"] == "no-store"
    assert "Back to shop.example" in response.text
