"""openid-client, the certified client of Node: code with PKCE, in each way of authenticating."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from joserfc.jwk import JWKRegistry

from tests.helpers.house import made_once
from tests.helpers.relying_party import RelyingParty
from tests.helpers.signed_requests import jwks_of
from tests.helpers.signing import jwks, key_of, public
from tests.helpers.user_agent import Departure, Page
from tests.interop.node import Failed, Program, program
from tests.interop.provider import Provider, Visitor
from tests.oidc.desk import payload_of

CALLBACK = "https://app.example/callback"
SCOPE = "openid profile email offline_access"


@dataclass
class App:
    """A client as the library plays it, and somebody's browser."""

    library: Program
    registered: RelyingParty
    visitor: Visitor
    metadata: dict[str, Any]

    def request(self, **parameters: str) -> str:
        """The address that the library sends the browser to."""
        asked = {"redirect_uri": CALLBACK, "scope": SCOPE, **parameters}
        return str(self.library.do("request", parameters=asked))

    def sign_in(self, **parameters: str) -> Departure:
        return self.visitor.sign_in(self.request(**parameters))

    def finish(self, callback: Departure, **details: Any) -> dict[str, Any]:
        form = None if callback.form is None else dict(callback.form)
        answer: dict[str, Any] = self.library.do("finish", url=callback.url, form=form, **details)
        return answer


@pytest.fixture
def library() -> Iterator[Program]:
    with program("openid_client.mjs") as running:
        yield running


@pytest.fixture
def visitor(provider: Provider) -> Iterator[Visitor]:
    browser = Visitor(provider, "https://app.example")
    yield browser
    browser.close()


def app_of(
    provider: Provider,
    library: Program,
    visitor: Visitor,
    how: str,
    algorithm: str,
    signs: str = "ES256",
    **members: Any,
) -> App:
    key = {**key_of(signs).as_dict(private=True), "kid": "1"}
    usual: dict[str, Any] = {
        "redirect_uris": [CALLBACK],
        "token_endpoint_auth_method": how,
        "id_token_signed_response_alg": algorithm,
        "grant_types": ["authorization_code", "refresh_token"],
    }
    if how == "private_key_jwt":
        usual["jwks"] = jwks(public(key_of(signs), kid="1"))
    registered = provider.client(**{**usual, **members})
    metadata = library.do(
        "discover",
        issuer=provider.issuer,
        clientId=registered.client_id,
        clientSecret=registered.client_secret,
        authentication=how,
        signingKey=key,
        signingAlgorithm=signs,
        algorithm=algorithm,
    )
    return App(library, registered, visitor, metadata)


@pytest.fixture
def app(provider: Provider, library: Program, visitor: Visitor) -> App:
    """A client with a secret, and the algorithm that nothing registered means."""
    return app_of(provider, library, visitor, "client_secret_basic", "RS256")


WAYS = {
    "secret in the header, RS256": ("client_secret_basic", "RS256"),
    "secret in the form, ES256": ("client_secret_post", "ES256"),
    "no secret, EdDSA": ("none", "EdDSA"),
    "signed with the secret, PS256": ("client_secret_jwt", "PS256"),
    "signed with a key, ES256": ("private_key_jwt", "ES256"),
}


@pytest.mark.parametrize(("how", "algorithm"), WAYS.values(), ids=WAYS)
def test_sign_in(
    provider: Provider, library: Program, visitor: Visitor, how: str, algorithm: str
) -> None:
    app = app_of(provider, library, visitor, how, algorithm)
    finished = app.finish(app.sign_in())
    claims, tokens = finished["claims"], finished["tokens"]
    assert claims["sub"] == provider.person.id
    assert claims["aud"] in (app.registered.client_id, [app.registered.client_id])
    assert claims["acr"] == "urn:idp:acr:1fa"
    assert claims["amr"] == ["pwd"]
    assert abs(claims["auth_time"] - claims["iat"]) < 30

    told = library.do("userinfo", accessToken=tokens["access_token"], subject=provider.person.id)
    assert told["email"] == provider.person.email
    assert told["given_name"] == "Alice"

    again = library.do("refresh", refreshToken=tokens["refresh_token"])
    assert again["tokens"]["access_token"] != tokens["access_token"]
    kept = ("sub", "acr", "amr", "auth_time")
    assert [again["claims"][name] for name in kept] == [claims[name] for name in kept]


