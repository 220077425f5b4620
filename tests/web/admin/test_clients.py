"""Applications in the console: found, registered, changed, and not where they are not to be."""

import json
import re
import tomllib
from collections.abc import Mapping
from itertools import count
from typing import Any, cast

import pytest

from idp import audit
from idp.models import Client, db
from idp.protocol.vocabulary import TOKEN_EXCHANGE
from idp.services import known_apps
from idp.services.clients import SELF_REGISTERED
from idp.services.group_list import CHOICE
from idp.services.groups import named
from idp.services.known_apps import KnownApp
from tests.helpers.clock import FakeClock
from tests.helpers.house import House
from tests.helpers.relying_party import RelyingParty
from tests.helpers.user_agent import Page, UserAgent
from tests.web.admin.people import signed_in_as
from tests.web.walking import enter, events, newcomer, press

_NUMBERS = count(1)


@pytest.fixture(scope="module")
def admin(town: House) -> UserAgent:
    return signed_in_as(town, "administrator")


@pytest.fixture
def shop(town: House) -> RelyingParty:
    return town.client(client_name=f"Shop {next(_NUMBERS)}", consent="never")


def members(house: House, client_id: str) -> Mapping[str, Any]:
    def read(_services: object) -> Mapping[str, Any]:
        row = db.session.get(Client, client_id, populate_existing=True)
        return {} if row is None else {**row.registration, "managed_by": row.managed_by}

    found: Mapping[str, Any] = house.do(read)
    return found


def group(house: House, name: str) -> None:
    def make(_services: object) -> None:
        named([name])
        db.session.commit()

    house.do(make)


def send(agent: UserAgent, page: Page, path: str, **values: str) -> Page:
    place = agent.submit(page, page.form(path), values)
    assert isinstance(place, Page)
    return place


def register(agent: UserAgent, kind: str = "web", **values: str) -> Page:
    page = agent.page(f"/admin/clients/new/{kind}")
    return send(agent, page, f"/new/{kind}", **values)


def id_on(page: Page) -> str:
    found = re.fullmatch(r"/admin/clients/([^/]+)/connect", page.path)
    assert found, page.path
    return found[1]


WEB = {
    "client_name": "Wiki",
    "redirect_uris": "https://wiki.example/callback",
    "who": "everyone",
}


def test_a_web_application_is_registered_and_works(town: House, admin: UserAgent) -> None:
    page = register(admin, **WEB)
    client_id, text = id_on(page), page.document.text
    secret = re.search(r"OIDC_CLIENT_SECRET=(\S+)", text)
    assert secret
    assert members(town, client_id)["managed_by"] == "console"
    wiki = RelyingParty(
        town.settings.issuer,
        client_id,
        WEB["redirect_uris"],
        client_secret=secret[1],
        http=town.http(),
        clock=town.clock,
    )
    answer = wiki.post("/oauth/token", {"grant_type": "refresh_token", "refresh_token": "none"})
    assert answer.json()["error"] == "invalid_grant"  # it is let in


def test_every_redirect_address_can_be_copied(town: House, admin: UserAgent) -> None:
    uris = ["https://shop.example/a", "https://shop.example/b"]
    shop = town.client(redirect_uris=uris)
    markup = admin.page(f"/admin/clients/{shop.client_id}/connect").response.text
    for number, uri in enumerate(uris, 1):
        assert f'<code id="redirect-{number}">{uri}</code>' in markup
        assert f'data-copy="redirect-{number}"' in markup
        assert f'aria-label="Copy the redirect address {uri}"' in markup


