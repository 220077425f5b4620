"""A provider that says yes, and the demo's two clients around it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from clients.ledger.access_tokens import AccessTokens
from tests.clients.modules import load
from tests.clients.provider import LEDGER, SECRETS, Provider, seconds
from tests.helpers.html import Document, parse
from tests.helpers.plain import PLAIN
from tests.helpers.ports import free_port
from tests.helpers.served import served


@pytest.fixture
def provider() -> Iterator[Provider]:
    """It answers at its issuer's address."""
    port = free_port()
    made = Provider(f"http://localhost:{port}")
    with served(made.app(), port):
        yield made


@pytest.fixture
def tokens(provider: Provider) -> AccessTokens:
    """How the ledger reads tokens."""
    return AccessTokens(
        provider.issuer, LEDGER, client_id=LEDGER, client_secret=SECRETS[LEDGER], clock=seconds
    )


@pytest.fixture
def ledger(tokens: AccessTokens) -> Iterator[str]:
    """The ledger's address."""
    port = free_port()
    with served(load("ledger").create_app(tokens), port):
        yield f"http://localhost:{port}"


@dataclass
class Shopper:
    """Somebody with a browser at the shop; redirects are followed, also over the provider."""

    url: str
    http: httpx.Client
    response: httpx.Response | None = None

    def get(self, path: str, **headers: str) -> Document:
        return self._read(self.http.get(f"{self.url}{path}", headers=headers))

    def post(self, path: str, form: dict[str, str] | None = None, **headers: str) -> Document:
        return self._read(self.http.post(f"{self.url}{path}", data=form, headers=headers))

    def _read(self, response: httpx.Response) -> Document:
        self.response = response
        return parse(response.text, str(response.url))

    @property
    def status(self) -> int:
        assert self.response is not None
        return self.response.status_code

    @property
    def path(self) -> str:
        assert self.response is not None
        return self.response.url.path


@pytest.fixture
def shop_config(provider: Provider, ledger: str) -> dict[str, Any]:
    """What the shop's ``Config`` takes."""
    return {
        "issuer": provider.issuer,
        "client_id": "shop",
        "client_secret": SECRETS["shop"],
        "url": f"http://localhost:{free_port()}",
        "ledger": ledger,
        "resource": LEDGER,
        "account_url": f"{provider.issuer}/me",
    }


@contextmanager
def shop_opens(config: dict[str, Any]) -> Iterator[Shopper]:
    """A shop with one visitor; nobody is signed in yet."""
    shop, url = load("shop"), config["url"]
    client = httpx.Client(follow_redirects=True, verify=PLAIN, trust_env=False, timeout=10)
    running = served(shop.create_app(shop.Config(**config)), int(url.rpartition(":")[2]))
    with running, client as http:
        yield Shopper(url, http)


@pytest.fixture
def shopper(shop_config: dict[str, Any]) -> Iterator[Shopper]:
    """Somebody at the shop's door."""
    with shop_opens(shop_config) as arrived:
        yield arrived
