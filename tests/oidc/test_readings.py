"""A request that is like one before it is read as if there had been none."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.config import load_settings
from idp.config.live import LiveSettings
from idp.oidc.capabilities import capabilities_of
from idp.oidc.readings import LONGEST_KEPT, MOST_KEPT, Readings
from idp.protocol.arrived import Arrived
from idp.protocol.authorization import OWN
from idp.protocol.errors import OAuthError
from idp.protocol.parameters import Parameters
from idp.services.clients import RegisteredClient
from tests.helpers.house import ISSUER
from tests.helpers.servers import TEST_KEY
from tests.protocol.test_authorization import CALLBACK, GOOD
from tests.services.people import as_registered

CHALLENGE = GOOD["code_challenge"]


def settings() -> LiveSettings:
    return LiveSettings.over(
        load_settings(environ={}, issuer=ISSUER, keys=TEST_KEY, database_url="sqlite:///never.db")
    )


SETTINGS = settings()
ANY = as_registered("shop", redirect_uris=[CALLBACK], require_pkce=False)
STRICT = as_registered("shop", redirect_uris=[CALLBACK], require_pushed_authorization_requests=True)
WARM = Readings(SETTINGS, capabilities_of(SETTINGS))
"""One for all, as a server has one for all that comes."""


def said(readings: Readings, arrived: Arrived, client: RegisteredClient) -> Any:
    try:
        return readings.of(arrived, client)
    except OAuthError as error:
        return error.error, error.description, error.redirectable


def cold(arrived: Arrived, client: RegisteredClient, now: LiveSettings = SETTINGS) -> Any:
    return said(Readings(now, capabilities_of(now)), arrived, client)


def arriving(*more: tuple[str, str], **changes: str) -> Arrived:
    return Arrived(Parameters.of([*{**GOOD, **changes}.items(), *more]))


OF_ITS_OWN = st.fixed_dictionaries(
    {},
    optional={
        name: st.sampled_from(["", CHALLENGE, "a\tb", "ann@example.com", "x" * 9000])
        for name in sorted(OWN)
    },
)
SHARED = st.sampled_from(
    [
        {},
        {"code_challenge_method": ""},
        {"prompt": "login"},
        {"prompt": "nonsense"},
        {"max_age": "60", "acr_values": "phr"},
        {"claims": '{"id_token": {"acr": {"essential": true, "value": "unknown"}}}'},
        {"scope": "openid email", "response_mode": "form_post"},
    ]
)
AGAIN = st.lists(st.sampled_from([("state", "again"), ("nonce", "n"), ("other", "\0")]), max_size=1)


@given(OF_ITS_OWN, SHARED, AGAIN, st.sampled_from([None, "filed"]), st.sampled_from([ANY, STRICT]))
def test_it_is_read_as_if_it_were_the_first(
    own: dict[str, str],
    shared: dict[str, str],
    again: list[tuple[str, str]],
    pushed: str | None,
    client: RegisteredClient,
) -> None:
    good = arriving(**shared)
    arrived = replace(arriving(*again, **shared, **own), pushed=pushed)
    for one in (good, replace(good, pushed="filed"), arrived, arrived):
        assert said(WARM, one, client) == cold(one, client)


def test_nothing_of_its_own_is_kept() -> None:
    readings = Readings(SETTINGS, capabilities_of(SETTINGS))
    for number in range(3):
        readings.of(arriving(state=f"stately{number}", nonce=f"hidden{number}"), ANY)
    assert len(readings._kept) == 1
    assert "stately" not in repr(readings._kept)
    assert "hidden" not in repr(readings._kept)


def test_there_is_an_end_to_what_is_kept() -> None:
    readings = Readings(SETTINGS, capabilities_of(SETTINGS))
    readings.of(arriving(display="x" * LONGEST_KEPT), ANY)
    assert not readings._kept
    for number in range(MOST_KEPT + 1):
        readings.of(arriving(max_age=str(number)), ANY)
    assert len(readings._kept) == 1


@pytest.mark.parametrize(
    ("changed", "asks"),
    [
        ({"refused_methods": ("magic_link",)}, {}),
        ({"registration": True}, {"prompt": "create"}),
        ({"registration": True}, {}),
    ],
    ids=["a method is refused", "accounts may be made", "accounts may be made, nobody asks"],
)
def test_a_setting_that_changes_counts_at_once(
    changed: dict[str, Any], asks: dict[str, str]
) -> None:
    now = settings()
    capabilities = capabilities_of(now)
    readings = Readings(now, capabilities)
    arrived = arriving(**asks)
    for values in ({}, changed, {}, changed):
        now.change(values)
        assert said(readings, arrived, ANY) == cold(arrived, ANY, now)


def test_a_trial_of_another_registration_is_not_taken_for_what_is_registered() -> None:
    tried = replace(ANY, metadata=replace(ANY.metadata, max_auth_age=5))
    readings = Readings(SETTINGS, capabilities_of(SETTINGS))
    ages = [readings.of(arriving(), one).terms.max_age for one in (ANY, tried, ANY)]
    assert ages == [None, 5, None]
