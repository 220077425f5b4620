"""Signing in with OpenID Connect by Authlib's Flask client, and what it leaves to the caller.

Authlib makes state, nonce and PKCE, and checks them, the signature, ``at_hash`` and the times.
These it does not look at, and this file does: ``iss`` in the response, ``aud`` and the algorithm
of the ID token, whether userinfo is about the same person, and whether the sign-in that came back
is the one that was asked for (who, how strong, how recent).
"""

import json
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_client import OAuth
from config import Config
from flask import Flask, g, session
from joserfc.errors import JoseError
from memory import Asked, Memory, SignedIn, Visitor, Wish
from requests import RequestException
from requests import Response as Answer

SCOPE: Final = "openid profile email address phone groups offline_access"
LEEWAY: Final = 10
"""Seconds by which the provider's clock and this one may differ."""
TIMEOUT: Final = 10
UNDER_WAY: Final = 5
"""Requests of one visitor that may be open at once; older ones were given up."""


class Refused(Exception):
    """It did not work out. ``error`` is a code, OAuth's or one of ours; ``purpose`` what for."""

    def __init__(self, error: str, description: str = "", purpose: str = "sign_in") -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description[:300]
        self.purpose = purpose


class SignIn:
    """The way to the provider and back. ``clock`` gives seconds since 1970."""

    def __init__(
        self,
        app: Flask,
        config: Config,
        memory: Memory,
        clock: Callable[[], float] = time.time,  # noqa: TID251  a program of its own
    ) -> None:
        self._config = config
        self._clock = clock
        oauth = OAuth(app, cache=memory)
        self._provider = oauth.register(  # type: ignore[no-untyped-call]
            "provider",
            client_id=config.client_id,
            client_secret=config.client_secret,
            server_metadata_url=f"{config.issuer}/.well-known/openid-configuration",
            # RFC 8707: the access token is for the ledger as well.
            authorize_params={"resource": config.resource},
            update_token=_keep,
            client_kwargs={
                "scope": SCOPE,
                "code_challenge_method": "S256",
                "default_timeout": TIMEOUT,
            },
        )

    def begin(
        self,
        visitor: Visitor,
        purpose: str,
        wish: Wish = Wish(),  # noqa: B008  nobody can change it
    ) -> str:
        """The address to send the browser to. Raises ``Refused``."""
        known = visitor.signed_in
        sub = known.sub if known else None
        state = secrets.token_urlsafe(24)
        parameters = {
            "acr_values": " ".join(wish.acr_values) or None,
            "max_age": wish.max_age,
            "authorization_details": json.dumps(wish.details) if wish.details else None,
            # Whoever is signed in here is who is meant, also where others are signed in there.
            "id_token_hint": known.token.get("id_token") if known else None,
        }
        try:
            made = self._provider.create_authorization_url(
                f"{self._config.url}/callback", state=state, **parameters
            )
        except (RequestException, ValueError) as error:
            raise Refused("unreachable", purpose=purpose) from error
        for old in list(visitor.asked)[:-UNDER_WAY]:
            del visitor.asked[old]
            self._provider.framework.clear_state_data(session, old)
        self._provider.save_authorize_data(redirect_uri=f"{self._config.url}/callback", **made)
        visitor.asked[state] = Asked(purpose=purpose, at=self._clock(), sub=sub, wish=wish)
        return str(made["url"])

    def finish(self, visitor: Visitor, response: Mapping[str, str]) -> tuple[Asked, SignedIn]:
        """Take the authorization response, and get and check the tokens. Raises ``Refused``."""
        asked = visitor.asked.pop(response.get("state", ""), None)
        if asked is None:
            raise Refused("unknown_state")
        try:
            # RFC 9207 section 2.4: before anything else in it is believed, in errors as well.
            if response.get("iss") != self._config.issuer:
                raise Refused("other_issuer")
            if "error" in response:
                raise Refused(response["error"], response.get("error_description", ""))
            signed_in = self._redeem()
            _check(asked, signed_in.claims)
        except Refused as refused:
            refused.purpose = asked.purpose
            raise
        return asked, signed_in

    def _redeem(self) -> SignedIn:
        try:
            self._pin_algorithm()
            token = self._provider.authorize_access_token(
                claims_options={
                    "iss": {"essential": True, "value": self._config.issuer},
                    "aud": {"essential": True, "value": self._config.client_id},
                },
                leeway=LEEWAY,
            )
            claims = dict(token.pop("userinfo", {}))
            userinfo = dict(self._provider.userinfo(token=token))
            token |= g.pop("refreshed", {})
        except AuthlibBaseError as error:
            raise Refused(error.error or "", error.description or "") from error
        except (JoseError, KeyError, TypeError) as error:
            raise Refused("bad_id_token", str(error)) from error
        except (RequestException, ValueError) as error:
            raise Refused("unreachable") from error
        # OIDC Core 5.3.2: the answer could be about somebody else.
        if not claims or userinfo.get("sub") != claims["sub"]:
            raise Refused("bad_id_token", "sub")
        return SignedIn(claims=claims, token=token, userinfo=userinfo)

    def _pin_algorithm(self) -> None:
        # RFC 8725 section 3.1: ours, and not whichever of all that the provider can do.
        metadata = self._provider.load_server_metadata()
        metadata["id_token_signing_alg_values_supported"] = [self._config.algorithm]

    def call(self, visitor: Visitor, method: str, url: str, **request: Any) -> Answer:
        """Send a request with the visitor's access token, refreshed when it is about to expire.

        Raises ``Refused``.
        """
        known = visitor.signed_in
        if known is None:
            raise Refused("not_signed_in", purpose="ledger")
        # One at a time: a refresh token that two requests redeem looks stolen to the provider.
        with known.lock:
            try:
                answer: Answer = self._provider.request(method, url, token=known.token, **request)
            except AuthlibBaseError as error:
                raise Refused("not_signed_in", str(error), "ledger") from error
            except RequestException as error:
                raise Refused("ledger_unreachable", purpose="ledger") from error
            finally:
                known.token |= g.pop("refreshed", {})
        return answer

    def keys(self, *, afresh: bool = False) -> dict[str, Any]:
        """The provider's published keys, remembered; ``afresh`` fetches them again."""
        return dict(self._provider.fetch_jwk_set(force=afresh))

    def sign_out_url(self, signed_in: SignedIn | None) -> str | None:
        """Where the provider ends its own session (RP-Initiated Logout 1.0), if it does that."""
        try:
            metadata = self._provider.load_server_metadata()
            if "end_session_endpoint" not in metadata:
                return None
            made = self._provider.create_logout_url(
                post_logout_redirect_uri=f"{self._config.url}/signed-out",
                id_token_hint=signed_in.token.get("id_token") if signed_in else None,
                client_id=self._config.client_id,
            )
        except (RequestException, ValueError):
            return None
        return str(made["url"])


