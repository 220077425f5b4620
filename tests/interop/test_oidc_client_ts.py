"""oidc-client-ts in Chromium: a public client on another origin, so that CORS decides."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.interop import site
from tests.interop.node import HERE, packages
from tests.interop.provider import Provider
from tests.oidc.desk import payload_of

KEPT = ("sub", "acr", "amr", "auth_time", "sid")


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    """Where the application lives."""
    library = packages() / "oidc-client-ts/dist/browser/oidc-client-ts.min.js"
    index = ("text/html", (HERE / "spa/index.html").read_bytes())
    pages = {
        "/": index,
        "/callback": index,
        "/signed-out": index,
        "/app.js": ("text/javascript", (HERE / "spa/app.js").read_bytes()),
        "/oidc-client-ts.min.js": ("text/javascript", library.read_bytes()),
        "/favicon.ico": ("image/png", b""),
    }
    with site.site(pages) as port:
        yield f"http://localhost:{port}"


class App:
    """The application in its tab."""

    def __init__(
        self,
        page: Page,
        provider: Provider,
        origin: str,
        more: Mapping[str, Any] | None = None,
        **members: Any,
    ) -> None:
        """``more`` are settings of the library's, ``members`` of the registration."""
        self.page = page
        self.origin = origin
        self._provider = provider
        registered = provider.client(
            redirect_uris=[f"{origin}/callback"],
            post_logout_redirect_uris=[f"{origin}/signed-out"],
            token_endpoint_auth_method="none",
            grant_types=["authorization_code", "refresh_token"],
            **members,
        )
        settings = {
            "authority": provider.issuer,
            "client_id": registered.client_id,
            "redirect_uri": f"{origin}/callback",
            "post_logout_redirect_uri": f"{origin}/signed-out",
            "scope": "openid profile email",
            "loadUserInfo": True,
            "automaticSilentRenew": False,
            # By default it hides from the application how the person signed in.
            "filterProtocolClaims": False,
            **(more or {}),
        }
        page.add_init_script(f"window.SETTINGS = {json.dumps(settings)};")
        page.goto(f"{origin}/")

    def redirect(self, **options: str) -> None:
        """Have the library send the tab away, and wait until it has left."""
        with self.page.expect_navigation(url=f"{self._provider.issuer}/**"):
            # Not awaited: the page is gone before the promise could be kept.
            self.page.evaluate("options => void manager.signinRedirect(options)", options)

    def type_password(self) -> None:
        person = self._provider.person
        self.page.get_by_role("textbox", name="Email").fill(person.email)
        self.page.locator("input[name=password]").fill(person.password)
        self.page.get_by_role("button", name="Sign in", exact=True).click()

    def allow(self) -> None:
        self.page.get_by_role("button", name="Allow").click()

    def sign_in(self, **options: str) -> dict[str, Any]:
        """All of it; the user that the library keeps afterwards."""
        self.redirect(**options)
        self.type_password()
        self.allow()
        expect(self.page).to_have_title(f"signed in as {self._provider.person.id}")
        return self.user()

    def user(self) -> dict[str, Any]:
        found: dict[str, Any] = self.page.evaluate("async () => ({...await manager.getUser()})")
        return found

    def renew(self) -> dict[str, Any]:
        """``signinSilent``: with a refresh token by that, else by a hidden frame."""
        renewed: dict[str, Any] = self.page.evaluate(
            "async () => ({...await manager.signinSilent({silentRequestTimeoutInSeconds: 10})})"
        )
        return renewed


@pytest.fixture
def app(page: Page, provider: Provider, origin: str) -> App:
    return App(page, provider, origin)


def test_sign_in(app: App, provider: Provider) -> None:
    user = app.sign_in(nonce="of-this-request")
    profile = user["profile"]
    assert profile["acr"] == "urn:idp:acr:1fa"
    assert profile["amr"] == ["pwd"]
    assert profile["nonce"] == "of-this-request"
    assert abs(profile["auth_time"] - profile["iat"]) < 30
    # From the userinfo endpoint, which the library has checked to speak of the same person.
    assert profile["email"] == provider.person.email
    assert profile["family_name"] == "Hargreaves"