def test_form_post(app: App, provider: Provider) -> None:
    callback = app.sign_in(response_mode="form_post")
    assert callback.form is not None
    assert app.finish(callback)["claims"]["sub"] == provider.person.id


_KEYS: dict[str, tuple[str, str | int]] = {
    "ECDH-ES+A256KW": ("EC", "P-256"),
    "RSA-OAEP-256": ("RSA", 2048),
}


@pytest.mark.parametrize(
    ("alg", "enc"), [("ECDH-ES+A256KW", "A256GCM"), ("RSA-OAEP-256", "A128CBC-HS256")]
)
def test_id_token_and_userinfo_for_its_eyes_alone(
    provider: Provider, library: Program, visitor: Visitor, alg: str, enc: str
) -> None:
    kty, size = _KEYS[alg]
    key = JWKRegistry.generate_key(kty, size, {"kid": "mine"})
    members: dict[str, Any] = {"jwks": {"keys": [key.as_dict(private=False)]}}
    for message in ("id_token", "userinfo"):
        members[f"{message}_encrypted_response_alg"] = alg
        members[f"{message}_encrypted_response_enc"] = enc
    members["userinfo_signed_response_alg"] = "ES256"
    app = app_of(provider, library, visitor, "client_secret_basic", "ES256", **members)
    library.do("decrypt", key=key.as_dict(private=True), alg=alg, enc=enc, userinfo="ES256")
    finished = app.finish(app.sign_in())
    assert finished["tokens"]["id_token"].count(".") == 4
    assert finished["claims"]["sub"] == provider.person.id
    access_token = finished["tokens"]["access_token"]
    told = library.do("userinfo", accessToken=access_token, subject=provider.person.id)
    assert told["email"] == provider.person.email
    assert told["aud"] == app.registered.client_id


class TestOtherForms:
    """Requests that are pushed or signed, and answers that are signed or bring an ID token."""

    @pytest.fixture
    def everything(self, provider: Provider, library: Program, visitor: Visitor) -> App:
        """A client that registered all of them."""
        return app_of(
            provider,
            library,
            visitor,
            "client_secret_basic",
            "RS256",
            response_types=["code", "id_token", "code id_token"],
            grant_types=["authorization_code", "refresh_token", "implicit"],
            jwks=jwks_of("ES256"),
        )

    def sent(self, app: App, **how: Any) -> Departure:
        asked = {"redirect_uri": CALLBACK, "scope": SCOPE, **how.pop("parameters", {})}
        return app.visitor.sign_in(app.library.do("request", parameters=asked, **how))

    def test_pushed(self, everything: App, provider: Provider) -> None:
        finished = everything.finish(self.sent(everything, how="PAR"))
        assert finished["claims"]["sub"] == provider.person.id

    def test_signed(self, everything: App, provider: Provider) -> None:
        key = made_once("ES256").as_dict(private=True)
        finished = everything.finish(self.sent(everything, how="JAR", key=key))
        assert finished["claims"]["sub"] == provider.person.id

    def test_a_signed_answer(self, everything: App, provider: Provider) -> None:
        everything.library.do("expect", response="signed")
        callback = self.sent(everything)
        assert "response=" in callback.url
        assert everything.finish(callback)["claims"]["sub"] == provider.person.id

    @pytest.mark.parametrize("mode", ["fragment", "form_post"])
    def test_a_code_and_an_id_token(self, everything: App, provider: Provider, mode: str) -> None:
        everything.library.do("expect", response="hybrid")
        callback = self.sent(everything, parameters={"response_mode": mode})
        assert everything.finish(callback)["claims"]["sub"] == provider.person.id

    def test_an_id_token_alone(self, everything: App, provider: Provider) -> None:
        everything.library.do("expect", response="implicit")
        callback = self.sent(everything)
        claims = everything.library.do("implicit", url=callback.url)
        assert (claims["sub"], claims["email"]) == (provider.person.id, provider.person.email)


