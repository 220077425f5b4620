"""A sign-in tried out: the real exchange, for whoever administers, with nobody at the other end.

It takes the endpoint's own parts, one after another, in one process and one request: the request
is measured, the session weighed, a code issued and redeemed, tokens made, userinfo asked. Where it
differs is what makes it safe. Its redirect address is ours, is registered for no client, and no
view answers there: the client is handed a copy of its registration that names the address, for
this one call. So neither code nor token ever leaves the process, and what is returned are claims
alone. The grant is no part of the session, so that no client hears of a sign-out from a session
that it never saw; it is ended before anything is told.
"""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from idp import audit
from idp.assurance import Satisfied
from idp.audit import Context
from idp.config import Settings
from idp.models import db, release
from idp.oidc.asked import Asked
from idp.oidc.capabilities import ENDPOINTS
from idp.oidc.direct import Direct
from idp.oidc.issuance import Issuance
from idp.oidc.permission import check_entry
from idp.oidc.requests import Requests
from idp.oidc.silent import decide_silently
from idp.oidc.userinfo import UserInfo
from idp.protocol import pkce
from idp.protocol.arrived import Arrived
from idp.protocol.errors import OAuthError
from idp.protocol.parameters import Parameters
from idp.secrecy import new_secret
from idp.services.clients import RegisteredClient
from idp.services.grant_ends import end_grant
from idp.services.grants import Granted, Grants, Redeemed
from idp.services.sessions import Live
from idp.services.subjects import Subjects
from idp.services.weighing import Weighing

CALLBACK: Final = "/admin/test-callback"


@dataclass(frozen=True, slots=True)
class Step:
    """One exchange: what was sent, and what came of it. No secret, code or token is in either.

    ``reason`` is the refusal's, where it has one.
    """

    name: str
    sent: Mapping[str, object]
    answer: Mapping[str, object]
    error: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """The steps, up to the first that failed; ``acr`` is what was granted."""

    steps: tuple[Step, ...]
    acr: str | None = None

    @property
    def error(self) -> str | None:
        """The code of what failed."""
        return self.steps[-1].error

    @property
    def passed(self) -> bool:
        """Did everything work?"""
        return self.error is None