def test_it_begins_with_nobody_and_says_so_until_somebody_is_chosen(
    town: House, admin: UserAgent
) -> None:
    page = register(admin, client_name="Diary", redirect_uris="https://diary.example/callback")
    client_id = id_on(page)
    assert members(town, client_id)["admits"] == "nobody"
    for tab in ("/connect", "", "/test"):
        shown = admin.page(f"/admin/clients/{client_id}{tab}").document
        assert "Nobody may sign in to it yet. Choose who may sign in" in shown.text, tab
    assert "Nobody may sign in yet" in admin.page("/admin/clients?q=diary").document.text
    access = admin.page(f"/admin/clients/{client_id}/access")
    assert access.form("/access").fields["who"] == "nobody"
    send(admin, access, "/access", who="everyone")
    assert {"admits", "allowed_groups"}.isdisjoint(members(town, client_id))
    assert "Nobody may" not in admin.page(f"/admin/clients/{client_id}").document.text
    send(admin, admin.page(access.path), "/access", who="nobody")
    assert members(town, client_id)["admits"] == "nobody"


def test_groups_are_neither_dropped_nor_forgotten_in_silence(
    town: House, admin: UserAgent, shop: RelyingParty
) -> None:
    group(town, "Staff")
    path = f"/admin/clients/{shop.client_id}/access"
    refused = send(admin, admin.page(path), "/access", allowed_groups="Staff")
    assert refused.status == 422
    assert "You named groups" in refused.document.text
    send(admin, admin.page(path), "/access", who="groups", allowed_groups="Staff")
    assert members(town, shop.client_id)["allowed_groups"] == ["Staff"]
    for typed in ({}, {"allowed_groups": ""}):  # without the script, and with it
        send(admin, admin.page(path), "/access", who="nobody", **typed)
        shut = members(town, shop.client_id)
        assert (shut["admits"], shut["allowed_groups"]) == ("nobody", ["Staff"])
    send(admin, admin.page(path), "/access", who="everyone")
    assert "allowed_groups" not in members(town, shop.client_id)


def test_a_secret_is_shown_until_it_is_stored_and_never_again(admin: UserAgent) -> None:
    page = register(admin, **WEB)
    assert "I’ve stored it" in page.document.text
    assert "I’ve stored it" in admin.page(page.path).document.text
    after = send(admin, page, "/stored")
    assert "I’ve stored it" not in after.document.text
    assert "OIDC_CLIENT_SECRET=<the client secret>" in after.document.text


def test_secrets_of_several_wait_side_by_side_until_each_is_stored(admin: UserAgent) -> None:
    first, *_between, last = [register(admin, **WEB) for _number in range(5)]
    secret = secret_on(first)
    assert secret_on(admin.page(first.path)) == secret
    send(admin, admin.page(last.path), "/stored")
    assert secret_on(admin.page(first.path)) == secret
    register(admin, **WEB)
    register(admin, **WEB)
    assert "I’ve stored it" not in admin.page(first.path).document.text, "the cookie holds five"


def test_a_secret_is_shown_as_long_as_its_page_says(town: House) -> None:
    node = House(str(town.settings.database_url), FakeClock(town.clock()))
    agent = signed_in_as(node, "administrator")
    page = register(agent, **WEB)
    assert "It is shown for ten minutes" in page.document.text
    for minutes, shown in ((9, True), (2, False)):
        node.clock.advance(minutes=minutes)
        assert ("I’ve stored it" in agent.page(page.path).document.text) == shown


def secret_on(page: Page) -> str:
    found = re.search(r"OIDC_CLIENT_SECRET=(\S+)", page.document.text)
    assert found
    return found[1]


def test_a_shown_secret_is_nobody_elses_to_see(town: House, admin: UserAgent) -> None:
    page = register(admin, **WEB)
    assert "I’ve stored it" in page.document.text
    other = signed_in_as(town, "administrator").page(page.path)
    assert "I’ve stored it" not in other.document.text


