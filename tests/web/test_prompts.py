"""Which questions a request leads to: ``prompt``, hints, consent, groups."""

import json

import pytest

from tests.helpers.house import House, Person
from tests.helpers.relying_party import RelyingParty
from tests.helpers.sign_in import totp
from tests.helpers.user_agent import Departure
from tests.web.walking import (
    enter,
    events,
    gone,
    newcomer,
    press,
    sessions_of,
    shown,
    signed_in,
    silently,
    stops,
    tokens_of,
    told,
    user_of,
)


@pytest.fixture
def alice(town: House) -> Person:
    return newcomer(town)


@pytest.fixture
def bob(town: House) -> Person:
    return newcomer(town)


@pytest.fixture(scope="module")
def shop(town: House) -> RelyingParty:
    return town.client(scope="openid profile email groups")


NOBODY = [
    ("nothing", None, ["password", "consent"]),
    ("login", "login", ["password", "consent"]),
    ("consent", "consent", ["password", "consent"]),
    ("select_account", "select_account", ["password", "consent"]),
    ("everything", "login consent select_account", ["password", "consent"]),
]


@pytest.mark.parametrize(
    ("prompt", "expected"), [pytest.param(prompt, asked, id=name) for name, prompt, asked in NOBODY]
)
def test_with_nobody_signed_in(
    town: House, shop: RelyingParty, alice: Person, prompt: str | None, expected: list[str]
) -> None:
    asked, departure = stops(town.browser(), shop.authorization_url(prompt=prompt), alice)
    assert asked == expected
    assert shop.finish(departure).claims["sub"] == alice.id


SIGNED_IN = [
    ("nothing", None, []),
    ("none", "none", []),
    ("login", "login", ["password"]),
    ("consent", "consent", ["consent"]),
    ("select_account", "select_account", ["account"]),
    ("login and consent", "login consent", ["password", "consent"]),
    ("login and select_account", "login select_account", ["account", "password"]),
    ("consent and select_account", "select_account consent", ["account", "consent"]),
    ("everything", "consent login select_account", ["account", "password", "consent"]),
    ("login twice", "login login", ["password"]),
]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [pytest.param(prompt, asked, id=name) for name, prompt, asked in SIGNED_IN],
)
def test_with_somebody_signed_in_who_has_consented(
    town: House, shop: RelyingParty, alice: Person, prompt: str | None, expected: list[str]
) -> None:
    agent = signed_in(town, shop, alice)
    first = int(town.clock().timestamp())
    now = int(town.clock.advance(minutes=5).timestamp())
    asked, departure = stops(agent, shop.authorization_url(prompt=prompt), alice)
    assert asked == expected
    claims = shop.finish(departure).claims
    assert claims["sub"] == alice.id
    assert claims["auth_time"] == (now if "password" in expected else first)


def test_choosing_oneself_proves_nothing(town: House, shop: RelyingParty, alice: Person) -> None:
    agent = signed_in(town, shop, alice)
    before = tokens_of(agent, shop).claims
    town.clock.advance(hours=1)
    asked, departure = stops(agent, shop.authorization_url(prompt="select_account"), alice)
    after = shop.finish(departure).claims
    assert asked == ["account"]
    for name in ("auth_time", "amr", "acr", "sid"):
        assert after[name] == before[name]


def test_another_account_may_be_chosen_and_ends_the_session_it_replaces(
    town: House, shop: RelyingParty, alice: Person, bob: Person
) -> None:
    agent = signed_in(town, shop, alice)
    url = shop.authorization_url(prompt="select_account")
    asked, departure = stops(agent, url, bob, account="other")
    assert asked == ["account", "password", "consent"]
    assert shop.finish(departure).claims["sub"] == bob.id
    (hers,) = sessions_of(town, alice)
    (his,) = sessions_of(town, bob)
    assert (hers.ended_at is None, his.ended_at is None) == (False, True)


def test_a_chooser_alone_replaces_nobody(town: House, shop: RelyingParty, alice: Person) -> None:
    agent = signed_in(town, shop, alice)
    page = agent.page(shop.authorization_url(prompt="select_account"))
    shown(press(agent, page, "/account", "Use another account"))
    (hers,) = sessions_of(town, alice)
    assert hers.ended_at is None
    assert tokens_of(agent, shop).claims["sub"] == alice.id


