"""Passkeys of one's own: added, listed, renamed, deleted, and never anybody else's."""

import json
import re
from uuid import UUID

from sqlalchemy import select, update

from idp.models import Credential, EvidenceRow, db
from tests.helpers.authenticator import SoftAuthenticator
from tests.helpers.house import House, Person
from tests.helpers.html import find_object
from tests.helpers.sign_in import passkey, sign_in, totp
from tests.helpers.user_agent import Page
from tests.web.account.visits import (
    add_passkey,
    entered,
    events,
    kinds,
    listed,
    mails,
    press,
    visit,
)

ONE_PASSWORD = UUID("bada5566-a7aa-401f-bd96-45619a55120d").bytes


def test_a_passkey_is_added_named_after_its_maker_and_told_by_mail(
    house: House, alice: Person
) -> None:
    agent, page = entered(house, alice, "/me/passkeys")
    assert "No passkeys yet" in page.document.headings
    soft = SoftAuthenticator(house.settings.issuer, aaguid=ONE_PASSWORD)
    page, _sent = add_passkey(agent, page, soft)
    assert "A passkey was added: 1Password." in page.document.text
    page = agent.page("/me/passkeys")
    assert "1Password Synced" in page.document.headings
    assert "Used for this session" not in page.document.text, "it was only made in it"
    assert "Signed in with your password ·" in agent.page("/me/sessions").document.text
    assert "Added 1 Jun 2030 · Linux" in page.document.text
    subjects = [letter["subject"] for letter in mails(house, alice.email)]
    assert subjects == [
        "Gatehouse: A passkey was added: 1Password.",
        "Gatehouse: Recovery codes were made.",
    ]
    assert events(house, alice)[-2:] == ["passkey.added", "recovery_code.added"]
    other, page = entered(house, alice, "/me/passkeys", {"passkey": passkey(soft)})
    assert "1Password Synced Used for this session" in page.document.headings
    assert (
        "Signed in with your password and a passkey ·" in other.page("/me/sessions").document.text
    )


def test_the_list_for_scripts_has_no_key_material(house: House, alice: Person) -> None:
    agent, page = entered(house, alice, "/me/passkeys")
    soft = SoftAuthenticator(house.settings.issuer, aaguid=ONE_PASSWORD)
    add_passkey(agent, page, soft, be=False, bs=False)
    (found,) = listed(agent)
    assert found == {
        "id": found["id"],
        "name": "1Password",
        "created_at": "2030-06-01T12:00:00+00:00",
        "last_used_at": None,
        "backed_up": False,
        "device_bound": True,
        "aaguid": "bada5566-a7aa-401f-bd96-45619a55120d",
        "ways_left": [["password"], ["magic_link"]],
    }
    with house.app.app_context():
        row = db.session.get_one(Credential, found["id"])
        assert row.data["public_key"] not in json.dumps(listed(agent))
        assert str(row.lookup) not in json.dumps(listed(agent))


def test_the_badges_say_where_a_passkey_can_be(house: House, alice: Person) -> None:
    agent, page = entered(house, alice, "/me/passkeys")
    for flags in ({"be": False, "bs": False}, {"be": True, "bs": False}, {"be": True, "bs": True}):
        add_passkey(agent, page, SoftAuthenticator(house.settings.issuer), **flags)
        house.clock.advance(seconds=1)
        page = agent.page("/me/passkeys")
    text = page.document.text
    assert text.count("This device only") == 1
    assert text.count("Synced") == 2
    assert text.count("not backed up yet") == 1


def test_making_one_is_a_proof_that_the_ledger_marks(house: House, alice: Person) -> None:
    agent, page = entered(house, alice, "/me/passkeys")
    before = agent.cookies.get("idp_session")
    add_passkey(agent, page, SoftAuthenticator(house.settings.issuer))
    assert agent.cookies.get("idp_session") != before
    with house.app.app_context():
        rows = db.session.scalars(select(EvidenceRow).order_by(EvidenceRow.id)).all()
        assert [(row.method, row.enrolled) for row in rows] == [
            ("password", False),
            ("passkey", True),
        ]
    assert agent.page("/me/security").path == "/me/security"  # and is enough for this page


