"""Secrets that must be read back: for whom they are kept so, and when that ends."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from flask import Flask

from idp.audit import Context
from idp.config import Settings, load_settings
from idp.factors import FACTORS
from idp.models import ClientSecret, db
from idp.oidc.capabilities import capabilities_of
from idp.protocol.registration import parse_client_metadata
from idp.secrecy import Box
from idp.services.client_apply import Change, apply_client_files
from idp.services.client_files import ClientFile, ClientFilesRefused
from idp.services.client_keys import ClientKeys
from idp.services.client_listing import ClientRefused
from idp.services.client_registry import ClientRegistry
from idp.services.client_rules import ClientRules
from idp.services.client_secrets import ClientSecrets, is_readable, least_length
from idp.services.clients import Clients
from idp.services.fetch import Fetcher
from tests.helpers.clock import FakeClock
from tests.helpers.signing import jwks, key_of, public
from tests.services.bare import bare_app

SHOP: dict[str, Any] = {"redirect_uris": ["https://shop.example.com/callback"]}
SIGNING = {**SHOP, "token_endpoint_auth_method": "client_secret_jwt"}
KEYED = {
    **SHOP,
    "token_endpoint_auth_method": "private_key_jwt",
    "jwks": jwks(public(key_of("ES256"), kid="1")),
}
PUBLIC = {**SHOP, "token_endpoint_auth_method": "none"}


@pytest.fixture
def settings(sqlite_url: str) -> Settings:
    return load_settings(
        environ={},
        issuer="https://id.example.com",
        keys=[Fernet.generate_key().decode()],
        database_url=sqlite_url,
    )


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    app = bare_app(settings.database_url)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def rules(settings: Settings) -> ClientRules:
    return ClientRules(settings, capabilities_of(settings), ways=FACTORS)


@pytest.fixture
def secrets(box: Box) -> ClientSecrets:
    return ClientSecrets(box)


@pytest.fixture
def registry(app: Flask, rules: ClientRules, secrets: ClientSecrets) -> ClientRegistry:
    return ClientRegistry(rules, secrets)


def readable(box: Box, now: Any) -> tuple[str, ...]:
    """The secrets of the shop that can be read and count."""
    client = Clients().get("shop")
    assert client is not None
    return ClientKeys(Fetcher(), box).secrets(client, now)


def counts(secret: str | None, now: Any) -> bool:
    """Is it good to be shown?"""
    clients = Clients()
    client = clients.get("shop")
    assert client is not None
    return clients.accepts(client, secret or "", now)


NEEDS = {
    "shown in a header": ({}, False, 32),
    "shown in a form": ({"token_endpoint_auth_method": "client_secret_post"}, False, 32),
    "signs assertions": ({"token_endpoint_auth_method": "client_secret_jwt"}, True, 32),
    "signs them by HS512": (
        {
            "token_endpoint_auth_method": "client_secret_jwt",
            "token_endpoint_auth_signing_alg": "HS512",
        },
        True,
        64,
    ),
    "signs ID tokens": ({"id_token_signed_response_alg": "HS384"}, True, 48),
    "signs userinfo": ({"userinfo_signed_response_alg": "HS256"}, True, 32),
    "signs requests": ({"request_object_signing_alg": "HS256"}, True, 32),
    "encrypts ID tokens": ({"id_token_encrypted_response_alg": "A128KW"}, True, 32),
    "encrypts requests": ({"request_object_encryption_alg": "dir"}, True, 32),
    "there is none": ({"token_endpoint_auth_method": "none"}, False, 32),
}


@pytest.mark.parametrize(("members", "needed", "length"), NEEDS.values(), ids=NEEDS)
def test_who_needs_a_readable_secret(members: dict[str, Any], needed: bool, length: int):
    metadata = parse_client_metadata({**SHOP, **members})
    assert is_readable(metadata) is needed
    assert least_length(metadata) == length


def test_a_client_that_signs_gets_a_secret_that_is_long_enough_for_any_hash(
    registry: ClientRegistry, context: Context, box: Box
):
    made = registry.register(SIGNING, context, client_id="shop")
    assert made.secret is not None
    assert len(made.secret) == 64
    assert readable(box, context.at) == (made.secret,)
    assert counts(made.secret, context.at)


def test_who_comes_to_sign_gets_a_new_secret_and_the_hashed_one_ends(
    registry: ClientRegistry, context: Context, box: Box
):
    old = registry.register(SHOP, context, client_id="shop").secret
    assert registry.update("shop", {**SHOP, "client_name": "Store"}, context) is None
    new = registry.update("shop", SIGNING, context)
    assert new is not None
    assert readable(box, context.at) == (new,)
    assert not counts(old, context.at)
    # Nothing changes any more.
    assert registry.update("shop", SIGNING, context) is None
    assert readable(box, context.at) == (new,)


def test_who_stops_to_sign_keeps_the_secret_and_the_readable_copy_goes(
    registry: ClientRegistry, context: Context, box: Box
):
    secret = registry.register(SIGNING, context, client_id="shop").secret
    assert registry.update("shop", SHOP, context) is None
    assert readable(box, context.at) == ()
    assert counts(secret, context.at)


@pytest.mark.parametrize("members", [KEYED, PUBLIC], ids=["a key", "nothing"])
def test_who_authenticates_without_a_secret_has_none(
    registry: ClientRegistry, context: Context, members: dict[str, Any]
):
    registry.register(SIGNING, context, client_id="shop")
    assert registry.update("shop", members, context) is None
    assert db.session.scalars(db.select(ClientSecret)).all() == []
    with pytest.raises(ClientRefused, match="does not authenticate with a secret"):
        registry.rotate_secret("shop", context)
    # And who comes back gets another.
    assert registry.update("shop", SHOP, context) is not None


def test_secrets_that_sign_overlap_like_others(
    registry: ClientRegistry, context: Context, box: Box, clock: FakeClock
):
    old = registry.register(SIGNING, context, client_id="shop").secret
    clock.advance(seconds=1)
    later = Context(at=clock())
    new = registry.rotate_secret("shop", later, overlap=timedelta(hours=1))
    assert readable(box, clock()) == (new, old)  # newest first: it is what we sign with
    clock.advance(hours=1)
    assert readable(box, clock()) == (new,)


class Applier:
    """Applies one file for the shop."""

    def __init__(self, rules: ClientRules, secrets: ClientSecrets, context: Context) -> None:
        self.rules, self.secrets, self.context = rules, secrets, context

    def __call__(self, secret: str | None, **members: Any) -> Change:
        source = {"env": "SECRET"} if secret else {"generate": True}
        wanted = {**SHOP, "client_id": "shop", **members}
        if members.get("token_endpoint_auth_method") != "private_key_jwt":
            wanted["client_secret"] = source
        file = ClientFile(Path("client.toml"), wanted)
        (change,) = apply_client_files(
            [file],
            self.rules,
            self.secrets,
            self.context,
            environ={"SECRET": secret or ""},
        )
        return change


@pytest.fixture
def apply(app: Flask, rules: ClientRules, secrets: ClientSecrets, context: Context) -> Applier:
    return Applier(rules, secrets, context)


JWT = {"token_endpoint_auth_method": "client_secret_jwt"}


@pytest.mark.parametrize("secret", ["s" * 40, None], ids=["its own", "generated"])
def test_a_file_makes_a_client_that_signs_and_again_changes_nothing(
    apply: Applier, box: Box, context: Context, secret: str | None
):
    first = apply(secret, **JWT)
    assert readable(box, context.at) == (secret or first.secret,)
    assert apply(secret, **JWT).action == "unchanged"


@pytest.mark.parametrize("secret", ["s" * 40, None], ids=["its own", "generated"])
def test_a_file_that_comes_to_sign_makes_the_secret_readable(
    apply: Applier, box: Box, context: Context, secret: str | None
):
    apply(secret)
    assert readable(box, context.at) == ()
    changed = apply(secret, **JWT)
    assert changed.action == "changed"
    assert readable(box, context.at) == (secret or changed.secret,)
    apply(secret)
    assert readable(box, context.at) == ()
    assert counts(secret or changed.secret, context.at)


def test_a_file_with_keys_has_no_secret(apply: Applier, context: Context):
    apply("s" * 40, **JWT)
    apply(None, **{name: KEYED[name] for name in ("token_endpoint_auth_method", "jwks")})
    assert db.session.scalars(db.select(ClientSecret)).all() == []


def test_a_secret_of_its_own_is_long_enough_for_what_it_signs_by(apply: Applier):
    members = {**JWT, "token_endpoint_auth_signing_alg": "HS512"}
    with pytest.raises(ClientFilesRefused, match="needs 64 characters"):
        apply("s" * 63, **members)
    assert apply("s" * 64, **members).action == "created"
