"""What goes on: sessions and their ends, connected apps, and the account's history."""

import pytest

from idp import audit
from idp.models import AuditEvent, BrowserSession, db
from tests.helpers.house import House, Person
from tests.helpers.relying_party import RelyingParty, TokenRefused, Tokens
from tests.helpers.sign_in import passkey, sign_in, typed
from tests.helpers.user_agent import UserAgent
from tests.web.account.visits import entered, press, visit


def shopping(
    house: House, person: Person, **members: object
) -> tuple[UserAgent, Tokens, RelyingParty]:
    """A browser in which this person has just signed in to a shop."""
    shop = house.client(grant_types=["authorization_code", "refresh_token"], **members)
    agent = house.browser()
    url = shop.authorization_url(scope="openid email offline_access", prompt="consent")
    tokens = shop.finish(sign_in(agent, url, username=person.email, password=person.password))
    return agent, tokens, shop


class TestSessions:
    def test_each_says_which_browser_how_and_which_apps(self, house: House, alice: Person) -> None:
        shopping(house, alice)
        house.clock.advance(minutes=3)
        _agent, page = entered(house, alice, "/me/sessions")
        assert page.document.headings[1:] == ["Linux This device", "Linux"]
        assert page.document.text.count("Signed in with your password") == 2
        assert "Apps: Shop" in page.document.text

    def test_one_is_ended_with_its_apps_access(self, house: House, alice: Person) -> None:
        lost, tokens, shop = shopping(house, alice)
        agent, page = entered(house, alice, "/me/sessions")
        page = press(agent, page, "/end")
        assert page.path == "/me/sessions"
        assert lost.page("/me").path.startswith("/login/")
        with pytest.raises(TokenRefused):
            shop.userinfo(tokens.access_token)
        with pytest.raises(TokenRefused):
            shop.refresh(tokens)
        assert "End all others" not in page.document.text

    def test_all_others_are_ended(self, house: House, alice: Person) -> None:
        others = [entered(house, alice, "/me")[0] for _ in range(2)]
        agent, page = entered(house, alice, "/me/sessions")
        press(agent, page, "/end-others")
        assert all(other.page("/me").path.startswith("/login/") for other in others)
        assert agent.page("/me").path == "/me"

    def test_another_persons_session_is_not_there(
        self, house: House, alice: Person, bob: Person
    ) -> None:
        theirs, _page = entered(house, bob, "/me")
        agent, _page = entered(house, alice, "/me/sessions")
        with house.app.app_context():
            session = db.session.query(BrowserSession).filter_by(user_id=bob.id).one()
        assert agent.json(f"/me/sessions/{session.id}/end", {}).status_code == 404
        assert theirs.page("/me").path == "/me"

    def test_an_idle_one_is_no_longer_listed(self, house: House, alice: Person) -> None:
        entered(house, alice, "/me")
        house.clock.advance(hours=9)
        _agent, page = entered(house, alice, "/me/sessions")
        assert page.document.headings[1:] == ["Linux This device"]


class TestApps:
    def test_what_it_may_see_is_listed_in_words(self, house: House, alice: Person) -> None:
        shopping(house, alice)
        _agent, page = entered(house, alice, "/me/apps")
        assert "See your email address" in page.document.text
        assert "Stays connected when you’re away" in page.document.text
        assert "shop" in visit(house.browser(), "/me", alice).document.text.lower()

    def test_removing_it_ends_every_grant_and_asks_again(self, house: House, alice: Person) -> None:
        agent, tokens, shop = shopping(house, alice)
        page = agent.page("/me/apps")
        assert [one.label for one in page.form("/remove").buttons] == ["Remove"]
        page = press(agent, page, "/remove")
        assert "Shop no longer has access." in page.document.text
        assert "None yet." in page.document.text
        with pytest.raises(TokenRefused):
            shop.userinfo(tokens.access_token)
        with pytest.raises(TokenRefused):
            shop.refresh(tokens)
        page = agent.page(shop.authorization_url(scope="openid email"))
        assert "Share your details with Shop?" in page.document.headings

    def test_one_that_needs_no_consent_is_there_while_it_has_access(
        self, house: House, alice: Person
    ) -> None:
        shop = house.client(consent="never")
        agent = house.browser()
        callback = sign_in(
            agent, shop.authorization_url(), username=alice.email, password=alice.password
        )
        tokens = shop.finish(callback)
        assert "Shop" in agent.page("/me/apps").document.headings[1]
        press(agent, agent.page("/me/apps"), "/remove")
        with pytest.raises(TokenRefused):
            shop.userinfo(tokens.access_token)

    def test_an_app_that_is_not_connected_is_not_there(self, house: House, alice: Person) -> None:
        shop = house.client()
        agent, _page = entered(house, alice, "/me/apps")
        for client_id in (shop.client_id, "nowhere"):
            assert agent.json(f"/me/apps/{client_id}/remove", {}).status_code == 404

    def test_one_persons_removal_is_no_other_persons(
        self, house: House, alice: Person, bob: Person
    ) -> None:
        agent, _tokens, shop = shopping(house, alice)
        bobs = house.browser()
        url = shop.authorization_url(scope="openid", prompt="consent")
        theirs = shop.finish(sign_in(bobs, url, username=bob.email, password=bob.password))
        press(agent, agent.page("/me/apps"), "/remove")
        assert shop.userinfo(theirs.access_token)["sub"] == bob.id


