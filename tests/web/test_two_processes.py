"""Two real servers over one database: whatever arrives at once, one thing comes of it."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Barrier
from typing import Any
from urllib.parse import urlencode

import httpx
import pyotp
import pytest
from sqlalchemy import func, select

from idp.clock import system_clock
from idp.models import EvidenceRow, Grant, Transaction, db
from tests.helpers.clock import FakeClock
from tests.helpers.databases import KINDS, Databases
from tests.helpers.house import CHEAP, House, Person
from tests.helpers.html import find_object, parse
from tests.helpers.plain import PLAIN
from tests.helpers.ports import free_port
from tests.helpers.relying_party import RelyingParty
from tests.helpers.servers import Server, serve
from tests.helpers.user_agent import Departure, Page, UserAgent
from tests.web.account.visits import mails
from tests.web.walking import enter, event_names, gone, housed, newcomer, sessions_of, shown

AT_ONCE = 8


@dataclass(frozen=True)
class Pair:
    """Two servers, and a house over the same database to prepare and to look."""

    servers: list[Server]
    house: House
    opened: ExitStack = field(default_factory=ExitStack)

    def client(self, **members: Any) -> RelyingParty:
        """A client that talks to the first server."""
        made = self.house.client(**members)
        return RelyingParty(
            made.issuer,
            made.client_id,
            made.redirect_uri,
            client_secret=made.client_secret,
            http=self.opened.enter_context(httpx.Client(timeout=60, verify=PLAIN, trust_env=False)),
        )

    def browser(self) -> UserAgent:
        """A browser at the first server."""
        return self.opened.enter_context(UserAgent(self.servers[0].url))

    def count(self, statement: Any) -> int:
        with self.house.app.app_context():
            return db.session.scalar(statement) or 0


@pytest.fixture(scope="module", params=KINDS)
def pair(
    request: pytest.FixtureRequest,
    databases: Databases,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Pair]:
    settings = {f"IDP_{name.upper()}": str(value) for name, value in CHEAP.items()}
    settings["IDP_MAIL_URL"] = f"smtp://127.0.0.1:{free_port()}"  # nobody answers: mails stay here
    folder = tmp_path_factory.mktemp("servers")
    with (
        databases.fresh(request.param) as url,
        serve(url, folder, n=2, settings=settings) as servers,
        housed(url, FakeClock(system_clock()), issuer=servers[0].url) as house,
    ):
        yield Pair(servers, house)


@pytest.fixture(autouse=True)
def connections(pair: Pair) -> Iterator[None]:
    """Whatever a test opened is closed when it ends."""
    yield
    pair.opened.close()


@pytest.fixture
def alice(pair: Pair) -> Person:
    pair.house.clock.set(system_clock())  # the servers go by the machine's
    return newcomer(pair.house)


@pytest.fixture
def shop(pair: Pair) -> RelyingParty:
    return pair.client(consent="never")


def at_once(
    pair: Pair, requests: list[Callable[[httpx.Client], httpx.Response]]
) -> list[httpx.Response]:
    """Send them at the same moment, to one server and the other in turn."""
    barrier = Barrier(len(requests))

    def send(place: int) -> httpx.Response:
        server = pair.servers[place % 2]
        with httpx.Client(base_url=server.url, timeout=60, verify=PLAIN, trust_env=False) as client:
            client.get("/healthz")  # so that all have their connection
            barrier.wait(30)
            return requests[place](client)

    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(send, range(len(requests))))


def poster(
    agent: UserAgent, page: Page, path: str, **values: str
) -> Callable[[httpx.Client], httpx.Response]:
    """A request that sends this form as it lies in this browser."""
    form = page.form(path)
    data: Mapping[str, str] = {**form.fields, **values}
    cookies = "; ".join(f"{name}={value}" for name, value in agent.cookies.items())
    target = httpx.URL(form.action).path
    return lambda client: client.post(target, data=dict(data), headers={"Cookie": cookies})


def sign_in_page(pair: Pair, shop: RelyingParty) -> tuple[UserAgent, Page]:
    agent = pair.browser()
    return agent, agent.page(shop.authorization_url())


def test_guesses_at_once_are_no_more_than_guesses_one_by_one(
    pair: Pair, shop: RelyingParty, alice: Person
) -> None:
    tabs = [sign_in_page(pair, shop) for _ in range(AT_ONCE + 6)]
    wrong = {"username": alice.email, "password": "a guess"}
    answers = at_once(pair, [poster(agent, page, "/password", **wrong) for agent, page in tabs])
    assert Counter(answer.status_code for answer in answers) == {422: 10, 429: AT_ONCE - 4}
    refused = event_names(pair.house, user_id=alice.id, event="login.password.refused")
    assert len(refused) == 10
    agent, page = sign_in_page(pair, shop)
    assert shown(enter(agent, page, alice)).status == 429


def test_a_right_password_among_guesses_signs_in_once(
    pair: Pair, shop: RelyingParty, alice: Person
) -> None:
    tabs = [sign_in_page(pair, shop) for _ in range(6)]
    passwords = [alice.password, *["a guess"] * 5]
    requests = [
        poster(*tab, "/password", username=alice.email, password=password)
        for tab, password in zip(tabs, passwords, strict=True)
    ]
    answers = at_once(pair, requests)
    assert Counter(answer.status_code for answer in answers) == {303: 1, 422: 5}


def test_one_step_answered_many_times_at_once_advances_once(
    pair: Pair, shop: RelyingParty, alice: Person
) -> None:
    agent, page = sign_in_page(pair, shop)
    right = {"username": alice.email, "password": alice.password}
    answers = at_once(pair, [poster(agent, page, "/password", **right)] * AT_ONCE)
    assert {answer.status_code for answer in answers} == {303}
    done = {one.headers["Location"] for one in answers if "code=" in one.headers["Location"]}
    (location,) = done
    assert shop.finish(Departure(location)).claims["sub"] == alice.id
    assert pair.count(select(func.count(Grant.id)).where(Grant.user_id == alice.id)) == 1
    tx = page.path.rpartition("/")[2]
    proofs = select(func.count(EvidenceRow.id)).where(EvidenceRow.transaction_id == tx)
    assert pair.count(proofs) == 1
    finished = select(func.count(Transaction.id)).where(
        Transaction.id == tx, Transaction.finished_at.is_not(None)
    )
    assert pair.count(finished) == 1


def test_a_page_opened_many_times_at_once_is_one_page(
    pair: Pair, shop: RelyingParty, alice: Person
) -> None:
    agent = pair.browser()
    path = agent.client.get(shop.authorization_url()).headers["Location"]
    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in agent.cookies.items())}
    answers = at_once(pair, [lambda client: client.get(path, headers=headers)] * AT_ONCE)
    assert {answer.headers.get("Location", path) for answer in answers} == {path}
    pages = [parse(answer.text, path) for answer in answers if answer.status_code == 200]
    options = [find_object(page.data, "challenge") for page in pages]
    assert len({str(one and one["challenge"]) for one in options}) == 1
    assert gone(enter(agent, agent.page(path), alice)).parameters["code"]


def test_a_middle_step_answered_many_times_at_once_is_one_proof(
    pair: Pair, shop: RelyingParty, alice: Person
) -> None:
    pair.house.totp(alice)
    agent, page = sign_in_page(pair, shop)
    right = {"username": alice.email, "password": alice.password}
    answers = at_once(pair, [poster(agent, page, "/password", **right)] * AT_ONCE)
    assert {answer.status_code for answer in answers} == {303}
    assert agent.page(page.url).document.headings[0] == "Enter your code"
    tx = page.path.rpartition("/")[2]
    proofs = select(func.count(EvidenceRow.id)).where(EvidenceRow.transaction_id == tx)
    assert pair.count(proofs) == 1
    assert len(sessions_of(pair.house, alice)) == 1
    accepted = event_names(pair.house, user_id=alice.id, event="login.password.accepted")
    assert len(accepted) == 1


def test_allowing_many_times_at_once_grants_once(pair: Pair, alice: Person) -> None:
    shop = pair.client(consent="always")
    agent, page = sign_in_page(pair, shop)
    page = shown(enter(agent, page, alice))
    answers = at_once(pair, [poster(agent, page, "/consent", decision="allow")] * AT_ONCE)
    locations = {answer.headers["Location"] for answer in answers}
    codes = {one for one in locations if "code=" in one}
    assert len(codes) == 1
    assert pair.count(select(func.count(Grant.id)).where(Grant.user_id == alice.id)) == 1
    assert shop.finish(Departure(codes.pop())).claims["sub"] == alice.id


def test_allowing_and_cancelling_at_once_is_one_or_the_other(pair: Pair, alice: Person) -> None:
    shop = pair.client(consent="always")
    agent, page = sign_in_page(pair, shop)
    page = shown(enter(agent, page, alice))
    requests = [
        poster(agent, page, "/consent", decision=decision)
        for decision in ("allow", "cancel") * (AT_ONCE // 2)
    ]
    locations = {answer.headers["Location"] for answer in at_once(pair, requests)}
    sent = {one for one in locations if one.startswith(shop.redirect_uri)}
    assert len(sent) == 1
    grants = pair.count(select(func.count(Grant.id)).where(Grant.user_id == alice.id))
    assert grants == ("code=" in sent.pop())


def next_code(app: pyotp.TOTP) -> str:
    """The code of the step that has not been used: setting the app up took the present one."""
    return app.at(system_clock() + timedelta(seconds=30))


def second_steps(
    pair: Pair, shop: RelyingParty, alice: Person, path: str = ""
) -> list[tuple[UserAgent, Page]]:
    """Some browsers, each asked for her second step."""
    found = []
    for _ in range(5):
        agent, page = sign_in_page(pair, shop)
        page = shown(enter(agent, page, alice))
        found.append((agent, agent.page(f"{page.path}{path}") if path else page))
    return found


def test_one_code_from_the_app_in_many_browsers_at_once(
    pair: Pair, shop: RelyingParty, alice: Person
) -> None:
    app = pyotp.TOTP(pair.house.totp(alice))
    tabs = second_steps(pair, shop, alice)
    code = next_code(app)
    answers = at_once(pair, [poster(*tab, "/totp", otp=code) for tab in tabs])
    assert Counter(answer.status_code for answer in answers) == {303: 1, 422: 4}


def test_one_recovery_code_in_many_browsers_at_once(
    pair: Pair, shop: RelyingParty, alice: Person
) -> None:
    pair.house.totp(alice)
    code = pair.house.recovery_codes(alice)[0]
    tabs = second_steps(pair, shop, alice, "/recovery_code")
    answers = at_once(pair, [poster(*tab, "/recovery_code", recovery_code=code) for tab in tabs])
    assert Counter(answer.status_code for answer in answers) == {303: 1, 422: 4}


def test_the_code_of_one_mail_many_times_at_once(
    pair: Pair, shop: RelyingParty, alice: Person
) -> None:
    agent, page = sign_in_page(pair, shop)
    form = page.form("/password")
    mail = form.button("Email me a sign-in link")
    page = shown(agent.submit(page, form, {"username": alice.email}, button=mail))
    words = mails(pair.house, alice.email)[-1]["text"].split()
    code = next(word for word in words if word.isdigit() and len(word) == 6)
    at_once(pair, [poster(agent, page, "/magic_link", code=code)] * 5)
    assert pair.count(select(func.count(Grant.id)).where(Grant.user_id == alice.id)) == 1
    accepted = event_names(pair.house, user_id=alice.id, event="login.magic_link.accepted")
    assert len(accepted) == 1


def test_one_authorization_code_redeemed_many_times_at_once(
    pair: Pair, shop: RelyingParty, alice: Person
) -> None:
    agent, page = sign_in_page(pair, shop)
    code, pending = shop.authorization_code(gone(enter(agent, page, alice)))
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": pending.redirect_uri,
        "code_verifier": pending.verifier or "",
    }
    credentials = httpx.BasicAuth(shop.client_id, shop.client_secret or "")

    def redeem(client: httpx.Client) -> httpx.Response:
        return client.post("/oauth/token", data=form, auth=credentials)

    answers = at_once(pair, [redeem] * AT_ONCE)
    assert Counter(answer.status_code for answer in answers) == {200: 1, 400: AT_ONCE - 1}
    assert {one.json()["error"] for one in answers if one.status_code == 400} == {"invalid_grant"}


def pushed(shop: RelyingParty) -> str:
    """The path to go to with a request that was pushed."""
    answer = shop.post(f"{shop.issuer}/oauth/par", shop.authorization_parameters())
    asked = {"client_id": shop.client_id, "request_uri": answer.json()["request_uri"]}
    return f"/oauth/authorize?{urlencode(asked)}"


def codes_among(answers: list[httpx.Response]) -> list[str]:
    return [where for one in answers if "code=" in (where := one.headers.get("Location", ""))]


def test_one_pushed_request_brought_many_times_at_once(
    pair: Pair, shop: RelyingParty, alice: Person
) -> None:
    agent = pair.browser()
    shop.finish(gone(enter(agent, agent.page(shop.authorization_url()), alice)))
    cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in agent.cookies.items())}
    path = pushed(shop)
    answers = at_once(pair, [lambda client: client.get(path, headers=cookies)] * AT_ONCE)
    (location,) = codes_among(answers)
    assert Counter(answer.status_code for answer in answers) == {303: 1, 400: AT_ONCE - 1}
    assert shop.finish(Departure(location)).claims["sub"] == alice.id
    assert pair.count(select(func.count(Grant.id)).where(Grant.user_id == alice.id)) == 2


def test_one_pushed_request_finished_in_many_browsers_at_once(
    pair: Pair, shop: RelyingParty, alice: Person
) -> None:
    path = pushed(shop)
    tabs = [(agent, agent.page(path)) for agent in (pair.browser() for _ in range(AT_ONCE))]
    right = {"username": alice.email, "password": alice.password}
    requests = [poster(agent, page, "/password", **right) for agent, page in tabs]
    answers = at_once(pair, requests)
    (location,) = codes_among(answers)
    assert shop.finish(Departure(location)).claims["sub"] == alice.id
    assert pair.count(select(func.count(Grant.id)).where(Grant.user_id == alice.id)) == 1


def test_a_sign_in_may_go_from_one_server_to_the_other(
    pair: Pair, shop: RelyingParty, alice: Person
) -> None:
    app = pyotp.TOTP(pair.house.totp(alice))
    agent, page = sign_in_page(pair, shop)
    other = pair.opened.enter_context(
        httpx.Client(base_url=pair.servers[1].url, verify=PLAIN, trust_env=False)
    )
    right = {"username": alice.email, "password": alice.password}
    response = poster(agent, page, "/password", **right)(other)
    assert response.status_code == 303
    page = agent.page(response.headers["Location"])
    response = poster(agent, page, "/totp", otp=next_code(app))(other)
    tokens = shop.finish(Departure(response.headers["Location"]))
    assert tokens.claims["amr"] == ["pwd", "otp", "mfa"]


def test_a_killed_server_leaves_nothing_half_done(
    pair: Pair, shop: RelyingParty, alice: Person
) -> None:
    agent, page = sign_in_page(pair, shop)
    right = {"username": alice.email, "password": alice.password}
    requests = [poster(agent, page, "/password", **right)] * 4

    def send(place: int) -> None:
        with (
            suppress(httpx.TransportError),
            httpx.Client(base_url=pair.servers[1].url, verify=PLAIN, trust_env=False) as client,
        ):
            requests[place](client)

    with ThreadPoolExecutor(4) as pool:
        sent = [pool.submit(send, place) for place in range(4)]
        pair.servers[1].kill()
        for one in sent:
            one.result()
    try:
        place = agent.get(page.url)
        if isinstance(place, Page) and "password" in place.response.text:
            place = enter(agent, place, alice)
        if isinstance(place, Departure):
            assert shop.finish(place).claims["sub"] == alice.id
        assert pair.count(select(func.count(Grant.id)).where(Grant.user_id == alice.id)) <= 1
    finally:
        pair.servers[1].start()


def test_nothing_secret_stands_in_the_servers_logs(
    pair: Pair, shop: RelyingParty, alice: Person
) -> None:
    agent, page = sign_in_page(pair, shop)
    form = page.form("/password")
    mail = form.button("Email me a sign-in link")
    agent.submit(page, form, {"username": alice.email}, button=mail)
    text = mails(pair.house, alice.email)[-1]["text"]
    link = next(word for word in text.split() if "/login/link/" in word)
    agent.page(link)
    page = agent.page(page.url)
    departure = gone(enter(agent, page, alice))
    tokens = shop.finish(departure)
    logs = "".join(server.output() for server in pair.servers)
    assert "/login/link/<token>" in logs
    secrets = [
        alice.password,
        link.rpartition("/")[2],
        departure.parameters["code"],
        tokens.access_token,
        tokens.id_token,
        shop.client_secret or "",
        *agent.cookies.values(),
    ]
    assert [secret for secret in secrets if secret and secret in logs] == []