KINDS: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "browser": (WEB, {"token_endpoint_auth_method": "none", "application_type": "web"}),
    "native": (
        {"client_name": "Phone", "redirect_uris": "com.example.app:/callback"},
        {"token_endpoint_auth_method": "none", "application_type": "native"},
    ),
    "device": (
        {"client_name": "TV"},
        {"token_endpoint_auth_method": "none", "response_types": []},
    ),
    "machine": (
        {"client_name": "Robot"},
        {"grant_types": ["client_credentials"], "response_types": []},
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_becomes_what_it_says(town: House, admin: UserAgent, kind: str) -> None:
    values, expected = KINDS[kind]
    registered = members(town, id_on(register(admin, kind, **values)))
    assert {name: registered.get(name, []) for name in expected} == expected


def test_a_known_application_is_found_by_its_name_or_what_it_is_for(admin: UserAgent) -> None:
    page = admin.page("/admin/clients/new")
    found = admin.submit(page, page.form("/clients/new"), {"q": "graf"})
    assert isinstance(found, Page)
    assert "1 known app" in found.document.text
    assert found.link("Grafana").endswith("/admin/clients/new/web?app=grafana")
    photos = admin.page("/admin/clients/new?q=photos").document.text
    assert "1 known app Immich" in photos
    assert "None is called so" in admin.page("/admin/clients/new?q=nothing+such").document.text


def test_a_known_application_needs_but_its_address(town: House, admin: UserAgent) -> None:
    page = admin.page("/admin/clients/new/web?app=grafana")
    assert "It may ask for: openid profile email groups" in page.document.text
    connect = send(admin, page, "/new/web", address="grafana.example.com/", who="everyone")
    registered = members(town, id_on(connect))
    assert registered["client_name"] == "Grafana"
    assert registered["redirect_uris"] == ["https://grafana.example.com/login/generic_oauth"]
    assert registered["client_uri"] == "https://grafana.example.com"
    assert registered["scope"] == "openid profile email groups"
    assert "Step 3 of 3" in connect.document.text
    send(admin, connect, "/stored")
    later = admin.page(connect.path).document.text
    assert "Step 3 of 3" not in later
    assert "The documentation of Grafana" in later
    assert 'OIDC_SCOPES="openid profile email groups"' in later


def test_what_registered_itself_cannot_pass_for_a_known_application(
    town: House, admin: UserAgent
) -> None:
    shop = town.client(software_id="known:grafana")
    path = f"/admin/clients/{shop.client_id}/connect"
    assert "The documentation of Grafana" in admin.page(path).document.text

    def let_go(_services: object) -> None:
        row = db.session.get_one(Client, shop.client_id)
        row.managed_by = SELF_REGISTERED
        db.session.commit()

    town.do(let_go)
    assert "The documentation of Grafana" not in admin.page(path).document.text


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "javascript://wiki.example/%0aalert(1)",
        "data:text/html,hello",
        "https://wiki.example@evil.example",
        "https://wiki.example\nhttps://evil.example",
        "https://*.example",
    ],
)
def test_it_is_nowhere_that_an_address_could_not_lead(admin: UserAgent, address: str) -> None:
    page = admin.page("/admin/clients/new/web?app=grafana")
    refused = send(admin, page, "/new/web", address=address, who="everyone")
    assert refused.status == 422
    assert re.findall(r'id="(\w+)-error"', refused.response.text) == ["address"]
    again = send(admin, refused, "/new/web", address="https://graphs.example")
    assert again.path.endswith("/connect"), "its redirect addresses follow from the new one"


def test_where_it_is_is_asked_for_where_nothing_is_given(admin: UserAgent) -> None:
    page = admin.page("/admin/clients/new/web?app=grafana")
    refused = send(admin, page, "/new/web")
    assert refused.status == 422
    assert re.findall(r'id="(\w+)-error"', refused.response.text) == ["address"]
    assert "Type where it is: its redirect addresses follow from that." in refused.document.text
    typed = {"redirect_uris": "https://wiki.example/callback"}
    assert send(admin, refused, "/new/web", **typed).path.endswith("/connect"), "without its home"
    wrong = {"redirect_uris": "http://wiki.example/callback", "address": "wiki.example"}
    refused = send(admin, page, "/new/web", **wrong)
    assert re.findall(r'id="(\w+)-error"', refused.response.text) == ["redirect_uris"]


