"""CONFORMANCE.md, "Logout": RP-initiated, back-channel, front-channel, session management."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from flask import Flask, Response, request
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey

from tests.helpers import base64url
from tests.helpers.clock import FakeClock
from tests.helpers.databases import Databases
from tests.helpers.house import House, Person
from tests.helpers.ports import free_port
from tests.helpers.relying_party import RelyingParty, Tokens
from tests.helpers.served import served
from tests.helpers.user_agent import Departure, Page, Place, UserAgent
from tests.oidc.desk import header_of
from tests.web.walking import gone, housed, newcomer, press, shown, silently, tokens_of

BACK = "https://shop.example/signed-out"
EVENT = "http://schemas.openid.net/event/backchannel-logout"


@dataclass
class Party:
    """A relying party's server: what reaches it on either channel, and how it answers."""

    url: str
    posted: list[tuple[Mapping[str, list[str]], str]] = field(default_factory=list)
    status: int = 200

    @property
    def backchannel(self) -> str:
        return f"{self.url}/backchannel"

    def app(self) -> Flask:
        made = Flask("party")

        @made.post("/backchannel")
        def backchannel() -> Response:
            self.posted.append((request.form.to_dict(flat=False), request.mimetype))
            return Response(status=self.status, headers={"Cache-Control": "no-store"})

        return made

    def token(self) -> str:
        """The one logout token that came, in a form that holds nothing else."""
        ((form, kind),) = self.posted
        assert kind == "application/x-www-form-urlencoded"
        assert set(form) == {"logout_token"}
        (token,) = form["logout_token"]
        return token


@pytest.fixture(scope="module")
def house(databases: Databases) -> Iterator[House]:
    with databases.fresh("sqlite") as url, housed(url, FakeClock()) as made:
        yield made


@pytest.fixture
def alice(house: House) -> Person:
    return newcomer(house)


@pytest.fixture(scope="module")
def shop(house: House) -> RelyingParty:
    return house.client(consent="never", post_logout_redirect_uris=[BACK, f"{BACK}?from=idp"])


@pytest.fixture(scope="module")
def serving() -> Iterator[Party]:
    party = Party(f"http://localhost:{free_port()}")
    with served(party.app(), urlsplit(party.url).port or 0):
        yield party


@pytest.fixture
def party(serving: Party) -> Party:
    serving.posted.clear()
    serving.status = 200
    return serving


def entered(house: House, shop: RelyingParty, person: Person) -> tuple[UserAgent, Tokens]:
    agent = house.browser()
    return agent, tokens_of(agent, shop, person)


def logout_url(shop: RelyingParty, **parameters: str | None) -> str:
    sent = {name: value for name, value in parameters.items() if value is not None}
    return f"{shop.metadata['end_session_endpoint']}?{urlencode(sent)}"


def deliver(house: House) -> int:
    sent: int = house.do(lambda idp: idp.notices_outbox.deliver_due(house.clock()))
    return sent


def says_signed_out(place: Place) -> Page:
    page = shown(place)
    assert page.document.headings == ["You are signed out"]
    return page


def asks(place: Place) -> Page:
    page = shown(place)
    assert page.document.headings == ["Sign out?"]
    return page