def test_the_next_sign_in_works_with_it_alone(house: House, alice: Person) -> None:
    agent, page = entered(house, alice, "/me/passkeys")
    soft = SoftAuthenticator(house.settings.issuer)
    add_passkey(agent, page, soft)
    shop = house.client()
    url = shop.authorization_url()
    tokens = shop.finish(sign_in(house.browser(), url, answers={"passkey": passkey(soft)}))
    assert tokens.claims["acr"] == "phr"


def test_the_same_answer_twice_adds_one(house: House, alice: Person) -> None:
    agent, page = entered(house, alice, "/me/passkeys")
    _page, sent = add_passkey(agent, page, SoftAuthenticator(house.settings.issuer))
    again = press(agent, page, "/security/passkey", **sent)
    assert again.status == 422
    assert len(listed(agent)) == 1


def test_an_answer_to_another_sessions_challenge_is_refused(house: House, alice: Person) -> None:
    _agent, page = entered(house, alice, "/me/passkeys")
    soft = SoftAuthenticator(house.settings.issuer)
    options = find_object(page.document.data, "challenge")
    assert options is not None
    answer = {"passkey_response": json.dumps(soft.make_credential(options))}
    other, her_page = entered(house, alice, "/me/passkeys")
    refused = press(other, her_page, "/security/passkey", **answer)
    assert refused.status == 422
    assert "No passkey was added. Nothing changed." in refused.document.text
    assert kinds(house, alice) == ["password"]


def test_a_reload_keeps_the_challenge_and_a_refusal_makes_a_new_one(
    house: House, alice: Person
) -> None:
    agent, page = entered(house, alice, "/me/passkeys")
    reloaded = agent.page("/me/passkeys")
    assert challenge(page) == challenge(reloaded)
    refused = press(agent, page, "/security/passkey", passkey_response="{}")
    assert refused.status == 422
    assert challenge(refused) != challenge(page)


def challenge(page: Page) -> str:
    found = find_object(page.document.data, "challenge")
    assert found is not None
    return str(found["challenge"])


def test_it_is_renamed_and_a_name_that_will_not_do_is_refused(house: House, alice: Person) -> None:
    agent, page = entered(house, alice, "/me/passkeys")
    add_passkey(agent, page, SoftAuthenticator(house.settings.issuer))
    page = agent.page("/me/passkeys")
    page = press(agent, page, "/rename", name="  Kitchen   laptop ")
    assert page.path == "/me/passkeys"
    assert [one["name"] for one in listed(agent)] == ["Kitchen laptop"]
    for bad in ("", " ", "x" * 61, "tab\x00le", "\u202eevil"):
        refused = press(agent, page, "/rename", name=bad)
        assert refused.status == 422
        assert "Give it a name of at most 60 characters." in refused.document.text
        assert refused.document.title.startswith("Error:")
    assert [one["name"] for one in listed(agent)] == ["Kitchen laptop"]


def test_a_name_is_text_whatever_it_holds(house: House, alice: Person) -> None:
    agent, page = entered(house, alice, "/me/passkeys")
    add_passkey(agent, page, SoftAuthenticator(house.settings.issuer))
    name = "<script>alert(1)</script>'\"&"
    page = press(agent, agent.page("/me/passkeys"), "/rename", name=name)
    assert "<script>alert" not in page.response.text
    assert name in page.document.text


