"""Requests that are wrong: said at the client's address where that is certain, else on our page."""

import json
from collections.abc import Iterable
from time import perf_counter
from urllib.parse import urlencode

import httpx
import pytest

from idp.services.audit_log import Search, search
from tests.helpers.house import CALLBACK, House
from tests.helpers.html import parse
from tests.helpers.relying_party import RelyingParty
from tests.helpers.user_agent import Departure
from tests.web.walking import events, gone, signed_in

ENDPOINT = "/oauth/authorize"
Pairs = list[tuple[str, str]]


@pytest.fixture(scope="module")
def shop(town: House) -> RelyingParty:
    return town.client(scope="openid profile email")


def send(house: House, method: str, pairs: Iterable[tuple[str, str]]) -> httpx.Response:
    """The request, by query or by body, from a browser that has never been here."""
    text = urlencode(list(pairs))
    client = house.browser().client
    if method == "GET":
        return client.get(f"{ENDPOINT}?{text}")
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return client.post(ENDPOINT, content=text, headers=kind)


def asks_for_sign_in(response: httpx.Response) -> bool:
    return response.status_code == 303 and response.headers["Location"].startswith("/login/")


def answer(response: httpx.Response) -> Departure:
    """The answer at the client's address."""
    assert response.status_code == 303, response.text
    assert response.headers["Location"].startswith(CALLBACK)
    return Departure(response.headers["Location"])


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_honest_request_leads_to_a_sign_in_page_of_its_own(
    town: House, shop: RelyingParty, method: str
) -> None:
    response = send(town, method, shop.authorization_parameters().items())
    assert asks_for_sign_in(response)


