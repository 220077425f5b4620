"""The examples of ``docs/step-up.md``, each one something that really happened."""

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import httpx
from flask import Flask

from clients.ledger.step_up import requires
from tests.examples.transcript import Scribe
from tests.helpers.clock import FakeClock
from tests.helpers.house import House, Person
from tests.helpers.relying_party import RelyingParty, Tokens
from tests.helpers.sign_in import Answer, passkey, sign_in, totp
from tests.helpers.user_agent import Departure, Page, UserAgent
from tests.web.walking import housed

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "step-up.md"
ISSUER: Final = "https://id.example.com"
CALLBACK: Final = "https://shop.example.com/callback"
TEN: Final = datetime(2030, 6, 3, 10, 0, tzinfo=UTC)
EVERYDAY: Final = ("response_type", "client_id", "state")
"""Of the parameters that every request has, those that are shown every time."""

ORDER: Final = {
    "type": "confirm_operation",
    "id": "order-4711",
    "title": "Pay for your order",
    "amount": {"value": "40.00", "currency": "EUR"},
    "payee": "ACME Lanterns",
    "fields": [{"label": "Order", "value": "4711"}],
    "message": "Thank you for your order",
}


@dataclass
class Story:
    """One provider, one shop, and a morning at ten."""

    house: House
    clock: FakeClock
    scribe: Scribe
    shop: RelyingParty

    def person(self, name: str) -> Person:
        """Somebody with a password, written as ``name``."""
        made = self.house.person(f"{name}@example.com")
        self.scribe.call(made.id, name)
        return made

    def sign_in(
        self, agent: UserAgent, url: str, person: Person, answers: Mapping[str, Answer] | None
    ) -> Departure:
        """Walk from a request to its answer, and give what is random in it its names."""
        where = sign_in(
            agent, url, username=person.email, password=person.password, answers=answers
        )
        return self.named(where)

    def named(self, where: Departure) -> Departure:
        """The same, what is random in it known to the scribe."""
        names = {
            "code": "the-code",
            "state": "the-state",
            "session_state": "the-session-state",
        }
        for parameter, value in where.parameters.items():
            if parameter in names:
                self.scribe.call(value, names[parameter])
        return where

    def finish(self, where: Departure) -> Tokens:
        """The tokens for an answer, their random parts named."""
        tokens = self.shop.finish(where)
        for claim in ("sid", "at_hash"):
            self.scribe.call(tokens.claims[claim], f"the-{claim.replace('_', '-')}")
        return tokens

    def id_token(self, tokens: Tokens) -> str:
        """What the ID token says of the sign-in, and who it is about."""
        told = ("iss", "sub", "aud", "auth_time", "acr", "amr", "authorization_details")
        return self.scribe.json(
            {name: tokens.claims[name] for name in told if name in tokens.claims}
        )


def make_examples(database_url: str) -> dict[str, str]:
    """Every example of the page, by its name there; the database has to be empty."""
    clock = FakeClock(TEN)
    with housed(database_url, clock, issuer=ISSUER) as house:
        shop = _shop(house, clock)
        story = Story(house, clock, Scribe(), shop)
        made: dict[str, str] = {}
        for scene in (_older, _stronger, _missing, _unreachable, _silently, _api, _confirming):
            clock.set(TEN)
            made |= scene(story)
        return made


def _shop(house: House, clock: FakeClock) -> RelyingParty:
    members = {
        "client_name": "Shop",
        "redirect_uris": [CALLBACK],
        "consent": "never",
        "scope": "openid account",
    }
    with house.app.app_context():
        made = house.services.client_registry.register(members, house.context, client_id="shop")
    return RelyingParty(
        ISSUER, "shop", CALLBACK, client_secret=made.secret, http=house.http(), clock=clock
    )


def _request(story: Story, **asked: object) -> str:
    """The address of a request, its parameters in the order in which people explain them."""
    sent = story.shop.authorization_parameters(**asked)
    first = ["response_type", "client_id", *asked]
    ordered = {name: sent[name] for name in (*first, *sent)}
    return f"{story.shop.metadata['authorization_endpoint']}?{urlencode(ordered)}"


def _older(story: Story) -> dict[str, str]:
    """Signed in three hours ago; the shop wants five minutes."""
    bob, agent = story.person("bob"), story.house.browser()
    story.finish(story.sign_in(agent, _request(story), bob, None))
    story.clock.advance(hours=3)
    url = _request(story, max_age=300)
    where = story.sign_in(agent, url, bob, None)
    return {
        "max-age-request": story.scribe.request(url, only=(*EVERYDAY, "max_age")),
        "max-age-redirect": story.scribe.redirect(where.url),
        "max-age-id-token": story.id_token(story.finish(where)),
    }


