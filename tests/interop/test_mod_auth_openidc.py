"""mod_auth_openidc: Apache signs people in for an application that knows nothing of it."""

import re
from collections.abc import Iterator, Mapping
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from joserfc.jwk import RSAKey

from tests.helpers.plain import PLAIN
from tests.helpers.ports import free_port, wait_until
from tests.helpers.user_agent import Departure, Page
from tests.interop.apache import Apache, apache
from tests.interop.provider import Provider, Visitor
from tests.interop.site import site

DIRECTIVES = """
OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCClientID {client_id}
OIDCRedirectURI {origin}/protected/callback
OIDCCryptoPassphrase worth-nothing
OIDCScope "openid profile email offline_access"
{secret}
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


BY_SECRET = """
OIDCClientSecret {client_secret}
OIDCProviderTokenEndpointAuth client_secret_basic
"""
BY_KEY = """
OIDCPrivateKeyFiles mine#{key}
OIDCPublicKeyFiles mine#{key}.public
OIDCProviderTokenEndpointAuth private_key_jwt
OIDCIDTokenEncryptedResponseAlg RSA-OAEP
OIDCIDTokenEncryptedResponseEnc A256GCM
"""


@pytest.fixture(scope="module")
def by_secret(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apache]:
    """A client with a secret, told of sign-outs by the provider itself."""
    told = {"backchannel_logout_uri": "{callback}?logout=backchannel"}
    folder = tmp_path_factory.mktemp("secret")
    yield from running(provider, folder, "RS256", BY_SECRET, told)


@pytest.fixture(scope="module")
def by_key(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apache]:
    """A client with a key, for which ID tokens are encrypted, told of sign-outs by browsers."""
    told = {"frontchannel_logout_uri": "{callback}?logout=get"}
    folder = tmp_path_factory.mktemp("key")
    key = RSAKey.generate_key(2048, {"kid": "mine"})
    (folder / "key.pem").write_bytes(key.as_pem(private=True))
    (folder / "key.pem.public").write_bytes(key.as_pem(private=False))
    (folder / "key.pem").chmod(0o644)  # Apache reads it as nobody
    members = {
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "RS256",
        "jwks": {"keys": [key.as_dict(private=False)]},
        "id_token_encrypted_response_alg": "RSA-OAEP",
        "id_token_encrypted_response_enc": "A256GCM",
    }
    yield from running(provider, folder, "ES256", BY_KEY, told, **members)


def running(
    provider: Provider,
    folder: Path,
    algorithm: str,
    credentials: str,
    told: Mapping[str, str],
    **members: Any,
) -> Iterator[Apache]:
    """Apache in front of an application that says what it was sent."""
    port = free_port()
    origin = f"http://localhost:{port}"
    callback = f"{origin}/protected/callback"
    client = provider.client(
        redirect_uris=[callback],
        post_logout_redirect_uris=[f"{origin}/goodbye"],
        grant_types=["authorization_code", "refresh_token"],
        id_token_signed_response_alg=algorithm,
        **{name: address.format(callback=callback) for name, address in told.items()},
        **members,
    )
    with site({}) as upstream:
        directives = DIRECTIVES.format(
            issuer=provider.issuer,
            client_id=client.client_id,
            secret=credentials.format(client_secret=client.client_secret, key=folder / "key.pem"),
            origin=origin,
            algorithm=algorithm,
            upstream=upstream,
        )
        with apache(folder, port, directives) as made:
            yield made


@pytest.fixture(params=["by_secret", "by_key"])
def server(request: pytest.FixtureRequest) -> Apache:
    made: Apache = request.getfixturevalue(request.param)
    return made


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


def is_signed_in(visitor: Visitor) -> bool:
    return visitor.http.get("/protected/page").status_code == 200


def sign_out_at_the_provider(visitor: Visitor) -> Page:
    asked = visitor.agent.page(f"{visitor.provider.issuer}/oauth/logout")
    page = visitor.agent.submit(asked, asked.form("/sign-out"), button="Sign out")
    assert isinstance(page, Page)
    return page


def left(visitor: Visitor, goodbye: str) -> str:
    """The address of the provider's that signing out at the application leads to."""
    answer = visitor.http.get(f"/protected/callback?logout={quote(goodbye, safe='')}")
    target = answer.headers["Location"]
    assert target.startswith(f"{visitor.provider.issuer}/oauth/logout?")
    return target


def test_signing_out_at_the_application(provider: Provider, by_secret: Apache) -> None:
    visitor, goodbye = Visitor(provider, by_secret.url), f"{by_secret.url}/goodbye"
    visitor.visit("/protected/page")
    place = visitor.agent.get(left(visitor, goodbye))
    assert isinstance(place, Departure)
    assert place.url.partition("?")[0] == goodbye
    assert not is_signed_in(visitor)
    visitor.close()


def test_a_hint_that_only_the_application_can_read(provider: Provider, by_key: Apache) -> None:
    """It hints with the encrypted token: the person is asked, and told where she is."""
    visitor = Visitor(provider, by_key.url)
    visitor.visit("/protected/page")
    asked = visitor.agent.page(left(visitor, f"{by_key.url}/goodbye"))
    assert asked.document.headings == ["Sign out?"]
    told = visitor.agent.submit(asked, asked.form("/sign-out"), button="Sign out")
    assert isinstance(told, Page)
    assert told.document.headings == ["You are signed out"]
    visitor.close()


def test_the_provider_tells_that_somebody_signed_out(provider: Provider, by_secret: Apache) -> None:
    visitor = Visitor(provider, by_secret.url)
    visitor.visit("/protected/page")
    assert is_signed_in(visitor)
    sign_out_at_the_provider(visitor)
    wait_until(lambda: not is_signed_in(visitor), seconds=20, what="the back channel")
    visitor.close()


def test_a_browser_tells_that_somebody_signed_out(provider: Provider, by_key: Apache) -> None:
    visitor, other = Visitor(provider, by_key.url), Visitor(provider, by_key.url)
    for one in (visitor, other):
        one.visit("/protected/page")
    page = sign_out_at_the_provider(visitor)
    (frame,) = re.findall(r'<iframe[^>]* src="([^"]*)"', page.response.text)
    # With no cookie, as most browsers would send it: "sid" says whose session it was.
    assert httpx.get(unescape(frame), trust_env=False, verify=PLAIN).status_code == 200
    assert not is_signed_in(visitor)
    assert is_signed_in(other)
    for one in (visitor, other):
        one.close()
