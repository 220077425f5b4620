"""One walk over every account page and change, on SQLite and on PostgreSQL."""

from collections.abc import Iterator

import pyotp
import pytest

from idp.models import db
from tests.helpers.authenticator import SoftAuthenticator
from tests.helpers.clock import FakeClock
from tests.helpers.house import House
from tests.helpers.sign_in import sign_in
from tests.web.account.test_authenticator_app import seed_of
from tests.web.account.visits import add_passkey, entered, link_in, listed, mails, press


@pytest.fixture
def house(database_url: str, clock: FakeClock) -> Iterator[House]:
    opened = House(database_url, clock)
    yield opened
    with opened.app.app_context():
        db.engine.dispose()


def test_everything_once(house: House, clock: FakeClock) -> None:
    alice = house.person()
    shop = house.client()
    url = shop.authorization_url(scope="openid email")
    sign_in(house.browser(), url, username=alice.email, password=alice.password)
    agent, page = entered(house, alice, "/me/security/totp")
    press(agent, page, "/security/totp", otp=pyotp.TOTP(seed_of(page)).at(clock()))
    press(agent, agent.page("/me/security/recovery_code"), "/saved", saved="yes")
    add_passkey(agent, agent.page("/me/passkeys"), SoftAuthenticator(house.settings.issuer))
    press(agent, agent.page("/me/passkeys"), "/rename", name="Laptop")
    press(agent, agent.page("/me/security/recovery_code"), "/security/recovery_code")
    press(
        agent,
        agent.page("/me/security/password/new"),
        "/security/password",
        new_password="wet gravel under slow wheels",
    )
    press(agent, agent.page("/me/security/email"), "/security/email", email="a@new.example")
    page = agent.page(link_in(mails(house, "a@new.example")[0]))
    press(agent, page, page.path)
    for path in ("", "/security", "/sessions", "/apps", "/activity", "/activity?show=changes"):
        assert agent.page(f"/me{path}").status == 200, path
    assert "Laptop" in press(agent, agent.page("/me/security"), "/security/export").response.text
    press(agent, agent.page("/me/passkeys"), "/remove")
    assert listed(agent) == []
    press(agent, agent.page("/me/apps"), "/remove")
    page = agent.page("/me/security/delete")
    press(agent, page, "/security/delete", confirm_email="a@new.example")
    clock.advance(days=14)
    assert house.do(lambda services: services.deletion.delete_due(clock())) == 1