CLAIMS = json.dumps({"id_token": {"acr": {"essential": True, "values": ["urn:example:gold"]}}})
WRONG = [
    ("no response type", {"response_type": None}, "invalid_request"),
    ("a response type nobody defined", {"response_type": "banana"}, "unsupported_response_type"),
    ("the implicit flow", {"response_type": "token"}, "unsupported_response_type"),
    (
        "a hybrid flow it is not registered for",
        {"response_type": "code id_token"},
        "unauthorized_client",
    ),
    ("no PKCE", {"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    ("a PKCE method without challenge", {"code_challenge": None}, "invalid_request"),
    ("plain PKCE", {"code_challenge_method": "plain"}, "invalid_request"),
    ("PKCE whose absent method means plain", {"code_challenge_method": None}, "invalid_request"),
    ("a PKCE method in lower case", {"code_challenge_method": "s256"}, "invalid_request"),
    ("a short code challenge", {"code_challenge": "a" * 42}, "invalid_request"),
    ("a code challenge that is no base64url", {"code_challenge": "+" * 43}, "invalid_request"),
    ("a prompt nobody defined", {"prompt": "bogus"}, "invalid_request"),
    ("a prompt nobody defined beside one", {"prompt": "login bogus"}, "invalid_request"),
    ("prompt none beside another", {"prompt": "none login"}, "invalid_request"),
    ("prompt create where nobody may register", {"prompt": "create"}, "invalid_request"),
    ("a negative max_age", {"max_age": "-1"}, "invalid_request"),
    ("a max_age of words", {"max_age": "an hour"}, "invalid_request"),
    ("a broken max_age", {"max_age": "1.5"}, "invalid_request"),
    ("a max_age in other digits", {"max_age": "\u0661\u0662"}, "invalid_request"),
    ("a request object", {"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
    ("a request by reference", {"request_uri": "https://a.example/"}, "invalid_request_uri"),
    ("a registration in passing", {"registration": "{}"}, "registration_not_supported"),
    ("a response mode nobody defined", {"response_mode": "smoke"}, "invalid_request"),
    ("claims that are no JSON", {"claims": "{"}, "invalid_request"),
    ("claims that are a list", {"claims": "[]"}, "invalid_request"),
    ("claims deep as a well", {"claims": '{"id_token":' * 60 + "{}" + "}" * 60}, "invalid_request"),
    ("a scope of ours it is not registered for", {"scope": "openid groups"}, "invalid_scope"),
    (
        "a scope for administering",
        {"scope": "openid admin:people:read"},
        "invalid_scope",
    ),
    ("a scope with a quote in it", {"scope": 'openid "x"'}, "invalid_scope"),
    ("a hint that is no ID token", {"id_token_hint": "not.a.token"}, "invalid_request"),
    ("a nonce with a line break", {"nonce": "a\nb"}, "invalid_request"),
    ("an endless nonce", {"nonce": "n" * 5000}, "invalid_request"),
    ("an unknown parameter with a null", {"extra": "\0"}, "invalid_request"),
    (
        "only acr values we do not know",
        {"acr_values": "urn:example:gold"},
        "unmet_authentication_requirements",
    ),
    ("an essential acr we do not know", {"claims": CLAIMS}, "unmet_authentication_requirements"),
    ("details of a type nobody defined", {"authorization_details": '[{"type": "x"}]'}, None),
]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("changes", "error"),
    [pytest.param(changes, error, id=name) for name, changes, error in WRONG],
)
def test_the_client_is_told_with_state_and_issuer(
    town: House, shop: RelyingParty, changes: dict[str, str], error: str | None, method: str
) -> None:
    parameters = shop.authorization_parameters(**changes)
    told = answer(send(town, method, parameters.items())).parameters
    assert told["error"] == (error or "invalid_authorization_details")
    assert told["state"] == parameters["state"]
    assert told["iss"] == town.settings.issuer
    assert "code" not in told


def on_record(town: House, shop: RelyingParty) -> list[tuple[str, str | None]]:
    """What is in the audit log of this client's refused requests, and whom it names."""
    found = events(town, client_id=shop.client_id, event="authorization.refused")
    return [(event.data["error"], event.user_id) for event in found]


def test_what_the_client_is_told_at_once_is_on_record(town: House) -> None:
    """Whoever looks for why nobody can sign in to it finds nothing of it anywhere else here."""
    shop = town.client(scope="openid")
    answer(send(town, "GET", shop.authorization_parameters(code_challenge=None).items()))
    assert on_record(town, shop) == [("invalid_request", None)]
    unreadable = shop.authorization_parameters(request="a.b.c")
    answer(send(town, "GET", unreadable.items()))
    assert on_record(town, shop)[0] == ("invalid_request_object", None)
    # And what was only a question is not.
    answer(send(town, "GET", shop.authorization_parameters(prompt="none").items()))
    assert len(on_record(town, shop)) == 2


def test_who_is_signed_in_is_named_where_it_has_to_do_with_them(town: House) -> None:
    shop, person = town.client(scope="openid"), town.person()
    agent = signed_in(town, shop, person)
    closed = town.client(scope="openid", allowed_groups=["Nobody"])
    gone(agent.get(closed.authorization_url(prompt="none")))  # only asks, as often as it likes
    gone(agent.get(closed.authorization_url()))
    assert on_record(town, closed) == [("access_denied", person.id)]
    gone(agent.get(shop.authorization_url(scope="openid groups")))
    assert on_record(town, shop) == [("invalid_scope", None)]


IGNORED = [
    ("an empty max_age", {"max_age": ""}),
    ("an empty prompt", {"prompt": ""}),
    ("a scope nobody knows", {"scope": "openid somewhat"}),
    ("no openid: plain OAuth 2.0", {"scope": "profile"}),
    ("a parameter nobody knows", {"extra": "1"}),
    ("a display nobody defined", {"display": "hologram"}),
    ("languages we do not speak", {"ui_locales": "tlh xx-nonsense-1"}),
    ("an acr we know beside one we do not", {"acr_values": "urn:example:gold urn:idp:acr:1fa"}),
    ("a max_age longer than history", {"max_age": "9" * 30}),
    ("claims that ask for nothing", {"claims": "{}"}),
    ("an empty state", {"state": ""}),
]


@pytest.mark.parametrize("changes", [pytest.param(changes, id=name) for name, changes in IGNORED])
def test_what_is_merely_odd_is_no_error(
    town: House, shop: RelyingParty, changes: dict[str, str]
) -> None:
    assert asks_for_sign_in(send(town, "GET", shop.authorization_parameters(**changes).items()))


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("name", ["scope", "nonce", "response_type", "prompt", "extra"])
def test_a_repeated_parameter_is_refused_at_the_clients_address(
    town: House, shop: RelyingParty, name: str, method: str
) -> None:
    parameters = {"prompt": "login", "extra": "1", **shop.authorization_parameters()}
    again = [*parameters.items(), (name, parameters[name])]
    told = answer(send(town, method, again)).parameters
    assert (told["error"], told["state"]) == ("invalid_request", parameters["state"])


def test_a_repeated_state_is_not_sent_back(town: House, shop: RelyingParty) -> None:
    again = [*shop.authorization_parameters().items(), ("state", "another")]
    told = answer(send(town, "GET", again)).parameters
    assert told["error"] == "invalid_request"
    assert "state" not in told


def test_a_request_without_state_is_answered_without_one(town: House, shop: RelyingParty) -> None:
    parameters = shop.authorization_parameters(state=None, prompt="none")
    told = answer(send(town, "GET", parameters.items())).parameters
    assert told["error"] == "login_required"
    assert "state" not in told


def test_a_post_counts_by_its_body_alone(town: House, shop: RelyingParty) -> None:
    client = town.browser().client
    honest = shop.authorization_parameters()
    beside = client.post(f"{ENDPOINT}?prompt=bogus&state=theirs", data=honest)
    assert asks_for_sign_in(beside)
    queried = client.post(f"{ENDPOINT}?{urlencode(honest)}")
    assert (queried.status_code, "Location" in queried.headers) == (400, False)


def test_a_post_of_json_is_no_request(town: House, shop: RelyingParty) -> None:
    response = town.browser().client.post(ENDPOINT, json=shop.authorization_parameters())
    assert (response.status_code, "Location" in response.headers) == (400, False)


def test_errors_travel_by_form_post_when_that_was_asked_for(
    town: House, shop: RelyingParty
) -> None:
    url = shop.authorization_url(response_mode="form_post", prompt="none")
    departure = town.browser().get(url)
    assert isinstance(departure, Departure)
    assert (departure.url, departure.parameters["error"]) == (CALLBACK, "login_required")
    assert departure.parameters["iss"] == town.settings.issuer


def test_errors_travel_in_the_fragment_when_that_was_asked_for(
    town: House, shop: RelyingParty
) -> None:
    url = shop.authorization_url(response_mode="fragment", prompt="none")
    departure = town.browser().get(url)
    assert departure.url.startswith(f"{CALLBACK}#")


# Our own page


def reference_on(response: httpx.Response) -> str:
    """What the page gives for people to quote; asserts that nobody is sent anywhere."""
    assert (response.status_code, "Location" in response.headers) == (400, False)
    document = parse(response.text, str(response.url))
    assert "Nothing was shared." in document.text
    return response.text.partition('<code id="reference">')[2].partition("<")[0]


def audited(house: House, reference: str) -> list[tuple[str, str | None, dict[str, object]]]:
    with house.app.app_context():
        found = search(Search(reference=reference))
        return [(event.name, event.client_id, event.data) for event in found]


UNKNOWN = [
    ("no client", {"client_id": None}),
    ("an empty client", {"client_id": ""}),
    ("a client nobody registered", {"client_id": "nobody"}),
    ("a client whose name is markup", {"client_id": "<script>alert(1)</script>"}),
    ("a client with a null in it", {"client_id": "a\0b"}),
    ("a client of foreign letters", {"client_id": "\u0441lient"}),
    ("an endless client", {"client_id": "c" * 300}),
    ("no redirect address", {"redirect_uri": None}),
    ("an empty redirect address", {"redirect_uri": ""}),
    ("another's address", {"redirect_uri": "https://evil.example/callback"}),
    ("a slash more", {"redirect_uri": f"{CALLBACK}/"}),
    ("a query more", {"redirect_uri": f"{CALLBACK}?next=https://evil.example"}),
    ("an empty query", {"redirect_uri": f"{CALLBACK}?"}),
    ("a fragment", {"redirect_uri": f"{CALLBACK}#there"}),
    ("a step up and down again", {"redirect_uri": "https://shop.example/x/../callback"}),
    ("a backslash", {"redirect_uri": "https://shop.example\\callback"}),
    ("an encoded letter", {"redirect_uri": "https://shop.example/c%61llback"}),
    ("an encoded slash", {"redirect_uri": "https://shop.example%2fcallback"}),
    ("capitals in the host", {"redirect_uri": "https://SHOP.example/callback"}),
    ("capitals in the scheme", {"redirect_uri": "HTTPS://shop.example/callback"}),
    ("the default port", {"redirect_uri": "https://shop.example:443/callback"}),
    ("a port", {"redirect_uri": "https://shop.example:8443/callback"}),
    ("no TLS", {"redirect_uri": "http://shop.example/callback"}),
    ("a host that goes on", {"redirect_uri": "https://shop.example.evil.example/callback"}),
    ("a host behind a name", {"redirect_uri": "https://shop.example@evil.example/callback"}),
    ("a subdomain", {"redirect_uri": "https://www.shop.example/callback"}),
    ("a final dot", {"redirect_uri": "https://shop.example./callback"}),
    ("a space before", {"redirect_uri": f" {CALLBACK}"}),
    ("a line break after", {"redirect_uri": f"{CALLBACK}\r\nSet-Cookie: a=b"}),
    ("a null after", {"redirect_uri": f"{CALLBACK}\0"}),
    ("no scheme", {"redirect_uri": "//shop.example/callback"}),
    ("a path alone", {"redirect_uri": "/callback"}),
    ("a script", {"redirect_uri": "javascript:alert(1)"}),
    ("a page in itself", {"redirect_uri": "data:text/html,hello"}),
    ("an address that breaks out", {"redirect_uri": '"><script>alert(1)</script>'}),
]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("changes", [pytest.param(changes, id=name) for name, changes in UNKNOWN])
def test_nobody_is_sent_to_an_address_that_is_not_certain(
    town: House, shop: RelyingParty, changes: dict[str, str], method: str
) -> None:
    parameters = shop.authorization_parameters(**changes)
    response = send(town, method, parameters.items())
    reference = reference_on(response)
    ((name, _client, data),) = audited(town, reference)
    assert (name, data["error"]) == ("authorization.refused", "invalid_request")
    assert "<script>alert" not in response.text
    assert "evil.example" not in response.text


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_neither_client_nor_address_may_be_repeated(
    town: House, shop: RelyingParty, name: str
) -> None:
    parameters = shop.authorization_parameters()
    assert reference_on(send(town, "GET", [*parameters.items(), (name, parameters[name])]))


def test_a_disabled_client_is_as_good_as_unknown(town: House) -> None:
    shop = town.client()
    pairs = shop.authorization_parameters().items()
    assert asks_for_sign_in(send(town, "GET", pairs))
    town.do(lambda idp: idp.client_registry.disable(shop.client_id, town.context))
    assert reference_on(send(town, "GET", pairs))


def test_the_page_names_the_application_and_leads_back_to_it(town: House) -> None:
    home = "https://shop.example/welcome"
    shop = town.client(client_uri=home, consent="never")
    page = town.browser().page(shop.authorization_url(redirect_uri="https://elsewhere.example/"))
    assert page.document.headings == ["The application sent a request we can’t accept"]
    assert "Shop sent an address we don’t recognise." in page.document.text
    assert page.link("Return to Shop") == home
    assert "elsewhere.example" not in page.response.text
    pairs = [pair for pair in shop.authorization_parameters().items() if pair[0] != "redirect_uri"]
    page = town.browser().page(f"/oauth/authorize?{urlencode(pairs)}")
    assert "Shop did not say where to go back to." in page.document.text
    homeless = town.client(consent="never")
    page = town.browser().page(homeless.authorization_url(redirect_uri="https://x.example/"))
    assert page.link("Go to your account").endswith("/me")


def test_an_application_nobody_knows_is_told_of_in_plain_words(
    town: House, shop: RelyingParty
) -> None:
    page = town.browser().page(shop.authorization_url(client_id="nobody"))
    assert "We don’t know the application that sent you here." in page.document.text
    assert "client_id" not in page.document.text
    told = town.browser().client.get(
        shop.authorization_url(client_id="nobody"), headers={"Accept": "application/json"}
    )
    assert "client_id" in told.json()["error_description"]  # for whoever repairs it


def test_the_audit_log_tells_what_was_sent(town: House, shop: RelyingParty) -> None:
    sent = "https://evil.example/callback"
    response = send(town, "GET", shop.authorization_parameters(redirect_uri=sent).items())
    ((_name, client_id, data),) = audited(town, reference_on(response))
    assert (client_id, data["redirect_uri"]) == (shop.client_id, sent)


def test_two_errors_have_two_references(town: House) -> None:
    first, second = (reference_on(send(town, "GET", [])) for _ in range(2))
    assert first != second


def test_a_script_gets_the_error_as_json(town: House) -> None:
    response = town.browser().client.get(ENDPOINT, headers={"Accept": "application/json"})
    assert response.status_code == 400
    assert response.json()["error"] == "invalid_request"
    assert audited(town, response.json()["reference"])


@pytest.mark.parametrize("number", [99, 101, 201, 1001])
def test_more_parameters_than_anyone_needs(town: House, shop: RelyingParty, number: int) -> None:
    known = shop.authorization_parameters()
    many = [*known.items(), *((f"x{place}", "1") for place in range(number - len(known)))]
    for method in ("GET", "POST"):
        response = send(town, method, many)
        if number <= 100:
            assert asks_for_sign_in(response)
        else:
            assert reference_on(response)


def test_one_parameter_a_hundred_thousand_times_costs_little(town: House) -> None:
    began = perf_counter()
    assert reference_on(send(town, "POST", [("a", "")] * 85_000))
    assert perf_counter() - began < 3


def test_a_request_of_unheard_of_size(town: House, shop: RelyingParty) -> None:
    huge = {**shop.authorization_parameters(), "extra": "x" * 70_000}
    assert reference_on(send(town, "POST", huge.items()))
    monstrous = {**huge, "extra": "x" * 350_000}
    assert send(town, "POST", monstrous.items()).status_code == 413


LOOPBACK = [
    ("the registered port", "http://127.0.0.1:4000/callback", True),
    ("another port", "http://127.0.0.1:51234/callback", True),
    ("no port", "http://127.0.0.1/callback", True),
    ("IPv6 with a port", "http://[::1]:51234/callback", True),
    ("the host's name with a port", "http://localhost:51234/callback", True),
    ("another path", "http://127.0.0.1:51234/other", False),
    ("another query", "http://127.0.0.1:51234/callback?a=b", False),
    ("TLS", "https://127.0.0.1:51234/callback", False),
    ("another loopback address", "http://127.0.0.2:51234/callback", False),
    ("a name that resolves to it", "http://localtest.me:51234/callback", False),
    ("the address as one number", "http://2130706433:51234/callback", False),
    ("a port past the last", "http://127.0.0.1:65536/callback", False),
    ("a host behind a port", "http://127.0.0.1:51234@evil.example/callback", False),
    ("a host that goes on", "http://127.0.0.1.evil.example/callback", False),
]


@pytest.fixture(scope="module")
def desktop(town: House) -> RelyingParty:
    return town.client(
        application_type="native",
        token_endpoint_auth_method="none",
        redirect_uris=[
            "http://127.0.0.1:4000/callback",
            "http://[::1]/callback",
            "http://localhost/callback",
            "https://shop.example/callback",
        ],
    )


@pytest.mark.parametrize(
    ("sent", "known"), [pytest.param(sent, known, id=name) for name, sent, known in LOOPBACK]
)
def test_a_loopback_address_may_vary_its_port_and_nothing_else(
    town: House, desktop: RelyingParty, sent: str, known: bool
) -> None:
    parameters = desktop.authorization_parameters(redirect_uri=sent)
    response = send(town, "GET", parameters.items())
    if known:
        assert asks_for_sign_in(response)
    else:
        assert reference_on(response)


def test_another_clients_address_is_not_this_ones(town: House) -> None:
    first = town.client(redirect_uris=["https://first.example/cb"])
    second = town.client(redirect_uris=["https://second.example/cb"])
    crossed = first.authorization_parameters(redirect_uri=second.redirect_uri)
    assert reference_on(send(town, "GET", crossed.items()))


def test_a_registered_query_is_kept(town: House) -> None:
    shop = town.client(redirect_uris=[f"{CALLBACK}?shop=7"])
    told = answer(send(town, "GET", shop.authorization_parameters(prompt="none").items()))
    assert told.parameters["shop"] == "7"
    assert told.parameters["error"] == "login_required"


def test_a_client_may_be_registered_without_pkce(town: House) -> None:
    old = town.client(require_pkce=False)
    bare = old.authorization_parameters(code_challenge=None, code_challenge_method=None)
    assert asks_for_sign_in(send(town, "GET", bare.items()))
    downgraded = old.authorization_parameters(code_challenge_method="plain")
    told = answer(send(town, "GET", downgraded.items())).parameters
    assert told["error"] == "invalid_request"