# prompt=none


def test_none_with_nobody_signed_in(town: House, shop: RelyingParty) -> None:
    assert silently(town.browser(), shop) == "login_required"


def test_none_without_consent(town: House, shop: RelyingParty, alice: Person) -> None:
    agent = signed_in(town, shop, alice)
    assert silently(agent, shop) == ""
    assert silently(agent, shop, scope="openid email") == "consent_required"
    assert silently(agent, town.client()) == "consent_required"
    assert silently(agent, town.client(consent="never")) == ""
    assert silently(agent, town.client(consent="always")) == "consent_required"


AGES = [
    ("no max_age", None, ""),
    ("a max_age of zero", 0, "login_required"),
    ("an hour less a second", 3599, "login_required"),
    ("an hour", 3600, ""),
    ("a day", 86400, ""),
]


@pytest.mark.parametrize(
    ("max_age", "error"), [pytest.param(age, error, id=name) for name, age, error in AGES]
)
def test_none_an_hour_after_the_sign_in(
    town: House, shop: RelyingParty, alice: Person, max_age: int | None, error: str
) -> None:
    agent = signed_in(town, shop, alice)
    town.clock.advance(hours=1)
    assert silently(agent, shop, max_age=max_age) == error


def essential(*values: str) -> str:
    return json.dumps({"id_token": {"acr": {"essential": True, "values": values}}})


REQUIREMENTS = [
    ("what was shown", {"acr_values": "urn:idp:acr:1fa"}, ""),
    ("more than was shown", {"acr_values": "urn:idp:acr:mfa"}, "interaction_required"),
    ("more or else what was shown", {"acr_values": "urn:idp:acr:mfa urn:idp:acr:1fa"}, ""),
    ("a passkey", {"acr_values": "phr"}, "interaction_required"),
    ("an essential mfa", {"claims": essential("urn:idp:acr:mfa")}, "interaction_required"),
    ("what cannot be set up here", {"acr_values": "phrh"}, "unmet_authentication_requirements"),
    (
        "what nobody knows",
        {"acr_values": "urn:example:gold"},
        "unmet_authentication_requirements",
    ),
]


@pytest.mark.parametrize(
    ("changes", "error"),
    [pytest.param(changes, error, id=name) for name, changes, error in REQUIREMENTS],
)
def test_none_with_requirements_on_somebody_with_a_password(
    town: House, shop: RelyingParty, alice: Person, changes: dict[str, str], error: str
) -> None:
    agent = signed_in(town, shop, alice)
    assert silently(agent, shop, **changes) == error


def test_none_where_nothing_may_be_set_up_says_that_it_cannot_be_had(
    sqlite_url: str, town: House
) -> None:
    strict = House(sqlite_url, town.clock, enrol_in_step_up=False)
    alice, shop = newcomer(strict), strict.client()
    agent = signed_in(strict, shop, alice)
    assert silently(agent, shop) == ""
    unmet = "unmet_authentication_requirements"
    assert silently(agent, shop, acr_values="urn:idp:acr:mfa") == unmet


def test_none_is_content_with_less_where_it_is_only_a_wish(town: House, alice: Person) -> None:
    easy = town.client(acr_values_voluntary=True)
    agent = signed_in(town, easy, alice)
    assert silently(agent, easy, acr_values="phr") == ""


def test_none_when_the_same_proofs_are_too_old(town: House, shop: RelyingParty) -> None:
    alice = newcomer(town)
    seed = town.totp(alice)
    town.clock.advance(minutes=1)
    agent = signed_in(town, shop, alice, answers={"totp": totp(seed, town.clock)})
    town.clock.advance(hours=1)
    mfa = {"acr_values": "urn:idp:acr:mfa"}
    assert silently(agent, shop, **mfa) == ""
    assert silently(agent, shop, **mfa, max_age=60) == "login_required"


def test_none_for_another_person(
    town: House, shop: RelyingParty, alice: Person, bob: Person
) -> None:
    agent = signed_in(town, shop, alice)
    assert silently(agent, shop, login_hint=alice.email.upper()) == ""
    assert silently(agent, shop, login_hint=bob.email) == "account_selection_required"
    assert silently(agent, shop, login_hint="nobody@example.com") == "account_selection_required"