SELDOM = {
    "administrator.made": "You became the first administrator, by the link.",
    "second_step.reset": "An administrator took the second step off your account.",
    "user.change.refused": "A change to your account was refused.",
    "registration.throttled": "Somebody tried too often to make an account with your address.",
}


class TestActivity:
    def test_events_are_sentences(self, house: House, alice: Person) -> None:
        agent = house.browser()
        page = agent.page("/me")
        form = page.form("/password")
        agent.submit(page, form, {"username": alice.email, "password": "wrong"})
        page = visit(agent, "/me/activity", alice)
        text = page.document.text
        assert "You signed in with your password." in text
        assert "A sign-in with your password failed." in text
        assert "Your account was made." in text

    def test_what_seldom_happens_has_its_sentence_too(self, house: House, alice: Person) -> None:
        with house.app.app_context():
            for name in SELDOM:
                audit.record(name, house.context, user_id=alice.id)
            db.session.commit()
        _agent, page = entered(house, alice, "/me/activity")
        for told in SELDOM.values():
            assert told in page.document.text
        assert "Noted:" not in page.document.text

    def test_filters_and_pages_keep_to_what_was_asked(self, house: House, alice: Person) -> None:
        agent, page = entered(house, alice, "/me/sessions")
        for number in range(30):
            agent.json("/me/security/email", {"email": f"a{number}@b.example"})
        page = agent.page("/me/activity?show=changes")
        assert page.document.text.count("Another email address was asked for.") == 5
        assert "You signed in" not in page.document.text
        page = agent.page("/me/activity?show=sign_ins")
        assert "Another email address" not in page.document.text
        assert agent.page("/me/activity?show=nonsense").status == 404
        for _ in range(25):
            agent.json("/me/security/totp", {"otp": "000000"})
        first = agent.page("/me/activity")
        older = agent.page(first.link("Older"))
        assert "Your account was made." in older.document.text
        newer = agent.page(older.link("Newer"))
        assert newer.document.text.count("was wrong while setting it up") == 25
        for strange in ("before=x", "before=-1", "after=99999999999999999999999", "before=0"):
            assert agent.page(f"/me/activity?{strange}").status == 200

    def test_other_peoples_events_are_not_there(
        self, house: House, alice: Person, bob: Person
    ) -> None:
        entered(house, bob, "/me/activity")
        agent, _page = entered(house, alice, "/me/activity")
        with house.app.app_context():
            theirs = db.session.query(AuditEvent).filter_by(user_id=bob.id).all()
        for event in theirs:
            assert agent.page(f"/me/activity/{event.id}").status == 404
        assert agent.page("/me/activity/99999999999999999999999999").status == 404

    def test_it_was_not_me(self, house: House, alice: Person) -> None:
        thief, _page = entered(house, alice, "/me")
        agent, page = entered(house, alice, "/me/activity")
        page = agent.page(page.link("This wasn’t me"))
        assert "That wasn’t you?" in page.document.headings
        page = press(agent, page, "/activity/secure")
        assert page.path == "/me/security/password/new"
        assert thief.page("/me").path.startswith("/login/")
        assert agent.page("/me").path == "/me"

    def test_what_she_has_is_renewed_first_what_was_used(self, house: House, alice: Person) -> None:
        agent, page = entered(house, alice, "/me/activity")
        page = agent.page(page.link("This wasn’t me"))
        doubted = ["Sign out everywhere else", "Choose a new password"]
        assert page.document.headings[2:] == [*doubted, "Secure your mailbox"]
        house.totp(alice)
        code = house.recovery_codes(alice)[0]
        answers = {"recovery_code": typed(recovery_code=code)}
        agent, page = entered(house, alice, "/me/activity", answers)
        page = agent.page(page.link("This wasn’t me"))
        doubted += [
            "Make new recovery codes",
            "Secure your mailbox",
            "Replace the authenticator app",
        ]
        assert set(page.document.headings[2:]) == set(doubted)
        assert page.document.headings[2:5] == doubted[:3]
        for link, leads_to in (
            ("To your recovery codes", "Recovery codes"),
            ("Set up another in its place", "Replace your authenticator app"),
            ("Or use another address", "Change your email address"),
        ):
            assert leads_to in agent.page(page.link(link)).document.text

    def test_without_a_password_none_is_asked_for(self, house: House) -> None:
        dora = house.person("dora@example.com")
        answers = {"passkey": passkey(house.passkey(dora))}
        agent, page = entered(house, dora, "/me/security/password", answers)
        press(agent, page, "/remove")
        page = agent.page("/me/activity")
        page = agent.page(page.link("This wasn’t me"))
        assert "Choose a new password" not in page.document.headings
        assert page.document.headings[3] == "Look through your passkeys"
        assert press(agent, page, "/activity/secure").path == "/me/security"
