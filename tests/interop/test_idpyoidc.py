"""idpyoidc: the parts of it that keep to the specifications.

These do not (5.0.0): a push has to be answered by 200 (RFC 9126: 201), and holds a request object
of nobody; the proof at a resource has a hexadecimal ``ath`` (RFC 9449: base64url); an ID token
that is encrypted "is not a signed JWT"; ``client_secret_jwt`` is signed by the RSA key.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from cryptojwt.exception import BadSignature
from cryptojwt.key_jar import KeyJar, init_key_jar
from flask import Flask, Response, request
from idpyoidc.client.oauth2.stand_alone_client import StandAloneClient, backchannel_logout

from idp.clock import system_clock
from idp.models import db
from tests.helpers.clock import FakeClock
from tests.helpers.databases import Databases
from tests.helpers.house import House, Person
from tests.helpers.ports import free_port
from tests.helpers.served import served
from tests.helpers.sign_in import sign_in
from tests.helpers.user_agent import Departure, Page, UserAgent
from tests.oidc.desk import payload_of

CALLBACK, BACK = "https://app.example/callback", "https://app.example/signed-out"
SCOPE = ["openid", "profile", "email", "offline_access"]
SERVICES = {
    "discovery": "oidc.provider_info_discovery.ProviderInfoDiscovery",
    "authorization": "oidc.authorization.Authorization",
    "access_token": "oidc.access_token.AccessToken",
    "refresh_access_token": "oidc.refresh_access_token.RefreshAccessToken",
    "userinfo": "oidc.userinfo.UserInfo",
    "end_session": "oidc.end_session.EndSession",
}
KEYS = [
    {"type": "RSA", "use": ["sig"]},
    {"type": "EC", "crv": "P-256", "use": ["sig"]},
    {"type": "RSA", "use": ["enc"]},
]
ADD_ON = "idpyoidc.client.oauth2.add_on"
PKCE = {"code_challenge_length": 64, "code_challenge_method": "S256"}


@pytest.fixture(scope="module")
def house(databases: Databases) -> Iterator[House]:
    port = free_port()
    with databases.fresh("sqlite") as url:
        made = House(url, FakeClock(system_clock()), issuer=f"http://localhost:{port}")
        with served(made.app, port):
            yield made
        with made.app.app_context():
            db.engine.dispose()


@pytest.fixture(scope="module")
def person(house: House) -> Person:
    return house.person(profile={"family_name": "Hargreaves"})


@pytest.fixture(scope="module")
def keys() -> Any:
    """The client's: RSA takes its time to be made."""
    return init_key_jar(key_defs=KEYS, issuer_id="").export_jwks(private=True)


@dataclass
class App:
    """A client as the library plays it, and somebody's browser."""

    library: Any
    client_id: str
    agent: UserAgent
    person: Person

    def sign_in(self, **asked: Any) -> dict[str, Any]:
        """What the library makes of it: ``state``, ``token``, ``id_token``, ``userinfo``."""
        url = self.library.init_authorization(req_args=asked or None)
        person = self.person
        came = sign_in(self.agent, url, username=person.email, password=person.password)
        finished: dict[str, Any] = self.library.finalize(came.parameters)
        return finished


Making = Callable[..., App]


@pytest.fixture
def making(house: House, person: Person, keys: Any) -> Iterator[Making]:
    agent = UserAgent(house.settings.issuer)

    def make(
        how: str = "client_secret_basic", add_ons: Any = None, without: str = "", **members: Any
    ) -> App:
        jar = KeyJar()
        jar.import_jwks(keys, "")
        usual = {"redirect_uris": [CALLBACK], "jwks": jar.export_jwks()}
        registered = house.client(**usual, token_endpoint_auth_method=how, **members)
        settings = {
            "issuer": house.settings.issuer,
            "client_type": "oidc",
            "client_id": registered.client_id,
            "client_secret": registered.client_secret or "",
            "redirect_uris": [CALLBACK],
            "scopes_supported": SCOPE,
            "response_types_supported": ["code"],
            "token_endpoint_auth_methods_supported": [how],
            "client_authn_methods": [how],
            **members,
            "add_ons": {"pkce": add_on("pkce", **PKCE), **(add_ons or {})},
        }
        services = {
            name: {"class": f"idpyoidc.client.{at}"}
            for name, at in SERVICES.items()
            if name != without
        }
        library = StandAloneClient(
            config=settings, services=services, keyjar=jar, httpc_params={"timeout": 10}
        )
        library.do_provider_info()
        library.do_client_registration()
        return App(library, registered.client_id, agent, person)

    yield make
    agent.client.close()


