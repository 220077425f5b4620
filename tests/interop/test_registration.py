"""Libraries that register themselves: openid-client with a token, and idpyoidc's messages."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from idpyoidc.message.oidc import RegistrationRequest, RegistrationResponse

from idp.audit import Context
from idp.clock import system_clock
from idp.services import registration_tokens
from tests.helpers.databases import Databases
from tests.helpers.plain import PLAIN
from tests.helpers.servers import serve
from tests.helpers.user_agent import Departure
from tests.interop.node import Failed, Program, program
from tests.interop.provider import CHEAP_HASH, Provider, Visitor

CALLBACK = "https://app.example/callback"


class Registering(Provider):
    """A provider at which applications register themselves."""

    def initial_token(self) -> str:
        def make(_services: object) -> str:
            context = Context(at=system_clock())
            return registration_tokens.make(context, uses=1, lifetime=timedelta(hours=1))[1]

        token: str = self._house.do(make)
        return token


@pytest.fixture(scope="module")
def provider(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Registering]:
    folder: Path = tmp_path_factory.mktemp("provider")
    settings = {**CHEAP_HASH, "IDP_CLIENT_REGISTRATION": "open"}
    with databases.fresh("sqlite") as url, serve(url, folder, settings=settings) as (server,):
        yield Registering(server, url)


@pytest.fixture
def visitor(provider: Registering) -> Iterator[Visitor]:
    browser = Visitor(provider, "https://app.example")
    yield browser
    browser.close()


@pytest.fixture
def library() -> Iterator[Program]:
    with program("openid_client.mjs") as running:
        yield running


@pytest.mark.parametrize("how", ["client_secret_basic", "client_secret_post", "none"])
def test_openid_client(provider: Registering, library: Program, visitor: Visitor, how: str) -> None:
    metadata = {"redirect_uris": [CALLBACK], "token_endpoint_auth_method": how}
    made = library.do(
        "register", issuer=provider.issuer, metadata=metadata, token=provider.initial_token()
    )
    assert ("client_secret" in made) == (how != "none")
    asked = library.do("request", parameters={"redirect_uri": CALLBACK, "scope": "openid"})
    arrived: Departure = visitor.sign_in(asked)
    answer = library.do("finish", url=arrived.url, form=None)
    assert answer["claims"]["sub"] == provider.person.id


def test_openid_client_is_told_why_not(provider: Registering, library: Program) -> None:
    metadata = {"redirect_uris": [f"{CALLBACK}#here"]}
    with pytest.raises(Failed) as refused:
        library.do("register", issuer=provider.issuer, metadata=metadata, token=None)
    assert refused.value.details["error"] == "invalid_redirect_uri"
    metadata = {"redirect_uris": [CALLBACK]}
    with pytest.raises(Failed) as refused:
        library.do("register", issuer=provider.issuer, metadata=metadata, token="unknown")
    assert refused.value.details["status"] == 401


def test_what_idpyoidc_makes_of_it(provider: Registering) -> None:
    request = RegistrationRequest(
        redirect_uris=[CALLBACK],
        application_type="web",
        # It names an algorithm for assertions whatever the method is.
        token_endpoint_auth_method="client_secret_basic",
        token_endpoint_auth_signing_alg="RS256",
        initiate_login_uri="https://app.example/start",
    )
    assert request.verify()
    headers = {"Content-Type": "application/json"}
    address = f"{provider.issuer}/oauth/register"
    answer = httpx.post(
        address, content=request.to_json(), headers=headers, trust_env=False, verify=PLAIN
    )
    told = RegistrationResponse().from_json(answer.text)
    assert told.verify()
    assert told["client_secret_expires_at"] == 0
    kept = {"Authorization": f"Bearer {told['registration_access_token']}"}
    read = httpx.get(told["registration_client_uri"], headers=kept, trust_env=False, verify=PLAIN)
    again = RegistrationResponse().from_json(read.text)
    assert again.verify()
    assert again["initiate_login_uri"] == request["initiate_login_uri"]