class TestRpInitiated:
    def test_back_to_the_registered_uri_with_only_state(
        self, house: House, shop: RelyingParty, alice: Person
    ) -> None:
        agent, tokens = entered(house, shop, alice)
        url = logout_url(
            shop, id_token_hint=tokens.id_token, post_logout_redirect_uri=BACK, state="s/ä ?&"
        )
        assert gone(agent.get(url)).url.partition("?")[0] == BACK
        assert silently(agent, shop) == "login_required"
        assert gone(agent.get(url)).parameters == {"state": "s/ä ?&"}, "nobody is signed in now"

    def test_no_state(self, house: House, shop: RelyingParty, alice: Person) -> None:
        agent, tokens = entered(house, shop, alice)
        url = logout_url(shop, id_token_hint=tokens.id_token, post_logout_redirect_uri=BACK)
        assert gone(agent.get(url)).url == BACK
        assert silently(agent, shop) == "login_required"

    def test_by_post(self, house: House, shop: RelyingParty, alice: Person) -> None:
        agent, tokens = entered(house, shop, alice)
        form = {"id_token_hint": tokens.id_token, "post_logout_redirect_uri": BACK, "state": "x"}
        answer = agent.client.post("/oauth/logout", data=form)
        assert (answer.status_code, answer.headers["Location"]) == (303, f"{BACK}?state=x")
        assert silently(agent, shop) == "login_required"

    def test_by_post_from_another_site_where_browsers_withhold_the_cookie(
        self, house: House, shop: RelyingParty, alice: Person
    ) -> None:
        agent, tokens = entered(house, shop, alice)
        form = {"id_token_hint": tokens.id_token, "post_logout_redirect_uri": BACK, "state": "x"}
        # SameSite=Lax: not with a foreign POST, but with the GET that the answer makes of it.
        answer = house.http().post("/oauth/logout", data=form)
        assert answer.status_code == 303
        assert silently(agent, shop) == ""
        assert gone(agent.get(answer.headers["Location"])).url == f"{BACK}?state=x"
        assert silently(agent, shop) == "login_required"

    def test_a_registered_query_stays(
        self, house: House, shop: RelyingParty, alice: Person
    ) -> None:
        agent, tokens = entered(house, shop, alice)
        uri = f"{BACK}?from=idp"
        url = logout_url(
            shop, id_token_hint=tokens.id_token, post_logout_redirect_uri=uri, state="x"
        )
        assert gone(agent.get(url)).url == f"{uri}&state=x"

    def test_an_expired_hint_will_do(self, house: House, shop: RelyingParty, alice: Person) -> None:
        agent, tokens = entered(house, shop, alice)
        house.clock.advance(hours=7)
        assert house.clock().timestamp() > tokens.claims["exp"]
        url = logout_url(shop, id_token_hint=tokens.id_token, post_logout_redirect_uri=BACK)
        assert gone(agent.get(url)).url == BACK

    def test_a_hint_whose_key_no_longer_signs_will_do(
        self, house: House, shop: RelyingParty, alice: Person
    ) -> None:
        house.do(lambda idp: idp.key_rotation.rotate(house.context))
        house.clock.advance(days=1, minutes=-1)
        agent, tokens = entered(house, shop, alice)
        kid = header_of(tokens.id_token)["kid"]
        house.clock.advance(minutes=2)
        later, fresh = entered(house, shop, alice)
        assert header_of(fresh.id_token)["kid"] != kid
        url = logout_url(shop, id_token_hint=tokens.id_token, post_logout_redirect_uri=BACK)
        assert gone(agent.get(url)).url == BACK
        assert silently(later, shop) == "", "another browser's session is another session"

    NO_REDIRECT: Mapping[str, Callable[[RelyingParty, Tokens], dict[str, str | None]]] = {
        "bad URI": lambda shop, tokens: {
            "id_token_hint": tokens.id_token,
            "post_logout_redirect_uri": "https://shop.example/other",
        },
        "query added": lambda shop, tokens: {
            "id_token_hint": tokens.id_token,
            "post_logout_redirect_uri": f"{BACK}?more=1",
        },
        "a redirect_uri, not registered for this": lambda shop, tokens: {
            "id_token_hint": tokens.id_token,
            "post_logout_redirect_uri": shop.redirect_uri,
        },
        "URI without id_token_hint": lambda shop, tokens: {"post_logout_redirect_uri": BACK},
        "hint as alg none": lambda shop, tokens: {
            "id_token_hint": unsigned(tokens),
            "post_logout_redirect_uri": BACK,
        },
        "hint as alg none, client named": lambda shop, tokens: {
            "id_token_hint": unsigned(tokens),
            "client_id": shop.client_id,
            "post_logout_redirect_uri": BACK,
        },
        "hint signed by the RP": lambda shop, tokens: {
            "id_token_hint": signed_by_the_party(shop, tokens),
            "post_logout_redirect_uri": BACK,
        },
        "hint signed with the client's secret": lambda shop, tokens: {
            "id_token_hint": signed_with_the_secret(shop, tokens),
            "post_logout_redirect_uri": BACK,
        },
        "an access token for a hint": lambda shop, tokens: {
            "id_token_hint": tokens.access_token,
            "post_logout_redirect_uri": BACK,
        },
        "hint of another client than client_id": lambda shop, tokens: {
            "id_token_hint": tokens.id_token,
            "client_id": "another",
            "post_logout_redirect_uri": BACK,
        },
    }

    @pytest.mark.parametrize("case", NO_REDIRECT)
    def test_no_redirect(self, house: House, shop: RelyingParty, alice: Person, case: str) -> None:
        agent, tokens = entered(house, shop, alice)
        url = logout_url(shop, state="x", **self.NO_REDIRECT[case](shop, tokens))
        page = asks(agent.get(url))
        assert silently(agent, shop) == ""
        says_signed_out(press(agent, page, "/sign-out", "Sign out"))
        assert silently(agent, shop) == "login_required"

    @pytest.mark.parametrize(
        "parameters",
        [{}, {"state": "x"}, {"ui_locales": "se", "logout_hint": "nobody"}],
        ids=["no-params", "only-state", "unknown hints"],
    )
    def test_asks_and_ends_on_a_logged_out_page(
        self, house: House, shop: RelyingParty, alice: Person, parameters: dict[str, str | None]
    ) -> None:
        agent, _ = entered(house, shop, alice)
        page = asks(agent.get(logout_url(shop, **parameters)))
        says_signed_out(press(agent, page, "/sign-out", "Sign out"))
        assert silently(agent, shop) == "login_required"

    def test_no_post_logout_uri(self, house: House, shop: RelyingParty, alice: Person) -> None:
        agent, tokens = entered(house, shop, alice)
        says_signed_out(agent.get(logout_url(shop, id_token_hint=tokens.id_token, state="x")))
        assert silently(agent, shop) == "login_required"

    def test_client_id_alone_takes_the_persons_word(
        self, house: House, shop: RelyingParty, alice: Person
    ) -> None:
        agent, _ = entered(house, shop, alice)
        url = logout_url(shop, client_id=shop.client_id, post_logout_redirect_uri=BACK, state="x")
        page = asks(agent.get(url))
        assert "Shop asks to sign you out" in page.document.text
        policy = page.response.headers["Content-Security-Policy"]
        assert "form-action 'self' https://shop.example;" in policy
        assert gone(press(agent, page, "/sign-out", "Sign out")).url == f"{BACK}?state=x"
        assert silently(agent, shop) == "login_required"
        page = says_signed_out(agent.get(url))
        assert page.link("Back to Shop") == f"{BACK}?state=x"


