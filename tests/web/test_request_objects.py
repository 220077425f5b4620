"""Request objects (RFC 9101, OIDC Core 6): by value, by reference, signed as registered."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from joserfc.jwk import OctKey

from idp.services import jose
from tests.helpers import base64url
from tests.helpers.house import CALLBACK, House, Person
from tests.helpers.little_server import LittleServer, little_server, saying
from tests.helpers.relying_party import RelyingParty
from tests.helpers.sign_in import sign_in
from tests.helpers.signed_requests import jwks_of, signed, unsigned
from tests.helpers.user_agent import Departure, Page, Place
from tests.web.walking import gone, newcomer, shown, told

CALLBACKS = [CALLBACK, f"{CALLBACK}/second"]
Claims = dict[str, Any]


@pytest.fixture(scope="module")
def shop(town: House) -> RelyingParty:
    return town.client(
        consent="never", redirect_uris=CALLBACKS, jwks=jwks_of("ES256", "RS256", "PS256")
    )


@pytest.fixture
def alice(town: House) -> Person:
    return newcomer(town)


def claims_of(client: RelyingParty, **changes: Any) -> Claims:
    """What an honest object holds; None removes."""
    address = changes.get("redirect_uri", client.redirect_uri)
    honest = {
        **client.authorization_parameters(redirect_uri=address),
        "iss": client.client_id,
        "aud": client.issuer,
        **changes,
    }
    return {name: value for name, value in honest.items() if value is not None}


def url_of(client: RelyingParty, request: str, **beside: str) -> str:
    outside = {
        "client_id": client.client_id,
        "response_type": "code",
        "scope": "openid",
        "request": request,
        **beside,
    }
    return f"/oauth/authorize?{urlencode({k: v for k, v in outside.items() if v})}"


def walk(town: House, url: str, alice: Person) -> Departure:
    return sign_in(town.browser(), url, username=alice.email, password=alice.password)


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256"])
def test_what_is_signed_is_asked(
    town: House, shop: RelyingParty, alice: Person, algorithm: str
) -> None:
    url = url_of(shop, signed(claims_of(shop), algorithm, typ="oauth-authz-req+jwt"))
    assert shop.finish(walk(town, url, alice)).claims["sub"] == alice.id


def test_what_is_inside_wins(town: House, shop: RelyingParty, alice: Person) -> None:
    inner = claims_of(shop, redirect_uri=CALLBACKS[1], scope="openid email", max_age=600)
    beside = {"redirect_uri": CALLBACK, "state": "outer", "nonce": "outer", "max_age": "1"}
    departure = walk(town, url_of(shop, signed(inner), **beside), alice)
    assert departure.url.startswith(f"{CALLBACKS[1]}?")
    assert shop.finish(departure).raw["scope"] == "openid email"


def test_what_is_not_inside_may_stand_beside_it(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    parameters = shop.authorization_parameters()
    inner = {"state": parameters.pop("state"), "nonce": parameters.pop("nonce")}
    departure = walk(town, url_of(shop, signed(inner), **parameters), alice)
    assert shop.finish(departure).claims["nonce"] == inner["nonce"]


def test_objects_within_it_are_json(town: House, shop: RelyingParty, alice: Person) -> None:
    claims = {"id_token": {"email": {"essential": True}}}
    url = url_of(shop, signed(claims_of(shop, claims=claims)))
    assert shop.finish(walk(town, url, alice)).claims["email"] == alice.email


def test_only_what_is_signed_counts_for_who_must_sign(town: House, alice: Person) -> None:
    client = town.client(consent="never", jwks=jwks_of("ES256"), require_signed_request_object=True)
    parameters = client.authorization_parameters()
    assert told(town.browser().get(client.authorization_url()))["error"] == "invalid_request"
    beside = {"prompt": "none", "login_hint": "x", "state": "outer"}
    url = url_of(client, signed(parameters), **beside)
    assert client.finish(walk(town, url, alice)).claims["sub"] == alice.id
    # And nothing unsigned completes it.
    outside = client.authorization_parameters(nonce=None)
    url = url_of(client, signed(outside), nonce="unsigned")
    assert "nonce" not in client.finish(walk(town, url, alice)).claims


OTHER_KEY = jose.make_key("ES256")
HOUR = 3600


def at(house: House, seconds: int) -> int:
    return int(house.clock().timestamp()) + seconds


Make = Callable[[House, RelyingParty], str]


def _mac_with_a_public_key(_town: House, client: RelyingParty) -> str:
    public = json.dumps(jwks_of("ES256")["keys"][0])
    key = OctKey.import_key(public.encode())
    return signed(claims_of(client), "HS256", key=key, kid=None)


REFUSED: dict[str, Make] = {
    "signed by a stranger": lambda _, c: signed(claims_of(c), key=OTHER_KEY),
    "signed by a stranger who names no key": lambda _, c: signed(
        claims_of(c), key=OTHER_KEY, kid=None
    ),
    "signed by whom it brings along": lambda _, c: signed(
        claims_of(c), key=OTHER_KEY, jwk=OTHER_KEY.as_dict(private=False)
    ),
    "pointing at keys": lambda _, c: signed(claims_of(c), jku="https://evil.example/jwks"),
    "pointing at certificates": lambda _, c: signed(claims_of(c), x5u="https://evil.example/x"),
    "typed as something else": lambda _, c: signed(claims_of(c), typ="at+jwt"),
    "a MAC made with a public key": _mac_with_a_public_key,
    "a signature cut off": lambda _, c: signed(claims_of(c)).rpartition(".")[0] + ".",
    "changed after signing": lambda _, c: _changed(signed(claims_of(c))),
    "serialised as JSON": lambda _, c: _as_json(signed(claims_of(c))),
    "encrypted": lambda _, c: "a.b.c.d.e",
    "no JWT": lambda _, c: "hello",
    "a list": lambda _, c: ".".join(
        [base64url.encode(b'{"alg":"ES256"}'), base64url.encode(b"[]"), "x"]
    ),
    "of another client": lambda _, c: signed(claims_of(c, iss="other")),
    "naming another client": lambda _, c: signed(claims_of(c, client_id="other")),
    "for another issuer": lambda _, c: signed(claims_of(c, aud="https://other.example")),
    "for nobody": lambda _, c: signed(claims_of(c, aud=[])),
    "for a number": lambda _, c: signed(claims_of(c, aud=5)),
    "an assertion of the client": lambda _, c: signed(claims_of(c, sub=c.client_id)),
    "expired": lambda t, c: signed(claims_of(c, exp=at(t, -HOUR))),
    "not good yet": lambda t, c: signed(claims_of(c, nbf=at(t, HOUR))),
    "whose end is no time": lambda _, c: signed(claims_of(c, exp="soon")),
    "with another in it": lambda _, c: signed(claims_of(c, request=signed({}))),
    "with a reference in it": lambda _, c: signed(claims_of(c, request_uri="https://a.example/")),
    "with another response type": lambda _, c: signed(claims_of(c, response_type="id_token")),
}


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED)
def test_what_is_not_the_clients_word_is_refused(
    town: House, shop: RelyingParty, make: Make
) -> None:
    request = make(town, shop)
    beside = {"redirect_uri": CALLBACK, "state": "outer"}
    answered = told(town.browser().get(url_of(shop, request, **beside)))
    assert (answered["error"], answered["state"]) == ("invalid_request_object", "outer")
    assert answered["iss"] == shop.issuer
    # Without an address beside it there is none that could be trusted.
    assert shown(town.browser().get(url_of(shop, request))).status == 400


def _changed(token: str) -> str:
    header, payload, signature = token.split(".")
    claims = json.loads(base64url.decode(payload)) | {"scope": "openid profile"}
    return ".".join([header, base64url.encode(json.dumps(claims).encode()), signature])


def _as_json(token: str) -> str:
    protected, payload, signature = token.split(".")
    return json.dumps({"protected": protected, "payload": payload, "signature": signature})


ACCEPTED: dict[str, Claims] = {
    "for several, us among them": {"aud": ["https://other.example", "http://localhost:8000"]},
    "without iss and aud": {"iss": None, "aud": None},
    "with a claim nobody knows": {"purpose": {"of": ["it", 1, True]}},
    "with response types turned": {"response_type": "code"},
}


@pytest.mark.parametrize("changes", ACCEPTED.values(), ids=ACCEPTED)
def test_what_is_merely_odd_is_no_error(town: House, shop: RelyingParty, changes: Claims) -> None:
    assert asks(town.browser().get(url_of(shop, signed(claims_of(shop, **changes)))))


def test_clocks_may_differ_a_little(town: House, shop: RelyingParty) -> None:
    times = {"nbf": at(town, 8), "exp": at(town, -8), "iat": at(town, 8)}
    assert asks(town.browser().get(url_of(shop, signed(claims_of(shop, **times)))))


def asks(place: Place) -> bool:
    return isinstance(place, Page) and place.path.startswith("/login/")


def test_a_wrong_request_that_is_signed_is_answered_where_it_says(
    town: House, shop: RelyingParty
) -> None:
    inner = claims_of(shop, prompt="perhaps", redirect_uri=CALLBACKS[1])
    departure = gone(town.browser().get(url_of(shop, signed(inner), redirect_uri=CALLBACK)))
    assert departure.url.startswith(f"{CALLBACKS[1]}?")
    assert departure.parameters["error"] == "invalid_request"
    assert departure.parameters["state"] == inner["state"]


def test_an_address_inside_has_to_be_registered(town: House, shop: RelyingParty) -> None:
    inner = claims_of(shop, redirect_uri="https://evil.example/")
    url = url_of(shop, signed(inner), redirect_uri=CALLBACK)
    assert shown(town.browser().get(url)).status == 400


def test_one_algorithm_registered_is_the_only_one(town: House, alice: Person) -> None:
    client = town.client(
        consent="never", jwks=jwks_of("ES256", "RS256"), request_object_signing_alg="RS256"
    )
    right = url_of(client, signed(claims_of(client), "RS256"))
    wrong = url_of(client, signed(claims_of(client), "ES256"), redirect_uri=CALLBACK)
    assert told(town.browser().get(wrong))["error"] == "invalid_request_object"
    assert client.finish(walk(town, right, alice)).claims["sub"] == alice.id


@pytest.fixture(scope="module")
def careless(town: House) -> RelyingParty:
    """A client that registered to sign nothing."""
    return town.client(consent="never", request_object_signing_alg="none")


class TestUnsigned:
    def test_for_who_registered_exactly_that(
        self, town: House, careless: RelyingParty, alice: Person
    ) -> None:
        url = url_of(careless, unsigned(claims_of(careless)))
        assert careless.finish(walk(town, url, alice)).claims["sub"] == alice.id

    def test_for_nobody_else(self, town: House, shop: RelyingParty) -> None:
        url = url_of(shop, unsigned(claims_of(shop)), redirect_uri=CALLBACK)
        assert told(town.browser().get(url))["error"] == "request_not_supported"

    def test_and_without_a_signature(self, town: House, careless: RelyingParty) -> None:
        url = url_of(careless, unsigned(claims_of(careless), "AAAA"), redirect_uri=CALLBACK)
        assert told(town.browser().get(url))["error"] == "invalid_request_object"


def test_a_shared_secret_for_who_registered_that(town: House, alice: Person) -> None:
    client = town.client(consent="never", request_object_signing_alg="HS256")
    key = OctKey.import_key((client.client_secret or "").encode())
    url = url_of(client, signed(claims_of(client), "HS256", key=key, kid=None))
    assert client.finish(walk(town, url, alice)).claims["sub"] == alice.id


@pytest.fixture(scope="module")
def published() -> Iterator[LittleServer]:
    with little_server() as server:
        yield server


@pytest.fixture(scope="module")
def referring(town: House, published: LittleServer) -> RelyingParty:
    """A client that publishes its request objects."""
    uri = published.url("/object.jwt")
    return town.client(consent="never", jwks=jwks_of("ES256"), request_uris=[f"{uri}#version-1"])


class TestByReference:
    def going(self, client: RelyingParty, request_uri: str, **beside: str) -> str:
        asked = {"client_id": client.client_id, "request_uri": request_uri, **beside}
        return f"/oauth/authorize?{urlencode({'response_type': 'code', **asked})}"

    @pytest.mark.parametrize("fragment", ["#version-1", "", "#version-2"])
    def test_what_was_registered_is_fetched_without_its_fragment(
        self,
        town: House,
        referring: RelyingParty,
        published: LittleServer,
        alice: Person,
        fragment: str,
    ) -> None:
        published.requests.clear()
        published.answer = saying(signed(claims_of(referring)).encode(), kind="application/jwt")
        url = self.going(referring, published.url("/object.jwt") + fragment)
        assert referring.finish(walk(town, url, alice)).claims["sub"] == alice.id
        (request,) = published.requests
        assert request.startswith(b"GET /object.jwt HTTP/1.1\r\n")

    @pytest.mark.parametrize("path", ["/object.jwt?more", "/other", "/object.jwt/"])
    def test_nothing_else_is_fetched(
        self, town: House, referring: RelyingParty, published: LittleServer, path: str
    ) -> None:
        published.requests.clear()
        url = self.going(referring, published.url(path), redirect_uri=CALLBACK, state="s")
        assert told(town.browser().get(url))["error"] == "invalid_request_uri"
        assert published.requests == []

    @pytest.mark.parametrize(
        ("body", "status", "error"),
        [
            pytest.param(b"", "404 Not Found", "invalid_request_uri", id="nothing there"),
            pytest.param(b"\xff\xfe", "200 OK", "invalid_request_uri", id="no text"),
            pytest.param(b"<html>", "200 OK", "invalid_request_object", id="a page"),
            pytest.param(b"x" * 70000, "200 OK", "invalid_request_uri", id="too much"),
            pytest.param(b"x" * 40000, "200 OK", "invalid_request_object", id="too long"),
            pytest.param(
                unsigned({}).encode(), "200 OK", "request_uri_not_supported", id="not signed"
            ),
        ],
    )
    def test_what_comes_is_held_to_the_same(
        self,
        town: House,
        referring: RelyingParty,
        published: LittleServer,
        body: bytes,
        status: str,
        error: str,
    ) -> None:
        published.answer = saying(body, status)
        beside = {"redirect_uri": CALLBACK, "state": "s"}
        url = self.going(referring, published.url("/object.jwt"), **beside)
        answered = told(town.browser().get(url))
        assert (answered["error"], answered["state"]) == (error, "s")
        bare = self.going(referring, published.url("/object.jwt"))
        assert shown(town.browser().get(bare)).status == 400

    def test_both_at_once_are_refused(
        self, town: House, referring: RelyingParty, published: LittleServer
    ) -> None:
        beside = {"redirect_uri": CALLBACK, "request": signed(claims_of(referring))}
        url = self.going(referring, published.url("/object.jwt"), **beside)
        assert told(town.browser().get(url))["error"] == "invalid_request"