def _stronger(story: Story) -> dict[str, str]:
    """A password at ten, a passkey two hours later."""
    ana, agent = story.person("ana"), story.house.browser()
    story.finish(story.sign_in(agent, _request(story), ana, None))
    soft = story.house.passkey(ana)
    story.clock.advance(hours=2)
    url = _request(story, acr_values="phr")
    tokens = story.finish(story.sign_in(agent, url, ana, {"passkey": passkey(soft)}))
    return {
        "acr-request": story.scribe.request(url, only=(*EVERYDAY, "acr_values")),
        "acr-id-token": story.id_token(tokens),
        "introspection": _introspected(story, tokens),
    }


def _introspected(story: Story, tokens: Tokens) -> str:
    endpoint = story.shop.metadata["introspection_endpoint"]
    told = story.shop.post(endpoint, {"token": tokens.access_token}).json()
    shown = ("active", "sub", "client_id", "scope", "acr", "amr", "auth_time")
    return story.scribe.json({name: told[name] for name in shown})


def _missing(story: Story) -> dict[str, str]:
    """Password and code an hour old; then the password anew: of two factors one is missing."""
    eve, agent = story.person("eve"), story.house.browser()
    seed = story.house.totp(eve)
    story.clock.advance(minutes=1)
    answers = {"totp": totp(seed, story.clock)}
    story.finish(story.sign_in(agent, _request(story), eve, answers))
    story.clock.advance(hours=1)
    asked = {"acr_values": "urn:idp:acr:mfa", "max_age": 600}
    page = agent.page(_request(story, **asked))
    agent.submit(page, page.form("/password"), {"password": eve.password})
    again = agent.get(_request(story, **asked))
    assert isinstance(again, Page)
    choices = agent.client.get(again.url, headers={"Accept": "application/json"}).json()
    return {"missing-choices": story.scribe.json({k: choices[k] for k in ("next", "choices")})}


def _unreachable(story: Story) -> dict[str, str]:
    """No value that is asked for is known: nobody is asked in vain."""
    url = _request(story, acr_values="https://elsewhere.example.com/gold")
    where = story.named(Departure(_location(story.house.browser(), url)))
    return {"unmet-redirect": story.scribe.redirect(where.url)}


def _silently(story: Story) -> dict[str, str]:
    """Signed in, and not strongly enough for an answer without a page."""
    ida, agent = story.person("ida"), story.house.browser()
    story.finish(story.sign_in(agent, _request(story), ida, None))
    story.house.passkey(ida)
    url = _request(story, acr_values="phr", prompt="none")
    where = story.named(Departure(_location(agent, url)))
    return {
        "silent-request": story.scribe.request(url, only=(*EVERYDAY, "acr_values", "prompt")),
        "silent-redirect": story.scribe.redirect(where.url),
    }


def _location(agent: UserAgent, url: str) -> str:
    return str(agent.client.get(url).headers["Location"])


def _api(story: Story) -> dict[str, str]:
    """An API of somebody's, and ours: both refuse, and say what would do."""
    kim, agent = story.person("kim"), story.house.browser()
    soft = story.house.passkey(kim)
    answers = {"passkey": passkey(soft)}
    scope = {"scope": "openid account"}
    old = story.finish(story.sign_in(agent, _request(story, **scope), kim, answers))
    story.clock.advance(minutes=9)
    old = story.finish(story.sign_in(agent, _request(story, **scope), kim, answers))
    story.clock.advance(minutes=5)
    headers = {"Authorization": f"Bearer {old.access_token}"}
    own = f"/api/v1/me/sessions/{secrets.token_urlsafe(8)}"
    refused = story.house.http().delete(own, headers=headers)
    return {
        "challenge": story.scribe.answer(_guarded(story).get("/", headers=headers)),
        "own-challenge": story.scribe.answer(refused),
    }


def _guarded(story: Story) -> httpx.Client:
    """An API that is guarded by the ledger's own function; it takes the token's word for it."""
    app = Flask("api")

    def claims_of(token: str) -> Mapping[str, Any]:
        body = token.split(".")[1]
        found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        return found

    @app.get("/")
    @requires(claims_of, acr_values=("phr",), max_age=300, clock=lambda: story.clock().timestamp())
    def root() -> str:
        return ""

    transport = httpx.WSGITransport(app=app)
    return httpx.Client(transport=transport, base_url="https://api.example.com")


def _confirming(story: Story) -> dict[str, str]:
    """An order, shown and signed for."""
    may, agent = story.person("may"), story.house.browser()
    soft = story.house.passkey(may)
    answers = {"passkey": passkey(soft)}
    url = _request(story, authorization_details=json.dumps([ORDER]))
    tokens = story.finish(story.sign_in(agent, url, may, answers))
    (detail,) = tokens.claims["authorization_details"]
    return {
        "operation": story.scribe.json(ORDER),
        "confirmed": story.scribe.json({"confirmed": detail["confirmed"]}),
    }
