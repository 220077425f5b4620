"""Of two that register at the same moment, by one token or into one place, one does."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import func, select

from idp.audit import Context
from idp.factors import FACTORS
from idp.factors.base import Tools
from idp.models import Client, db
from idp.oidc.capabilities import capabilities_of
from idp.protocol.errors import OAuthError
from idp.services import registration_tokens
from idp.services.client_registration import ClientRegistration
from idp.services.client_rules import ClientRules
from idp.services.client_secrets import ClientSecrets
from idp.services.devices import Devices
from idp.services.fetch import Fetcher
from idp.services.throttle import Throttle
from tests.factors.race import PROCESSES, Racetrack
from tests.factors.storage import KEY
from tests.helpers.clock import NOON

ROUNDS = 10
APP = {"redirect_uris": ["https://app.example/callback"]}


def register(tools: Tools, token: str | None, **changes: object) -> bool:
    """One try, from a network that has not been seen; was it accepted?"""
    settings = replace(tools.settings, **changes)  # type: ignore[arg-type]  # names of fields
    service = ClientRegistration(
        settings,
        ClientRules(settings, capabilities_of(settings), ways=FACTORS),
        ClientSecrets(tools.box),
        Throttle(settings, Devices(tools.box)),
        Fetcher.of(settings),
    )
    try:
        service.register(APP, Context(at=NOON), token=token)
    except OAuthError:
        return False
    return True


def with_token(tools: Tools, token: str) -> bool:
    return register(tools, token, client_registration="initial_token")


def made(uses: int) -> str:
    lifetime = timedelta(hours=1)
    return registration_tokens.make(Context(at=NOON), uses=uses, lifetime=lifetime)[1]


def registered() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Client)) or 0


def test_the_last_use_of_a_token_is_one_apps(track: Racetrack, raced_url: str) -> None:
    tokens = [made(uses=1) for _ in range(ROUNDS)]
    assert track.run(with_token, tokens, url=raced_url, key=KEY) == [1] * ROUNDS
    assert registered() == ROUNDS


def test_parallel_uses_of_a_token_are_all_counted(track: Racetrack, raced_url: str) -> None:
    token = made(uses=ROUNDS)
    assert sum(track.run(with_token, [token] * ROUNDS, url=raced_url, key=KEY)) == ROUNDS
    assert registered() == ROUNDS < ROUNDS * PROCESSES


def into_the_last_places(tools: Tools, limit: int) -> bool:
    return register(tools, None, client_registration="open", client_registration_limit=limit)


def test_the_last_place_is_one_apps(track: Racetrack, raced_url: str) -> None:
    limits = [n + 1 for n in range(ROUNDS)]
    assert track.run(into_the_last_places, limits, url=raced_url, key=KEY) == [1] * ROUNDS
    assert registered() == ROUNDS
