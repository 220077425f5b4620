"""The smallest provider that can be signed in to; the helpers are tried out on it.

It keeps everything in memory and guards nothing: it has nothing to do with the real one.
"""

import secrets
import sys
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus, urlencode
from wsgiref.simple_server import make_server

from flask import Flask, Response, redirect, request
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from werkzeug.wrappers import Response as AnyResponse

from tests.helpers.clock import NOON
from tests.helpers.relying_party import half_hash

PASSWORD = "tide pools at dusk"
_NOW = int(NOON.timestamp())
_LOGIN = """<!doctype html><title>Sign in</title><h1>Sign in to Shop</h1>
<form method=post action=/login/t1/password>
<input type=hidden name=form_token value=t0ken><input name=username><input name=password>
<button>Sign in</button>
<button formaction=/login/t1/magic_link formnovalidate name=send value=link>Email me</button>
<div data-url=/login/t1/passkey data-options='{"challenge": "AAAA", "rpId": "idp.test"}'>
<input type=hidden name=passkey_response></div></form>
<a href=/login/t1/totp>Use a code</a>"""
_CONSENT = """<!doctype html><title>Consent</title><h1>Share?</h1>
<form method=post action=/login/t1/consent><button name=decision value=cancel>Cancel</button>
<button name=decision value=allow>Allow</button></form>"""
_TOTP = "<h1>Code</h1><form method=post action=/login/t1/totp><input name=otp></form>"
_LATER = "<h1>Faster?</h1><form method=post action=/later><button>Not now</button></form>"


@dataclass
class Stub:
    """``claims``, ``token`` and ``callback`` are laid over the honest answers; None removes."""

    issuer: str
    claims: dict[str, Any] = field(default_factory=dict)
    token: dict[str, Any] = field(default_factory=dict)
    callback: dict[str, Any] = field(default_factory=dict)
    form_post: bool = False
    key: ECKey = field(default_factory=lambda: _key("one"))
    asked: dict[str, str] = field(default_factory=dict)
    posted: list[dict[str, str]] = field(default_factory=list)

    def rotate(self, name: str) -> None:
        """Publish and use another key."""
        self.key = _key(name)

    def app(self) -> Flask:
        """The WSGI application."""
        app = Flask("stub")
        for path, page in {"/healthz": "ok", "/login/t1": _LOGIN, "/login/t1/totp": _TOTP}.items():
            app.add_url_rule(path, path, lambda page=page: page)
        app.get("/.well-known/openid-configuration")(self.discovery)
        app.get("/jwks")(self.jwks)
        app.get("/authorize")(self.authorize)
        app.post("/login/t1/<step>")(self.step)
        app.post("/later")(self.leave)
        app.post("/token")(self.redeem)
        app.get("/userinfo")(self.userinfo)
        return app

    def discovery(self) -> dict[str, str]:
        names = ("authorize", "token", "userinfo", "jwks")
        members = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")
        places = zip(members, names, strict=True)
        return {"issuer": self.issuer, **{m: f"{self.issuer}/{n}" for m, n in places}}

    def jwks(self) -> Any:
        return KeySet([self.key]).as_dict(private=False)

    def authorize(self) -> AnyResponse:
        self.asked = request.args.to_dict()
        response = redirect("/login/t1")
        response.set_cookie("__Host-session", "s", secure=True, httponly=True)
        return response

    def step(self, step: str) -> AnyResponse | str:
        assert request.cookies.get("__Host-session") == "s"
        assert request.headers["Origin"] == self.issuer
        self.posted.append({"step": step, **request.form})
        if step == "password" and request.form.get("password") != PASSWORD:
            return _LOGIN
        if step == "consent":
            return _LATER
        return Response(_CONSENT, content_type="text/html")

    def leave(self) -> AnyResponse | str:
        honest = {"code": "c0de", "state": self.asked.get("state"), "iss": self.issuer}
        sent = _overlaid(honest, self.callback)
        if not self.form_post:
            return redirect(f"{self.asked['redirect_uri']}?{urlencode(sent)}", 303)
        inputs = "".join(f'<input type=hidden name={k} value="{v}">' for k, v in sent.items())
        return f"<form method=post action={self.asked['redirect_uri']}>{inputs}</form>"

    def redeem(self) -> Any:
        self.posted.append({"step": "token", **request.form.to_dict()})
        secret = request.authorization and request.authorization.password
        if unquote_plus(secret or "") != "s:e cret":
            return {"error": "invalid_client"}, 401
        first = request.form["grant_type"] == "authorization_code"
        access = secrets.token_urlsafe(8)
        claims = _overlaid(
            {
                "iss": self.issuer,
                "sub": "alice",
                "aud": "shop",
                "iat": _NOW,
                "exp": _NOW + 600,
                "nonce": self.asked.get("nonce") if first else None,
                "auth_time": _NOW - 10,
                "at_hash": half_hash(access, "ES256"),
            },
            self.claims,
        )
        id_token = jwt.encode({"alg": "ES256", "kid": self.key.kid}, claims, self.key)
        honest = {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": 600,
            "refresh_token": "r",
            "id_token": id_token,
        }
        return _overlaid(honest, self.token)

    def userinfo(self) -> Any:
        if request.authorization is None:
            return {"error": "invalid_token"}, 401
        return {"sub": "alice"}


def _key(name: str) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": name})


def _overlaid(honest: dict[str, Any], lies: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**honest, **lies}.items() if value is not None}


if __name__ == "__main__":
    port = int(sys.argv[1])
    make_server("127.0.0.1", port, Stub(f"http://localhost:{port}").app()).serve_forever()
