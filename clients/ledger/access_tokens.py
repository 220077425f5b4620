"""Reads access tokens at an API: JWT (RFC 9068) by the issuer's keys, opaque ones by RFC 7662.

To be copied into an API of any framework. Needs joserfc and nothing else::

    tokens = AccessTokens("https://id.example.com", "https://api.example.com")
    claims = tokens("eyJ…")          # raises InvalidToken, ProviderUnavailable
"""

import json
import math
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.client import HTTPException
from typing import Any, Final, Protocol
from urllib.error import HTTPError
from urllib.parse import quote_plus, urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, KeySet

Claims = Mapping[str, Any]

ALGORITHMS: Final = ("RS256", "ES256")
"""What the issuer is known to sign with. The token does not get a say (RFC 8725 section 3.1)."""

LEEWAY: Final = 10
"""Seconds by which the issuer's clock and this one may differ."""

KEYS_ARE_FRESH: Final = 3600
REFETCH_AFTER: Final = 10
"""Seconds. Anybody can make up an unknown ``kid``: it must not cost the issuer a request each."""

MAX_TOKEN: Final = 16384
MAX_ANSWER: Final = 1 << 20


class InvalidToken(ValueError):
    """The token is not to be trusted; the text is fit for ``error_description``."""


class ProviderUnavailable(ConnectionError):
    """The issuer did not answer, or not sensibly: nothing is known about the token."""


class Fetch(Protocol):
    """Gets (or, with ``form``, posts to) an address, and returns the JSON object found there."""

    def __call__(
        self, url: str, *, form: Mapping[str, str] | None = None, headers: Mapping[str, str] = ...
    ) -> dict[str, Any]: ...


class AccessTokens:
    """Calling it with a token returns what the token says, once all of it has been checked.

    ``audience`` is what ``aud`` must name: this API's own identifier. Without ``client_id`` and
    ``client_secret`` opaque tokens cannot be read. ``clock`` gives seconds since 1970.
    """

    def __init__(
        self,
        issuer: str,
        audience: str,
        *,
        client_id: str | None = None,
        client_secret: str | None = None,
        algorithms: tuple[str, ...] = ALGORITHMS,
        clock: Callable[[], float] = time.time,  # noqa: TID251  a program of its own
        fetch: Fetch | None = None,
    ) -> None:
        self._issuer = issuer
        self._audience = audience
        self._credentials = (client_id, client_secret) if client_id and client_secret else None
        self._algorithms = algorithms
        self._clock = clock
        self._provider = Provider(issuer, fetch or fetch_json)

    def __call__(self, token: str) -> Claims:
        """The claims behind ``token``. Raises ``InvalidToken``, ``ProviderUnavailable``."""
        if len(token) > MAX_TOKEN or not token.isascii():
            raise InvalidToken("The access token is malformed.")
        now = self._clock()
        if token.count(".") == 2:
            return self._read_jwt(token, now)
        return self._introspect(token, now)

    def _read_jwt(self, token: str, now: float) -> Claims:
        def keys(jws: Any) -> KeySet:
            return self._provider.keys(jws.headers().get("kid"), now)

        try:
            read = jwt.decode(token, keys, algorithms=self._algorithms)
        except (JoseError, TypeError, ValueError) as error:
            raise InvalidToken("The access token was not signed by the issuer.") from error
        # RFC 9068 section 4: an ID token, or any other JWT of the same issuer, is none.
        if str(read.header.get("typ")).lower() not in ("at+jwt", "application/at+jwt"):
            raise InvalidToken("The token is not an access token.")
        for name in ("sub", "client_id", "jti"):
            if not isinstance(read.claims.get(name), str):
                raise InvalidToken(f"The access token lacks {name}.")
        _seconds(read.claims, "iat")
        return self._checked(read.claims, now)

    def _introspect(self, token: str, now: float) -> Claims:
        if self._credentials is None:
            raise InvalidToken("The access token is malformed.")
        answer = self._provider.introspect(token, *self._credentials)
        if answer.get("active") is not True:
            raise InvalidToken("The access token has ended, or never was one.")
        # Who may ask about a refresh token as well must not take it for an access token.
        if str(answer.get("token_type")).lower() != "bearer":
            raise InvalidToken("The token is not a bearer access token.")
        # RFC 7662 section 2.2 makes iss optional: it is the issuer that was asked.
        return self._checked({"iss": self._issuer, **answer}, now)

    def _checked(self, claims: Claims, now: float) -> Claims:
        audience = claims.get("aud")
        if claims.get("iss") != self._issuer:
            raise InvalidToken("The access token is from another issuer.")
        if self._audience not in (audience if isinstance(audience, list) else [audience]):
            raise InvalidToken("The access token is for somebody else.")
        if not _seconds(claims, "exp") > now - LEEWAY:
            raise InvalidToken("The access token has expired.")
        for name in claims.keys() & {"iat", "nbf"}:
            if not _seconds(claims, name) <= now + LEEWAY:
                raise InvalidToken("The access token is not valid yet.")
        # RFC 9449 section 6, RFC 8705 section 3: bound to a key, it is worth nothing by itself.
        if "cnf" in claims:
            raise InvalidToken("The access token is bound to a key, which was not shown.")
        return claims


