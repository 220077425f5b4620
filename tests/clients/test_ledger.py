"""The ledger over HTTP, and what its challenges look like: Flask's and plain ASGI's."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx
import pytest
from flask import Flask, g
from werkzeug.datastructures import WWWAuthenticate

from clients.ledger.access_tokens import AccessTokens
from clients.ledger.step_up import requires
from clients.ledger.step_up_asgi import Application, Scope, StepUp
from tests.clients.modules import load
from tests.clients.provider import Provider, seconds
from tests.helpers.loops import in_own_loop
from tests.helpers.ports import free_port

STRONG = ("phr", "urn:idp:acr:mfa")
TRANSFER = {"id": "t1", "payee": "Harbour Glassworks", "amount": "12.50"}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def api(tokens: AccessTokens) -> Any:
    """The ledger without a network; the clock is the machine's."""
    return load("ledger").create_app(tokens).test_client()


@pytest.fixture
def strong(provider: Provider) -> dict[str, str]:
    """What a person sends who has just used a passkey."""
    return bearer(provider.issue(acr="phr", auth_time=seconds()))


def test_any_good_token_may_look(provider: Provider, api: Any):
    answer = api.get("/balance", headers=bearer(provider.issue()))
    assert answer.json == {"balance": "250.00", "currency": "EUR"}


def test_money_moves_after_a_strong_and_recent_sign_in(api: Any, strong: dict[str, str]):
    answer = api.post("/transfers", json=TRANSFER, headers=strong)
    assert (answer.status_code, answer.json) == (201, TRANSFER)
    assert api.get("/balance", headers=strong).json["balance"] == "237.50"


def test_the_same_transfer_is_made_once(provider: Provider, api: Any, strong: dict[str, str]):
    for status in (201, 200):
        assert api.post("/transfers", json=TRANSFER, headers=strong).status_code == status
    assert api.get("/balance", headers=strong).json["balance"] == "237.50"
    other = bearer(provider.issue(sub="bob"))
    assert api.get("/balance", headers=other).json["balance"] == "250.00"


def test_nobody_sends_what_is_not_there(api: Any, strong: dict[str, str]):
    answer = api.post("/transfers", json={**TRANSFER, "amount": "250.01"}, headers=strong)
    assert answer.status_code == 409
    assert api.post("/transfers", json={**TRANSFER, "amount": "250.00"}, headers=strong).json


TYPED = {"25": "25.00", "25.5": "25.50", "25,50": "25.50", "25,5": "25.50", "0,05": "0.05"}


@pytest.mark.parametrize(("typed", "read"), TYPED.items())
def test_an_amount_is_read_as_people_type_it(
    api: Any, strong: dict[str, str], typed: str, read: str
):
    answer = api.post("/transfers", json={**TRANSFER, "amount": typed}, headers=strong)
    assert (answer.status_code, answer.json["amount"]) == (201, read)


NONSENSE: dict[str, Any] = {
    "no object": ["t1"],
    "no amount": {"id": "t1", "payee": "x"},
    "nothing": {**TRANSFER, "amount": "0.00"},
    "less than nothing": {**TRANSFER, "amount": "-1.00"},
    "a number": {**TRANSFER, "amount": 12.5},
    "half a cent": {**TRANSFER, "amount": "0.005"},
    "a thousand, or one": {**TRANSFER, "amount": "1,000"},
    "thousands and cents": {**TRANSFER, "amount": "1.000,00"},
    "no cents after all": {**TRANSFER, "amount": "25."},
    "two lines": {**TRANSFER, "amount": "25\n"},
    "other digits": {**TRANSFER, "amount": "\u0661.00"},
    "to nobody": {**TRANSFER, "payee": ""},
    "without end": {**TRANSFER, "id": "x" * 65},
}


@pytest.mark.parametrize("sent", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_moves_nothing(api: Any, strong: dict[str, str], sent: Any):
    assert api.post("/transfers", json=sent, headers=strong).status_code == 400
    assert api.get("/balance", headers=strong).json["balance"] == "250.00"


# --- the same questions to both copies of the step-up functions ---


class Answer:
    def __init__(self, status: int, headers: Mapping[str, str], text: str) -> None:
        self.status, self.text = status, text
        self.challenge = WWWAuthenticate.from_header(headers.get("WWW-Authenticate"))

    @property
    def parameters(self) -> dict[str, str | None]:
        assert self.challenge is not None
        assert self.challenge.type == "bearer"
        return dict(self.challenge.parameters)


Ask = Callable[[str | None], Answer]
Verify = Callable[[str], Mapping[str, Any]]


def by_flask(verify: Verify) -> Ask:
    app = Flask("api")

    @app.get("/")
    @requires(verify, acr_values=STRONG, max_age=300, clock=seconds)
    def whoami() -> str:
        return str(g.claims["sub"])

    def ask(authorization: str | None) -> Answer:
        headers = {"Authorization": authorization} if authorization is not None else {}
        response = app.test_client().get("/", headers=headers)
        return Answer(response.status_code, dict(response.headers), response.text)

    return ask


async def whoami_asgi(scope: Scope, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["claims"]["sub"].encode()})


