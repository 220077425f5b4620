"""Who has lost every second step is let back in by an administrator, and by nobody else."""

import pytest

from idp.models import User, db
from idp.web.services import Services
from tests.helpers.house import House, Person
from tests.helpers.sign_in import Stuck, sign_in
from tests.helpers.user_agent import Page

NEW = "seven grey herons over the weir"


def taken_off(services: Services, alice: Person, house: House) -> str:
    user = db.session.get_one(User, alice.id)
    services.second_step.take_off(user, house.context)
    return services.password_reset.link(user, house.context)


def test_a_reset_alone_does_not_skip_the_second_step(house: House) -> None:
    alice, shop = house.person(), house.client()
    house.totp(alice)
    with pytest.raises(Stuck):
        sign_in(
            house.browser(),
            shop.authorization_url(),
            username=alice.email,
            password=alice.password,
        )


def test_an_administrators_link_leads_back_in_once_the_step_is_off(house: House) -> None:
    alice, shop = house.person(), house.client()
    house.totp(alice)
    house.recovery_codes(alice)
    link = house.do(lambda services: taken_off(services, alice, house))
    agent = house.browser()
    page = agent.page(link)
    place = agent.submit(page, page.document.forms[0], {"new_password": NEW})
    assert isinstance(place, Page)
    assert place.status == 200
    url = shop.authorization_url()
    tokens = shop.finish(sign_in(agent, url, username=alice.email, password=NEW))
    assert tokens.claims["amr"] == ["pwd"]
