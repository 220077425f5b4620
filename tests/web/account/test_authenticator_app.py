"""The authenticator app: set up, replaced, turned off."""

import re

import pyotp

from tests.helpers.house import House, Person
from tests.helpers.sign_in import passkey, sign_in, totp
from tests.helpers.user_agent import Page
from tests.web.account.visits import entered, events, kinds, mails, press, visit

PATH = "/me/security/totp"


def seed_of(page: Page) -> str:
    found = re.search(r'id="totp-secret">([A-Z2-7 ]+)<', page.response.text)
    assert found is not None
    return found[1].replace(" ", "")


def code(house: House, seed: str) -> str:
    return pyotp.TOTP(seed).at(house.clock())


def test_a_code_left_empty_is_asked_for_and_not_recorded(house: House, alice: Person) -> None:
    agent, page = entered(house, alice, PATH)
    refused = press(agent, page, "/security/totp", otp="")
    assert refused.status == 422
    assert "Enter the 6-digit code from your app." in refused.document.text
    assert "totp.refused" not in events(house, alice)
    assert "was wrong" not in agent.page("/me/activity").document.text


def test_it_counts_once_a_code_was_right(house: House, alice: Person) -> None:
    agent, page = entered(house, alice, PATH)
    assert "otpauth://" in page.response.text
    assert 'src="data:image/svg+xml' in page.response.text
    seed = seed_of(page)
    refused = press(agent, page, "/security/totp", otp="000000")
    assert refused.status == 422
    assert "That code is not right." in refused.document.text
    assert seed_of(refused) == seed  # what was scanned stays good
    assert kinds(house, alice) == ["password"]
    told = agent.page("/me/activity").document.text
    assert "A code from an authenticator app was wrong while setting it up." in told
    page = press(agent, refused, "/security/totp", otp=code(house, seed))
    assert page.path == "/me/security/recovery_code"
    assert "An authenticator app was set up." in page.document.text
    assert kinds(house, alice) == ["password", *["recovery_code"] * 10, "totp"]
    assert "totp.refused" in events(house, alice)
    house.clock.advance(minutes=1)
    shop = house.client()
    walked = sign_in(
        house.browser(),
        shop.authorization_url(),
        username=alice.email,
        password=alice.password,
        answers={"totp": totp(seed, house.clock)},
    )
    assert shop.finish(walked).claims["amr"] == ["pwd", "otp", "mfa"]


def test_the_seed_is_the_same_for_every_view_and_is_kept_encrypted(
    house: House, alice: Person, sqlite_url: str
) -> None:
    agent, page = entered(house, alice, PATH)
    seed = seed_of(page)
    assert seed_of(agent.page(PATH)) == seed
    assert seed_of(agent.page(f"{PATH}/new")) == seed
    assert seed_of(entered(house, alice, PATH)[1]) != seed
    with open(sqlite_url.removeprefix("sqlite:///"), "rb") as database:
        stored = database.read()
    assert seed.encode() not in stored


def test_beside_an_app_a_passkey_is_still_worth_having(house: House, alice: Person) -> None:
    seed = house.totp(alice)
    house.recovery_codes(alice)
    house.clock.advance(minutes=1)
    agent, page = entered(house, alice, "/me", {"totp": totp(seed, house.clock)})
    assert page.link("Add a passkey").endswith("/me/passkeys")
    soft = house.passkey(alice)
    house.clock.advance(hours=1)
    assert "Add a passkey" not in agent.page("/me").document.text
    assert soft.credentials


def test_replacing_keeps_the_old_one_until_the_new_one_was_right(
    house: House, alice: Person
) -> None:
    old = house.totp(alice)
    house.clock.advance(minutes=1)
    agent, page = entered(house, alice, PATH, {"totp": totp(old, house.clock)})
    assert page.document.headings == ["Authenticator app"]
    page = agent.page(page.link("Replace it"))
    assert page.document.headings[0] == "Replace your authenticator app"
    assert [button.label for button in page.form("/security/totp").buttons] == ["Replace it"]
    new = seed_of(page)
    assert new != old
    house.clock.advance(minutes=1)
    visit(house.browser(), "/me", alice, {"totp": totp(old, house.clock)})
    page = press(agent, page, "/security/totp", otp=code(house, new))
    assert "Your authenticator app was replaced." in page.document.text
    assert kinds(house, alice).count("totp") == 1
    house.clock.advance(minutes=1)
    visit(house.browser(), "/me", alice, {"totp": totp(new, house.clock)})
    assert mails(house)[0]["subject"] == "Gatehouse: Your authenticator app was replaced."


def test_turning_the_last_second_step_off_asks_for_a_password_that_stands_alone(
    house: House, alice: Person
) -> None:
    agent, page = entered(house, alice, PATH)
    press(agent, page, "/security/totp", otp=code(house, seed_of(page)))
    page = agent.page("/me/security/password/new")
    assert "At least 8 characters." in page.document.text
    page = press(agent, page, "/security/password", new_password="gravel owl")
    page = agent.page(PATH)
    assert "at least 15 characters" in page.document.text
    refused = press(agent, page, "/remove", new_password="gravel owl")
    assert refused.status == 422
    assert "Use at least 15 characters; this has 10." in refused.document.text
    assert "totp" in kinds(house, alice)
    page = press(agent, page, "/remove", new_password="gravel owl beside a lake")
    assert page.path == "/me/security"
    assert kinds(house, alice) == ["password"]
    assert [letter["subject"].removeprefix("Gatehouse: ") for letter in mails(house)][-3:] == [
        "Your password was changed.",
        "Your authenticator app was turned off.",
        "Your recovery codes were removed with your last second step.",
    ]
    assert "One step opens this account." in page.document.text


def test_beside_another_second_step_it_is_just_turned_off(house: House, alice: Person) -> None:
    soft = house.passkey(alice)
    agent, page = entered(house, alice, PATH, {"passkey": passkey(soft)})
    press(agent, page, "/security/totp", otp=code(house, seed_of(page)))
    page = agent.page(PATH)
    assert "characters" not in page.document.text
    press(agent, page, "/remove")
    assert "totp" not in kinds(house, alice)
    assert kinds(house, alice).count("recovery_code") == 10


def test_a_setup_that_is_over_says_so(house: House, alice: Person) -> None:
    agent, page = entered(house, alice, PATH)
    seed = seed_of(page)
    house.clock.advance(minutes=31)
    visit(agent, PATH, alice)
    refused = press(agent, page, "/security/totp", otp=code(house, seed))
    assert refused.status == 422
    assert kinds(house, alice) == ["password"]
