"""What is worth something once, or until it is ended: made at one node, tried at any other.

Nodes share a database and nothing else. ``Thing.use`` says whether it bought something there.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx
import pyotp

from tests.helpers.house import CALLBACK, ISSUER, House, Person
from tests.helpers.html import find_object
from tests.helpers.plain import PLAIN
from tests.helpers.relying_party import Pending, RelyingParty
from tests.helpers.user_agent import Departure, Page, Place, UserAgent
from tests.web.account.visits import link_in, mails
from tests.web.walking import enter, gone, newcomer, press, shown, tokens_of, user_of

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
REFRESHING = {"grant_types": ["authorization_code", "refresh_token"], "consent": "never"}


class Node(Protocol):
    """Something that answers HTTP; a ``House`` is one, a server's address another."""

    def http(self) -> httpx.Client: ...
    def browser(self) -> UserAgent: ...


class _To(httpx.HTTPTransport):
    """Goes to one node whatever the address says, as a proxy in front would."""

    def __init__(self, port: int) -> None:
        super().__init__(
            verify=PLAIN, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0)
        )
        self._port = port

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        there = request.url.copy_with(scheme="http", host="127.0.0.1", port=self._port)
        sent = httpx.Request(
            request.method,
            there,
            headers=request.headers,  # the Host that was asked for among them
            stream=request.stream,
            extensions=request.extensions,
        )
        return super().handle_request(sent)


@dataclass(frozen=True)
class Remote:
    """A node that runs by itself, behind the address of the issuer."""

    port: int
    issuer: str = ISSUER

    def http(self) -> httpx.Client:
        return httpx.Client(base_url=self.issuer, transport=_To(self.port), timeout=30)

    def browser(self) -> UserAgent:
        return UserAgent(self.issuer, transport=_To(self.port))


@dataclass(frozen=True)
class Thing:
    """``use`` is true where it bought something; whatever else happened is no success."""

    name: str
    use: Callable[[Node], bool]


def at(party: RelyingParty, node: Node) -> RelyingParty:
    """The same client, who talks to another node."""
    return replace(party, http=node.http(), pending=party.pending)


def as_there(agent: UserAgent, node: Node) -> UserAgent:
    """The same browser, with its cookies, at another node of the same provider."""
    there = node.browser()
    for cookie in agent.cookies.jar:
        there.cookies.jar.set_cookie(cookie)
    return there


def code(house: House, **members: Any) -> Thing:
    """An authorization code that was sent to its client; ``members`` are of its registration."""
    party = house.client(**REFRESHING, **members)
    agent, person = house.browser(), newcomer(house)
    page = agent.page(party.authorization_url(scope="openid offline_access"))
    place = enter(agent, page, person)
    value, pending = party.authorization_code(gone(place))
    return Thing("code", lambda node: _redeems(party, node, value, pending))


def _redeems(party: RelyingParty, node: Node, value: str, pending: Pending) -> bool:
    form = {
        "grant_type": "authorization_code",
        "code": value,
        "redirect_uri": pending.redirect_uri,
        "code_verifier": pending.verifier or "",
    }
    return at(party, node).token_request(**form).is_success


def refresh_token(house: House, **members: Any) -> Thing:
    """One that is replaced when it is used; ``members`` are of the client's registration."""
    party = house.client(**REFRESHING, **members)
    tokens = tokens_of(house.browser(), party, newcomer(house), scope="openid offline_access")
    form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}
    return Thing("refresh token", lambda node: at(party, node).token_request(**form).is_success)


def access_token(house: House, format_: str) -> Thing:
    """A JWT, or an opaque one, at userinfo."""
    party = house.client(access_token_format=format_, consent="never")
    token = tokens_of(house.browser(), party, newcomer(house)).access_token
    headers = {"Authorization": f"Bearer {token}"}
    return Thing(
        f"access token, {format_}",
        lambda node: node.http().get("/oauth/userinfo", headers=headers).is_success,
    )


def session(house: House) -> Thing:
    """A browser that is signed in."""
    party, agent = house.client(consent="never"), house.browser()
    tokens_of(agent, party, newcomer(house))

    def use(node: Node) -> bool:
        url = party.authorization_url(prompt="none")
        path = urlsplit(url)._replace(scheme="", netloc="").geturl()
        answer = as_there(agent, node).client.get(path)
        return "code=" in answer.headers.get("Location", "")

    return Thing("session", use)


def second_step(
    house: House, person: Person, name: str, field: str, value: Callable[[], str]
) -> Thing:
    """What is typed beside a password, each time in a browser that nobody was in."""
    party = house.client(consent="never")

    def use(node: Node) -> bool:
        agent = node.browser()
        place = enter(agent, agent.page(party.authorization_url()), person)
        page = agent.page(f"{shown(place).path}/{name}")
        if not _has_form(page, field):
            return False
        answer = agent.submit(page, page.form(f"/{name}"), {field: value()})
        return isinstance(answer, Departure) and "code" in answer.parameters

    return Thing(name, use)


