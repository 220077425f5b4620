"""A registration in its owner's hands (RFC 7592): read, replaced, deleted, by nobody else."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from idp.audit import Context
from idp.models import Consent, Grant, db
from idp.services.client_apply import apply_client_files
from idp.services.client_files import ClientFile
from idp.web.admin.sentences import Names, sentence_of
from idp.web.services import Services
from tests.helpers.databases import Databases
from tests.oidc.registering import CALLBACK, HONEST, Counter, bearer, counter
from tests.web.walking import events, newcomer, signed_in, silently, tokens_of

OTHER = "https://app.example/other"
SECRETS = ("registration_access_token", "client_secret", "client_secret_expires_at")


@pytest.fixture(scope="module")
def url(databases: Databases) -> Iterator[str]:
    with databases.fresh("sqlite") as made:
        yield made


@pytest.fixture(scope="module")
def desk(url: str) -> Iterator[Counter]:
    with counter(url) as made:
        yield made


def body_of(made: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """What to send to leave a registration as it is, but for ``changes``; None removes."""
    issued = {"registration_access_token", "registration_client_uri", "client_id_issued_at"}
    issued |= {"client_secret", "client_secret_expires_at"}
    members = {**{name: made[name] for name in made if name not in issued}, **changes}
    return {name: value for name, value in members.items() if value is not None}


def test_it_is_read_as_it_was_told(desk: Counter) -> None:
    made = desk.registered(initiate_login_uri="https://app.example/start")
    answer = desk.ask("GET", made)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    kept = {name: value for name, value in made.items() if not name.startswith("client_secret")}
    assert answer.json() == kept  # the secret is not kept to be told again


def test_it_is_replaced_whole(desk: Counter) -> None:
    made = desk.registered(client_name="Before", contacts=["ann@app.example"])
    answer = desk.ask("PUT", made, body_of(made, client_name="After", contacts=None))
    assert answer.status_code == 200
    told = answer.json()
    assert told["client_name"] == "After"
    assert "contacts" not in told
    assert told["registration_access_token"] == made["registration_access_token"]
    assert "client_secret" not in told
    assert desk.ask("GET", made).json() == told
    (event,) = events(desk.house, event="client.changed", client_id=made["client_id"])
    assert (event.data["members"], event.data["by"]) == (["client_name", "contacts"], "itself")


def test_the_log_says_that_the_application_did_it(desk: Counter) -> None:
    made = desk.registered(client_name="Lamps")
    desk.ask("PUT", made, body_of(made, client_name="Candles"))
    told = told_of(desk, made["client_id"])
    assert told == ["Candles registered itself.", "Candles changed its own registration."]
    desk.ask("DELETE", made)
    assert told_of(desk, made["client_id"])[-1] == (
        f"{made['client_id']} deleted its own registration."
    )
    found = events(desk.house, event="client", client_id=made["client_id"])
    assert {event.actor_id for event in found} == {f"client:{made['client_id']}"}


def told_of(desk: Counter, client_id: str) -> list[str]:
    found = events(desk.house, event="client", client_id=client_id)[::-1]
    with desk.house.app.test_request_context():
        names = Names.of(found)
        told = [sentence_of(event, names) for event in found]
    return [one for one in told if "token" not in one and "secret" not in one]


def test_what_is_replaced_counts_at_once(desk: Counter) -> None:
    made = desk.registered()
    app, agent = desk.party(made), desk.house.browser()
    tokens_of(agent, app, newcomer(desk.house))
    moved = desk.ask("PUT", made, body_of(made, redirect_uris=[OTHER])).json()
    assert agent.client.get(app.authorization_url()).status_code == 400
    assert tokens_of(agent, desk.party({**made, **moved})).claims["sub"]


def test_what_was_read_may_be_sent_back(desk: Counter) -> None:
    made = desk.registered()
    read = desk.ask("GET", made).json()
    assert desk.ask("PUT", made, {**read, "client_secret": made["client_secret"]}).json() == read


IDENTITY = {
    "no client_id": ({"client_id": None}, "client_id must be there"),
    "another client_id": ({"client_id": "shop"}, "client_id must be there"),
    "another secret": ({"client_secret": "x" * 43}, "client_secret is not the one"),
    "a secret that is no text": ({"client_secret": {}}, "client_secret is not the one"),
}


@pytest.mark.parametrize(("changes", "why"), IDENTITY.values(), ids=IDENTITY)
def test_who_replaces_it_says_who_it_is(desk: Counter, changes: dict[str, Any], why: str) -> None:
    made = desk.registered()
    answer = desk.ask("PUT", made, body_of(made, **changes))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")
    assert why in answer.json()["error_description"]
    assert desk.ask("PUT", made, body_of(made)).status_code == 200


CHANGES = {
    "a wildcard": ({"redirect_uris": ["https://*.app.example/"]}, "invalid_redirect_uri"),
    "our policy": ({"minimum_acr": "phr"}, "invalid_client_metadata"),
    "a scope of our own": ({"scope": "openid account"}, "invalid_client_metadata"),
    "a software statement": ({"software_statement": "x"}, "invalid_client_metadata"),
}


@pytest.mark.parametrize(("changes", "error"), CHANGES.values(), ids=CHANGES)
def test_the_same_rules_hold_for_changes(
    desk: Counter, changes: dict[str, Any], error: str
) -> None:
    made = desk.registered()
    answer = desk.ask("PUT", made, body_of(made, **changes))
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert desk.ask("GET", made).json()["redirect_uris"] == [CALLBACK]


def test_what_somebody_vouched_for_is_kept_and_not_widened(desk: Counter) -> None:
    made = desk.registered(token=desk.initial_token(), scope="openid orders")
    assert desk.ask("PUT", made, body_of(made, client_name="Kept")).status_code == 200
    assert desk.ask("PUT", made, body_of(made, scope="openid orders more")).status_code == 400
    assert desk.ask("PUT", made, body_of(made, scope="openid")).status_code == 200
    assert desk.ask("PUT", made, body_of(made, scope="openid orders")).status_code == 400


def test_a_secret_comes_and_goes_with_the_method(desk: Counter) -> None:
    made = desk.registered(token_endpoint_auth_method="none")
    told = desk.ask("PUT", made, body_of(made, token_endpoint_auth_method="client_secret_post"))
    assert told.json()["client_secret_expires_at"] == 0
    secret = {"client_id": made["client_id"], "client_secret": told.json()["client_secret"]}
    asked = {"token": "x", **secret}
    assert desk.http.post("/oauth/introspect", data=asked).json() == {"active": False}
    assert desk.ask("PUT", made, body_of(made)).json()["token_endpoint_auth_method"] == "none"
    assert desk.http.post("/oauth/introspect", data=asked).status_code == 401


# Whose it is


def worthless(desk: Counter) -> dict[str, Any]:
    """Tokens that keep nothing of the client that they are tried on."""
    other = desk.registered()
    return {
        "another client's": other["registration_access_token"],
        "its secret": desk.registered()["client_secret"],
        "an initial access token": desk.initial_token(),
        "empty": "",
        "none": None,
    }


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_no_other_token_opens_it_and_no_id_can_be_tried_out(desk: Counter, method: str) -> None:
    made = desk.registered()
    nobody = {**made, "registration_client_uri": made["registration_client_uri"][:-1] + "_"}
    by_hand = desk.house.client().client_id
    kept = {**made, "registration_client_uri": f"{_address(made)}/{by_hand}"}
    for name, token in worthless(desk).items():
        body = body_of(made) if method == "PUT" else None
        answers = [desk.ask(method, target, body, token=token) for target in (made, nobody, kept)]
        assert {answer.status_code for answer in answers} == {401}, name
        assert len({answer.content for answer in answers}) == 1
        assert len({answer.headers["WWW-Authenticate"] for answer in answers}) == 1
    assert desk.ask("GET", made).status_code == 200
    assert desk.house.do(lambda services: services.clients.get(by_hand))


def _address(made: dict[str, Any]) -> str:
    return str(made["registration_client_uri"].rpartition("/")[0])


def test_a_token_in_the_query_is_none(desk: Counter) -> None:
    made = desk.registered()
    address = made["registration_client_uri"]
    query = {"access_token": made["registration_access_token"]}
    assert desk.http.get(address, params=query).status_code == 401


def test_it_is_no_access_token_either(desk: Counter) -> None:
    headers = bearer(desk.registered()["registration_access_token"])
    assert desk.http.get("/oauth/userinfo", headers=headers).status_code == 401


@pytest.mark.parametrize("client_id", ["%00", "a%2Fb", "é", "x" * 3000, "%0a"])
def test_an_odd_id_is_nobodys(desk: Counter, client_id: str) -> None:
    answer = desk.http.get(f"/oauth/register/{client_id}", headers=bearer("x"))
    assert answer.status_code in {401, 404}


# What others decided about it


def test_who_was_shut_out_stays_out(desk: Counter) -> None:
    made, context = desk.registered(), desk.house.context
    desk.house.do(lambda services: services.client_registry.disable(made["client_id"], context))
    for method, body in (("GET", None), ("PUT", body_of(made)), ("DELETE", None)):
        assert desk.ask(method, made, body).status_code == 401
    desk.house.do(lambda services: services.client_registry.enable(made["client_id"], context))
    assert desk.ask("GET", made).status_code == 200


def test_what_an_administrator_set_stays(desk: Counter) -> None:
    made = desk.registered()

    def tighten(services: Services) -> None:
        members = {**body_of(made), "minimum_acr": "phr", "allowed_groups": ["Staff"]}
        services.client_registry.update(made["client_id"], members, desk.house.context)

    desk.house.do(tighten)
    told = desk.ask("PUT", made, body_of(made, client_name="Looser"))
    assert told.status_code == 200
    assert "minimum_acr" not in told.json()
    found = desk.house.do(lambda services: services.clients.get(made["client_id"]))
    assert found.metadata.client_name == "Looser"
    assert found.metadata.minimum_acr == "phr"
    assert found.metadata.allowed_groups == ("Staff",)


def test_whose_registration_a_file_took_over_keeps_it_no_longer(desk: Counter) -> None:
    made = desk.registered()
    members = {**body_of(made), "client_secret": {"generate": True}, "consent": "never"}
    file = ClientFile(Path("client.toml"), members)

    def take_over(services: Services) -> None:
        context = Context(at=desk.house.clock())
        apply_client_files(
            [file], services.client_rules, services.client_secrets, context, environ={}
        )

    desk.house.do(take_over)
    assert desk.ask("PUT", made, body_of(made)).status_code == 401
    assert desk.ask("DELETE", made).status_code == 401
    found = desk.house.do(lambda services: services.clients.get(made["client_id"]))
    assert not found.self_registered


# The end


def test_deleting_it_ends_all_that_it_held(desk: Counter) -> None:
    made = desk.registered(grant_types=["authorization_code", "refresh_token"])
    alice, app = newcomer(desk.house), desk.party(made)
    agent = desk.house.browser()
    tokens = tokens_of(agent, app, alice, scope="openid offline_access")
    assert app.userinfo(tokens.access_token)["sub"] == alice.id
    answer = desk.ask("DELETE", made)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["Cache-Control"] == "no-store"
    assert desk.ask("DELETE", made).status_code == 401
    userinfo = desk.http.get("/oauth/userinfo", headers=bearer(tokens.access_token))
    assert userinfo.status_code == 401
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}
    credentials = (made["client_id"], made["client_secret"])
    assert desk.http.post("/oauth/token", data=refresh, auth=credentials).status_code == 401
    with desk.house.app.app_context():
        for table in (Grant, Consent):
            assert not db.session.query(table).filter_by(client_id=made["client_id"]).count()
    (event,) = events(desk.house, event="client.deleted", client_id=made["client_id"])
    assert event.data["reason"] == "by_itself"


def test_another_apps_sign_in_goes_on(desk: Counter) -> None:
    gone, kept = desk.registered(), desk.registered()
    alice = newcomer(desk.house)
    agent = signed_in(desk.house, desk.party(gone), alice)
    signed_in(desk.house, desk.party(kept), alice, agent=agent)
    desk.ask("DELETE", gone)
    assert silently(agent, desk.party(kept)) == ""


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_other_methods_are_not_there(desk: Counter, method: str) -> None:
    answer = desk.ask(method, desk.registered(), HONEST)
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) >= {"GET", "PUT", "DELETE"}
