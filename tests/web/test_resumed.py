"""What a step is handed of a request that was measured before is what it would come to now."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from idp.audit import Context
from idp.models import Client, Transaction, db
from idp.oidc.asked import Asked
from idp.oidc.resumed import MOST, Resumed
from idp.services import transactions
from idp.services.client_registry import change
from idp.web import cookies
from tests.helpers.house import House
from tests.helpers.relying_party import RelyingParty
from tests.helpers.user_agent import UserAgent
from tests.web.walking import enter, gone, newcomer, shown

MFA = "urn:idp:acr:mfa"
PAYMENT = [{"type": "confirm_operation", "id": "1", "title": "Do it"}]
REQUESTS: dict[str, dict[str, Any]] = {
    "nothing in particular": {},
    "an age": {"max_age": "60"},
    "an age of nothing": {"max_age": "0"},
    "strengths": {"acr_values": f"{MFA} phr"},
    "an essential strength": {
        "claims": json.dumps({"id_token": {"acr": {"essential": True, "value": MFA}}})
    },
    "a fresh sign-in": {"prompt": "login"},
    "an address": {"login_hint": "somebody@example.com"},
    "consent": {"prompt": "consent"},
    "an operation": {"authorization_details": json.dumps(PAYMENT)},
}


@pytest.fixture(scope="module")
def shop(town: House) -> RelyingParty:
    return town.client(consent="never")


def under_way(town: House, shop: RelyingParty, **wanted: Any) -> tuple[UserAgent, Transaction]:
    """A sign-in as it is found again by the browser that began it."""
    agent = town.browser()
    page = agent.page(shop.authorization_url(**wanted))
    with town.app.app_context():
        found = transactions.find(
            page.path.split("/")[2], browser_token=agent.cookies[cookies.BROWSER]
        )
    assert found is not None
    return agent, found


def resumed(town: House, transaction: Transaction) -> Asked:
    with town.app.app_context():
        return town.services.authorization.resume(transaction)


def measured_anew(town: House, transaction: Transaction) -> Asked:
    endpoint = town.services.authorization
    kept, endpoint.resumed = endpoint.resumed, Resumed(town.services.settings)
    try:
        return resumed(town, transaction)
    finally:
        endpoint.resumed = kept


@pytest.mark.parametrize("wanted", REQUESTS.values(), ids=REQUESTS)
def test_what_was_kept_is_what_it_comes_to(
    town: House, shop: RelyingParty, wanted: dict[str, Any]
) -> None:
    _agent, transaction = under_way(town, shop, **wanted)
    kept = resumed(town, transaction)
    assert kept is resumed(town, transaction)
    assert kept == measured_anew(town, transaction)


def test_the_first_page_need_not_measure_again(town: House, shop: RelyingParty) -> None:
    agent = town.browser()
    arrived = agent.client.get(shop.authorization_url())
    (transaction_id, *_) = arrived.headers["Location"].split("/")[-1:]
    with town.app.app_context():
        token = agent.cookies[cookies.BROWSER]
        transaction = transactions.find(transaction_id, browser_token=token)
        assert transaction is not None
        client = town.services.clients.get(shop.client_id)
        assert client is not None
        kept = town.services.authorization.resumed.find(transaction, client)
    assert kept is not None
    assert kept == measured_anew(town, transaction)


def test_a_registration_that_was_changed_meanwhile_counts_at_the_next_step(town: House) -> None:
    bank, alice = town.client(consent="never"), newcomer(town)
    agent, transaction = under_way(town, bank)
    page = agent.page(f"/login/{transaction.id}")
    with town.app.app_context():
        registration = dict(db.session.get_one(Client, bank.client_id).registration)
        change(
            bank.client_id,
            Context(at=town.clock()),
            registration={**registration, "minimum_acr": MFA},
        )
        db.session.commit()
    step = shown(enter(agent, page, alice))
    assert step.document.headings != page.document.headings
    assert step.path.startswith("/login/")


def test_with_nothing_changed_it_goes_through(town: House, shop: RelyingParty) -> None:
    agent, transaction = under_way(town, shop)
    page = agent.page(f"/login/{transaction.id}")
    assert gone(enter(agent, page, newcomer(town))).parameters["code"]


def test_settings_that_were_changed_meanwhile_count(town: House, shop: RelyingParty) -> None:
    _agent, transaction = under_way(town, shop)
    before = resumed(town, transaction)
    assert before.demand.enrol_within == transaction.id
    town.services.settings.change({"enrol_in_step_up": False})
    try:
        assert resumed(town, transaction).demand.enrol_within is None
    finally:
        town.services.settings.change({})
    assert resumed(town, transaction) == before


@pytest.mark.parametrize(
    "other",
    [{"parameters": {"client_id": "shop"}}, {"started_at": datetime(2020, 1, 1, tzinfo=UTC)}],
    ids=["another request", "another instant"],
)
def test_nothing_is_found_by_the_name_alone(
    town: House, shop: RelyingParty, other: dict[str, Any]
) -> None:
    _agent, transaction = under_way(town, shop)
    asked, kept = resumed(town, transaction), town.services.authorization.resumed
    assert kept.find(transaction, asked.client) is asked
    for name, value in other.items():
        setattr(transaction, name, value)
    assert kept.find(transaction, asked.client) is None


def test_no_more_are_kept_than_may_be(town: House, shop: RelyingParty) -> None:
    _agent, transaction = under_way(town, shop)
    asked, kept = resumed(town, transaction), Resumed(town.services.settings)
    for number in range(MOST + 1):
        transaction.id = str(number)
        kept.keep(transaction, asked)
    assert kept.find(transaction, asked.client) is asked
    transaction.id = "0"
    assert kept.find(transaction, asked.client) is None


def test_a_long_one_is_not_kept(town: House, shop: RelyingParty) -> None:
    """Nobody knows these parameters, and anybody may send as many."""
    kept = town.services.authorization.resumed._known
    agent = town.browser()
    for each, is_kept in ((1500, True), (2000, False)):
        beside = {f"x{number}": "y" * each for number in range(4)}
        answer = agent.client.post("/oauth/authorize", data=shop.authorization_parameters(**beside))
        path = answer.headers["Location"]
        assert agent.client.get(path).status_code == 200
        assert (path.split("/")[2] in kept) is is_kept