def totp(house: House) -> Thing:
    """The code that the app shows when this is made, and no other."""
    person = newcomer(house)
    house.clock.advance(minutes=-1)  # setting it up uses the code of that moment
    app = pyotp.TOTP(house.totp(person))
    house.clock.advance(minutes=1)
    shown_now = app.at(house.clock())
    return second_step(house, person, "totp", "otp", lambda: shown_now)


def recovery_code(house: House) -> Thing:
    """The first of ten."""
    person = newcomer(house)
    house.totp(person)
    codes = house.recovery_codes(person)
    return second_step(house, person, "recovery_code", "recovery_code", lambda: codes[0])


def reset_link(house: House) -> Thing:
    """The link to set a password anew."""
    person = newcomer(house)
    link = house.do(
        lambda services: services.password_reset.link(user_of(services, person), house.context)
    )
    house.do(lambda services: services.commit())

    def use(node: Node) -> bool:
        agent = node.browser()
        place = agent.get(urlsplit(link).path)
        if not _has_form(place, "new_password"):
            return False
        assert isinstance(place, Page)
        form = next(form for form in place.document.forms if "new_password" in form.inputs)
        answer = agent.submit(place, form, {"new_password": "seven slow ferries cross at dusk"})
        return not _has_form(answer, "new_password") and _status(answer) == 200

    return Thing("reset link", use)


def mailed_link(house: House) -> Thing:
    """The link of one mail, in the browser that asked for it."""
    party, agent, person = house.client(consent="never"), house.browser(), newcomer(house)
    page = agent.page(party.authorization_url())
    form = page.form("/password")
    agent.submit(page, form, {"username": person.email}, button="Email me a sign-in link")
    path = urlsplit(link_in(mails(house, person.email)[-1])).path

    def use(node: Node) -> bool:
        there = as_there(agent, node)
        opened = there.page(path)
        if not any(path in one.action for one in opened.document.forms):
            return False
        answer = there.submit(opened, opened.document.forms[0])
        return isinstance(answer, Departure) and "code" in answer.parameters

    return Thing("mailed link", use)


def passkey(house: House) -> Thing:
    """What an authenticator answered to one challenge, up to the tokens: who sends the same step of
    a sign-in again is sent on with the same code."""
    party, agent, person = house.client(consent="never"), house.browser(), newcomer(house)
    soft = house.passkey(person)
    page = agent.page(party.authorization_url())
    options = find_object(page.document.data, "challenge")
    assert options is not None
    answer = json.dumps(soft.get_assertion(options))
    form = {**page.form("/password").fields, "passkey_response": answer}

    (pending,) = party.pending.values()

    def use(node: Node) -> bool:
        sent = as_there(agent, node).client.post(f"{page.path}/passkey", data=form)
        gone_to = Departure(sent.headers.get("Location", "")).parameters
        return "code" in gone_to and _redeems(party, node, gone_to["code"], pending)

    return Thing("passkey", use)


def telly(house: House, **members: Any) -> RelyingParty:
    """A client that asks for device codes."""
    usual = {"grant_types": [DEVICE, "refresh_token"], "redirect_uris": [CALLBACK]}
    return house.client(**{"client_name": "Telly", **usual, **members})


def connecting(tv: RelyingParty) -> dict[str, str]:
    """The two codes that a device is told."""
    answer = tv.post("/oauth/device", {"scope": "openid"})
    assert answer.status_code == 200, answer.text
    told: dict[str, str] = answer.json()
    return told


def device_code(house: House, **members: Any) -> Thing:
    """One that was allowed; ``members`` are of the client's registration."""
    party, agent = telly(house, **members), house.browser()
    told, page = connecting(party), agent.page("/device")
    page = shown(agent.submit(page, page.form("/device"), {"user_code": told["user_code"]}))
    page = shown(enter(agent, page, newcomer(house)))
    press(agent, page, page.path, "Allow")
    form = {"grant_type": DEVICE, "device_code": told["device_code"]}
    return Thing("device code", lambda node: at(party, node).token_request(**form).is_success)


def _status(place: Place) -> int:
    return place.status if isinstance(place, Page) else 303


def _has_form(place: Place, field: str) -> bool:
    return isinstance(place, Page) and any(field in form.inputs for form in place.document.forms)


ONCE = (
    *(code, refresh_token, device_code),
    *(totp, recovery_code, passkey, mailed_link, reset_link),
)
"""Worth something once."""

LASTING = (
    session,
    lambda house: access_token(house, "jwt"),
    lambda house: access_token(house, "opaque"),
)
"""Worth something until it ends."""