class TestBackChannel:
    def test_the_party_is_told(self, house: House, alice: Person, party: Party) -> None:
        client = house.client(consent="never", backchannel_logout_uri=party.backchannel)
        assert client.metadata["backchannel_logout_supported"] is True
        assert client.metadata["backchannel_logout_session_supported"] is True
        agent, tokens = entered(house, client, alice)
        agent.get(logout_url(client, id_token_hint=tokens.id_token))
        house.clock.advance(seconds=90)
        assert deliver(house) == 1
        header, claims = verified(client, party.token())
        assert header == {"alg": "RS256", "typ": "logout+jwt", "kid": header["kid"]}
        now = int(house.clock().timestamp())
        assert claims == {
            "iss": client.issuer,
            "aud": client.client_id,
            "iat": now,
            "exp": now + 120,
            "jti": claims["jti"],
            "sub": tokens.claims["sub"],
            "sid": tokens.claims["sid"],
            "events": {EVENT: {}},
        }
        assert deliver(house) == 0

    @pytest.mark.parametrize("algorithm", ["ES256", "PS256"])
    def test_signed_as_its_id_tokens_are(
        self, house: House, alice: Person, party: Party, algorithm: str
    ) -> None:
        client = house.client(
            consent="never",
            backchannel_logout_uri=party.backchannel,
            id_token_signed_response_alg=algorithm,
        )
        client.algorithms = (algorithm,)
        agent, tokens = entered(house, client, alice)
        agent.get(logout_url(client, id_token_hint=tokens.id_token))
        deliver(house)
        assert verified(client, party.token())[0]["alg"] == algorithm

    def test_a_logout_token_is_no_id_token(self, house: House, alice: Person, party: Party) -> None:
        client = house.client(
            consent="never",
            backchannel_logout_uri=party.backchannel,
            post_logout_redirect_uris=[BACK],
        )
        agent, tokens = entered(house, client, alice)
        agent.get(logout_url(client, id_token_hint=tokens.id_token))
        deliver(house)
        again, _ = entered(house, client, alice)
        asks(again.get(logout_url(client, id_token_hint=party.token())))
        refused = client.authorization_url(prompt="none", id_token_hint=party.token())
        assert "error=invalid_request" in again.client.get(refused).headers["Location"]