class Provider:
    """The issuer as seen from here: its keys, kept for a while, and its introspection endpoint."""

    def __init__(self, issuer: str, fetch: Fetch) -> None:
        self._issuer = issuer
        self._fetch = fetch
        self._lock = threading.Lock()
        self._metadata: dict[str, Any] = {}
        self._keys = KeySet([])
        self._fetched_at = self._tried_at = -math.inf

    def keys(self, kid: object, now: float) -> KeySet:
        """The issuer's keys, fetched anew when they are old or ``kid`` is not among them.

        Raises ``InvalidToken`` where no ``kid`` is given: then joserfc would take any key.
        """
        if not isinstance(kid, str):
            raise InvalidToken("The access token does not name its key.")
        with self._lock:
            known = any(key.kid == kid for key in self._keys.keys)
            fresh = known and now - self._fetched_at < KEYS_ARE_FRESH
            if not fresh and now - self._tried_at >= REFETCH_AFTER:
                self._tried_at = now
                self._refresh(now)
            # Without any key nothing is known about the token. With some, that may still be good,
            # a hiccup at the issuer need not be ours.
            if not self._keys.keys:
                raise ProviderUnavailable("its keys cannot be read")
            return self._keys

    def _refresh(self, now: float) -> None:
        with suppress(ProviderUnavailable):
            self._keys = _import_keys(self._get("jwks_uri").get("keys"))
            self._fetched_at = now

    def introspect(self, token: str, client_id: str, client_secret: str) -> dict[str, Any]:
        """RFC 7662 section 2, with HTTP Basic as RFC 6749 section 2.3.1 has it: encoded first."""
        pair = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
        return self._get(
            "introspection_endpoint",
            form={"token": token, "token_type_hint": "access_token"},
            headers={"Authorization": f"Basic {b64encode(pair.encode()).decode()}"},
        )

    def _get(self, member: str, **request: Any) -> dict[str, Any]:
        if not self._metadata:
            self._metadata = self._discover()
        if member not in self._metadata:
            raise ProviderUnavailable(f"it has no {member}")
        return self._fetch(self._metadata[member], **request)

    def _discover(self) -> dict[str, Any]:
        found = self._fetch(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        # OIDC Discovery section 4.3
        if found.get("issuer") != self._issuer:
            raise ProviderUnavailable("its metadata names another issuer")
        return found


def _import_keys(published: object) -> KeySet:
    """RFC 7517 section 5: keys of a kind that is not known here are left out."""
    keys = []
    for key in published if isinstance(published, list) else []:
        with suppress(JoseError, TypeError, ValueError):
            keys.append(JWKRegistry.import_key(key))
    return KeySet(keys)


class _NoRedirects(HTTPRedirectHandler):
    """urllib would take the Authorization header along to wherever it is sent."""

    def redirect_request(self, *_: Any) -> None:
        return None


_open = build_opener(_NoRedirects).open


def fetch_json(
    url: str, *, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """``Fetch`` with the standard library. Raises ``ProviderUnavailable``."""
    data = urlencode(form).encode() if form else None
    request = Request(url, data, {"Accept": "application/json", **(headers or {})})  # noqa: S310
    try:
        with _open(request, timeout=5) as response:
            answer = json.loads(response.read(MAX_ANSWER))
    except HTTPError as error:
        with error:
            raise ProviderUnavailable(f"it answered {error.code}") from error
    except (OSError, HTTPException, ValueError) as error:
        raise ProviderUnavailable("it did not answer") from error
    if not isinstance(answer, dict):
        raise ProviderUnavailable("it answered something else")
    return answer


def _seconds(claims: Claims, name: str) -> float:
    """A NumericDate (RFC 7519 section 2). Raises ``InvalidToken``."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InvalidToken(f"The access token lacks {name}.")
    return value