class Trials:
    """Tries clients out."""

    def __init__(
        self,
        settings: Settings,
        *,
        requests: Requests,
        weighing: Weighing,
        subjects: Subjects,
        grants: Grants,
        issuance: Issuance,
        userinfo: UserInfo,
        standing: Callable[[RegisteredClient, Context], tuple[Step, ...]],
    ) -> None:
        """``standing`` looks at a registration first: ``Examiner`` does."""
        self._issuer = settings.issuer
        self._requests = requests
        self._weighing = weighing
        self._subjects = subjects
        self._grants = grants
        self._issuance = issuance
        self._userinfo = userinfo
        self._standing = standing

    def run(
        self, client: RegisteredClient, live: Live, asks: Mapping[str, str], context: Context
    ) -> Trial:
        """Sign ``live`` in to ``client``, as far as it goes; ``asks`` are further parameters.

        Commits, with one audit event that says how it ended.
        """
        trial = self._tried(client, live, asks, context)
        audit.record(
            "client.tested",
            context,
            user_id=live.user_id,
            client_id=client.id,
            session_id=live.id,
            outcome=trial.error or "passed",
        )
        db.session.commit()
        return trial

    def _tried(
        self, client: RegisteredClient, live: Live, asks: Mapping[str, str], context: Context
    ) -> Trial:
        standing = self._standing(client, context)
        if standing[-1].error is not None:
            return Trial(standing)
        steps, acr = self._signed_in(client, live, asks, context)
        return Trial((*standing, *steps), acr)

    def _signed_in(
        self, client: RegisteredClient, live: Live, asks: Mapping[str, str], context: Context
    ) -> tuple[tuple[Step, ...], str | None]:
        verifier = new_secret()
        sent = self._parameters(client, asks, verifier)
        try:
            asked, satisfied = self._authorize(client, sent, live, context)
        except OAuthError as error:
            return (failed("authorization", _told(sent), error),), None
        done = Step("authorization", _told(sent), _granted(asked, satisfied))
        steps = self._exchange(asked, satisfied, live, verifier, context)
        return (done, *steps), satisfied.acr

    def _parameters(
        self, client: RegisteredClient, asks: Mapping[str, str], verifier: str
    ) -> dict[str, str]:
        return {
            "client_id": client.id,
            "redirect_uri": self._issuer + CALLBACK,
            "response_type": "code",
            "state": new_secret(),
            "nonce": new_secret(),
            "code_challenge": pkce.s256(verifier),
            "code_challenge_method": "S256",
            **{name: value for name, value in asks.items() if value},
        }

    def _authorize(
        self, client: RegisteredClient, sent: Mapping[str, str], live: Live, context: Context
    ) -> tuple[Asked, Satisfied]:
        metadata = client.metadata
        arrived = Arrived(
            Parameters.of(sent.items()),
            # However it has to come: pushed or signed, the parameters would be these.
            signed=metadata.require_signed_request_object,
            pushed=CALLBACK if metadata.require_pushed_authorization_requests else None,
        )
        ours = replace(client, metadata=replace(metadata, redirect_uris=(sent["redirect_uri"],)))
        asked = self._requests.measure(arrived, ours, started=context.at, transaction_id=None)
        satisfied = decide_silently(self._weighing, asked, live)
        check_entry(client, live.user_id)
        return replace(asked, client=client), satisfied

    def _exchange(
        self,
        asked: Asked,
        satisfied: Satisfied,
        live: Live,
        verifier: str,
        context: Context,
    ) -> tuple[Step, ...]:
        redeemed = self._redeem(asked, satisfied, live, verifier, context)
        try:
            return self._tokens(redeemed, asked, context)
        finally:
            end_grant(redeemed.grant_id, context.at)

    def _redeem(
        self,
        asked: Asked,
        satisfied: Satisfied,
        live: Live,
        verifier: str,
        context: Context,
    ) -> Redeemed:
        """Both in one transaction: there is no moment at which somebody else could redeem it."""
        granted = Granted(
            user_id=live.user_id,
            pairwise=self._subjects.pairwise(asked.client, live.user_id),
            session_id=None,
            client_id=asked.client.id,
            # Nothing is to outlive this: no refresh token.
            scope=tuple(scope for scope in asked.scope if scope != "offline_access"),
            satisfied=satisfied,
        )
        code = self._grants.issue_code(granted, asked.request, now=context.at)
        return self._grants.redeem_code(
            code,
            client=asked.client,
            redirect_uri=asked.request.redirect_uri,
            code_verifier=verifier,
            context=context,
        )

    def _tokens(self, redeemed: Redeemed, asked: Asked, context: Context) -> tuple[Step, ...]:
        sent = {
            "grant_type": "authorization_code",
            "redirect_uri": asked.request.redirect_uri,
            "client_authentication": asked.client.metadata.token_endpoint_auth_method,
        }
        try:
            body = self._issuance.respond(redeemed, asked.client, repeats_nonce=True)
        except OAuthError as error:
            return (failed("token", sent, error),)
        token = Step("token", sent, decoded(body))
        if not asked.request.is_openid:
            return (token,)
        return (token, self._person(str(body["access_token"]), context))

    def _person(self, access_token: str, context: Context) -> Step:
        direct = Direct(
            method="GET",
            path=ENDPOINTS.userinfo,
            content_type="",
            authorization=f"Bearer {access_token}",
            query="",
            body=b"",
            context=context,
        )
        release()  # what was read for the tokens: the endpoint begins by itself
        response = self._userinfo.answer(direct)
        release()
        text = response.get_data(as_text=True)
        told = json.loads(text) if response.mimetype == "application/json" else _claims(text)
        return Step("userinfo", {}, told, error=told.get("error"))


def failed(name: str, sent: Mapping[str, object], error: OAuthError) -> Step:
    """A step that was refused."""
    return Step(name, sent, error.parameters(), error=error.error, reason=error.reason)


_UNTOLD: Final = frozenset({"state", "nonce", "code_challenge"})


def _told(sent: Mapping[str, str]) -> Mapping[str, object]:
    return {name: "…" if name in _UNTOLD else value for name, value in sent.items()}


def _granted(asked: Asked, satisfied: Satisfied) -> Mapping[str, object]:
    return {
        "code": "…",
        "scope": " ".join(asked.scope),
        "acr": satisfied.acr,
        "amr": list(satisfied.amr),
    }


_TOKENS: Final = ("id_token", "access_token")


def decoded(body: Mapping[str, object]) -> Mapping[str, object]:
    """A token response with claims in the place of tokens."""
    told = {name: value for name, value in body.items() if name not in (*_TOKENS, "refresh_token")}
    return told | {name: _claims(str(body[name])) for name in _TOKENS if name in body}


def _claims(token: str) -> Mapping[str, Any]:
    """What a token of ours says. Nothing is verified: it was made a moment ago."""
    parts = token.split(".")
    if len(parts) == 5:
        return {"encrypted": "only the application can read it"}
    if len(parts) != 3:
        return {"opaque": "only introspection tells what it stands for"}
    padded = parts[1] + "=" * (-len(parts[1]) % 4)
    claims: Mapping[str, Any] = json.loads(base64.urlsafe_b64decode(padded))
    return claims
