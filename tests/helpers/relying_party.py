"""A relying party that checks everything OpenID Connect tells it to check."""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlencode

import httpx
from joserfc import jwt
from joserfc.jwk import Key, KeySet

from idp.clock import system_clock
from tests.helpers import base64url
from tests.helpers.clock import FakeClock
from tests.helpers.dpop import Prover
from tests.helpers.plain import PLAIN
from tests.helpers.signing import signed
from tests.helpers.user_agent import Departure

ClientAuthentication = Literal[
    "client_secret_basic",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
    "tls_client_auth",
    "self_signed_tls_client_auth",
    "none",
]


class AuthorizationFailed(Exception):
    """The provider answered the authorization request with ``error``."""

    def __init__(self, parameters: Mapping[str, str]) -> None:
        super().__init__(f"{parameters['error']}: {parameters.get('error_description')}")
        self.error = parameters["error"]
        self.parameters = parameters


class TokenRefused(Exception):
    """An endpoint answered a direct request with an error; ``response`` is the whole answer."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__(f"{response.status_code}: {response.text}")
        self.response = response

    @property
    def error(self) -> str:
        """The ``error`` member; raises ``KeyError`` where the answer has none."""
        return str(self.response.json()["error"])


@dataclass(frozen=True)
class Pending:
    """What the relying party remembers between request and callback."""

    nonce: str | None
    verifier: str | None
    redirect_uri: str


@dataclass(frozen=True)
class Tokens:
    """A token response, and the claims of its ID token, verified. ``raw`` is all it said."""

    raw: Mapping[str, Any]
    claims: Mapping[str, Any]

    @property
    def access_token(self) -> str:
        return str(self.raw["access_token"])

    @property
    def refresh_token(self) -> str:
        return str(self.raw["refresh_token"])

    @property
    def id_token(self) -> str:
        return str(self.raw["id_token"])


def _plain_client() -> httpx.Client:
    return httpx.Client(timeout=30, verify=PLAIN, trust_env=False)


@dataclass
class RelyingParty:
    """One client. ``http`` talks to the provider (``WSGITransport`` for one in this process).

    Without a ``client_secret`` it is public, unless ``authentication`` says otherwise. ``clock``
    is whose time tokens are judged by; left out, the machine's.
    """

    issuer: str
    client_id: str
    redirect_uri: str
    client_secret: str | None = None
    authentication: ClientAuthentication | None = None
    signing_key: Key | None = None
    """What ``private_key_jwt`` signs with, by ``assertion_algorithm``."""
    assertion_algorithm: str = "ES256"
    prover: Prover | None = None
    """Its DPoP key, which it then shows with every request of its own."""
    scope: str = "openid"
    algorithms: tuple[str, ...] = ("RS256", "ES256")
    http: httpx.Client = field(default_factory=_plain_client)
    clock: FakeClock | None = None
    pending: dict[str | None, Pending] = field(default_factory=dict)
    _metadata: dict[str, Any] | None = None
    _keys: KeySet | None = None

    @property
    def metadata(self) -> dict[str, Any]:
        """The discovery document, fetched once. Its issuer must be ours (Discovery 4.3)."""
        if self._metadata is None:
            url = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
            found: dict[str, Any] = self.http.get(url).raise_for_status().json()
            assert found["issuer"] == self.issuer, f"another issuer: {found['issuer']}"
            self._metadata = found
        return self._metadata

    def authorization_parameters(self, **changes: object) -> dict[str, str]:
        """An honest request with ``changes``; None removes, lists are joined, maps become JSON."""
        verifier = secrets.token_urlsafe(48)
        honest: dict[str, object] = {
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "response_type": "code",
            "scope": self.scope,
            "state": secrets.token_urlsafe(16),
            "nonce": secrets.token_urlsafe(16),
            "code_challenge": base64url.encode(hashlib.sha256(verifier.encode()).digest()),
            "code_challenge_method": "S256",
        }
        merged = {**honest, **changes}
        sent = {name: _text(value) for name, value in merged.items() if value is not None}
        challenged = sent.get("code_challenge") == honest["code_challenge"]
        self.pending[sent.get("state")] = Pending(
            sent.get("nonce"), verifier if challenged else None, sent.get("redirect_uri", "")
        )
        return sent

    def authorization_url(self, **changes: object) -> str:
        """Where to send the browser; ``changes`` as for ``authorization_parameters``."""
        query = urlencode(self.authorization_parameters(**changes))
        return f"{self.metadata['authorization_endpoint']}?{query}"

    def finish(self, callback: Departure | str) -> Tokens:
        """Take the authorization response and exchange the code, checking everything.

        Raises ``AuthorizationFailed``, ``TokenRefused``, ``AssertionError`` (the provider broke a
        rule) or joserfc's errors (a bad ID token).
        """
        code, pending = self.authorization_code(callback)
        return self.exchange(code, pending)

    def authorization_code(self, callback: Departure | str) -> tuple[str, Pending]:
        """The code in an authorization response, whose ``state`` and ``iss`` have been checked."""
        parameters = _parameters(callback)
        assert parameters.get("state") in self.pending, "this state was never sent"
        pending = self.pending.pop(parameters.get("state"))
        # RFC 9207, section 2.4: compared before anything else is believed, in errors as well.
        assert parameters.get("iss") == self.issuer, f"iss is {parameters.get('iss')}"
        if "error" in parameters:
            raise AuthorizationFailed(parameters)
        return parameters["code"], pending

    def at_once(self, callback: Departure | str) -> Tokens:
        """What came with the authorization response itself; its ID token is checked.

        Core 3.2.2.9 and 3.3.2.9: the hashes of what came beside it have to be in it.
        """
        parameters = _parameters(callback)
        pending = self.pending[parameters.get("state")]
        assert parameters.get("iss") == self.issuer, f"iss is {parameters.get('iss')}"
        if "error" in parameters:
            raise AuthorizationFailed(parameters)
        if "id_token" not in parameters:
            return Tokens(parameters, {})
        claims = self.verify(parameters["id_token"], parameters, nonce=pending.nonce)
        for claim, member in _HASHED.items():
            assert (claim in claims) == (member in parameters), claim
        return Tokens(parameters, claims)

    def exchange(self, code: str, pending: Pending) -> Tokens:
        """Redeem the code."""
        form = {"grant_type": "authorization_code", "code": code}
        form["redirect_uri"] = pending.redirect_uri
        if pending.verifier is not None:
            form["code_verifier"] = pending.verifier
        raw = self._accepted(self.token_request(**form))
        return Tokens(raw, self.verify(raw["id_token"], raw, nonce=pending.nonce))

    def refresh(self, tokens: Tokens, **changes: str) -> Tokens:
        """Redeem the refresh token. A new ID token must repeat the old one (Core 12.2)."""
        form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}
        raw = self._accepted(self.token_request(**form, **changes))
        if "id_token" not in raw:
            return Tokens({**tokens.raw, **raw}, tokens.claims)
        claims = self.verify(raw["id_token"], raw, nonce=None)
        for name in ("iss", "sub", "aud", "azp", "auth_time", "acr", "amr", "sid"):
            assert claims.get(name) == tokens.claims.get(name), f"{name} changed"
        return Tokens({**tokens.raw, **raw}, claims)

    def token_request(self, **form: str) -> httpx.Response:
        """Post to the token endpoint as this client, and return whatever comes."""
        return self.post(self.metadata["token_endpoint"], form)

    def post(self, url: str, form: Mapping[str, str]) -> httpx.Response:
        """Post to an endpoint that wants client authentication."""
        how = self._authentication()
        if how == "client_secret_basic":
            # RFC 6749, section 2.3.1: both halves are form-encoded first; httpx does base64 only.
            pair = [urlencode({"": part})[1:] for part in (self.client_id, self._secret())]
            return self.http.post(
                url, data=dict(form), auth=httpx.BasicAuth(*pair), headers=self._proof(url)
            )
        identified = {**form, "client_id": self.client_id}
        if how == "client_secret_post":
            identified["client_secret"] = self._secret()
        if how in ("client_secret_jwt", "private_key_jwt"):
            identified |= asserting(self.assertion())
        return self.http.post(url, data=identified, headers=self._proof(url))

    def _proof(self, url: str) -> dict[str, str]:
        if self.prover is None:
            return {}
        return {"DPoP": self.prover.proof("POST", url.removeprefix(self.issuer))}

    def assertion(self, *, key: Key | str | None = None, **changes: Any) -> str:
        """A client assertion (RFC 7523) with changed claims; None removes. ``key`` is another's."""
        at = int((self.clock() if self.clock else system_clock()).timestamp())
        honest = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.issuer,
            "jti": secrets.token_urlsafe(16),
            "iat": at,
            "exp": at + 60,
        }
        claims = {name: one for name, one in {**honest, **changes}.items() if one is not None}
        if self.signing_key is None:
            return signed(claims, key or self._secret(), "HS256")
        signer = key or self.signing_key
        named = {"kid": signer.kid} if isinstance(signer, Key) and signer.kid else {}
        return signed(claims, signer, self.assertion_algorithm, **named)

    def _authentication(self) -> ClientAuthentication:
        return self.authentication or ("client_secret_basic" if self.client_secret else "none")

    def _secret(self) -> str:
        assert self.client_secret is not None, "a public client has no secret"
        return self.client_secret

    def userinfo(self, access_token: str) -> dict[str, Any]:
        """The claims at the userinfo endpoint. Raises ``TokenRefused``."""
        url = self.metadata["userinfo_endpoint"]
        headers = {"Authorization": f"Bearer {access_token}"}
        if self.prover is not None:
            headers = self.prover.headers(access_token, "GET", url.removeprefix(self.issuer))
        return self._accepted(self.http.get(url, headers=headers))

    def _accepted(self, response: httpx.Response) -> dict[str, Any]:
        if not response.is_success:
            raise TokenRefused(response)
        answer: dict[str, Any] = response.json()
        return answer

    def verify(
        self, id_token: str, response: Mapping[str, Any], *, nonce: str | None
    ) -> dict[str, Any]:
        """Check an ID token (Core 3.1.3.7) that came with ``response``; returns its claims."""
        token = jwt.decode(id_token, self._key_set(id_token), algorithms=list(self.algorithms))
        assert token.header.get("kid"), "without kid nobody survives a key rotation"
        claims = token.claims
        self._registry(nonce).validate(claims)
        audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        assert audience == [self.client_id], f"for {audience}"
        assert claims.get("azp", self.client_id) == self.client_id, f"azp is {claims['azp']}"
        assert claims["sub"], "nobody"
        for claim, member in _HASHED.items():
            if claim in claims:
                digest = half_hash(str(response[member]), str(token.header["alg"]))
                assert claims[claim] == digest, f"{claim} is of something else"
        return claims

    def _registry(self, nonce: str | None) -> jwt.JWTClaimsRegistry:
        now = int(self.clock().timestamp()) if self.clock else None
        rules: dict[str, Any] = {
            "iss": {"essential": True, "value": self.issuer},
            "aud": {"essential": True, "value": self.client_id},
            "exp": {"essential": True},
            "iat": {"essential": True},
            "sub": {"essential": True},
        }
        if nonce is not None:
            rules["nonce"] = {"essential": True, "value": nonce}
        return jwt.JWTClaimsRegistry(now=now, leeway=0, **rules)

    def _key_set(self, token: str) -> KeySet:
        """The provider's keys; fetched again when the token names one that is not among them."""
        wanted = json.loads(base64url.decode(token.split(".", maxsplit=1)[0])).get("kid")
        if self._keys is None or wanted not in {key.kid for key in self._keys.keys}:
            self._keys = KeySet.import_key_set(self.http.get(self.metadata["jwks_uri"]).json())
        return self._keys


def asserting(assertion: str) -> dict[str, str]:
    """The parameters that carry an assertion (RFC 7521 section 4.2)."""
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    return {"client_assertion_type": kind, "client_assertion": assertion}


_HASHED = {"at_hash": "access_token", "c_hash": "code"}

_HASHES = {"256": "sha256", "384": "sha384", "512": "sha512", "DSA": "sha512"}
"""By the last three letters of the algorithm; EdDSA over Ed25519 hashes with SHA-512."""


def half_hash(value: str, algorithm: str) -> str:
    """``at_hash`` and ``c_hash`` (Core 3.1.3.6): the left half of the algorithm's own hash."""
    digest = hashlib.new(_HASHES[algorithm[-3:]], value.encode()).digest()
    return base64url.encode(digest[: len(digest) // 2])


def _text(value: object) -> str:
    if isinstance(value, str | int):
        return str(value)
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return " ".join(value)
    return json.dumps(value)


def _parameters(callback: Departure | str) -> dict[str, str]:
    departure = Departure(callback) if isinstance(callback, str) else callback
    return departure.parameters
