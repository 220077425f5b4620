"""A provider that says yes: it signs in whoever comes, as strongly and freshly as was asked.

It has nothing to do with the real one, and can be made to say anything.
"""

import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus, urlencode

from flask import Flask, redirect, request
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from werkzeug.wrappers import Response

from tests.helpers import base64url
from tests.helpers.relying_party import half_hash

LEDGER = "http://localhost:9001"
SECRETS = {"shop": "paper-lantern-secret", LEDGER: "l3dger: +/ secret"}
"""Authlib does not encode its half for HTTP Basic (RFC 6749 section 2.3.1); the ledger does."""
ONE_FACTOR = "urn:idp:acr:1fa"


def new_key(kid: str) -> ECKey:
    """A P-256 key under this name."""
    return ECKey.generate_key("P-256", {"kid": kid, "alg": "ES256", "use": "sig"})


def seconds() -> int:
    """The time by the machine's clock, as the clients under test see it."""
    return int(time.time())  # noqa: TID251


def merged(honest: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """``honest`` with ``changes``; None removes."""
    return {k: v for k, v in {**honest, **changes}.items() if v is not None}


@dataclass
class Provider:
    """``id_token``, ``access_token``, ``introspected``, ``userinfo`` and ``callback`` are laid over
    the honest answers (None removes); ``refusal`` is answered instead of a code."""

    issuer: str
    key: ECKey = field(default_factory=lambda: new_key("one"))
    sub: str = "alice"
    lifetime: int = 600
    opaque: bool = False
    listens: bool = True
    """Does it heed what it is asked for?"""
    refusal: Mapping[str, str] | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    id_token: dict[str, Any] = field(default_factory=dict)
    access_token: dict[str, Any] = field(default_factory=dict)
    introspected: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    callback: dict[str, Any] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    signed_in: dict[str, Any] = field(default_factory=dict)
    renewable: list[str] = field(default_factory=list)
    """Refresh tokens, each good for one time."""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    opened: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.signed_in = {"acr": ONE_FACTOR, "amr": ["pwd"], "auth_time": seconds() - 7200}

    def app(self) -> Flask:
        """The WSGI application."""
        app = Flask("provider")
        app.get("/.well-known/openid-configuration")(self._discovery)
        app.get("/jwks")(lambda: KeySet([self.key]).as_dict(private=False))
        app.get("/authorize")(self._authorize)
        app.post("/token")(self._token)
        app.get("/userinfo")(self._userinfo)
        app.post("/introspect")(self._introspect)
        app.before_request(lambda: self.fetched.append(request.path))
        return app

    def _discovery(self) -> dict[str, Any]:
        honest = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "introspection_endpoint": f"{self.issuer}/introspect",
            "jwks_uri": f"{self.issuer}/jwks",
            "id_token_signing_alg_values_supported": ["RS256", "ES256"],
        }
        return merged(honest, self.metadata)

    def _authorize(self) -> Response:
        sent = request.args.to_dict()
        self.asked.append(sent)
        answer = {"state": sent["state"], "iss": self.issuer}
        if self.refusal is not None:
            answer |= self.refusal
        else:
            self._sign_in(sent)
            answer["code"] = secrets.token_urlsafe(8)
            self.codes[answer["code"]] = sent
        query = urlencode(merged(answer, self.callback))
        return redirect(f"{sent['redirect_uri']}?{query}", 303)

    def _sign_in(self, sent: Mapping[str, str]) -> None:
        if not self.listens:
            return
        if "acr_values" in sent:
            self.signed_in["acr"] = sent["acr_values"].split()[0]
            self.signed_in["amr"] = ["pop", "user", "mfa"]
        if sent.keys() & {"acr_values", "max_age"}:
            self.signed_in["auth_time"] = seconds()

    def _token(self) -> Any:
        if not self._knows_client():
            return {"error": "invalid_client"}, 401
        form = request.form
        if form["grant_type"] == "refresh_token":
            if form["refresh_token"] not in self.renewable:
                return {"error": "invalid_grant"}, 400
            self.renewable.remove(form["refresh_token"])
            return self._tokens({}, nonce=None)
        sent = self.codes.pop(form.get("code", ""), None)
        if sent is None or sent["redirect_uri"] != form.get("redirect_uri"):
            return {"error": "invalid_grant", "error_description": "no such code"}, 400
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        assert sent["code_challenge_method"] == "S256"
        assert sent["code_challenge"] == base64url.encode(digest)
        return self._tokens(sent, nonce=sent["nonce"])

    def _knows_client(self) -> bool:
        given = request.authorization
        if given is None or given.username is None or given.password is None:
            return False
        return SECRETS.get(unquote_plus(given.username)) == unquote_plus(given.password)

    def _tokens(self, sent: Mapping[str, str], nonce: str | None) -> dict[str, Any]:
        access = self.issue(**({} if "resource" in sent or not sent else {"aud": self.issuer}))
        claims = {
            **{"iss": self.issuer, "sub": self.sub, "aud": "shop", "nonce": nonce},
            **{"iat": seconds(), "exp": seconds() + 600, **self.signed_in},
            "at_hash": half_hash(access, "ES256"),
        }
        if "authorization_details" in sent and self.listens:
            told = {"at": seconds(), "amr": ["pop", "user"], "digest": "oxWlY3Wmyrk"}
            details = json.loads(sent["authorization_details"])
            claims["authorization_details"] = [{**one, "confirmed": told} for one in details]
        self.renewable.append(secrets.token_urlsafe(8))
        return {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": self.lifetime,
            "refresh_token": self.renewable[-1],
            "id_token": self.sign(merged(claims, self.id_token)),
        }

    def sign(self, claims: Mapping[str, Any], **header: Any) -> str:
        """A JWT by this provider's key."""
        honest = {"alg": "ES256", "kid": self.key.kid, "typ": "JWT"}
        return jwt.encode(merged(honest, header), dict(claims), self.key)

    def issue(self, **changes: Any) -> str:
        """An access token for the ledger, with ``changes``."""
        honest = {
            **{"iss": self.issuer, "sub": self.sub, "aud": [LEDGER, self.issuer]},
            **{"client_id": "shop", "jti": secrets.token_urlsafe(8), "scope": "openid"},
            **{"iat": seconds(), "exp": seconds() + self.lifetime, **self.signed_in},
        }
        claims = merged(honest, {**self.access_token, **changes})
        if not self.opaque:
            return self.sign(claims, typ="at+jwt")
        token = secrets.token_urlsafe(24)
        self.opened[token] = {"active": True, "token_type": "Bearer", **claims}
        return token

    def _userinfo(self) -> Any:
        if request.authorization is None:
            return {"error": "invalid_token"}, 401
        honest = {
            **{"sub": self.sub, "name": "Alice Ambrose", "given_name": "Alice"},
            **{"email": "alice@example.com", "email_verified": True},
            **{"phone_number": "+49 30 123456", "groups": ["staff"], "locale": "en-GB"},
            "address": {"locality": "Berlin", "postal_code": "10115", "country": "Germany"},
        }
        return merged(honest, self.userinfo)

    def _introspect(self) -> Any:
        if not self._knows_client():
            return {"error": "invalid_client"}, 401
        known = self.opened.get(request.form["token"], {"active": False})
        return merged(known, self.introspected)
