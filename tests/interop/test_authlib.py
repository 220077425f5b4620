"""Authlib's Flask client, as an application in this process that talks to the provider by HTTP."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from authlib.integrations.base_client import MismatchingStateError
from authlib.integrations.flask_client import OAuth
from flask import Flask, jsonify, session, url_for
from joserfc.errors import JoseError

from tests.interop.provider import Provider, Visitor

ORIGIN = "https://app.example"


@pytest.fixture(params=["RS256", "ES256"])
def site(provider: Provider, request: pytest.FixtureRequest) -> Flask:
    """An application that knows the provider by its discovery document alone."""
    client = provider.client(
        redirect_uris=[f"{ORIGIN}/callback"],
        grant_types=["authorization_code", "refresh_token"],
        id_token_signed_response_alg=request.param,
    )
    app = Flask(__name__)
    app.config.update(SECRET_KEY="worth nothing", PREFERRED_URL_SCHEME="https", TESTING=True)
    oauth = OAuth(app, update_token=_keep)
    oauth.register(
        "gatehouse",
        client_id=client.client_id,
        client_secret=client.client_secret,
        server_metadata_url=f"{provider.issuer}/.well-known/openid-configuration",
        client_kwargs={
            "scope": "openid profile email offline_access",
            "code_challenge_method": "S256",
        },
    )
    _routes(app, oauth.gatehouse)
    return app


def _keep(_name: str, token: dict[str, Any], **_old: str) -> None:
    session["token"] = token


def _routes(app: Flask, gatehouse: Any) -> None:
    @app.get("/login")
    def login() -> Any:
        return gatehouse.authorize_redirect(url_for("callback", _external=True))

    @app.get("/callback")
    def callback() -> Any:
        token = gatehouse.authorize_access_token()
        session["token"] = token
        return jsonify(token["userinfo"])

    @app.get("/userinfo")
    def userinfo() -> Any:
        return jsonify(gatehouse.userinfo(token=session["token"]))

    @app.get("/later")
    def later() -> Any:
        """When the access token has expired: the library refreshes by itself."""
        stale = {**session["token"], "expires_at": 1, "access_token": "expired"}
        return jsonify(told=gatehouse.userinfo(token=stale), kept=dict(session["token"]))


@pytest.fixture
def visitor(provider: Provider, site: Flask) -> Iterator[Visitor]:
    browser = Visitor(provider, ORIGIN, httpx.WSGITransport(app=site))
    yield browser
    browser.close()


def test_sign_in(visitor: Visitor, provider: Provider) -> None:
    claims = visitor.visit("/login").json()
    assert claims["sub"] == provider.person.id
    assert claims["acr"] == "urn:idp:acr:1fa"
    assert claims["amr"] == ["pwd"]
    assert abs(claims["auth_time"] - claims["iat"]) < 30
    told = visitor.visit("/userinfo").json()
    assert told["sub"] == claims["sub"]
    assert told["email"] == provider.person.email


def test_an_expired_token_is_refreshed(visitor: Visitor, provider: Provider) -> None:
    visitor.visit("/login")
    later = visitor.visit("/later").json()
    assert later["told"]["email"] == provider.person.email
    assert later["kept"]["access_token"] != "expired"


def test_an_unknown_state_is_refused(visitor: Visitor) -> None:
    callback = visitor.sign_in(visitor.depart("/login"))
    state = callback.parameters["state"]
    with pytest.raises(MismatchingStateError):
        visitor.http.get(callback.url.replace(state, "of-nobody"))


def test_another_nonce_is_refused(visitor: Visitor) -> None:
    asked = visitor.depart("/login")
    nonce = parse_qs(urlsplit(asked).query)["nonce"][0]
    callback = visitor.sign_in(asked.replace(nonce, "of-nobody"))
    with pytest.raises(JoseError, match="nonce"):
        visitor.http.get(callback.url)