def add_on(name: str, **arguments: Any) -> dict[str, Any]:
    return {"function": f"{ADD_ON}.{name}.add_support", "kwargs": arguments}


@pytest.mark.parametrize("how", ["client_secret_basic", "client_secret_post", "private_key_jwt"])
def test_sign_in_and_refresh(making: Making, how: str) -> None:
    app = making(how, grant_types=["authorization_code", "refresh_token"])
    finished = app.sign_in(prompt="consent")
    claims = finished["id_token"]
    assert (claims["sub"], claims["aud"]) == (app.person.id, [app.client_id])
    assert (claims["acr"], claims["amr"]) == ("urn:idp:acr:1fa", ["pwd"])
    assert finished["userinfo"]["family_name"] == "Hargreaves"
    again = app.library.refresh_access_token(finished["state"])
    assert again["access_token"] != finished["token"]


@pytest.mark.parametrize("algorithm", ["ES256", "PS256"])
def test_what_id_tokens_are_signed_with(making: Making, algorithm: str) -> None:
    app = making(id_token_signed_response_alg=algorithm)
    assert app.sign_in()["id_token"]["sub"] == app.person.id


def test_a_key_that_tokens_are_bound_to(making: Making) -> None:
    algorithms = {"dpop_signing_alg_values_supported": ["ES256"]}
    app = making(add_ons={"dpop": add_on("dpop", **algorithms)}, without="userinfo")
    bound = payload_of(app.sign_in()["token"])["cnf"]
    key = app.library.get_context().add_on["dpop"]["key"]
    assert bound == {"jkt": key.thumbprint("SHA-256").decode()}


def test_signing_out(making: Making) -> None:
    app = making(post_logout_redirect_uris=[BACK])
    state = app.sign_in()["state"]
    place = app.agent.get(app.library.logout(state, post_logout_redirect_uri=BACK)["url"])
    assert isinstance(place, Departure)
    # It has asked under a state of its own, and knows whose session that was about.
    answered = place.parameters["state"]
    assert app.library.get_context().cstate.get_base_key(answered) == state
    silent = app.agent.get(app.library.init_authorization(req_args={"prompt": "none"}))
    assert isinstance(silent, Departure)
    assert silent.parameters["error"] == "login_required"


class Listener:
    """Where the application is told of sessions that have ended."""

    def __init__(self) -> None:
        self.url = f"http://localhost:{free_port()}"
        self.told: list[str] = []

    def app(self) -> Flask:
        made = Flask("listener")

        @made.post("/bc")
        def backchannel() -> Response:
            self.told.append(request.get_data(as_text=True))
            return Response(status=200)

        return made


def test_being_told_of_a_sign_out(making: Making, house: House) -> None:
    listener = Listener()
    with served(listener.app(), int(listener.url.rpartition(":")[2])):
        app = making(backchannel_logout_uri=f"{listener.url}/bc")
        state = app.sign_in()["state"]
        asked = app.agent.page(f"{house.settings.issuer}/oauth/logout")
        page = app.agent.submit(asked, asked.form("/sign-out"), button="Sign out")
        assert isinstance(page, Page)
        assert house.do(lambda idp: idp.notices_outbox.deliver_due(house.clock())) == 1
    (told,) = listener.told
    app.library.get_context().registration_response = {"id_token_signed_response_alg": "RS256"}
    assert backchannel_logout(app.library, request=told) == state
    with pytest.raises(BadSignature):
        backchannel_logout(app.library, request=told[:-8] + "AAAAAAAA")