def by_asgi(verify: Verify) -> Ask:
    app: Any = StepUp(whoami_asgi, verify, acr_values=STRONG, max_age=300, clock=seconds)

    async def get(headers: dict[str, str]) -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            return await client.get("/", headers=headers)

    def ask(authorization: str | None) -> Answer:
        headers = {"Authorization": authorization} if authorization is not None else {}
        response = in_own_loop(get(headers))
        return Answer(response.status_code, response.headers, response.text)

    return ask


@pytest.fixture(params=[by_flask, by_asgi], ids=["flask", "asgi"])
def guard(request: pytest.FixtureRequest) -> Callable[[Verify], Ask]:
    """Makes a guarded API that answers with the name of who asks."""
    guard: Callable[[Verify], Ask] = request.param
    return guard


@pytest.fixture
def ask(guard: Callable[[Verify], Ask], tokens: AccessTokens) -> Ask:
    return guard(tokens)


def test_strong_and_recent_gets_in(provider: Provider, ask: Ask):
    token = provider.issue(acr="urn:idp:acr:mfa", auth_time=seconds() - 100)
    for scheme in ("Bearer", "bearer", "BEARER"):
        answer = ask(f"{scheme} {token}")
        assert (answer.status, answer.text) == (200, "alice")


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "Basic YTpi", "Bearer a=b, c=d"],
    ids=["no header", "empty", "no token", "a blank", "another scheme", "parameters"],
)
def test_without_a_token_the_challenge_has_no_error(ask: Ask, authorization: str | None):
    answer = ask(authorization)
    assert (answer.status, answer.parameters) == (401, {"realm": "api"})


def test_a_bad_token_is_called_so(provider: Provider, ask: Ask):
    answer = ask(f"Bearer {provider.issue(exp=1)}")
    assert answer.status == 401
    assert answer.parameters["error"] == "invalid_token"
    assert answer.parameters["error_description"] == "The access token has expired."
    assert "acr_values" not in answer.parameters


@pytest.mark.parametrize(
    ("acr", "age"),
    [("urn:idp:acr:1fa", 0), ("phr", 400), (None, 0), ("phr", None)],
    ids=["weak", "stale", "no acr", "no auth_time"],
)
def test_what_does_not_do_is_told_what_would(
    provider: Provider, ask: Ask, acr: str | None, age: int | None
):
    auth_time = None if age is None else seconds() - age
    answer = ask(f"Bearer {provider.issue(acr=acr, auth_time=auth_time)}")
    assert answer.status == 401
    assert answer.parameters["error"] == "insufficient_user_authentication"
    assert answer.parameters["error_description"]
    assert answer.parameters["acr_values"] == "phr urn:idp:acr:mfa"
    assert answer.parameters["max_age"] == "300"


def test_introspection_says_the_same(provider: Provider, ask: Ask):
    provider.opaque = True
    assert ask(f"Bearer {provider.issue(acr='phr', auth_time=seconds())}").status == 200
    weak = ask(f"Bearer {provider.issue(acr='urn:idp:acr:1fa', auth_time=seconds())}")
    assert weak.parameters["error"] == "insufficient_user_authentication"


def test_without_the_provider_nobody_is_let_in_or_sent_away(
    provider: Provider, guard: Callable[[Verify], Ask], ledger: str
):
    nowhere = AccessTokens(f"http://localhost:{free_port()}", ledger, clock=seconds)
    answer = guard(nowhere)(f"Bearer {provider.issue()}")
    assert (answer.status, answer.challenge) == (503, None)


# --- what only ASGI has ---


async def exchange(app: Application, scope: dict[str, Any]) -> list[dict[str, Any]]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    def receive() -> Awaitable[Any]:
        raise AssertionError("nothing is read of a request that is refused")

    await app({"headers": [], **scope}, receive, send)
    return sent


def guarded(inner: Application) -> StepUp:
    def verify(token: str) -> dict[str, Any]:
        return {"sub": token}

    return StepUp(inner, verify)


def test_a_websocket_is_guarded_too():
    (closed,) = in_own_loop(exchange(guarded(whoami_asgi), {"type": "websocket"}))
    assert closed["type"] == "websocket.close"


def test_two_headers_are_none():
    headers = [(b"authorization", b"Bearer a"), (b"Authorization", b"Bearer b")]
    first, _ = in_own_loop(exchange(guarded(whoami_asgi), {"type": "http", "headers": headers}))
    assert first["status"] == 401


def test_starting_up_needs_no_token():
    async def inner(scope: Scope, receive: Any, send: Any) -> None:
        await send({"type": "lifespan.startup.complete"})

    (started,) = in_own_loop(exchange(guarded(inner), {"type": "lifespan"}))
    assert started["type"] == "lifespan.startup.complete"