SELF = {"off": [], "initial_token": ["and a registration token"], "open": ["nothing is to be done"]}


@pytest.mark.parametrize("registration", SELF)
def test_dynamic_registration_is_named_where_it_is_on(town: House, registration: str) -> None:
    node = House(str(town.settings.database_url), town.clock, client_registration=registration)
    agent = signed_in_as(node, "administrator")
    text = agent.page("/admin/clients/new").document.text
    assert ("Registers itself" in text) == bool(SELF[registration])
    for words in SELF[registration]:
        assert words in text
        assert f"{town.settings.issuer}/oauth/register" in text


@pytest.mark.parametrize("app", known_apps.every(), ids=lambda app: app.key)
def test_every_known_application_can_be_registered(
    town: House, admin: UserAgent, app: KnownApp
) -> None:
    path = f"/admin/clients/new/{app.preset}?app={app.key}"
    page = send(admin, admin.page(path), "/new/web", address=f"https://{app.key}.example")
    registered = members(town, id_on(page))
    assert registered["redirect_uris"] == app.addresses(f"https://{app.key}.example")
    assert registered["require_pkce"] == app.require_pkce
    assert registered["admits"] == "nobody"


REFUSED = {
    "no name": ({**WEB, "client_name": ""}, "The name is what people know it by"),
    "http": (
        {**WEB, "redirect_uris": "http://wiki.example/callback"},
        "Address 1 must start with https://",
    ),
    "a fragment": (
        {**WEB, "redirect_uris": "https://wiki.example/callback#x"},
        "Address 1 must not have a # part",
    ),
    "a wildcard": (
        {**WEB, "redirect_uris": "https://ok.example/callback\nhttps://wiki.example/*"},
        "Address 2 must not hold a *",
    ),
    "no group": ({**WEB, "who": "groups"}, "needs a group"),
    "a group beside everyone": ({**WEB, "allowed_groups": "Staff"}, "You named groups: choose"),
    "a group that there is not": (
        {**WEB, "who": "groups", "allowed_groups": "Nobodies"},
        "there is no group Nobodies",
    ),
}


