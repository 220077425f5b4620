"""What stands under every request: scopes and registrations that no parameter can lower."""

import pytest

from idp.config import ConfigurationError
from idp.factors import FACTORS
from idp.protocol.registration import InvalidClientMetadata
from tests.helpers.clock import FakeClock
from tests.helpers.house import House
from tests.helpers.html import find_object
from tests.helpers.sign_in import sign_in, totp
from tests.helpers.user_agent import Departure, Page


def test_a_scope_demands_the_rung_that_is_configured_for_it(
    sqlite_url: str, clock: FakeClock
) -> None:
    house = House(sqlite_url, clock, scope_acr={"address": "urn:idp:acr:mfa"})
    alice = house.person()
    seed = house.totp(alice)
    house.clock.advance(minutes=1)
    shop = house.client()
    agent = house.browser()
    answers = {"totp": totp(seed, house.clock)}
    tokens = shop.finish(
        sign_in(
            agent,
            shop.authorization_url(scope="openid"),
            username=alice.email,
            password=alice.password,
            answers=answers,
        )
    )
    assert tokens.claims["acr"] == "urn:idp:acr:mfa"
    house.clock.advance(minutes=10)
    weak = shop.authorization_url(scope="openid address", acr_values="urn:idp:acr:1fa", max_age=60)
    page = agent.page(weak)
    place = agent.submit(page, page.form("/password"), {"password": alice.password})
    assert isinstance(place, Page)
    assert place.form("/totp")


def test_without_such_a_scope_one_factor_will_do(sqlite_url: str, clock: FakeClock) -> None:
    house = House(sqlite_url, clock, scope_acr={"address": "urn:idp:acr:mfa"})
    alice, shop, agent = house.person(), house.client(), house.browser()
    tokens = shop.finish(
        sign_in(
            agent,
            shop.authorization_url(scope="openid"),
            username=alice.email,
            password=alice.password,
        )
    )
    assert tokens.claims["acr"] == "urn:idp:acr:1fa"
    url = shop.authorization_url(scope="openid address", prompt="none")
    callback = agent.get(url)
    assert isinstance(callback, Departure)
    assert callback.parameters["error"] in {
        "interaction_required",
        "unmet_authentication_requirements",
    }


@pytest.mark.parametrize(
    ("registered", "acr_values", "asked"),
    [
        ("required", None, "required"),
        ("preferred", None, "preferred"),
        (None, None, "preferred"),
        ("discouraged", None, "discouraged"),
        ("discouraged", "phr", "required"),
    ],
    ids=[
        "the client insists",
        "the client prefers it",
        "the client says nothing",
        "the client would rather not",
        "the rung needs it, whatever the client would rather",
    ],
)
def test_user_verification_is_asked_for_by_rung_and_by_client(
    house: House, registered: str | None, acr_values: str | None, asked: str
) -> None:
    house.passkey(house.person())
    members = {} if registered is None else {"user_verification": registered}
    shop = house.client(**members)
    page = house.browser().page(
        shop.authorization_url(**({"acr_values": acr_values} if acr_values else {}))
    )
    options = find_object(page.document.data, "challenge")
    assert options is not None
    assert options["userVerification"] == asked


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"scope_acr": {"address": "level-9"}}, "scope_acr: address asks for level-9"),
        ({"acr_aliases": {"2": "level-9"}}, "acr_aliases: 2 stands for level-9"),
        ({"acr_aliases": {"phr": "urn:idp:acr:1fa"}}, "acr_aliases: phr is a name of our own"),
        ({"acr_aliases": {"level 2": "phr"}}, "acr_aliases: 'level 2' cannot be asked for"),
        ({"acr_aliases": {"": "phr"}}, "acr_aliases: '' cannot be asked for"),
    ],
    ids=["a floor by no name", "an alias for nothing", "ours", "two words", "no word"],
)
def test_a_setting_that_would_vanish_stops_the_start(
    sqlite_url: str, clock: FakeClock, settings: dict[str, dict[str, str]], told: str
) -> None:
    with pytest.raises(ConfigurationError, match=told):
        House(sqlite_url, clock, kinds=FACTORS, **settings)


def test_an_alias_may_stand_for_a_floor(sqlite_url: str, clock: FakeClock) -> None:
    """The control: both settings, well-formed, start."""
    House(sqlite_url, clock, acr_aliases={"2": "urn:idp:acr:mfa"}, scope_acr={"address": "2"})


def test_a_registration_is_not_promised_what_cannot_be_kept(house: House) -> None:
    member = "tls_client_certificate_bound_access_tokens"  # no proxy here passes certificates on
    house.client(**{member: False})  # the control
    with pytest.raises(InvalidClientMetadata, match=member):
        house.client(**{member: True})