def _keep(token: dict[str, Any], **_: object) -> None:
    """Authlib calls this with what it got for a refresh token."""
    g.refreshed = dict(token)


def _check(asked: Asked, claims: Mapping[str, Any]) -> None:
    """Is it what was asked for? A provider may ignore what it does not know. Raises ``Refused``."""
    if asked.sub not in (None, claims["sub"]):
        raise Refused("other_person")
    wish = asked.wish
    if wish.acr_values and claims.get("acr") not in wish.acr_values:
        raise Refused("not_strong_enough", f"acr is {claims.get('acr')}")
    if wish.max_age is not None:
        auth_time = claims.get("auth_time")
        # Measured from when it was asked, or a slow person would ask in vain.
        earliest = asked.at - wish.max_age - LEEWAY
        if not isinstance(auth_time, int) or auth_time < earliest:
            raise Refused("not_recent_enough", f"auth_time is {auth_time}")
    confirmed = claims.get("authorization_details")
    for detail in wish.details:
        if not isinstance(confirmed, list) or not any(_holds(one, detail) for one in confirmed):
            raise Refused("not_confirmed")


def _holds(answer: object, detail: Mapping[str, Any]) -> bool:
    """Does the answer say all that was asked, unaltered? It may say more: when, and how."""
    return isinstance(answer, dict) and all(
        answer.get(name) == value for name, value in detail.items()
    )
