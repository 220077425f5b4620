"""A provider in this process with one person in it, and relying parties that talk to it."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet
from joserfc.jwk import Key
from sqlalchemy import select

from idp.app import create_app
from idp.audit import Context
from idp.config import Settings, load_settings
from idp.models import AuditEvent, User, db
from idp.services.key_rotation import KeyRotation
from idp.web.services import Services
from tests.helpers import base64url
from tests.helpers.clock import FakeClock
from tests.helpers.databases import KINDS
from tests.helpers.relying_party import Pending, RelyingParty, Tokens
from tests.services.people import (
    CALLBACK,
    VERIFIER,
    add_client,
    add_person,
    agree,
    granted_to,
    request_of,
)

Keys = Mapping[str, Key]

on_both = pytest.mark.parametrize("desk", KINDS, indirect=True)
"""For a test whose answer depends on rows that a statement finds, changes or locks."""

PROFILE = {
    "given_name": "Ann",
    "family_name": "Archer",
    "nickname": "",
    "phone_number": "+1 555 0100",
    "phone_number_verified": True,
    "address": {"locality": "Lisbon", "country": "PT"},
}


class Desk:
    """What the tests of the direct endpoints work with."""

    def __init__(self, settings: Settings, clock: FakeClock, keys: Keys) -> None:
        self.settings, self.clock, self._numbers = settings, clock, count(1)
        self.app = create_app(settings, clock=clock)
        self.services: Services = self.app.extensions["idp"]
        self.http = httpx.Client(
            transport=httpx.WSGITransport(self.app), base_url=settings.issuer, timeout=30
        )
        with self.app.app_context():
            services = self.services
            KeyRotation(
                settings, services.box, services.keys, make_key=lambda name: keys[name]
            ).prepare(self.context)
            add_person(clock(), username="archer", name="Ann Archer", profile=PROFILE)

    @property
    def context(self) -> Context:
        return Context(at=self.clock())

    def client(self, client_id: str = "shop", **members: Any) -> RelyingParty:
        """Register a client and be it."""
        with self.app.app_context():
            made = add_client(self.settings, self.context, client_id, **members)
        return RelyingParty(
            issuer=self.settings.issuer,
            client_id=client_id,
            redirect_uri=CALLBACK,
            client_secret=made.secret,
            authentication=made.metadata.token_endpoint_auth_method,  # type: ignore[arg-type]
            algorithms=(made.metadata.id_token_signed_response_alg,),
            http=self.http,
            clock=self.clock,
        )

    def code(
        self, party: RelyingParty, *, scope: tuple[str, ...] = ("openid",), **request: Any
    ) -> str:
        """A code for the client, as the authorization endpoint would give it."""
        with self.app.app_context():
            agree(party.client_id, self.clock())
            code = self.services.grants.issue_code(
                granted_to(party.client_id, self.clock(), scope=scope),
                request_of(party.client_id, **request),
                now=self.clock(),
            )
            db.session.commit()
        return code

    def tokens(self, party: RelyingParty, **request: Any) -> Tokens:
        """What a fresh code buys."""
        nonce = request.get("nonce", "n-1")
        return party.exchange(self.code(party, **request), Pending(nonce, VERIFIER, CALLBACK))

    def post(
        self, path: str, form: Mapping[str, str] | str | bytes, **arguments: Any
    ) -> httpx.Response:
        """Post a form, or whatever bytes under the name of one."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        headers |= arguments.pop("headers", {})
        if isinstance(form, Mapping):
            form = str(httpx.QueryParams(dict(form)))
        return self.http.post(path, content=form, headers=headers, **arguments)

    def events(self, name: str) -> list[AuditEvent]:
        """What the audit log has under ``name``."""
        with self.app.app_context():
            found = db.session.scalars(select(AuditEvent).where(AuditEvent.name == name))
            return list(found)

    @contextmanager
    def rows(self) -> Iterator[None]:
        """Change rows directly; committed at the end."""
        with self.app.app_context():
            yield
            db.session.commit()

    def new_name(self) -> str:
        """A client id that no other client here has."""
        return f"client-{next(self._numbers)}"

    def disable_person(self) -> None:
        with self.rows():
            db.session.get_one(User, "ann").disabled_at = self.clock()


def opened(database_url: str, clock: FakeClock, keys: Keys, **more: Any) -> Iterator[Desk]:
    """A desk that gives its database connections back; for fixtures."""
    settings = load_settings(
        environ={},
        issuer="https://id.example.com",
        keys=[Fernet.generate_key().decode()],
        database_url=database_url,
        **more,
    )
    desk = Desk(settings, clock, keys)
    yield desk
    with desk.app.app_context():
        db.engine.dispose()


def code_form(code: str, /, **changes: str | None) -> dict[str, str]:
    """An honest redemption, changed; None removes."""
    honest = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }
    return {name: value for name, value in {**honest, **changes}.items() if value is not None}


def header_of(token: str) -> dict[str, Any]:
    """The header of a JWT, unverified."""
    header: dict[str, Any] = json.loads(base64url.decode(token.split(".", maxsplit=1)[0]))
    return header


def payload_of(token: str) -> dict[str, Any]:
    """The claims of a JWT, unverified."""
    payload: dict[str, Any] = json.loads(base64url.decode(token.split(".")[1]))
    return payload