def test_one_of_two_is_deleted_and_the_provider_is_told_what_is_left(
    house: House, alice: Person
) -> None:
    agent, page = entered(house, alice, "/me/passkeys")
    first, second = (SoftAuthenticator(house.settings.issuer) for _ in range(2))
    add_passkey(agent, page, first)
    house.clock.advance(seconds=1)
    add_passkey(agent, agent.page("/me/passkeys"), second)
    page = press(agent, agent.page("/me/passkeys"), "/remove")  # the first form is the first's
    assert page.path == "/me/passkeys"
    assert "A passkey was deleted." in page.document.text
    assert "Remove it from your password manager, too." in page.document.text
    signals = find_object(page.document.data, "accepted")
    assert signals is not None
    assert len(signals["accepted"]["allAcceptedCredentialIds"]) == 1
    assert signals["details"]["name"] == alice.email
    assert signals["details"]["displayName"] == "alice"
    assert signals["accepted"]["userId"] != alice.id
    assert [one["name"] for one in listed(agent)] == ["Passkey 2"]
    assert mails(house)[-1]["subject"] == "Gatehouse: A passkey was deleted."


def test_deleting_one_ends_the_sessions_that_it_opened(house: House, alice: Person) -> None:
    soft = house.passkey(alice)
    lost, _page = entered(house, alice, "/me", {"passkey": passkey(soft)})
    house.clock.advance(seconds=1)
    other = house.passkey(alice)
    agent, page = entered(house, alice, "/me/passkeys", {"passkey": passkey(other)})
    house.clock.advance(seconds=1)
    assert lost.page("/me").path == "/me"
    press(agent, page, "/remove")
    assert lost.page("/me").path.startswith("/login/")
    assert agent.page("/me").path == "/me"


def test_the_last_way_to_sign_in_stays(house: House) -> None:
    """The mailbox can bring one back in; it is no reason to give the last key away."""
    carol = house.person("carol@example.com")
    soft = house.passkey(carol)
    agent, page = entered(house, carol, "/me/security/password", {"passkey": passkey(soft)})
    page = press(agent, page, "/remove")
    assert kinds(house, carol) == ["passkey"]
    page = agent.page("/me/passkeys")
    assert "This is your only way to sign in." in page.document.text
    assert [form.action for form in page.document.forms if form.action.endswith("/remove")] == []
    (only,) = listed(agent)
    forced = agent.json(f"/me/security/passkey/{only['id']}/remove", {})
    assert (forced.status_code, forced.json()["error"]) == (422, "last_way")
    assert kinds(house, carol) == ["passkey"]


def test_the_last_second_step_goes_with_a_longer_password_and_without_its_codes(
    house: House,
) -> None:
    dora = house.person("dora@example.com")
    agent, page = entered(house, dora, "/me/passkeys")
    add_passkey(agent, page, SoftAuthenticator(house.settings.issuer))
    page = agent.page("/me/passkeys")
    assert "at least 15 characters" in page.document.text
    assert "your recovery codes are removed with it" in page.document.text
    empty = press(agent, page, "/remove", new_password="")
    assert "Enter your password from now on." in empty.document.text
    refused = press(agent, page, "/remove", new_password="nine chars")
    assert refused.status == 422
    assert "Use at least 15 characters" in refused.document.text
    assert len(kinds(house, dora)) == 12
    press(agent, page, "/remove", new_password=dora.password)
    assert kinds(house, dora) == ["password"]
    visit(house.browser(), "/me", dora)


def test_another_persons_passkey_is_not_there(house: House, alice: Person, bob: Person) -> None:
    soft = house.passkey(bob)
    theirs, _page = entered(house, bob, "/me/passkeys", {"passkey": passkey(soft)})
    (hers,) = listed(theirs)
    agent, page = entered(house, alice, "/me/passkeys")
    add_passkey(agent, page, SoftAuthenticator(house.settings.issuer))
    for action in ("remove", "rename"):
        for method in ("passkey", "totp"):
            url = f"/me/security/{method}/{hers['id']}/{action}"
            answered = agent.json(url, {"name": "mine", "new_password": alice.password})
            assert answered.status_code == 404, url
    assert [one["name"] for one in listed(theirs)] == [hers["name"]]


