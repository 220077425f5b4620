"""The whole program in this process: people, clients and browsers made in a line each."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, cast
from weakref import finalize

import httpx
import pyotp
from flask import Flask
from joserfc.jwk import Key

from idp.app import create_app
from idp.audit import Context
from idp.config import Settings, load_settings
from idp.factors import FACTORS
from idp.factors.base import Ceremony, Enrolled, Factor
from idp.models import User, db
from idp.passwords import Hasher
from idp.services import jose
from idp.services.account_fields import Fields
from idp.services.accounts import insert, new_user
from idp.services.key_rotation import KeyRotation
from idp.web.services import Services
from tests.helpers.authenticator import SoftAuthenticator
from tests.helpers.clock import FakeClock
from tests.helpers.relying_party import RelyingParty
from tests.helpers.servers import TEST_KEY
from tests.helpers.user_agent import UserAgent

ISSUER = "http://localhost:8000"
PASSWORD = "paper lanterns drift at noon"
CALLBACK = "https://shop.example/callback"
CHEAP = {"argon2_memory_kib": 8, "argon2_time": 1}
"""A hash that takes no time: none of these tests is about how hard it is to guess."""


@cache
def made_once(algorithm: str) -> Key:
    """A real key pair, the same for every house of this process."""
    return jose.make_key(algorithm)


@dataclass(frozen=True)
class Person:
    """Somebody with an account."""

    id: str
    email: str
    password: str


class House:
    """One provider over one database; what a test does to it goes through services or HTTP."""

    def __init__(
        self,
        database_url: str,
        clock: FakeClock,
        **settings: Any,
    ) -> None:
        """``settings`` as in ``idp.toml``, and ``kinds``: the factors there are."""
        kinds: tuple[type[Factor], ...] = settings.pop("kinds", FACTORS)
        values: dict[str, Any] = {
            "issuer": ISSUER,
            "keys": TEST_KEY,
            "database_url": database_url,
            "mail_url": "console:",  # nobody empties the outbox here: mails are read from it
            **CHEAP,
            **settings,
        }
        self.clock = clock
        self.settings: Settings = load_settings(environ={}, **values)
        self.app: Flask = create_app(self.settings, clock=clock, kinds=kinds)
        with self.app.app_context():
            # Python 3.13 complains of what is left open, and few tests keep a house to close it.
            finalize(self.app, db.engine.dispose).atexit = False
            self._keys().prepare(self.context)

    def _keys(self) -> KeyRotation:
        """The real rotation, with key pairs that one process makes once: RSA takes its time."""
        services = self.services
        return KeyRotation(services.settings, services.box, services.keys, make_key=made_once)

    @property
    def services(self) -> Services:
        """What the views call."""
        services: Services = self.app.extensions["idp"]
        return services

    @property
    def context(self) -> Context:
        """The circumstances of something done here and now."""
        return Context(at=self.clock(), address="127.0.0.1")

    def person(
        self, email: str = "alice@example.com", password: str = PASSWORD, **fields: Any
    ) -> Person:
        """Make an account."""
        with self.app.app_context():
            wanted = {
                "email": email,
                "email_verified": True,
                "name": email.split("@", maxsplit=1)[0],
            }
            user, groups = new_user(cast(Fields, wanted | fields), self.context)
            # Not judged: that takes longer than all the rest, and has its tests elsewhere.
            hashed = Hasher(self.settings).hash(password)
            insert(user, groups, self.context, hashed=hashed)
            db.session.commit()
            return Person(user.id, user.email, password)

    def passkey(self, person: Person, **knobs: Any) -> SoftAuthenticator:
        """Give her a passkey; ``knobs`` are those of ``make_credential``."""
        soft = SoftAuthenticator(self.settings.issuer)

        def answer(ceremony: Ceremony) -> dict[str, str]:
            made = soft.make_credential(ceremony.public["options"], **knobs)
            return {"passkey_response": json.dumps(made)}

        self.set_up(person, "passkey", answer)
        return soft

    def totp(self, person: Person) -> str:
        """Give her an authenticator app; returns its seed. Its present code is used up."""
        seeds = []

        def answer(ceremony: Ceremony) -> dict[str, str]:
            seeds.append(str(ceremony.public["secret"]).replace(" ", ""))
            return {"otp": pyotp.TOTP(seeds[0]).at(self.clock())}

        self.set_up(person, "totp", answer)
        return seeds[0]

    def recovery_codes(self, person: Person) -> list[str]:
        """Give her recovery codes."""
        codes: list[str] = self.set_up(person, "recovery_code", lambda _: {}).show_once["codes"]
        return codes

    def set_up(
        self, person: Person, method: str, answer: Callable[[Ceremony], dict[str, str]]
    ) -> Enrolled:
        """Set a factor up for her, by the factor itself."""
        factor, now = self.services.factors[method], self.clock()
        with self.app.app_context():
            user = db.session.get_one(User, person.id)
            ceremony = factor.begin_enrolment(user, now)
            made = factor.finish_enrolment(user, ceremony.secret, answer(ceremony), now)
            assert isinstance(made, Enrolled), made
            db.session.commit()
            return made

    def client(self, **members: Any) -> RelyingParty:
        """Register a client and be it."""
        wanted: Mapping[str, Any] = {
            "client_name": "Shop",
            "redirect_uris": [CALLBACK],
            **members,
        }
        with self.app.app_context():
            made = self.services.client_registry.register(wanted, self.context)
        return RelyingParty(
            self.settings.issuer,
            made.client_id,
            wanted["redirect_uris"][0],
            client_secret=made.secret,
            http=self.http(),
            clock=self.clock,
        )

    def http(self) -> httpx.Client:
        """A relying party's own connection."""
        return httpx.Client(transport=self._transport(), base_url=self.settings.issuer)

    def browser(self) -> UserAgent:
        """A browser with no cookies."""
        return UserAgent(self.settings.issuer, transport=self._transport())

    def _transport(self) -> httpx.WSGITransport:
        return httpx.WSGITransport(app=self.app)

    def do(self, action: Callable[[Services], Any]) -> Any:
        """Call a service, as a command would."""
        with self.app.app_context():
            return action(self.services)
