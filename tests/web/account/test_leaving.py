"""Taking one's data along; leaving, and changing one's mind."""

import json

from idp.models import AuditEvent, Credential, User, db
from tests.helpers.house import House, Person
from tests.helpers.sign_in import sign_in
from tests.web.account.visits import entered, events, mails, press, visit


def test_the_file_holds_everything_but_secrets(house: House) -> None:
    eve = house.person(
        "eve@example.com", username="eve", profile={"phone_number": "+1 202 555 0100"}
    )
    shop = house.client()
    browser = house.browser()
    url = shop.authorization_url(scope="openid email")
    sign_in(browser, url, username=eve.email, password=eve.password)
    agent, page = entered(house, eve)
    saved = press(agent, page, "/security/export")
    assert saved.response.headers["Content-Disposition"] == 'attachment; filename="my-data.json"'
    data = saved.response.json()
    assert data["account"]["id"] == eve.id
    assert data["account"]["email"] == eve.email
    assert data["account"]["phone_number"] == "+1 202 555 0100"
    assert [way["kind"] for way in data["ways_to_sign_in"]] == ["password"]
    assert data["connected_apps"][0]["name"] == "Shop"
    assert data["sign_ins_to_apps"][0]["amr"] == ["pwd"]
    assert len(data["sessions"]) == 2
    assert data["activity"][-1]["event"] == "data.exported"
    with house.app.app_context():
        secret = db.session.query(Credential).one().data["hash"]
        handle = db.session.get_one(User, eve.id).webauthn_handle
    assert secret not in json.dumps(data)
    assert handle not in json.dumps(data)
    assert mails(house)[-1]["subject"] == "Gatehouse: Your data was downloaded."


def test_nobody_elses_data_is_in_it(house: House, alice: Person, bob: Person) -> None:
    entered(house, bob)
    agent, page = entered(house, alice)
    assert bob.email not in press(agent, page, "/security/export").response.text


def test_leaving_signs_out_everywhere_and_can_be_undone_for_two_weeks(
    house: House, alice: Person
) -> None:
    other, _page = entered(house, alice, "/me")
    agent, page = entered(house, alice, "/me/security/delete")
    wrong = press(agent, page, "/security/delete", confirm_email="bob@example.com")
    assert wrong.status == 422
    assert "Type the email address as it stands here." in wrong.document.text
    done = press(agent, page, "/security/delete", confirm_email="Alice@Example.com")
    assert "Your account will be deleted" in done.document.headings
    assert "15 Jun 2030" in done.document.text
    for browser in (agent, other):
        assert browser.page("/me").path.startswith("/login/")
    assert "will be deleted on 15 June 2030" in mails(house)[-1]["subject"]
    house.clock.advance(days=13)
    page = visit(agent, "/me", alice)
    assert "This account will be deleted on 15 Jun 2030" in page.document.text
    assert 'class="notice warn"' in agent.page("/me/security").response.text
    assert 'class="notice warn"' in page.response.text
    page = press(agent, page, "/security/keep", "Keep my account")
    assert "Your account stays." in page.document.text
    house.clock.advance(days=30)
    assert house.do(lambda services: services.deletion.delete_due(house.clock())) == 0
    assert "user.deletion.undone" in events(house, alice)


def test_after_two_weeks_the_clean_up_erases_it(house: House, alice: Person, bob: Person) -> None:
    agent, page = entered(house, alice, "/me/security/delete")
    press(agent, page, "/security/delete", confirm_email=alice.email)
    house.clock.advance(days=14, seconds=-1)
    assert house.do(lambda services: services.deletion.delete_due(house.clock())) == 0
    house.clock.advance(seconds=1)
    assert house.do(lambda services: services.deletion.delete_due(house.clock())) == 1
    assert house.do(lambda services: services.deletion.delete_due(house.clock())) == 0
    with house.app.app_context():
        assert db.session.get(User, alice.id) is None
        assert db.session.query(Credential).filter_by(user_id=alice.id).count() == 0
        assert db.session.get(User, bob.id) is not None
        last = db.session.query(AuditEvent).order_by(AuditEvent.id.desc()).first()
        assert last is not None
        assert (last.name, last.user_id) == ("user.deleted", alice.id)
