"""mod_auth_openidc: Apache signs people in for an application that knows nothing of it."""

from collections.abc import Iterator

import pytest

from tests.helpers.ports import free_port
from tests.interop.apache import Apache, apache
from tests.interop.provider import Provider, Visitor
from tests.interop.site import site

DIRECTIVES = """
OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCClientID {client_id}
OIDCClientSecret {client_secret}
OIDCRedirectURI {origin}/protected/callback
OIDCCryptoPassphrase worth-nothing
OIDCScope "openid profile email offline_access"
OIDCProviderTokenEndpointAuth client_secret_basic
OIDCPKCEMethod S256
OIDCIDTokenSignedResponseAlg {algorithm}
OIDCPassRefreshToken On
OIDCInfoHook id_token userinfo refresh_token access_token
<Location /protected>
    AuthType openid-connect
    Require valid-user
</Location>
<Location /protected/strong>
    AuthType openid-connect
    Require claim acr:phr
</Location>
<Location /protected/weak>
    AuthType openid-connect
    Require claim acr:urn:idp:acr:1fa
</Location>
ProxyPass /protected/callback !
ProxyPass / http://127.0.0.1:{upstream}/
"""


@pytest.fixture(scope="module", params=["RS256", "ES256"])
def server(
    provider: Provider, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Apache]:
    """Where Apache stands, in front of an application that says what it was sent."""
    port = free_port()
    client = provider.client(
        redirect_uris=[f"http://localhost:{port}/protected/callback"],
        grant_types=["authorization_code", "refresh_token"],
        id_token_signed_response_alg=request.param,
    )
    with site({}) as upstream:
        directives = DIRECTIVES.format(
            issuer=provider.issuer,
            client_id=client.client_id,
            client_secret=client.client_secret,
            origin=f"http://localhost:{port}",
            algorithm=request.param,
            upstream=upstream,
        )
        with apache(tmp_path_factory.mktemp("apache"), port, directives) as running:
            yield running


@pytest.fixture
def visitor(provider: Provider, server: Apache) -> Iterator[Visitor]:
    browser = Visitor(provider, server.url)
    yield browser
    browser.close()


def test_sign_in(visitor: Visitor, provider: Provider) -> None:
    seen = visitor.visit("/protected/page").json()
    headers = seen["headers"]
    assert seen["path"] == "/protected/page"
    assert headers["OIDC_CLAIM_sub"] == provider.person.id
    assert headers["OIDC_CLAIM_acr"] == "urn:idp:acr:1fa"
    assert headers["OIDC_CLAIM_amr"] == "pwd"
    assert headers["OIDC_CLAIM_email"] == provider.person.email
    assert headers["OIDC_CLAIM_family_name"] == "Hargreaves"
    assert int(headers["OIDC_CLAIM_auth_time"]) <= int(headers["OIDC_CLAIM_iat"])


def test_access_by_acr(visitor: Visitor) -> None:
    visitor.visit("/protected/page")
    assert visitor.visit("/protected/weak").status_code == 200
    assert visitor.http.get("/protected/strong").status_code == 401


def test_refresh(visitor: Visitor) -> None:
    visitor.visit("/protected/page")
    before = visitor.visit("/protected/callback?info=json").json()
    refresh = "/protected/callback?refresh=%2Fprotected%2Fpage&access_token="
    visitor.visit(refresh + before["access_token"])
    after = visitor.visit("/protected/callback?info=json").json()
    assert after["access_token"] != before["access_token"]
    assert after["refresh_token"] != before["refresh_token"]
    kept = ("sub", "acr", "amr", "auth_time")
    assert [after["id_token"][name] for name in kept] == [before["id_token"][name] for name in kept]
    assert after["userinfo"]["sub"] == before["userinfo"]["sub"]


def test_an_unknown_state_is_refused(visitor: Visitor) -> None:
    callback = visitor.sign_in(visitor.depart("/protected/page"))
    state = callback.parameters["state"]
    assert visitor.http.get(callback.url.replace(state, "of-nobody")).status_code == 400
    assert visitor.http.get("/protected/page").status_code == 302


def test_another_nonce_is_refused(visitor: Visitor, server: Apache) -> None:
    asked = visitor.depart("/protected/page")
    nonce = asked.partition("nonce=")[2].partition("&")[0]
    callback = visitor.sign_in(asked.replace(nonce, "of-nobody"))
    refused = visitor.http.get(callback.url)
    # Its error page is a 200; why stands in the log.
    assert "OpenID Connect Provider error" in refused.text
    assert "nonce" in server.log.read_text()
    assert visitor.http.get("/protected/page").status_code == 302
