"""A person with a browser, and the application they sign in to: the steps that are measured."""

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from idp.clock import Clock, system_clock
from tests.bench.wire import Answer, Http
from tests.helpers.dpop import Prover
from tests.helpers.house import Person
from tests.helpers.relying_party import RelyingParty

_FIELD = re.compile(rb'name="(csrf_token|form_token)" value="([^"]*)"')
_SESSION = "idp_session"
# Appendix B of RFC 7636; every request may use the same, since nothing here is secret.
_VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
_CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

Jar = dict[str, str]


@dataclass(frozen=True)
class Registration:
    """What an application registered of its tokens: how ID tokens are signed, and the form of
    access tokens, which are signed with ES256 where they are JWTs."""

    algorithm: str = "RS256"
    access_tokens: str = "jwt"

    @property
    def members(self) -> Mapping[str, Any]:
        """As client metadata."""
        return {
            "grant_types": ["authorization_code", "refresh_token"],
            "id_token_signed_response_alg": self.algorithm,
            "access_token_format": self.access_tokens,
        }


def expect(answer: Answer, status: int) -> Answer:
    """What is measured has to be the thing itself, never an error page."""
    if answer.status != status:
        raise RuntimeError(f"{answer.status} instead of {status}: {answer.body[:400]!r}")
    return answer


@dataclass
class Actor:
    """Everything one driver needs: nothing here is shared between two of them."""

    http: Http
    person: Person
    client: RelyingParty
    scope: str = "openid profile email offline_access"
    jar: Jar = field(default_factory=dict)
    """The browser that stays signed in."""
    clock: Clock = system_clock
    """The provider's time, which proofs go by."""

    def get(self, target: str) -> Answer:
        """A request for anybody."""
        return expect(self.http.send("GET", target), 200)

    def sign_in(self, jar: Jar | None = None) -> str:
        """Type the password in a browser that nobody used before; the code.

        Authorization request, page, and form: three requests, and a fourth where consent is asked
        for, the first time.
        """
        jar = {} if jar is None else jar
        place, page = self.arrive(jar)
        answer = self._submit(jar, place, page, "password", **self._credentials())
        if self._is_home(answer):
            place = self._redirected(answer)
            page = expect(self._browse(jar, "GET", place), 200)
            answer = self._submit(jar, place, page, "consent", decision="allow")
        return self._code(answer)

    def arrive(self, jar: Jar | None = None) -> tuple[str, Answer]:
        """The page that asks for the password, and where it is."""
        jar = {} if jar is None else jar
        place = self._redirected(self._browse(jar, "GET", self.authorization()))
        return place, expect(self._browse(jar, "GET", place), 200)

    def authorize(self) -> str:
        """``prompt=none`` over the session of ``jar``; the code."""
        return self._code(self._browse(self.jar, "GET", self.authorization(prompt="none")))

    def push(self) -> str:
        """Push an authorization request; the ``request_uri``."""
        answer = self.http.send("POST", "/oauth/par", self._basic(), self._request())
        return str(json.loads(expect(answer, 201).body)["request_uri"])

    def redeem(self, code: str, prover: Prover | None = None) -> dict[str, Any]:
        """Exchange a code; the token response. With a ``prover``, for a token bound to its key."""
        return self._token(
            prover,
            grant_type="authorization_code",
            code=code,
            redirect_uri=self.client.redirect_uri,
            code_verifier=_VERIFIER,
        )

    def refresh(self, refresh_token: str, prover: Prover | None = None) -> dict[str, Any]:
        """Exchange a refresh token; the token response. ``prover`` as for a code."""
        return self._token(prover, grant_type="refresh_token", refresh_token=refresh_token)

    def userinfo(self, access_token: str) -> None:
        """Ask who it is."""
        headers = {"Authorization": f"Bearer {access_token}"}
        expect(self.http.send("GET", "/oauth/userinfo", headers), 200)

    def prove_userinfo(self, access_token: str, prover: Prover) -> None:
        """The same with a token that is bound to a key."""
        headers = prover.headers(access_token, "GET", "/oauth/userinfo")
        expect(self.http.send("GET", "/oauth/userinfo", headers), 200)

    def introspect(self, access_token: str) -> None:
        """Ask whether it holds."""
        form = {"token": access_token}
        answer = self.http.send("POST", "/oauth/introspect", self._basic(), form)
        if b'"active":true' not in expect(answer, 200).body.replace(b" ", b""):
            raise RuntimeError("the token is not active")

    def authorization(self, **parameters: str) -> str:
        """The address that an application sends a browser to."""
        return f"/oauth/authorize?{urlencode(self._request(**parameters))}"

    def _request(self, **parameters: str) -> dict[str, str]:
        return {
            "client_id": self.client.client_id,
            "redirect_uri": self.client.redirect_uri,
            "response_type": "code",
            "scope": self.scope,
            "state": "8gw2nQ0bPq1yWl3cZtRvKA",
            "nonce": "Jm4uYt7sHc9oEx2aNd5iLw",
            "code_challenge": _CHALLENGE,
            "code_challenge_method": "S256",
            **parameters,
        }

    def _token(self, prover: Prover | None, **form: str) -> dict[str, Any]:
        proof = {"DPoP": prover.proof("POST", "/oauth/token")} if prover else {}
        headers = {**self._basic(), **proof}
        answer = expect(self.http.send("POST", "/oauth/token", headers, form), 200)
        tokens: dict[str, Any] = json.loads(answer.body)
        return tokens

    def _basic(self) -> Mapping[str, str]:
        pair = f"{self.client.client_id}:{self.client.client_secret}"
        return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}

    def _browse(
        self, jar: Jar, method: str, target: str, form: Mapping[str, str] | None = None
    ) -> Answer:
        cookies = {"Cookie": "; ".join(f"{k}={v}" for k, v in jar.items())} if jar else {}
        origin = {"Origin": self.client.issuer} if method == "POST" else {}
        answer = self.http.send(method, target, cookies | origin, form or {})
        jar.update(answer.cookies)
        return answer

    def _submit(self, jar: Jar, place: str, page: Answer, step: str, **fields: str) -> Answer:
        hidden = {name.decode(): value.decode() for name, value in _FIELD.findall(page.body)}
        return self._browse(jar, "POST", f"{place}/{step}", {**hidden, **fields})

    def _credentials(self) -> dict[str, str]:
        return {"username": self.person.email, "password": self.person.password}

    def _is_home(self, answer: Answer) -> bool:
        return not answer.headers.get("location", "").startswith(self.client.redirect_uri)

    def _redirected(self, answer: Answer) -> str:
        if answer.status not in (302, 303):
            raise RuntimeError(f"{answer.status} instead of a redirect: {answer.body[:400]!r}")
        return answer.headers["location"].removeprefix(self.client.issuer)

    def _code(self, answer: Answer) -> str:
        target = self._redirected(answer)
        parameters = dict(parse_qsl(urlsplit(target).query))
        if "code" not in parameters:
            raise RuntimeError(f"no code: {target}")
        return parameters["code"]
