"""A house for fuzzing: its routes, and of each parameter's values some that are good there."""

import base64
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from flask import Flask
from werkzeug.test import TestResponse

from tests.helpers.clock import FakeClock
from tests.helpers.dpop import Prover
from tests.helpers.house import CALLBACK, House
from tests.helpers.relying_party import RelyingParty
from tests.helpers.signed_requests import jwks_of, signed
from tests.web.walking import housed, newcomer, tokens_of

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
GRANTS = ("authorization_code", "refresh_token", "client_credentials", DEVICE, EXCHANGE)
API = "https://api.example"
NO_END = 1_000_000
UNTHROTTLED = {
    "client_registration": "open",
    "client_registration_attempts": NO_END,
    "client_registration_limit": NO_END,
    "public_client_requests": NO_END,
    "network_attempts": NO_END,
}

Route = tuple[str, str]
"""Method and rule."""


def routes(app: Flask) -> list[Route]:
    """All of them, but for files."""
    return sorted(
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static"
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    )


def parts_of(route: Route) -> list[str]:
    """The parts of an address that vary, as the rule writes them."""
    return [part for part in route[1].split("/") if part.startswith("<")]


@dataclass(frozen=True)
class Village:
    """``natural`` are values that are good here, by the parameter that they belong in.

    ``cookie`` is of a browser in which somebody is signed in.
    """

    house: House
    natural: Mapping[str, tuple[str, ...]]
    authorizations: tuple[str, ...]
    cookie: str
    prover: Prover

    def ask(self, route: Route, parts: Mapping[str, str], sent: Mapping[str, Any]) -> TestResponse:
        """Not by httpx, which sends only what is well-formed."""
        method, path = route
        for name, value in parts.items():
            path = path.replace(name, quote(value, safe="", errors="replace"))
        headers = dict(sent["headers"])
        if sent["known"]:
            headers["Cookie"] = self.cookie
        if sent["proves"]:
            headers["DPoP"] = self.prover.proof(method, path)
        return self.house.app.test_client(use_cookies=False).open(
            path,
            method=method,
            headers=headers,
            data=sent["body"],
            content_type=sent["kind"],
            base_url=self.house.settings.issuer,
            environ_overrides={"QUERY_STRING": sent["query"]},
        )


def without_limits(url: str) -> AbstractContextManager[House]:
    return housed(url, FakeClock(), **UNTHROTTLED)


def village_in(house: House) -> Village:
    """With a client that may do everything, and what it has got already."""
    party = house.client(
        grant_types=list(GRANTS),
        consent="never",
        jwks=jwks_of("ES256"),
        scope="openid offline_access shop",
        allowed_resources=[API],
        token_exchange_audiences=[API],
    )
    agent = house.browser()
    scope = "openid offline_access"
    tokens = tokens_of(agent, party, newcomer(house), scope=scope, prompt="consent")
    pair = f"{party.client_id}:{party.client_secret}".encode()
    access = tokens.access_token
    return Village(
        house,
        natural=_natural(party, access, str(tokens.refresh_token), tokens.id_token),
        authorizations=(
            f"Basic {base64.b64encode(pair).decode()}",
            f"Bearer {access}",
            f"DPoP {access}",
        ),
        cookie="; ".join(f"{name}={value}" for name, value in agent.cookies.items()),
        prover=Prover(house.settings.issuer, house.clock),
    )


def _natural(
    party: RelyingParty, access: str, refresh: str, id_token: str
) -> dict[str, tuple[str, ...]]:
    asked = party.authorization_parameters()
    device = party.post("/oauth/device", {"scope": "openid"}).json()
    pushed = party.post("/oauth/par", asked).json()["request_uri"]
    return {
        **{name: (value,) for name, value in asked.items()},
        "redirect_uris": (CALLBACK,),
        "grant_type": GRANTS,
        "client_secret": (str(party.client_secret),),
        "refresh_token": (refresh,),
        "token": (access, refresh),
        "access_token": (access,),
        "subject_token": (access,),
        "subject_token_type": ("urn:ietf:params:oauth:token-type:access_token",),
        "id_token_hint": (id_token,),
        "device_code": (device["device_code"],),
        "user_code": (device["user_code"],),
        "request": (signed(asked),),
        "request_uri": (pushed,),
        "resource": (API,),
        "audience": (API,),
    }
