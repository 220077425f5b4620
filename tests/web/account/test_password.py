"""The password: changed, done without, set again; and what ends with the old one."""

import pytest

from tests.helpers.clock import FakeClock
from tests.helpers.house import House, Person
from tests.helpers.sign_in import Stuck, passkey, sign_in
from tests.helpers.user_agent import Page
from tests.web.account.visits import entered, events, kinds, link_in, mails, press, visit
from tests.web.walking import housed

PATH = "/me/security/password"
ANOTHER = "wet gravel under slow wheels"


def test_it_is_changed_and_told(house: House, alice: Person) -> None:
    agent, page = entered(house, alice, f"{PATH}/new")
    page = press(agent, page, "/security/password", new_password=ANOTHER)
    assert page.path == PATH
    assert "Your password was changed." in page.document.text
    assert mails(house)[-1]["subject"] == "Gatehouse: Your password was changed."
    assert "password.replaced" in events(house, alice)
    visit(house.browser(), "/me", Person(alice.id, alice.email, ANOTHER))
    with pytest.raises((Stuck, AssertionError)):
        visit(house.browser(), "/me", alice)


@pytest.mark.parametrize(
    ("ticked", "ends"), [("yes", True), ("", False)], ids=["by default", "unticked"]
)
def test_other_devices_are_signed_out(house: House, alice: Person, ticked: str, ends: bool) -> None:
    other, _page = entered(house, alice, "/me")
    agent, page = entered(house, alice, f"{PATH}/new")
    form = page.form("/security/password")
    assert form.fields["end_others"] == "yes"
    press(agent, page, "/security/password", new_password=ANOTHER, end_others=ticked)
    assert other.page("/me").path.startswith("/login/") == ends
    assert agent.page("/me").path == "/me"


def test_apps_reached_from_there_lose_their_tokens(house: House, alice: Person) -> None:
    shop = house.client()
    other = house.browser()
    callback = sign_in(
        other, shop.authorization_url(), username=alice.email, password=alice.password
    )
    tokens = shop.finish(callback)
    agent, page = entered(house, alice, f"{PATH}/new")
    assert shop.userinfo(tokens.access_token)
    press(agent, page, "/security/password", new_password=ANOTHER)
    with pytest.raises(Exception, match="401"):
        shop.userinfo(tokens.access_token)


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("short", "Use at least 15 characters; this has 5."),
        ("", "Enter a new password."),
        ("alice@example.com", "too close to your name"),
    ],
)
def test_one_that_will_not_do_changes_nothing(
    house: House, alice: Person, typed: str, says: str
) -> None:
    agent, page = entered(house, alice, f"{PATH}/new")
    refused = press(agent, page, "/security/password", new_password=typed)
    assert refused.status == 422
    assert says in refused.document.text
    assert refused.document.title.startswith("Error:")
    assert ("password.refused" in events(house, alice)) is bool(typed)
    visit(house.browser(), "/me", alice)


def test_the_one_there_is_already_is_no_new_one(house: House, alice: Person) -> None:
    other, _page = entered(house, alice, "/me")
    agent, page = entered(house, alice, f"{PATH}/new")
    refused = press(agent, page, "/security/password", new_password=alice.password)
    assert refused.status == 422
    assert "This is the password you have now. Choose another one." in refused.document.text
    assert mails(house) == []
    assert "password.replaced" not in events(house, alice)
    assert other.page("/me").path == "/me"
    assert press(agent, refused, "/security/password", new_password=ANOTHER).path == PATH


def test_mailed_links_end_with_the_old_password(house: House, alice: Person) -> None:
    asking = house.browser()
    page = asking.page("/login/forgotten")
    asking.submit(page, page.form("/forgotten"), {"username": alice.email})
    waiting = asking.page("/me")
    begun = asking.submit(
        waiting,
        waiting.form("/password"),
        {"username": alice.email},
        button="Email me a sign-in link",
    )
    assert isinstance(begun, Page)
    links = {letter["template"]: link_in(letter) for letter in mails(house, alice.email)}
    agent, page = entered(house, alice, f"{PATH}/new")
    assert agent.page(links["reset"]).status == 200
    assert agent.page(links["sign_in"]).status == 200
    press(agent, page, "/security/password", new_password=ANOTHER)
    assert agent.page(links["reset"]).status == 410
    assert agent.page(links["sign_in"]).status == 410


def test_who_has_a_passkey_can_do_without_and_set_one_again(house: House, alice: Person) -> None:
    soft = house.passkey(alice)
    agent, page = entered(house, alice, PATH, {"passkey": passkey(soft)})
    page = press(agent, page, "/remove")
    assert page.path == "/me/security"
    assert kinds(house, alice) == ["passkey"]
    page = agent.page(PATH)
    assert page.document.headings == ["Set a password"]
    press(agent, page, "/security/password", new_password="gravel owl")
    assert kinds(house, alice)[:2] == ["passkey", "password"]


def test_who_has_nothing_else_cannot(house: House, alice: Person) -> None:
    agent, page = entered(house, alice, PATH)
    assert [form.action for form in page.document.forms if form.action.endswith("/remove")] == []
    assert agent.page(PATH).document.text.count("Do without") == 0


def test_where_passwords_are_not_in_use_it_can_only_be_removed(
    sqlite_url: str, clock: FakeClock
) -> None:
    with housed(sqlite_url, clock, login_style="passkey_only") as house:
        bob = house.person("bob@example.com")
        agent, page = entered(house, bob, PATH, {"passkey": passkey(house.passkey(bob))})
        assert "It is not in use here: nobody is asked for it." in page.document.text
        assert "Remove your password?" in page.document.text
        assert "Change it" not in page.document.text
        assert agent.page(f"{PATH}/new").status == 404