@pytest.mark.parametrize("consent", ["remember", "always"])
@pytest.mark.parametrize("hint", [None, "hers", "another"])
def test_none_does_not_tell_whose_address_it_is_to_whom_she_has_allowed_nothing(
    town: House, shop: RelyingParty, alice: Person, consent: str, hint: str | None
) -> None:
    agent = signed_in(town, shop, alice)
    town.clock.advance(minutes=5)
    address = {"hers": alice.email, "another": "elsewhere@example.com"}.get(hint or "")
    stranger = town.client(client_name="Stranger", consent=consent)
    told_to = told(agent.get(stranger.authorization_url(prompt="none", login_hint=address)))
    assert (told_to["error"], told_to["error_description"]) == (
        "consent_required",
        "The person has not allowed this yet.",
    )
    assert silently(agent, stranger, login_hint=address, max_age=0) == "login_required"
    assert silently(town.browser(), stranger, login_hint=address) == "login_required"


def test_none_tells_as_little_to_whom_she_has_allowed_less(
    town: House, shop: RelyingParty, alice: Person, bob: Person
) -> None:
    agent = signed_in(town, shop, alice, scope="openid")
    for scope, error in (
        ("openid", "account_selection_required"),
        ("openid email", "consent_required"),
    ):
        assert silently(agent, shop, scope=scope, login_hint=bob.email) == error


def test_none_with_an_id_token_as_hint(
    town: House, shop: RelyingParty, alice: Person, bob: Person
) -> None:
    agent = town.browser()
    hers = tokens_of(agent, shop, alice).id_token
    his = tokens_of(town.browser(), shop, bob).id_token
    assert silently(agent, shop, id_token_hint=hers) == ""
    assert silently(agent, shop, id_token_hint=his) == "login_required"
    assert silently(town.browser(), shop, id_token_hint=hers) == "login_required"


def test_none_with_a_subject_claimed(
    town: House, shop: RelyingParty, alice: Person, bob: Person
) -> None:
    agent = signed_in(town, shop, alice)

    def claimed(sub: str) -> str:
        return json.dumps({"id_token": {"sub": {"value": sub}}})

    assert silently(agent, shop, claims=claimed(alice.id)) == ""
    assert silently(agent, shop, claims=claimed(bob.id)) == "login_required"
    assert silently(agent, shop, claims=claimed("nobody")) == "login_required"


def test_none_never_begins_a_sign_in(town: House, shop: RelyingParty, alice: Person) -> None:
    agent = town.browser()
    silently(agent, shop)
    assert "idp_browser" not in agent.cookies


# Consent


