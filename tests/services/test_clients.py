"""Clients: registered, found, disabled, and given secrets."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from idp.audit import Context
from idp.config import Settings
from idp.factors import FACTORS
from idp.models import AuditEvent, Client, ClientSecret, db
from idp.protocol.capabilities import Capabilities
from idp.protocol.registration import InvalidClientMetadata
from idp.secrecy import Box
from idp.services.client_listing import ClientRefused, listed, shown
from idp.services.client_registry import ClientRegistry
from idp.services.client_rules import ClientRules
from idp.services.client_secrets import ClientSecrets
from idp.services.clients import Clients
from tests.helpers.clock import FakeClock
from tests.services.statements import counted

SHOP = {"client_name": "Shop", "redirect_uris": ["https://shop.example.com/callback"]}
PUBLIC = {**SHOP, "token_endpoint_auth_method": "none"}


@pytest.fixture
def rules(settings: Settings) -> ClientRules:
    return ClientRules(settings, Capabilities(), ways=FACTORS)


@pytest.fixture
def registry(app: Flask, rules: ClientRules, box: Box) -> ClientRegistry:
    return ClientRegistry(rules, ClientSecrets(box))


@pytest.fixture
def clients() -> Clients:
    return Clients()


def test_a_client_is_registered_with_a_secret_of_256_bits_kept_as_a_hash(
    registry: ClientRegistry, context: Context
):
    made = registry.register(SHOP, context)
    assert made.secret is not None
    assert len(made.secret) == 43
    stored = db.session.scalars(select(ClientSecret)).one()
    assert made.secret not in (stored.secret_hash, stored.prefix)
    assert made.secret.startswith(stored.prefix)


def test_a_registration_is_answered_as_rfc_7591_says(registry: ClientRegistry, context: Context):
    made = registry.register(SHOP, context)
    answer = made.to_json()
    assert answer["client_id"] == made.client_id
    assert answer["client_secret"] == made.secret
    assert answer["client_secret_expires_at"] == 0
    assert answer["client_id_issued_at"] == int(context.at.timestamp())
    assert answer["redirect_uris"] == SHOP["redirect_uris"]


def test_a_public_client_is_given_no_secret(registry: ClientRegistry, context: Context):
    made = registry.register(PUBLIC, context)
    assert made.secret is None
    assert "client_secret" not in made.to_json()
    with pytest.raises(ClientRefused, match="does not authenticate"):
        registry.rotate_secret(made.client_id, context)


@pytest.mark.parametrize(
    ("members", "member"),
    [
        pytest.param({"redirect_uri": "https://a.example/"}, "redirect_uri", id="a slip in a name"),
        pytest.param({"client_name#": "x"}, "client_name#", id="an empty language tag"),
        pytest.param({"minimum_acr": "urn:gold"}, "minimum_acr", id="a floor nobody knows"),
        pytest.param({"default_acr_values": ["gold"]}, "default_acr_values", id="unknown acr"),
        pytest.param({"refused_methods": ["pasword"]}, "refused_methods", id="unknown method"),
        pytest.param(
            {"refused_methods": ["password", "passkey", "magic_link"]},
            "refused_methods",
            id="every method that a sign-in can begin with",
        ),
        pytest.param(
            {"token_endpoint_auth_method": "private_key_jwt"},
            "token_endpoint_auth_method",
            id="a method that is not offered",
        ),
        pytest.param({"redirect_uris": ["http://shop.example.com/"]}, "redirect_uris", id="http"),
    ],
)
def test_a_registration_that_means_nothing_here_is_refused(
    registry: ClientRegistry, context: Context, members: dict[str, object], member: str
):
    with pytest.raises(InvalidClientMetadata) as refused:
        registry.register({**SHOP, **members}, context)
    assert member in [name for name, _ in refused.value.problems]
    assert listed() == ()
    assert registry.register(SHOP, context)


def test_all_problems_are_told_at_once(registry: ClientRegistry, context: Context):
    with pytest.raises(InvalidClientMetadata) as refused:
        registry.register({"nonsense": 1, "redirect_uris": ["http://shop.example.com/"]}, context)
    assert {name for name, _ in refused.value.problems} == {"nonsense", "redirect_uris"}


@pytest.mark.parametrize(
    "client_id", ["", "café", "a\nb", "a" * 256], ids=["empty", "not ASCII", "control", "too long"]
)
def test_an_id_out_of_form_is_refused_or_made(
    registry: ClientRegistry, clients: Clients, context: Context, client_id: str
):
    assert clients.get(client_id) is None
    if client_id:
        with pytest.raises(ClientRefused):
            registry.register(SHOP, context, client_id=client_id)


def test_an_id_is_taken_once(registry: ClientRegistry, context: Context):
    registry.register(SHOP, context, client_id="shop")
    with pytest.raises(ClientRefused, match="already"):
        registry.register(SHOP, context, client_id="shop")


def test_finding_a_known_client_is_one_statement(
    registry: ClientRegistry, clients: Clients, context: Context
):
    registry.register(SHOP, context, client_id="shop")
    clients.get("shop")
    with counted() as statements:
        assert clients.get("shop") is not None
    assert len(statements) == 1


def test_what_is_changed_on_one_node_counts_on_another_at_once(
    registry: ClientRegistry, clients: Clients, context: Context
):
    registry.register(SHOP, context, client_id="shop")
    other_node = clients
    before = other_node.get("shop")
    assert before is not None
    assert not before.disabled
    registry.disable("shop", context)
    disabled = other_node.get("shop")
    assert disabled is not None
    assert disabled.disabled
    registry.enable("shop", context)
    registry.update("shop", {**SHOP, "client_name": "Store"}, context)
    renamed = other_node.get("shop")
    assert renamed is not None
    assert (renamed.name, renamed.disabled) == ("Store", False)


def test_a_client_made_anew_under_an_old_id_is_not_taken_for_the_old_one(
    registry: ClientRegistry, clients: Clients, context: Context
):
    old = registry.register(SHOP, context, client_id="shop")
    client = clients.get("shop")
    assert client is not None
    assert clients.accepts(client, old.secret or "", context.at)
    registry.delete("shop", context)
    assert clients.get("shop") is None
    registry.register(SHOP, context, client_id="shop")
    client = clients.get("shop")
    assert client is not None
    assert not clients.accepts(client, old.secret or "", context.at)


def accepted(clients: Clients, secret: str | None, clock: FakeClock) -> bool:
    client = clients.get("shop")
    assert client is not None
    return clients.accepts(client, secret or "", clock())


def test_rotating_ends_the_old_secret_at_once(
    registry: ClientRegistry, clients: Clients, context: Context, clock: FakeClock
):
    old = registry.register(SHOP, context, client_id="shop").secret
    assert accepted(clients, old, clock)
    new = registry.rotate_secret("shop", context)
    assert accepted(clients, new, clock)
    assert not accepted(clients, old, clock)


def test_rotating_with_an_overlap_lets_both_count_for_as_long(
    registry: ClientRegistry, clients: Clients, context: Context, clock: FakeClock
):
    old = registry.register(SHOP, context, client_id="shop").secret
    new = registry.rotate_secret("shop", context, overlap=timedelta(hours=1))
    clock.advance(minutes=59)
    assert accepted(clients, old, clock)
    clock.advance(minutes=1)
    assert not accepted(clients, old, clock)
    assert accepted(clients, new, clock)


def test_several_secrets_count_and_each_can_be_removed(
    registry: ClientRegistry, clients: Clients, context: Context, clock: FakeClock
):
    first = registry.register(SHOP, context, client_id="shop").secret
    clock.advance(seconds=1)
    second = registry.add_secret("shop", Context(at=clock()))
    assert accepted(clients, first, clock)
    assert accepted(clients, second, clock)
    registry.remove_secret("shop", shown("shop").secrets[0].id, context)
    assert not accepted(clients, first, clock)
    assert accepted(clients, second, clock)
    with pytest.raises(ClientRefused):
        registry.remove_secret("shop", "nonsense", context)


def test_the_last_use_of_a_secret_is_noted_once_a_day(
    registry: ClientRegistry, clients: Clients, context: Context, clock: FakeClock
):
    secret = registry.register(SHOP, context, client_id="shop").secret
    accepted(clients, secret, clock)
    db.session.commit()
    first_use = clock()
    clock.advance(hours=23)
    with counted() as statements:
        accepted(clients, secret, clock)
    assert len(statements) == 1
    assert shown("shop").secrets[0].last_used_at == first_use
    clock.advance(hours=1)
    accepted(clients, secret, clock)
    db.session.commit()
    assert shown("shop").secrets[0].last_used_at == clock()


def test_what_is_listed_holds_no_secret(registry: ClientRegistry, context: Context):
    secret = registry.register(SHOP, context, client_id="shop").secret
    (info,) = listed()
    assert info.name == "Shop"
    assert secret
    assert secret not in repr(info)


@pytest.mark.parametrize("operation", ["disable", "enable", "delete", "rotate_secret"])
def test_an_unknown_client_is_refused(registry: ClientRegistry, context: Context, operation: str):
    with pytest.raises(ClientRefused, match="no client"):
        getattr(registry, operation)("nobody", context)


def test_every_change_is_audited(registry: ClientRegistry, context: Context):
    registry.register(SHOP, context, client_id="shop")
    registry.update("shop", {**SHOP, "client_name": "Store"}, context)
    registry.rotate_secret("shop", context)
    registry.disable("shop", context)
    registry.delete("shop", context)
    events = db.session.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
    assert [event.name for event in events] == [
        "client.registered",
        "client.changed",
        "client.secret_rotated",
        "client.disabled",
        "client.deleted",
    ]
    assert {event.client_id for event in events} == {"shop"}


def test_a_client_whose_name_is_taken_away_goes_by_its_id(
    registry: ClientRegistry, context: Context
):
    registry.register(SHOP, context, client_id="shop")
    registry.update("shop", {"redirect_uris": SHOP["redirect_uris"]}, context)
    assert db.session.scalars(select(Client.name)).one() == "shop"