@pytest.mark.parametrize(("values", "told"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_named_and_what_was_typed_is_kept(
    admin: UserAgent, values: dict[str, str], told: str
) -> None:
    page = register(admin, **values)
    assert page.status == 422
    assert told in page.document.text
    form = page.form("/new/web")
    kept = {name: form.inputs[name] for name in values if name in form.inputs}
    assert kept
    assert dict(form.fields)["redirect_uris"].split() == values["redirect_uris"].split()


def test_all_that_is_wrong_is_told_at_once(admin: UserAgent) -> None:
    page = register(admin, client_name="", redirect_uris="http://x.example/*", who="groups")
    for told in ("The name is", "Address 1 must not hold", "needs a group"):
        assert told in page.document.text


def test_what_is_wrong_is_told_in_the_order_of_the_fields(admin: UserAgent) -> None:
    page = register(
        admin, client_name="", redirect_uris="nonsense\nhttp://x.example/", logo_uri="x"
    )
    links = re.findall(r'<li><a href="#(\w+)"', page.response.text)
    assert links == ["client_name", "redirect_uris", "redirect_uris", "logo_uri"]
    assert re.search(r"https://host/path\.<br>Address 2 must start", page.response.text)


def test_a_slip_is_saved_and_said(admin: UserAgent) -> None:
    page = register(admin, **{**WEB, "redirect_uris": "https://wiki.example/"})
    assert "Address 1 looks like a homepage" in page.document.text
    (said,) = re.findall(r'<p class="notice warn"[^>]*>([^<]*)', page.response.text)
    assert "looks like a homepage" in said


def test_addresses_are_judged_while_they_are_typed(admin: UserAgent) -> None:
    asked = {"uri": ["https://a.example/cb", "https://a.example/cb/", "x", "https://a.example/cb"]}
    notes = admin.client.get("/admin/clients/check", params=asked).json()["notes"]
    assert [note["blocks"] for note in notes] == [False, True, False]
    assert "Address 4 is there already." in notes[2]["message"]


def test_only_fields_of_the_form_are_ever_set(town: House, admin: UserAgent) -> None:
    page = admin.page("/admin/clients/new/browser")
    data = {
        **dict(page.form("/new/browser").fields),
        **WEB,
        "token_endpoint_auth_method": "client_secret_post",
        "owner_groups": "x",
        "managed_by": "file",
    }
    response = admin.client.post(page.path, data=data, headers={"Origin": "null"})
    client_id = response.headers["Location"].split("/")[-2]
    registered = members(town, client_id)
    assert registered["token_endpoint_auth_method"] == "none"
    assert registered["managed_by"] == "console"
    assert "owner_groups" not in registered


@pytest.mark.parametrize("words", ["name", "id", "host"])
def test_the_list_finds_by_name_id_and_host(town: House, admin: UserAgent, words: str) -> None:
    host = f"needle{next(_NUMBERS)}.example"
    found = town.client(client_name=f"Haystack {host[:8]}", redirect_uris=[f"https://{host}/cb"])
    other = town.client(client_name="Another")
    wanted = {"name": f"HAYSTACK {host[:8]}", "id": found.client_id, "host": host}[words]
    text = admin.page(f"/admin/clients?q={wanted}").document.text
    assert found.client_id in text
    assert other.client_id not in text


def test_the_list_goes_on_page_by_page_and_leaves_none_out(town: House, admin: UserAgent) -> None:
    made = {town.client(client_name="Paged all alike").client_id for _ in range(30)}
    first = admin.page("/admin/clients?q=Paged all alike")
    second = admin.page(first.link("Next page"))
    on = [{one for one in made if one in page.document.text} for page in (first, second)]
    assert (len(on[0]), len(on[1])) == (25, 5)
    assert on[0] | on[1] == made


def test_health_is_told_in_words(town: House, admin: UserAgent, shop: RelyingParty) -> None:
    def told() -> str:
        return admin.page(f"/admin/clients/{shop.client_id}").document.text

    assert "No sign-in yet" in told()
    admin.get(shop.authorization_url())
    assert "Working" in told()
    for _ in range(2):
        admin.get(shop.authorization_url(redirect_uri="https://shop.example/other"))
    assert "2 failures in 24 hours It sent a redirect address not known here" in told()


MACHINE = {"grant_types": ["client_credentials"], "admits": "nobody", "consent": "never"}


def without_redirects(house: House, **members: Any) -> str:
    def register(_services: object) -> str:
        wanted = {"client_name": f"Engine {next(_NUMBERS)}", **members}
        return house.services.client_registry.register(wanted, house.context).client_id

    made: str = house.do(register)
    return made


NOBODYS = {
    "a machine": (MACHINE, "Machine to machine"),
    "an API": ({**MACHINE, "grant_types": []}, "API"),
}


@pytest.mark.parametrize(("registered", "kind"), NOBODYS.values(), ids=NOBODYS)
def test_where_nobody_signs_in_nothing_is_said_about_it(
    town: House, admin: UserAgent, registered: dict[str, Any], kind: str
) -> None:
    client_id = without_redirects(town, **registered)
    page = f"/admin/clients/{client_id}"
    for path in (page, f"/admin/clients?q={client_id}"):
        text = admin.page(path).document.text
        assert kind in text
        assert "No failures in 24 hours" in text
        for wrong in ("No sign-in yet", "Never", "Nobody may sign in"):
            assert wrong not in text, path
    access = admin.page(f"{page}/access")
    assert {"who", "minimum_acr", "consent"}.isdisjoint(access.form("/access").inputs)
    group(town, "Keepers")
    send(admin, access, "/access", owner_groups="Keepers")
    kept = members(town, client_id)
    said = [kept[name] for name in ("owner_groups", "admits", "consent")]
    assert said == [["Keepers"], "nobody", "never"]


def test_who_acts_for_people_who_signed_in_elsewhere_waits_for_a_choice(
    town: House, admin: UserAgent
) -> None:
    client_id = without_redirects(town, **{**MACHINE, "grant_types": [TOKEN_EXCHANGE]})
    access = admin.page(f"/admin/clients/{client_id}/access")
    assert access.form("/access").fields["who"] == "nobody"


def test_why_people_do_not_come_in_is_told_apart(town: House, admin: UserAgent) -> None:
    shut = town.client(client_name="Shut", admits="nobody")
    chosen = town.client(client_name="Chosen", allowed_groups=["Staff"], consent="never")
    asks = town.client(client_name="Asks")
    alice = newcomer(town)

    def told(party: RelyingParty) -> str:
        return admin.page(f"/admin/clients/{party.client_id}").document.text

    def log(party: RelyingParty) -> str:
        return admin.page(f"/admin/audit?client={party.client_id}").document.text

    def tries(party: RelyingParty) -> tuple[UserAgent, Page]:
        agent = town.browser()
        return agent, cast("Page", enter(agent, agent.page(party.authorization_url()), alice))

    agent, page = tries(asks)
    press(agent, page, "/consent", "Cancel")
    assert "failure" not in told(asks), "what people are free to do is no failure"
    assert f"{alice.email} did not allow Asks what it asked for." in log(asks)
    tries(chosen)
    assert "1 failure in 24 hours People are in no allowed group" in told(chosen)
    assert f"{alice.email} was not let in to Chosen, which is for other groups." in log(chosen)
    tries(shut)
    open_to_all(town, shut)
    assert "1 failure in 24 hours People tried while nobody may sign in" in told(shut)
    assert f"{alice.email} was not let in to Shut: nobody may sign in to it yet." in log(shut)


def open_to_all(town: House, party: RelyingParty) -> None:
    def change(_services: object) -> None:
        row = db.session.get_one(Client, party.client_id)
        row.registration = {k: v for k, v in row.registration.items() if k != "admits"}
        db.session.commit()

    town.do(change)


def test_details_change_what_they_name_alone(
    town: House, admin: UserAgent, shop: RelyingParty
) -> None:
    page = admin.page(f"/admin/clients/{shop.client_id}/details")
    before = members(town, shop.client_id)
    page = send(admin, page, "/details", client_name="Renamed")
    assert "Saved." in page.document.text
    assert members(town, shop.client_id) == {**before, "client_name": "Renamed"}
    changed = events(town, event="client.changed", client_id=shop.client_id)[0]
    assert changed.data["before"] == {"client_name": before["client_name"]}
    assert changed.data["after"] == {"client_name": "Renamed"}
    assert changed.actor_id


def test_access_sets_a_floor(town: House, admin: UserAgent, shop: RelyingParty) -> None:
    group(town, "Staff")
    page = admin.page(f"/admin/clients/{shop.client_id}/access")
    given = {
        "minimum_acr": "phr",
        "max_auth_age": "600",
        "allowed_groups": "Staff",
        "owner_groups": "Staff",
    }
    send(admin, page, "/access", who="groups", **given)
    registered = members(town, shop.client_id)
    expected = {**given, "max_auth_age": 600, "allowed_groups": ["Staff"]}
    assert {**registered, **expected, "owner_groups": ["Staff"]} == registered
    again = send(admin, admin.page(page.path), "/access", max_auth_age="soon")
    assert again.status == 422
    assert "The oldest sign-in" in again.document.text


def test_groups_and_claims_are_told_as_the_form_says(
    town: House, admin: UserAgent, shop: RelyingParty
) -> None:
    group(town, "Staff")
    path = f"/admin/clients/{shop.client_id}/claims"
    chosen = {"told_groups": "Staff", "map-preferred_username": "email_local_part"}
    assert "Saved." in send(admin, admin.page(path), "/claims", **chosen).document.text
    registered = members(town, shop.client_id)
    assert registered["told_groups"] == ["Staff"]
    assert registered["claim_mapping"] == {"preferred_username": "email_local_part"}
    refused = send(admin, admin.page(path), "/claims", told_groups="Nobodies")
    assert refused.status == 422
    assert "there is no group Nobodies" in refused.document.text
    chosen = {"told_groups": "", "map-preferred_username": ""}
    send(admin, admin.page(path), "/claims", **chosen)
    assert not {"told_groups", "claim_mapping"} & members(town, shop.client_id).keys()


def test_the_whole_registration_as_json_is_held_to_the_rules(
    town: House, admin: UserAgent, shop: RelyingParty
) -> None:
    path = f"/admin/clients/{shop.client_id}/registration"
    page = admin.page(path)
    text = dict(page.form("/registration").fields)["registration"]
    wanted = {**json.loads(text), "access_token_format": "opaque"}
    send(admin, page, "/registration", registration=json.dumps(wanted))
    assert members(town, shop.client_id)["access_token_format"] == "opaque"
    for wrong, told in (
        ("{", "This is not JSON"),
        ("[]", "one JSON object"),
        (json.dumps({**wanted, "nonsense": 1}), "nonsense is not a member"),
    ):
        refused = send(admin, admin.page(path), "/registration", registration=wrong)
        assert refused.status == 422
        assert told in refused.document.text
        assert wrong in refused.document.text


def test_a_secret_is_rotated_while_the_old_one_still_works(town: House, admin: UserAgent) -> None:
    shop = town.client(grant_types=["authorization_code", "refresh_token"])
    path = f"/admin/clients/{shop.client_id}/secrets"
    page = send(admin, admin.page(path), "/secrets/rotate", overlap="day")
    assert "A new secret was made" in page.document.text
    assert page.document.text.count("…") >= 2
    asked = {"grant_type": "refresh_token", "refresh_token": "none"}
    assert shop.post("/oauth/token", asked).json()["error"] == "invalid_grant"
    page = send(admin, page, "/stored")
    page = send(admin, admin.page(path), "/secrets/rotate", overlap="now")
    assert shop.post("/oauth/token", asked).json()["error"] == "invalid_client"
    count_before = len([f for f in page.document.forms if f.action.endswith("/remove")])
    page = send(admin, page, "/remove")
    assert len([f for f in page.document.forms if f.action.endswith("/remove")]) < count_before


def test_a_public_application_has_no_secrets(town: House, admin: UserAgent) -> None:
    public = town.client(token_endpoint_auth_method="none")
    assert admin.page(f"/admin/clients/{public.client_id}/secrets").status == 404


def test_disabled_enabled_deleted(town: House, admin: UserAgent, shop: RelyingParty) -> None:
    path = f"/admin/clients/{shop.client_id}/danger"
    page = send(admin, admin.page(path), "/disable")
    assert "Disabled" in page.document.text
    page = send(admin, page, "/enable")
    wrong = send(admin, page, "/delete", name="something else")
    assert wrong.status == 422
    name = members(town, shop.client_id)["client_name"]
    page = send(admin, wrong, "/delete", name=name)
    assert f"{name} was deleted." in page.document.text
    assert members(town, shop.client_id) == {}


def test_what_is_exported_is_a_file_without_a_secret(admin: UserAgent, shop: RelyingParty) -> None:
    response = admin.client.get(f"/admin/clients/{shop.client_id}/client.toml")
    read = tomllib.loads(response.text)
    assert read["client_id"] == shop.client_id
    assert read["client_secret"] == {"generate": True}


def test_what_a_file_keeps_is_not_edited_here(
    town: House, admin: UserAgent, shop: RelyingParty
) -> None:
    paths = ("details", "access", "registration", "delete")
    pages = {one: admin.page(f"/admin/clients/{shop.client_id}/{_page_of(one)}") for one in paths}

    def hand_over(_services: object) -> None:
        db.session.get_one(Client, shop.client_id).managed_by = "file"
        db.session.commit()

    town.do(hand_over)
    before = members(town, shop.client_id)
    for one, page in pages.items():
        answer = send(admin, page, f"/{one}")
        assert answer.status == 422, one
        assert "A file keeps this application" in answer.document.text
    assert members(town, shop.client_id) == before
    shown = admin.page(f"/admin/clients/{shop.client_id}/details")
    assert "Save" not in [button.label for form in shown.document.forms for button in form.buttons]


def _page_of(one: str) -> str:
    return "danger" if one == "delete" else one


TABS = ("", "/connect", "/details", "/access", "/secrets", "/activity", "/danger", "/test")


@pytest.mark.parametrize("role", ["client_manager", "auditor", "administrator"])
def test_what_groups_own_is_for_their_client_managers_alone(town: House, role: str) -> None:
    group(town, "Keepers")
    mine = town.client(client_name="Owned", owner_groups=["Keepers"])
    agent = signed_in_as(town, role)
    expected = 404 if role == "client_manager" else 200
    found = {tab: agent.page(f"/admin/clients/{mine.client_id}{tab}").status for tab in TABS}
    assert set(found.values()) == {expected}, found
    in_list = mine.client_id in agent.page("/admin/clients?q=Owned").document.text
    assert in_list is (expected == 200)


def test_a_member_of_the_owners_keeps_it_and_cannot_give_it_away(town: House) -> None:
    mine = town.client(client_name="Kept", owner_groups=["Keepers"])
    agent = signed_in_as(town, "client_manager", groups=["Keepers"])
    path = f"/admin/clients/{mine.client_id}"
    assert agent.page(path).status == 200
    page = agent.page(f"{path}/registration")
    text = json.loads(dict(page.form("/registration").fields)["registration"])
    text.pop("owner_groups")
    refused = send(agent, page, "/registration", registration=json.dumps(text))
    assert refused.status == 422
    assert "for an administrator to change" in refused.document.text
    assert "owner_groups" not in agent.page(f"{path}/access").form("/access").inputs


def test_what_happened_is_told_in_sentences(
    town: House, admin: UserAgent, shop: RelyingParty
) -> None:
    seldom = {
        "login.totp.throttled": "Somebody tried too often on the way to it.",
        "logout.flawed": "It asked to sign somebody out, in a way that proves nothing.",
        "logout.notice.failed": "It could not be told that somebody had signed out.",
        "token.repeated": "It renewed its access twice at once.",
    }
    with town.app.app_context():
        for name in seldom:
            audit.record(name, town.context, client_id=shop.client_id)
        db.session.commit()
    text = admin.page(f"/admin/clients/{shop.client_id}/activity").document.text
    for told in ("It was registered.", *seldom.values()):
        assert told in text


def test_groups_are_chosen_where_they_are_few_enough(
    town: House, admin: UserAgent, shop: RelyingParty
) -> None:
    group(town, "Choir")
    group(town, "Staff")
    path = f"/admin/clients/{shop.client_id}/access"
    box = '<input type="checkbox" id="group-{}" name="allowed_groups" value="Choir"'
    for page in (admin.page(path), admin.page("/admin/clients/new/web")):
        assert re.search(box.format(r"\d+"), page.response.text)
        assert "One per line, as they are called" not in page.document.text
    chosen = {**admin.page(path).form("/access").fields, "who": "groups"}
    answer = admin.client.post(
        path,
        data={**chosen, "allowed_groups": ["Choir", "Staff"]},
        headers={"Origin": admin.home},
    )
    assert answer.status_code == 303
    assert members(town, shop.client_id)["allowed_groups"] == ["Choir", "Staff"]
    shown = admin.page(path).response.text
    assert len(re.findall(r'name="allowed_groups" value="\w+" checked', shown)) == 2
    for number in range(CHOICE):
        group(town, f"Team {number}")
    assert "One per line, as they are called under Groups." in admin.page(path).document.text