def test_a_credential_is_not_removed_by_the_address_of_another_kind(
    house: House, alice: Person
) -> None:
    agent, page = entered(house, alice, "/me/passkeys")
    add_passkey(agent, page, SoftAuthenticator(house.settings.issuer))
    (mine,) = listed(agent)
    for method in ("password", "totp", "recovery_code"):
        answered = agent.json(f"/me/security/{method}/{mine['id']}/remove", {})
        assert answered.status_code == 404
    with house.app.app_context():
        code = db.session.scalars(
            select(Credential.id).where(Credential.kind == "recovery_code")
        ).first()
    assert agent.json(f"/me/security/recovery_code/{code}/remove", {}).status_code == 404
    assert agent.json(f"/me/security/recovery_code/{code}/rename", {"name": "x"}).status_code == 404


def test_a_script_adds_one_as_well(house: House, alice: Person) -> None:
    agent, _page = entered(house, alice)
    begun = agent.client.get(
        "/me/security/passkey/new", headers={"Accept": "application/json"}
    ).json()
    made = SoftAuthenticator(house.settings.issuer).make_credential(begun["options"]["options"])
    answered = agent.json("/me/security/passkey", {"passkey_response": made})
    assert answered.json() == {"redirect": "/me/security/recovery_code"}
    codes = agent.client.get(
        "/me/security/recovery_code", headers={"Accept": "application/json"}
    ).json()
    assert len(codes["shown_once"]["codes"]) == 10
    refused = agent.json("/me/security/passkey", {"passkey_response": made})
    assert (refused.status_code, refused.json()["error"]) == (422, "not_pending")


def ways_told(page: Page) -> list[str]:
    """The list of what can still be signed in with, beside the first that can be deleted."""
    told = page.response.text.partition("You can still sign in with:")[2].partition("</ul>")[0]
    return re.findall(r"<li>([^<]+)</li>", told)


def test_codes_that_go_with_the_last_second_step_are_no_way(house: House, alice: Person) -> None:
    soft = house.passkey(alice)
    house.recovery_codes(alice)
    _agent, page = entered(house, alice, "/me/passkeys", {"passkey": passkey(soft)})
    assert ways_told(page) == ["your password", "a link or code from your email"]


def test_what_is_left_is_said_in_ways_that_work(house: House, alice: Person) -> None:
    """Each with all that it takes: neither the password nor the code is a way in by itself."""
    seed, soft = house.totp(alice), house.passkey(alice)
    agent, page = entered(house, alice, "/me/passkeys", {"passkey": passkey(soft)})
    code = "a code from your authenticator app"
    told = ("your password", "a link or code from your email")
    assert ways_told(page) == [f"{way} + {code}" for way in told]
    house.recovery_codes(alice)
    page = agent.page("/me/passkeys")
    last = "your password + a recovery code, if you lose the rest"
    assert ways_told(page) == [*(f"{way} + {code}" for way in told), last]
    (key,) = listed(agent)
    by_code = ["password", "recovery_code"]
    assert key["ways_left"] == [["password", "totp"], ["magic_link", "totp"], by_code]
    house.clock.advance(minutes=1)
    agent, _page = entered(house, alice, "/me", {"totp": totp(seed, house.clock)})
    assert f"Signed in with your password and {code}" in agent.page("/me/sessions").document.text


def test_a_session_that_was_opened_by_setting_up_says_so(house: House, alice: Person) -> None:
    """As that of whoever made the first account: nothing else was proved in it."""
    agent, _page = entered(house, alice, "/me/sessions")
    with house.app.app_context():
        db.session.execute(update(EvidenceRow).values(enrolled=True))
        db.session.commit()
    assert "Signed in with your password" in agent.page("/me/sessions").document.text


def test_what_was_only_set_up_is_no_way_that_she_signed_in_by(house: House, alice: Person) -> None:
    agent, page = entered(house, alice, "/me/passkeys")
    add_passkey(agent, page, SoftAuthenticator(house.settings.issuer))
    house.clock.advance(minutes=11)
    place = agent.page("/me/passkeys")
    assert "You signed in 11 minutes ago with your password." in place.document.text