class TestFrontChannel:
    def test_an_iframe_with_exactly_iss_and_sid(self, house: House, alice: Person) -> None:
        client = house.client(
            consent="never",
            frontchannel_logout_uri="https://shop.example/frontchannel",
            frontchannel_logout_session_required=True,
            post_logout_redirect_uris=[BACK],
        )
        assert client.metadata["frontchannel_logout_supported"] is True
        assert client.metadata["frontchannel_logout_session_supported"] is True
        agent, tokens = entered(house, client, alice)
        url = logout_url(
            client, id_token_hint=tokens.id_token, post_logout_redirect_uri=BACK, state="x"
        )
        page = says_signed_out(agent.get(url))
        (frame,) = frames(page)
        assert frame.partition("?")[0] == "https://shop.example/frontchannel"
        assert parse_qsl(urlsplit(frame).query) == [
            ("iss", client.issuer),
            ("sid", tokens.claims["sid"]),
        ]
        policy = page.response.headers["Content-Security-Policy"]
        assert "frame-src https://shop.example;" in policy
        assert page.link("Back to Shop") == f"{BACK}?state=x"
        assert silently(agent, client) == "login_required"
        assert "frame-src" not in agent.page("/login/").response.headers["Content-Security-Policy"]


class TestSessionManagement:
    def test_session_state_is_what_the_iframe_computes(
        self, house: House, shop: RelyingParty, alice: Person
    ) -> None:
        agent = house.browser()
        url = shop.authorization_url()
        page = agent.page(url)
        departure = gone(enter_password(agent, page, alice))
        sent = departure.parameters
        assert compared(agent, shop, sent["session_state"]) == "unchanged"
        page = agent.page("/me")
        says_signed_out(press(agent, page, "/sign-out", "Sign out"))
        assert compared(agent, shop, sent["session_state"]) == "changed"

    def test_the_document_may_be_framed_and_nothing_else_may(
        self, house: House, shop: RelyingParty
    ) -> None:
        agent = house.browser()
        framed = agent.client.get(shop.metadata["check_session_iframe"])
        assert framed.status_code == 200
        assert "X-Frame-Options" not in framed.headers
        assert "frame-ancestors *" in framed.headers["Content-Security-Policy"]
        for other in ("/login/", "/oauth/logout", "/me/signed-out"):
            answer = agent.page(other).response
            assert answer.headers["X-Frame-Options"] == "DENY"
            assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]

    def test_errors_carry_it_too(self, house: House, shop: RelyingParty, alice: Person) -> None:
        agent = house.browser()
        answer = agent.client.get(shop.authorization_url(prompt="none"))
        refused = Departure(answer.headers["Location"]).parameters
        assert refused.keys() == {"error", "error_description", "state", "iss", "session_state"}
        assert compared(agent, shop, refused["session_state"]) == "unchanged"
        tokens_of(agent, shop, alice)
        assert compared(agent, shop, refused["session_state"]) == "changed", "somebody signed in"
        plain = agent.client.get(shop.authorization_url(prompt="none", scope="profile"))
        assert "session_state" not in plain.headers["Location"]


def enter_password(agent: UserAgent, page: Page, person: Person) -> Place:
    form = page.form("/password")
    return agent.submit(page, form, {"username": person.email, "password": person.password})


def compared(agent: UserAgent, shop: RelyingParty, session_state: str) -> str:
    """Section 3.2's example, as the script in the iframe does it."""
    told, salt = session_state.split(".")
    state = agent.cookies["idp_state"]
    text = f"{shop.client_id} https://shop.example {state} {salt}"
    return "unchanged" if hashlib.sha256(text.encode()).hexdigest() == told else "changed"


def frames(page: Page) -> list[str]:
    """The addresses of a page's iframes."""
    return [unescape(found) for found in re.findall(r'<iframe src="([^"]*)"', page.response.text)]


def verified(client: RelyingParty, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    keys = KeySet.import_key_set(client.http.get(client.metadata["jwks_uri"]).json())
    read = jwt.decode(token, keys, algorithms=["RS256", "ES256", "EdDSA", "PS256"])
    return dict(read.header), dict(read.claims)


def unsigned(tokens: Tokens) -> str:
    header = base64url.encode(json.dumps({"alg": "none", "typ": "JWT"}).encode())
    return f"{header}.{tokens.id_token.split('.')[1]}."


def signed_by_the_party(shop: RelyingParty, tokens: Tokens) -> str:
    kid = header_of(tokens.id_token)["kid"]
    key = RSAKey.generate_key(2048)
    header = {"alg": "RS256", "kid": kid, "typ": "JWT"}
    return jwt.encode(header, dict(tokens.claims), key)


def signed_with_the_secret(shop: RelyingParty, tokens: Tokens) -> str:
    key = OctKey.import_key(str(shop.client_secret))
    return jwt.encode({"alg": "HS256", "kid": "x"}, dict(tokens.claims), key)