class TestProofsOfPossession:
    """DPoP, with nonces: the library asks again with the one that it was told."""

    def proving(self, app: App, algorithm: str) -> str:
        return str(app.library.do("prove", algorithm=algorithm))

    @pytest.mark.parametrize("algorithm", ["ES256", "Ed25519", "PS256"])
    def test_a_public_client(
        self, provider: Provider, library: Program, visitor: Visitor, algorithm: str
    ) -> None:
        app = app_of(provider, library, visitor, "none", "ES256")
        jkt = self.proving(app, algorithm)
        tokens = app.finish(app.sign_in())["tokens"]
        assert tokens["token_type"].lower() == "dpop"
        assert payload_of(tokens["access_token"])["cnf"] == {"jkt": jkt}
        person = provider.person
        told = library.do("userinfo", accessToken=tokens["access_token"], subject=person.id)
        assert told["email"] == person.email
        again = library.do("refresh", refreshToken=tokens["refresh_token"])["tokens"]
        assert payload_of(again["access_token"])["cnf"] == {"jkt": jkt}
        self.proving(app, algorithm)  # another key
        with pytest.raises(Failed) as refused:
            library.do("refresh", refreshToken=again["refresh_token"])
        assert refused.value.details["error"] == "invalid_grant"

    def test_fapi2(self, provider: Provider, library: Program, visitor: Visitor) -> None:
        """Pushed, signed for, bound: what one word in the registration asks for."""
        members: dict[str, Any] = {"profile": "fapi2", "dpop_bound_access_tokens": True}
        app = app_of(provider, library, visitor, "private_key_jwt", "PS256", **members)
        jkt = self.proving(app, "ES256")
        asked = {"redirect_uri": CALLBACK, "scope": SCOPE}
        callback = visitor.sign_in(library.do("request", parameters=asked, how="PAR"))
        finished = app.finish(callback)
        tokens = finished["tokens"]
        assert finished["claims"]["sub"] == provider.person.id
        assert payload_of(tokens["access_token"])["cnf"] == {"jkt": jkt}
        told = library.do(
            "userinfo", accessToken=tokens["access_token"], subject=provider.person.id
        )
        assert told["sub"] == provider.person.id
        assert library.do("refresh", refreshToken=tokens["refresh_token"])["tokens"]


def test_a_second_sign_in_is_silent(app: App) -> None:
    first = app.finish(app.sign_in())["claims"]
    again = app.finish(app.sign_in(prompt="none"))["claims"]
    assert again["auth_time"] == first["auth_time"]


def test_max_age_is_proved_by_auth_time(app: App) -> None:
    app.finish(app.sign_in())
    answer = app.finish(app.sign_in(max_age="0"), maxAge=0)
    assert answer["claims"]["amr"] == ["pwd"]


def test_introspection_and_revocation(app: App, provider: Provider) -> None:
    tokens = app.finish(app.sign_in())["tokens"]
    found = app.library.do("introspect", token=tokens["access_token"])
    assert found["active"] is True
    assert found["sub"] == provider.person.id
    app.library.do("revoke", token=tokens["refresh_token"])
    with pytest.raises(Failed) as refused:
        app.library.do("refresh", refreshToken=tokens["refresh_token"])
    assert refused.value.details["error"] == "invalid_grant"


@pytest.mark.parametrize("signs", ["RS256", "PS256", "EdDSA"])
def test_signing_with_each_kind_of_key(
    provider: Provider, library: Program, visitor: Visitor, signs: str
) -> None:
    app_of(provider, library, visitor, "private_key_jwt", "RS256", signs)
    for _ in range(2):  # an assertion each, by itself
        assert library.do("introspect", token="unknown") == {"active": False}


DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
API = "https://api.example"


def test_a_device(provider: Provider, library: Program, visitor: Visitor) -> None:
    app = app_of(
        provider, library, visitor, "none", "ES256", grant_types=["authorization_code", DEVICE]
    )
    told = library.do("device", parameters={"scope": "openid email"})
    agent, person = visitor.agent, provider.person
    code = agent.page(told["verification_uri_complete"])
    sign_in = agent.submit(code, code.form("/device"))
    assert isinstance(sign_in, Page)
    typed = {"username": person.email, "password": person.password}
    asked = agent.submit(sign_in, sign_in.form("/password"), typed)
    assert isinstance(asked, Page)
    agent.submit(asked, asked.form(asked.path), button="Allow")
    finished = library.do("poll")
    assert finished["claims"]["sub"] == person.id
    assert finished["claims"]["aud"] == app.registered.client_id
    told = library.do("userinfo", accessToken=finished["tokens"]["access_token"], subject=person.id)
    assert told["email"] == person.email


