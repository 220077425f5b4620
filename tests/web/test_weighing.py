"""What somebody unknown is asked is worked out once, and is what it would be each time."""

from dataclasses import replace
from datetime import timedelta

import pytest

from idp.assurance import Demand, Rung, resolve_acr_values
from idp.audit import Context
from idp.models import Transaction
from idp.services.weighing import Weighing
from tests.helpers.house import House

WISHED = resolve_acr_values(["phr", "urn:idp:acr:mfa"], {})


@pytest.mark.parametrize("refused", [frozenset(), frozenset({"passkey"})], ids=["all", "some"])
def test_no_demand_is_taken_for_another(house: House, refused: frozenset[str]) -> None:
    now = house.clock()
    plain = Demand(refused=refused)
    kinds = [
        plain,
        *(replace(plain, floor=rung) for rung in Rung),
        replace(plain, verify_user=True),
        replace(plain, acceptable=WISHED),
        replace(plain, acceptable=WISHED, necessary=True),
        replace(plain, acceptable=WISHED[::-1]),
        replace(plain, acceptable=WISHED[:1]),
        replace(plain, acceptable=WISHED[:1], necessary=True),
        replace(plain, floor=Rung.PHRH, enrol_within="here"),
    ]
    aged = [replace(one, since=now - timedelta(minutes=ago)) for one in kinds for ago in (1, 5)]
    limited = [replace(one, rung_since={Rung.MFA: now}) for one in kinds]
    demands = [*kinds, *aged, *limited]

    def decided(weighing: Weighing, demand: Demand) -> object:
        unknown = Transaction(id="one", state={}, started_at=now)
        return weighing.standing(unknown, demand, presented=None, context=Context(at=now)).decision

    services = house.services
    with house.app.app_context():
        by_itself = [
            decided(
                Weighing(services.settings, factors=services.factors, sessions=services.sessions),
                demand,
            )
            for demand in demands
        ]
        for each in (demands, demands[::-1]):
            found = [decided(services.weighing, demand) for demand in each]
            assert found == (by_itself if each is demands else by_itself[::-1])
    assert len(set(map(repr, by_itself))) > 5  # and there is something to confuse


def test_a_way_that_is_taken_away_meanwhile_is_offered_no_more(house: House) -> None:
    def offered() -> set[str]:
        now = house.clock()
        unknown = Transaction(id="one", state={}, started_at=now)
        with house.app.app_context():
            standing = house.services.weighing.standing(
                unknown, Demand(), presented=None, context=Context(at=now)
            )
        return {one.method for one in standing.choices}

    before = offered()
    house.services.settings.change({"refused_methods": ("magic_link",)})
    assert offered() == before - {"magic_link"} != before
    house.services.settings.change({})
    assert offered() == before