def test_refresh_token(app: App) -> None:
    user = app.sign_in(scope="openid offline_access")
    renewed = app.renew()
    assert renewed["access_token"] != user["access_token"]
    assert renewed["refresh_token"] != user["refresh_token"]
    assert {name: renewed["profile"][name] for name in KEPT} == {
        name: user["profile"][name] for name in KEPT
    }


def test_silent_renewal_in_a_hidden_frame(app: App) -> None:
    user = app.sign_in()
    assert user["refresh_token"] is None
    renewed = app.renew()
    assert renewed["access_token"] != user["access_token"]
    assert {name: renewed["profile"][name] for name in KEPT} == {
        name: user["profile"][name] for name in KEPT
    }


def test_an_id_token_of_another_algorithm(page: Page, provider: Provider, origin: str) -> None:
    app = App(page, provider, origin, id_token_signed_response_alg="ES256")
    assert app.sign_in()["profile"]["sub"] == provider.person.id


def test_tokens_bound_to_a_key_of_the_browsers(page: Page, provider: Provider, origin: str) -> None:
    """DPoP, with nonces, across origins; its userinfo request is a bearer's all the same."""
    bound = {"bound": True, "loadUserInfo": False}
    app = App(page, provider, origin, bound, dpop_bound_access_tokens=True)
    user = app.sign_in(scope="openid offline_access")
    assert user["token_type"] == "DPoP"
    key = payload_of(user["access_token"])["cnf"]
    renewed = app.renew()
    assert renewed["access_token"] != user["access_token"]
    assert payload_of(renewed["access_token"])["cnf"] == key


def test_revocation_across_origins(app: App) -> None:
    app.sign_in(scope="openid offline_access")
    app.page.evaluate("() => manager.revokeTokens(['refresh_token'])")
    assert app.user()["refresh_token"] is None


def test_signing_out(app: App) -> None:
    app.sign_in()
    app.page.evaluate("() => void manager.signoutRedirect({state: 'goodbye'})")
    expect(app.page).to_have_title("signed out, goodbye")
    assert app.page.url.partition("?")[0] == f"{app.origin}/signed-out"
    assert app.page.evaluate("async () => await manager.getUser()") is None
    app.redirect()
    expect(app.page.get_by_role("textbox", name="Email")).to_be_visible()


def test_the_page_is_told_that_somebody_signed_out(app: App, provider: Provider) -> None:
    """Session Management 1.0: the library watches the provider's frame."""
    app.sign_in()
    app.page.evaluate(
        """() => new Promise(resolve => {
            const watched = new oidc.UserManager({
                ...SETTINGS,
                userStore: new oidc.WebStorageStateStore({ store: localStorage }),
                monitorSession: true,
                checkSessionIntervalInSeconds: 1,
            });
            watched.events.addUserSignedOut(() => show("somebody signed out"));
            watched.events.addUserLoaded(resolve);
            watched.getUser(true).then(resolve);
        })"""
    )
    other = app.page.context.new_page()
    other.goto(f"{provider.issuer}/oauth/logout")
    other.get_by_role("button", name="Sign out").click()
    expect(app.page).to_have_title("somebody signed out", timeout=15_000)


def test_cancelling_is_told_to_the_page(app: App) -> None:
    app.redirect()
    app.page.get_by_role("button", name="Cancel").click()
    expect(app.page).to_have_title("refused: The person cancelled.")


def test_a_foreign_state_is_refused(app: App) -> None:
    app.page.goto(f"{app.origin}/callback?code=stolen&state=of-nobody")
    expect(app.page).to_have_title("refused: No matching state found in storage")


def test_keys_can_be_read_from_the_page(app: App, provider: Provider) -> None:
    keys = app.page.evaluate(
        "async issuer => (await (await fetch(`${issuer}/oauth/jwks`)).json()).keys",
        provider.issuer,
    )
    assert {key["alg"] for key in keys} == {"RS256", "PS256", "ES256", "EdDSA"}
    assert not any("d" in key for key in keys)
