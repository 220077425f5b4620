"""Whatever a browser brings to the protocol's addresses: no 500, and nobody is sent elsewhere."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from tests.helpers.clock import FakeClock
from tests.helpers.databases import Databases
from tests.helpers.house import CALLBACK, House
from tests.helpers.html import parse
from tests.helpers.relying_party import RelyingParty
from tests.helpers.signed_requests import jwks_of
from tests.web.walking import housed, newcomer, tokens_of

BACK = "https://shop.example/signed-out"
OTHER = f"{CALLBACK}?from=here"
REGISTERED = frozenset({CALLBACK, OTHER, BACK})
TYPES = ["code", "id_token", "id_token token", "code id_token", "code token", "code id_token token"]

ADDRESSES = (
    *(
        *(CALLBACK, CALLBACK, CALLBACK, OTHER, BACK),
        f"{BACK}/",
        f"{BACK}.evil.example",
        f"{CALLBACK}/",
        f"{CALLBACK}/../evil",
        f"{CALLBACK}#x",
        f"{CALLBACK}?",
    ),
    *(f"{CALLBACK}.evil.example", CALLBACK.upper(), f"{OTHER}&more=1", "https://shop.example/"),
    *("https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"),
    *("https://shop.example@evil.example/callback", "https://evil.example\\@shop.example/callback"),
    *("http://shop.example/callback", "https://shop.example:8443/callback", "data:text/html,x"),
    *(f" {CALLBACK}", f"{CALLBACK}\r\nLocation: https://evil.example/", f"{CALLBACK}\0"),
)
VALUES = (
    *("none", "login", "consent", "create", "select_account", "login none", "0", "-1", "1e3"),
    *("code", "token", "id_token", "code id_token", "query", "fragment", "form_post", "jwt"),
    *("query.jwt", "fragment.jwt", "form_post.jwt", "web_message", "openid", "profile", "S256"),
    *("plain", "phr", "9" * 400, "{}", "[]", '{"id_token":{"acr":{"essential":true}}}', "null"),
    *('{"userinfo":{"name":null},"id_token":null}', "{" * 500, "a.b.c", "e30.e30.", "alice@", "en"),
    *("urn:ietf:params:oauth:request_uri:x", "\0", "\r\n", "🦆", "%", "%00", "&", "#", ""),
    '[{"type":"confirm_operation"}]',
)
NAMES = (
    *("client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce"),
    *("code_challenge", "code_challenge_method", "prompt", "max_age", "acr_values", "claims"),
    *("id_token_hint", "login_hint", "display", "ui_locales", "claims_locales", "resource"),
    *("authorization_details", "request", "request_uri", "registration", "dpop_jkt", "error"),
    *("post_logout_redirect_uri", "logout_hint"),
)
values = st.sampled_from((*ADDRESSES, *VALUES)) | st.text(max_size=30)
changes = st.lists(st.tuples(st.sampled_from(NAMES) | st.text(max_size=6), values), max_size=2)
raw = st.sampled_from(("", "&a=%ff", "&%", "&=", "&&", "&a=b;c=d", "&\xff=\xfe", "&state=%0d%0a"))
methods = st.sampled_from(("GET", "POST"))
addresses = st.sampled_from(ADDRESSES)


class Town:
    """A house, its clients by name, and the cookies and ID token of somebody who is signed in."""

    def __init__(
        self, house: House, clients: dict[str, RelyingParty], cookie: str, hint: str
    ) -> None:
        self.house, self.clients, self.cookie, self.hint = house, clients, cookie, hint

    def ask(
        self, method: str, path: str, query: str = "", *, known: bool = False, **more: Any
    ) -> TestResponse:
        """Not by httpx, which sends only what is well-formed."""
        client = self.house.app.test_client(use_cookies=False)
        headers = {"Cookie": self.cookie} if known else {}
        if method == "POST" and "data" not in more:
            more |= {"data": query, "content_type": "application/x-www-form-urlencoded"}
            query = ""
        return client.open(
            path,
            method=method,
            headers={**headers, **more.pop("headers", {})},
            base_url=self.house.settings.issuer,
            environ_overrides={"QUERY_STRING": query},
            **more,
        )


@pytest.fixture(scope="module")
def town(databases: Databases) -> Iterator[Town]:
    with databases.fresh("sqlite") as url, housed(url, FakeClock()) as house:
        usual: dict[str, Any] = {
            "redirect_uris": [CALLBACK, OTHER],
            "post_logout_redirect_uris": [BACK],
        }
        every = {"response_types": TYPES, "grant_types": ["authorization_code", "implicit"]}
        clients = {
            "all flows": house.client(consent="never", jwks=jwks_of("ES256"), **every, **usual),
            "code alone": house.client(**usual),
            "fapi2": house.client(
                profile="fapi2", dpop_bound_access_tokens=True, jwks=jwks_of("ES256"), **usual
            ),
        }
        agent = house.browser()
        tokens = tokens_of(agent, clients["all flows"], newcomer(house))
        cookie = "; ".join(f"{name}={value}" for name, value in agent.cookies.items())
        yield Town(house, clients, cookie, tokens.id_token)


def sent(honest: dict[str, str], changed: list[tuple[str, str]], more: str) -> str:
    """An honest request with ``changed``; a name that comes twice there is sent twice."""
    names = {name for name, _ in changed}
    pairs = [*((name, one) for name, one in honest.items() if name not in names), *changed]
    return urlencode(pairs, errors="replace") + more


def leads_home(answer: TestResponse) -> None:
    """To a page of ours, or to an address that was registered, whichever way."""
    assert answer.status_code in {200, 303, 400}
    where = answer.headers.get("Location", "")
    if not where.startswith("/") or where.startswith(("//", "/\\")):
        assert where == "" or is_registered(where), where
    page = parse(answer.text, "http://localhost:8000/")
    for _, link in page.links:
        assert urlsplit(link).netloc == "localhost:8000" or is_registered(link), link
    for form in page.forms:
        ours = urlsplit(form.action).netloc == "localhost:8000"
        assert ours or form.action in REGISTERED, form.action


def is_registered(where: str) -> bool:
    """Is it one of them, with nothing but parameters after it?"""
    return any(
        where == one or where.startswith((f"{one}?", f"{one}#", f"{one}&"))
        for one in REGISTERED
        if "?" in one or not where.startswith(f"{one}&")
    )


@settings(max_examples=200)
@given(
    method=methods,
    who=st.sampled_from(("all flows", "code alone", "fapi2")),
    response_type=st.sampled_from(TYPES),
    address=addresses,
    changed=changes,
    more=raw,
    known=st.booleans(),
)
def test_asking_leads_nowhere_else(
    town: Town,
    method: str,
    who: str,
    response_type: str,
    address: str,
    changed: list[tuple[str, str]],
    more: str,
    known: bool,
) -> None:
    honest = town.clients[who].authorization_parameters(response_type=response_type)
    honest["redirect_uri"] = address
    leads_home(town.ask(method, "/oauth/authorize", sent(honest, changed, more), known=known))


@settings(max_examples=200)
@given(
    method=methods,
    hinted=st.booleans(),
    address=addresses,
    changed=changes,
    more=raw,
    known=st.booleans(),
)
def test_leaving_leads_nowhere_else(
    town: Town,
    method: str,
    hinted: bool,
    address: str,
    changed: list[tuple[str, str]],
    more: str,
    known: bool,
) -> None:
    client = town.clients["all flows"].client_id
    honest = {"post_logout_redirect_uri": address, "client_id": client}
    if hinted and not known:  # else the session would end here
        honest["id_token_hint"] = town.hint
    answer = town.ask(method, "/oauth/logout", sent(honest, changed, more), known=known)
    leads_home(answer)
    for _ in range(2):  # the same again by GET, and a page that says good-bye
        path, _, query = answer.headers.get("Location", "").partition("?")
        if path.startswith("/"):
            answer = town.ask("GET", path, query, known=known)
            leads_home(answer)


def test_and_honest_ones_lead_on(town: Town) -> None:
    client = town.clients["all flows"]
    asked = urlencode(client.authorization_parameters())
    assert is_registered(town.ask("GET", "/oauth/authorize", asked, known=True).headers["Location"])
    posted = urlencode(client.authorization_parameters(response_mode="form_post"))
    page = town.ask("POST", "/oauth/authorize", posted, known=True)
    leads_home(page)
    assert f'action="{CALLBACK}"' in page.text
    left = urlencode({"id_token_hint": town.hint, "post_logout_redirect_uri": BACK})
    assert town.ask("GET", "/oauth/logout", left).headers["Location"] == BACK
    for elsewhere in ("https://evil.example/", f"{CALLBACK}/", "//evil.example/"):
        assert not is_registered(elsewhere)


PLACES = (
    *("/oauth/authorize", "/oauth/token", "/oauth/userinfo", "/oauth/introspect", "/oauth/revoke"),
    *("/oauth/par", "/oauth/device", "/oauth/register", "/oauth/register/x", "/oauth/logout"),
    *("/oauth/check-session", "/oauth/jwks", "/device", "/device/x", "/.well-known/webfinger"),
    *("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"),
    "/.well-known/oauth-protected-resource",
)
headers = st.dictionaries(
    st.sampled_from(
        (
            *("Authorization", "DPoP", "Accept", "Accept-Language", "Origin", "If-None-Match"),
            *("Cookie", "X-Forwarded-Host", "X-Forwarded-Proto", "User-Agent", "Referer"),
        )
    ),
    st.sampled_from(
        (
            *("", "*", "null", "Bearer x", "DPoP x.y.z", "Basic \xff", "https://evil.example"),
            *("de;q=x,\xe9", "text/html", 'W/"x"', "idp_session=\xff; idp_state=", "a=b;;=;c"),
        )
    ),
    max_size=4,
)
queries = st.lists(
    st.tuples(
        st.sampled_from((*NAMES, "resource", "rel", "user_code", "access_token")) | st.text(),
        values | st.sampled_from(("acct:alice@localhost", "acct:", "https://[", "BCDF-GHJK")),
    ),
    max_size=4,
)
KINDS_OF_BODY = ("application/x-www-form-urlencoded", "application/json", "multipart/form-data", "")


@settings(max_examples=100)  # tests/oidc/test_fuzz_routes.py goes on from here
@given(
    method=st.sampled_from(("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")),
    place=st.sampled_from(PLACES),
    below=st.just("") | st.text(max_size=8),
    query=queries,
    more=raw,
    sent_with=headers,
    body=st.binary(max_size=60),
    kind=st.sampled_from(KINDS_OF_BODY),
)
def test_no_address_fails(
    town: Town,
    method: str,
    place: str,
    below: str,
    query: list[tuple[str, str]],
    more: str,
    sent_with: dict[str, str],
    body: bytes,
    kind: str,
) -> None:
    path = place if not below else f"{place}/{quote(below, safe='', errors='replace')}"
    answer = town.ask(
        method,
        path,
        urlencode(query, errors="replace") + more,
        headers=sent_with,
        data=body,
        content_type=kind,
    )
    assert answer.status_code < 500
    where = answer.headers.get("Location", "")
    assert where == "" or urlsplit(where).netloc in ("", "localhost:8000")
    assert "evil.example" not in answer.headers.get("Access-Control-Allow-Origin", "")


@pytest.mark.parametrize("path", ["/oauth/authorize", "/oauth/logout", "/login/", "/me", "/device"])
def test_bytes_that_are_no_text_are_no_failure(town: Town, path: str) -> None:
    for known in (False, True):
        answer = town.ask("GET", path, "ui_locales=\xff\xfe&client_id=\xc3\xbc", known=known)
        assert answer.status_code in {200, 303, 400}
        assert answer.headers.get("Location", "").isascii()
