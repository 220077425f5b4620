"""Signs somebody in at a terminal, by a browser elsewhere (RFC 8628), and prints who it was.

It shows an address and a code, asks every few seconds whether somebody has allowed it, and takes
nothing for granted in the ID token that it is then given. Needs joserfc and nothing else.
"""

import base64
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPException
from typing import Any, Final, TextIO
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

ISSUER: Final = "http://localhost:8000"
CLIENT_ID: Final = "terminal"
SCOPE: Final = "openid profile email"
ALGORITHM: Final = "ES256"
"""As registered. The token does not get a say (RFC 8725 section 3.1)."""
DEVICE_CODE: Final = "urn:ietf:params:oauth:grant-type:device_code"
INTERVAL: Final = 5
"""Seconds between two questions where the provider names none, and what it adds by slow_down."""
LEEWAY: Final = 10
TIMEOUT: Final = 10
MAX_ANSWER: Final = 1 << 20

Answer = tuple[int, dict[str, Any]]
"""Status, and the JSON object in the body."""


class Refused(Exception):
    """It did not work out; the text says why, for people."""


WHY: Final[Mapping[str, str]] = {
    "access_denied": "You said no.",
    "expired_token": "The code was not typed in time. Start again.",
}


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """What is posted is for this address alone."""


_open = build_opener(_NoRedirect).open


def call(url: str, form: Mapping[str, str] | None = None) -> Answer:
    """Get an address, or post a form to it. Raises ``OSError``, ``ValueError``."""
    data = None if form is None else urlencode(form).encode()
    request = Request(url, data, {"Accept": "application/json"})  # noqa: S310  our issuer's
    try:
        with _open(request, timeout=TIMEOUT) as response:
            return response.status, _object(response.read(MAX_ANSWER))
    except HTTPError as error:
        with error:
            return error.code, _object(error.read(MAX_ANSWER))
    except HTTPException as error:
        raise OSError(str(error)) from error


def _object(body: bytes) -> dict[str, Any]:
    members = json.loads(body)
    if not isinstance(members, dict):
        raise ValueError("not a JSON object")
    return members


class Terminal:
    """One sign-in. ``clock`` gives seconds since 1970; ``sleep`` waits for so many."""

    def __init__(
        self,
        issuer: str,
        client_id: str = CLIENT_ID,
        *,
        clock: Callable[[], float] = time.time,  # noqa: TID251  a program of its own
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._issuer, self._client_id = issuer, client_id
        self._clock, self._sleep = clock, sleep
        self._metadata = self._discover()

    def _discover(self) -> dict[str, Any]:
        status, metadata = call(f"{self._issuer}/.well-known/openid-configuration")
        # OIDC Discovery 4.3: exactly the issuer that was asked for.
        if status != 200 or metadata.get("issuer") != self._issuer:
            raise Refused(f"{self._issuer} is no provider, or another one.")
        if "device_authorization_endpoint" not in metadata:
            raise Refused(f"{self._issuer} signs nobody in on devices.")
        return metadata

    def ask(self) -> dict[str, Any]:
        """Get the two codes (RFC 8628 section 3.2). Raises ``Refused``."""
        form = {"client_id": self._client_id, "scope": SCOPE}
        status, told = call(self._metadata["device_authorization_endpoint"], form)
        if status != 200:
            raise Refused(f"The provider refused: {_reason(told)}")
        return told

    def wait(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """Ask until somebody has decided; returns the tokens. Raises ``Refused``."""
        form = {
            "grant_type": DEVICE_CODE,
            "device_code": told["device_code"],
            "client_id": self._client_id,
        }
        ends, interval = self._clock() + told["expires_in"], told.get("interval", INTERVAL)
        while self._clock() < ends:
            self._sleep(interval)
            try:
                status, answer = call(self._metadata["token_endpoint"], form)
            except OSError:
                interval *= 2  # RFC 8628 section 3.5: give it time to get well
                continue
            if status == 200:
                return answer
            interval += _more_patience(answer)
        raise Refused(WHY["expired_token"])

    def verify(self, tokens: Mapping[str, Any]) -> dict[str, Any]:
        """What the ID token says, all of it checked (OIDC Core 3.1.3.7). Raises ``Refused``."""
        keys = KeySet.import_key_set(call(self._metadata["jwks_uri"])[1])  # type: ignore[arg-type]
        try:
            token = jwt.decode(str(tokens.get("id_token")), keys, algorithms=[ALGORITHM])
            self._registry().validate(token.claims)
        except (JoseError, ValueError) as error:
            raise Refused(f"The ID token is not to be trusted: {error}") from error
        claims = dict(token.claims)
        if claims["aud"] not in (self._client_id, [self._client_id]):
            raise Refused("The ID token is not for this program alone.")
        # Core 3.1.3.8: the access token is the one that it was issued with.
        if claims.get("at_hash") not in (None, half_hash(str(tokens.get("access_token")))):
            raise Refused("The ID token belongs to another access token.")
        return claims

    def _registry(self) -> jwt.JWTClaimsRegistry:
        return jwt.JWTClaimsRegistry(
            now=int(self._clock()),
            leeway=LEEWAY,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )


def _more_patience(answer: Mapping[str, Any]) -> int:
    """Seconds to add to the interval (RFC 8628 section 3.5). Raises ``Refused``."""
    error = answer.get("error")
    if error not in ("authorization_pending", "slow_down"):
        raise Refused(WHY.get(str(error)) or f"The provider refused: {_reason(answer)}")
    return INTERVAL if error == "slow_down" else 0


def _reason(answer: Mapping[str, Any]) -> str:
    return f"{answer.get('error')}. {answer.get('error_description', '')}".strip()


def half_hash(token: str) -> str:
    """Half of the SHA-256 of a token (Core 3.1.3.6, for ES256)."""
    half = hashlib.sha256(token.encode()).digest()[:16]
    return base64.urlsafe_b64encode(half).rstrip(b"=").decode()


def said(told: Mapping[str, Any]) -> Iterator[str]:
    """What a person has to know: where to go, and what to type there."""
    yield f"Open {told['verification_uri']} in a browser, and type:"
    yield ""
    yield f"    {told['user_code']}"
    yield ""
    if "verification_uri_complete" in told:
        yield f"Or open {told['verification_uri_complete']}"
        yield "and see that it shows the same code."
    yield f"It is good for {int(told['expires_in']) // 60} minutes. Waiting…"


def sign_in(terminal: Terminal, screen: TextIO) -> dict[str, Any]:
    """All of it; what the ID token says. Raises ``Refused``, ``OSError``, ``ValueError``."""
    told = terminal.ask()
    screen.write("\n".join([*said(told), ""]))
    screen.flush()
    return terminal.verify(terminal.wait(told))


def main() -> int:
    """Tell on standard error what to do, and print the claims to standard output."""
    issuer = os.environ.get("OIDC_ISSUER", ISSUER)
    client_id = os.environ.get("OIDC_CLIENT_ID", CLIENT_ID)
    try:
        claims = sign_in(Terminal(issuer, client_id), sys.stderr)
    except Refused as refused:
        sys.stderr.write(f"{refused}\n")
        return 1
    except (OSError, ValueError, KeyError) as error:
        sys.stderr.write(f"{issuer} does not answer, or not sensibly: {error}\n")
        return 1
    sys.stdout.write(f"{json.dumps(claims, indent=2)}\n")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