def test_consent_is_remembered_for_what_was_allowed_and_asked_for_what_is_new(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = town.browser()
    narrow = shop.authorization_url(scope="openid profile")
    assert stops(agent, narrow, alice)[0] == ["password", "consent"]
    assert stops(agent, shop.authorization_url(scope="openid"), alice)[0] == []
    assert stops(agent, shop.authorization_url(scope="openid profile"), alice)[0] == []
    page = agent.page(shop.authorization_url(scope="openid profile email"))
    assert "Share more" in page.document.headings[0]
    new = page.document.text.partition("New this time")[2].partition("What you allowed")[0]
    assert ("email" in new, "name" in new) == (True, False)
    assert told(press(agent, page, "/consent", "Allow"))["code"]
    assert stops(agent, shop.authorization_url(scope="openid email"), alice)[0] == []


def test_consent_is_one_persons_and_one_clients(
    town: House, shop: RelyingParty, alice: Person, bob: Person
) -> None:
    signed_in(town, shop, alice)
    assert stops(town.browser(), shop.authorization_url(), bob)[0] == ["password", "consent"]
    other = town.client()
    assert stops(town.browser(), other.authorization_url(), alice)[0] == ["password", "consent"]


def test_a_consent_refused_is_told_and_not_remembered(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = town.browser()
    page = shown(enter(agent, agent.page(shop.authorization_url()), alice))
    parameters = told(press(agent, page, "/consent", "Cancel"))
    assert parameters["error"] == "access_denied"
    assert (parameters["iss"], parameters["state"] in shop.pending) == (shop.issuer, True)
    assert silently(agent, shop) == "consent_required"
    assert stops(agent, shop.authorization_url(), alice)[0] == ["consent"]


def test_a_client_that_always_asks_and_one_that_never_does(town: House, alice: Person) -> None:
    agent = town.browser()
    always, never = town.client(consent="always"), town.client(consent="never")
    assert stops(agent, always.authorization_url(), alice)[0] == ["password", "consent"]
    assert stops(agent, always.authorization_url(), alice)[0] == ["consent"]
    assert stops(agent, never.authorization_url(), alice)[0] == []


def test_consent_cannot_be_given_before_the_person_is_known(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = town.browser()
    page = agent.page(shop.authorization_url())
    form = page.form("/password")
    token = {"csrf_token": form.fields["csrf_token"], "decision": "allow"}
    consent = form.action.replace("/password", "/consent")
    response = agent.client.post(consent, data=token)
    assert "code=" not in response.headers.get("Location", "")
    asked, departure = stops(agent, page.url, alice)
    assert asked == ["password", "consent"]
    assert shop.finish(departure).claims["sub"] == alice.id


# Who may enter


def test_a_client_for_some_groups_lets_nobody_else_in(town: House) -> None:
    club = town.client(allowed_groups=["members"])
    member = newcomer(town, groups=["members", "others"])
    stranger = newcomer(town, groups=["others"])
    assert stops(town.browser(), club.authorization_url(), member)[0] == ["password", "consent"]
    agent = town.browser()
    asked, departure = stops(agent, club.authorization_url(), stranger)
    assert asked == ["password"]
    assert told(departure)["error"] == "access_denied"
    assert told(departure)["iss"] == club.issuer
    assert silently(agent, club) == "access_denied"
    assert told(agent.get(club.authorization_url()))["error"] == "access_denied"


def test_a_client_for_nobody_yet_says_who_can_change_that_and_leads_back(town: House) -> None:
    words = {"client_name": "Diary", "contacts": ["ada@example.com"], "consent": "never"}
    diary = town.client(admits="nobody", **words)
    agent, person = town.browser(), newcomer(town)
    page = shown(enter(agent, agent.page(diary.authorization_url()), person))
    assert page.status == 403
    assert "Nobody may sign in to Diary yet" in page.document.text
    assert "ada@example.com" in page.document.text
    assert "Choose who" not in page.document.text
    back = Departure(page.link("Return to Diary")).parameters
    assert (back["error"], back["iss"]) == ("access_denied", diary.issuer)
    assert "Nobody may sign in" in agent.page(diary.authorization_url()).document.text
    assert silently(agent, diary) == "access_denied"
    assert silently(agent, diary, login_hint="elsewhere@example.com") == "access_denied"


def test_the_way_back_from_there_is_the_one_that_was_asked_for(town: House) -> None:
    diary = town.client(admits="nobody", client_name="Diary", consent="never")
    agent = signed_in(town, town.client(), newcomer(town))
    place = agent.get(diary.authorization_url(response_mode="form_post"))
    assert (told(place)["error"], told(place)["iss"]) == ("access_denied", diary.issuer)
    sent = agent.client.get(diary.authorization_url(response_mode="form_post"))
    text = agent.client.get(sent.headers["Location"]).text
    assert "An administrator of" in text
    assert "data-send" not in text  # it waits to be read


def test_leaving_the_group_shuts_the_client_at_once(town: House) -> None:
    club = town.client(allowed_groups=["members"])
    member = newcomer(town, groups=["members"])
    agent = signed_in(town, club, member)
    assert silently(agent, club) == ""
    town.do(lambda idp: idp.accounts.update(user_of(idp, member), {"groups": []}, town.context))
    assert silently(agent, club) == "access_denied"


# Hints


def test_a_login_hint_fills_the_field_and_decides_nothing(
    town: House, shop: RelyingParty, alice: Person, bob: Person
) -> None:
    agent = town.browser()
    page = agent.page(shop.authorization_url(login_hint=bob.email))
    assert page.form("/password").fields["username"] == bob.email
    departure = told(press(agent, shown(enter(agent, page, alice)), "/consent", "Allow"))
    assert departure["code"]


def test_a_login_hint_for_another_asks_who_goes_on(
    town: House, shop: RelyingParty, alice: Person, bob: Person
) -> None:
    agent = signed_in(town, shop, alice)
    url = shop.authorization_url(login_hint=bob.email)
    page = agent.page(url)
    assert page.document.headings == [f"You are signed in as {alice.email}"]
    labels = [button.label for button in page.form("/account").buttons]
    assert labels == [f"Continue as {bob.email}", f"Stay as {alice.email}"]
    stay = press(agent, page, "/account", f"Stay as {alice.email}")
    assert shop.finish(gone(stay)).claims["sub"] == alice.id
    page = agent.page(shop.authorization_url(login_hint=bob.email))
    page = shown(press(agent, page, "/account", f"Continue as {bob.email}"))
    assert page.form("/password").fields["username"] == bob.email
    page = shown(enter(agent, page, bob))
    assert shop.finish(gone(press(agent, page, "/consent", "Allow"))).claims["sub"] == bob.id


def test_the_same_page_for_a_hint_that_nobody_is_called_by(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = signed_in(town, shop, alice)
    page = agent.page(shop.authorization_url(login_hint="nobody@example.com"))
    labels = [button.label for button in page.form("/account").buttons]
    assert labels == ["Continue as nobody@example.com", f"Stay as {alice.email}"]


def test_ones_own_address_as_a_hint_is_no_question(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = signed_in(town, shop, alice)
    assert stops(agent, shop.authorization_url(login_hint=alice.email.upper()), alice)[0] == []


def claimed(sub: str) -> str:
    return json.dumps({"id_token": {"sub": {"value": sub}}})


SUBJECT_BY = ["id_token_hint", "claims"]


@pytest.mark.parametrize("how", SUBJECT_BY)
def test_a_request_about_one_person_is_finished_by_nobody_else(
    town: House, shop: RelyingParty, alice: Person, bob: Person, how: str
) -> None:
    hint = tokens_of(town.browser(), shop, bob).id_token
    about_bob = {"id_token_hint": hint} if how == "id_token_hint" else {"claims": claimed(bob.id)}
    agent = signed_in(town, shop, alice)
    page = agent.page(shop.authorization_url(**about_bob))
    assert "another account than the application asked for" in page.document.text
    again = shown(enter(agent, page, alice))
    assert again.status == 422
    assert "another account" in again.document.text
    form = again.form("/password")
    body = {"csrf_token": form.fields["csrf_token"], "account": alice.id}
    response = agent.client.post(form.action.replace("/password", "/account"), data=body)
    assert response.status_code == 303
    again = agent.page(page.url)
    assert shop.finish(gone(enter(agent, again, bob))).claims["sub"] == bob.id


@pytest.mark.parametrize("how", SUBJECT_BY)
def test_the_page_gives_nothing_away_about_the_person_it_is_about(
    town: House, shop: RelyingParty, bob: Person, how: str
) -> None:
    hint = tokens_of(town.browser(), shop, bob).id_token
    town.totp(bob)
    about_bob = {"id_token_hint": hint} if how == "id_token_hint" else {"claims": claimed(bob.id)}
    page = town.browser().page(shop.authorization_url(**about_bob))
    assert bob.email not in page.response.text
    assert page.document.headings == ["Sign in to Shop"]
    assert "another account" not in page.document.text
    plain = town.browser().page(shop.authorization_url())
    assert [form.action.rpartition("/")[2] for form in page.document.forms] == [
        form.action.rpartition("/")[2] for form in plain.document.forms
    ]


def test_a_subject_who_does_not_exist_looks_like_any_other(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = town.browser()
    page = agent.page(shop.authorization_url(claims=claimed("nobody-at-all")))
    assert page.document.headings == ["Sign in to Shop"]
    assert "another account" in shown(enter(agent, page, alice)).document.text
    assert (
        told(press(agent, agent.page(page.url), "/cancel", "Cancel and return to Shop"))["error"]
        == "access_denied"
    )


@pytest.mark.parametrize("how", SUBJECT_BY)
def test_not_you_cannot_lead_to_somebody_else_where_one_person_is_meant(
    town: House, shop: RelyingParty, alice: Person, how: str
) -> None:
    agent = town.browser()
    hint = tokens_of(agent, shop, alice).id_token
    about = {"id_token_hint": hint} if how == "id_token_hint" else {"claims": claimed(alice.id)}
    town.clock.advance(minutes=5)
    page = agent.page(shop.authorization_url(**about, prompt="login"))
    parameters = told(press(agent, page, "/leave", "Not you?"))
    assert (parameters["error"], parameters["iss"]) == ("login_required", shop.issuer)
    assert parameters["error_description"] == "The person left to use another account."


@pytest.mark.parametrize("how", SUBJECT_BY)
def test_where_one_person_is_meant_another_hint_counts_for_nothing(
    town: House, shop: RelyingParty, alice: Person, bob: Person, how: str
) -> None:
    agent = signed_in(town, shop, alice)
    hint = tokens_of(town.browser(), shop, alice).id_token
    about = {"id_token_hint": hint} if how == "id_token_hint" else {"claims": claimed(alice.id)}
    for address in (bob.email, "nobody@example.com"):
        assert silently(agent, shop, login_hint=address, **about) == ""
        assert told(agent.get(shop.authorization_url(login_hint=address, **about)))["code"]
        page = town.browser().page(shop.authorization_url(login_hint=address, **about))
        assert not page.form("/password").fields.get("username")
        assert address not in page.document.text


@pytest.mark.parametrize("how", SUBJECT_BY)
def test_where_one_person_is_meant_no_page_tells_which_address_is_hers(
    town: House, shop: RelyingParty, alice: Person, bob: Person, how: str
) -> None:
    """Whoever has seen her ``sub`` could try which of many it belongs to."""
    hint = tokens_of(signed_in(town, shop, alice), shop, alice).id_token
    about = {"id_token_hint": hint} if how == "id_token_hint" else {"claims": claimed(alice.id)}
    for address in (alice.email, alice.email.upper(), bob.email, "nobody@example.com"):
        page = town.browser().page(shop.authorization_url(login_hint=address, **about))
        assert not page.form("/password").fields.get("username"), address


def test_two_hints_that_name_different_people(
    town: House, shop: RelyingParty, alice: Person, bob: Person
) -> None:
    hint = tokens_of(town.browser(), shop, bob).id_token
    url = shop.authorization_url(id_token_hint=hint, claims=claimed(alice.id))
    assert told(town.browser().get(url))["error"] == "invalid_request"


def test_a_hint_issued_to_another_client_is_refused(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    hint = tokens_of(town.browser(), town.client(), alice).id_token
    url = shop.authorization_url(id_token_hint=hint)
    assert told(town.browser().get(url))["error"] == "invalid_request"


def test_a_hint_that_has_expired_is_still_a_hint(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = town.browser()
    hint = tokens_of(agent, shop, alice).id_token
    town.clock.advance(hours=2)
    assert silently(agent, shop, id_token_hint=hint) == ""


def test_only_a_step_up_is_audited_as_one(town: House, shop: RelyingParty, alice: Person) -> None:
    agent = signed_in(town, shop, alice)
    stops(agent, shop.authorization_url(prompt="consent"), alice)
    stops(agent, shop.authorization_url(prompt="select_account"), alice)
    assert events(town, user_id=alice.id, event="step_up.satisfied") == []
    town.clock.advance(minutes=5)
    stops(agent, shop.authorization_url(prompt="login"), alice)
    (event,) = events(town, user_id=alice.id, event="step_up.satisfied")
    assert (event.client_id, event.data["amr"]) == (shop.client_id, ["pwd"])


# Making an account


def test_prompt_create_leads_to_registration_where_that_is_open(
    sqlite_url: str, town: House
) -> None:
    open_house = House(sqlite_url, town.clock, registration=True)
    shop = open_house.client()
    agent = open_house.browser()
    page = agent.page(shop.authorization_url(prompt="create"))
    assert page.path == "/login/register"
    page = agent.page(page.link("I have an account already"))
    assert page.document.headings == ["Sign in to Shop"]
    page = agent.page(page.link("Create an account"))
    assert agent.page(page.link("I have an account already")).document.headings == [
        "Sign in to Shop"
    ]