def test_a_device_that_was_not_let_in(
    provider: Provider, library: Program, visitor: Visitor
) -> None:
    app_of(provider, library, visitor, "none", "ES256", grant_types=["authorization_code", DEVICE])
    told = library.do("device", parameters={"scope": "openid"})
    agent, person = visitor.agent, provider.person
    code = agent.page(told["verification_uri"])
    sign_in = agent.submit(code, code.form("/device"), {"user_code": told["user_code"]})
    assert isinstance(sign_in, Page)
    typed = {"username": person.email, "password": person.password}
    asked = agent.submit(sign_in, sign_in.form("/password"), typed)
    assert isinstance(asked, Page)
    agent.submit(asked, asked.form(asked.path), button="Cancel")
    with pytest.raises(Failed) as refused:
        library.do("poll")
    assert refused.value.details["error"] == "access_denied"


def test_a_client_for_itself_and_in_a_persons_name(
    provider: Provider, library: Program, visitor: Visitor
) -> None:
    members: dict[str, Any] = {
        "grant_types": ["authorization_code", "client_credentials", EXCHANGE],
        "scope": "openid orders",
        "allowed_resources": [API],
        "token_exchange_audiences": [API],
    }
    app = app_of(provider, library, visitor, "client_secret_basic", "RS256", **members)
    own = library.do("itself", parameters={"scope": "orders", "resource": API})
    found = library.do("introspect", token=own["access_token"])
    assert (found["sub"], found["aud"]) == (app.registered.client_id, API)

    hers = app.finish(app.sign_in(scope="openid orders"))["tokens"]["access_token"]
    kind = "urn:ietf:params:oauth:token-type:access_token"
    asked = {"subject_token": hers, "subject_token_type": kind, "audience": API}
    passed_on = library.do("exchange", parameters=asked)
    found = library.do("introspect", token=passed_on["access_token"])
    assert (found["sub"], found["aud"]) == (provider.person.id, API)
    assert found["act"] == {"sub": app.registered.client_id}


BACK = "https://app.example/signed-out"


def test_signing_out(provider: Provider, library: Program, visitor: Visitor) -> None:
    registered: dict[str, Any] = {"post_logout_redirect_uris": [BACK]}
    app = app_of(provider, library, visitor, "none", "ES256", **registered)
    id_token = app.finish(app.sign_in())["tokens"]["id_token"]
    asked = {"id_token_hint": id_token, "post_logout_redirect_uri": BACK, "state": "of this one"}
    place = visitor.agent.get(library.do("leave", parameters=asked))
    assert isinstance(place, Departure)
    assert place.url.partition("?")[0] == BACK
    assert place.parameters == {"state": "of this one"}
    with pytest.raises(Failed) as refused:
        app.finish(app.sign_in(prompt="none"))
    assert refused.value.details["error"] == "login_required"


LIES = {
    "another state": ("state", 'unexpected "state" response parameter value'),
    "another nonce": ("nonce", 'unexpected ID Token "nonce" claim value'),
}


@pytest.mark.parametrize(("what", "why"), LIES.values(), ids=LIES)
def test_what_was_not_asked_for_is_refused_by_the_library(app: App, what: str, why: str) -> None:
    with pytest.raises(Failed) as refused:
        app.finish(app.sign_in(), expected={what: "x" * 43})
    assert why in str(refused.value.details)


def test_another_verifier_is_refused_by_the_provider(app: App) -> None:
    with pytest.raises(Failed) as refused:
        app.finish(app.sign_in(), expected={"verifier": "x" * 43})
    assert refused.value.details["error"] == "invalid_grant"


ERRORS = {
    "nobody signed in": ({"prompt": "none"}, "login_required"),
    "an unknown acr": ({"acr_values": "urn:nobody:knows"}, "unmet_authentication_requirements"),
    "an unknown prompt": ({"prompt": "perhaps"}, "invalid_request"),
}


@pytest.mark.parametrize(("parameters", "error"), ERRORS.values(), ids=ERRORS)
def test_errors_arrive_by_their_registered_names(
    app: App, parameters: dict[str, str], error: str
) -> None:
    with pytest.raises(Failed) as refused:
        app.finish(app.sign_in(**parameters))
    assert refused.value.details["error"] == error


def test_discovery_says_what_the_library_goes_by(app: App) -> None:
    assert app.metadata["authorization_response_iss_parameter_supported"] is True
    assert app.metadata["code_challenge_methods_supported"] == ["S256"]
    assert "phr" in app.metadata["acr_values_supported"]
