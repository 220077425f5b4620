"""One provider with its clients, and the people and browsers of one run of the machine."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from itertools import count
from typing import Any, Final

import pyotp
from sqlalchemy import select

from idp.factors.rows import delete_all
from idp.models import BrowserSession, EvidenceRow, OutboxMessage, User, db
from tests.helpers import house as houses
from tests.helpers.authenticator import NoCredential, SoftAuthenticator, Tampering
from tests.helpers.clock import FakeClock
from tests.helpers.house import House
from tests.helpers.relying_party import RelyingParty
from tests.helpers.smtp import code, links
from tests.stateful import proofs
from tests.stateful.proofs import Shows
from tests.stateful.wants import Policy

STEP: Final = 30
MFA: Final = "urn:idp:acr:mfa"
CLIENTS: Final[Mapping[str, tuple[dict[str, Any], Policy]]] = {
    "plain": ({}, Policy()),
    "strict": ({"minimum_acr": MFA}, Policy(minimum=3)),
    "recent": ({"max_auth_age": 600}, Policy(max_age=600)),
    "wishing": ({"acr_values_voluntary": True}, Policy(wishes_only=True)),
    "keyless": ({"refused_methods": ["passkey"]}, Policy(refused=frozenset({"passkey"}))),
    "fixed": ({"enrol_in_step_up": False}, Policy(sets_up=False)),
    "opaque": ({"access_token_format": "opaque"}, Policy()),
    "consenting": ({"consent": "remember"}, Policy()),
}
_NUMBERS = count(1)
_SETTINGS: Final = {
    # What throttling does is tested elsewhere; here all the world is one network.
    "network_attempts": 100_000,
    "key_lifetime": 400_000_000,
}


class Town:
    """A house that outlives the runs, as its database does. ``careful`` is its policy."""

    def __init__(self, database_url: str, *, careful: bool) -> None:
        self.clock = FakeClock()
        self.careful = careful
        self.house = House(database_url, self.clock, account_second_step=careful, **_SETTINGS)
        self.clients = {name: self._client(members) for name, (members, _) in CLIENTS.items()}
        self._seen = 0

    def _client(self, members: Mapping[str, Any]) -> RelyingParty:
        refreshing = {"grant_types": ["authorization_code", "refresh_token"]}
        return self.house.client(**{"consent": "never", **refreshing, **members})

    def turn_over(self) -> None:
        """Hours pass, to a full one: what was done before counts no more, not even for when an app
        shows its next code. The same run is then the same, as Hypothesis relies on."""
        later = self.clock() + timedelta(hours=2)
        self.clock.set(later.replace(minute=0, second=0, microsecond=0))

    def newcomer(self, *holds: str) -> "Resident":
        """A new account, with these besides its password and its mailbox."""
        number = next(_NUMBERS)
        made = self.house.person(f"resident{number}@example.com", f"{houses.PASSWORD} {number}")
        resident = Resident(self, made)
        for method in holds:
            resident.gain(method)
        return resident

    def new_evidence(self) -> list[tuple[EvidenceRow, str]]:
        """What the ledger has got since this was called last, and of whom."""
        newer = (
            select(EvidenceRow, BrowserSession.user_id)
            .join(BrowserSession, BrowserSession.id == EvidenceRow.session_id)
            .where(EvidenceRow.id > self._seen)
            .order_by(EvidenceRow.id)
        )
        with self.house.app.app_context():
            rows = [(row, user_id) for row, user_id in db.session.execute(newer)]
        self._seen = max((row.id for row, _ in rows), default=self._seen)
        return rows

    def mail_to(self, resident: "Resident") -> EmailMessage | None:
        """The newest sign-in mail to somebody."""
        newest = (
            select(OutboxMessage.payload)
            .where(OutboxMessage.recipient == resident.email, OutboxMessage.kind == "mail")
            .order_by(OutboxMessage.id.desc())
        )
        with self.house.app.app_context():
            for sealed in db.session.scalars(newest):
                letter = self.house.services.box.open(sealed)
                if letter["template"] == "sign_in":
                    message = EmailMessage()
                    message.set_content(letter["text"])
                    return message
        return None


@dataclass(eq=False)
class Resident:
    """Somebody, and what she really has; the program keeps its own idea of that."""

    town: Town
    account: houses.Person
    seed: str | None = None
    last_step: int = 0
    keys: SoftAuthenticator | None = None
    verifies: bool = True
    """Does her passkey verify her?"""
    codes: list[str] = field(default_factory=list)
    disabled: bool = False
    _making: SoftAuthenticator | None = None
    _scanned: str = ""

    @property
    def id(self) -> str:
        return self.account.id

    @property
    def email(self) -> str:
        return self.account.email

    @property
    def has(self) -> set[str]:
        """The methods that she can use."""
        held = {"totp": self.seed, "passkey": self.keys, "recovery_code": self.codes}
        return {"password", "magic_link", *(name for name, one in held.items() if one)}

    def __repr__(self) -> str:
        return f"<{self.email} {sorted(self.has)}>"

    def shows(self, method: str) -> Shows:
        """What she shows by the method, at the most."""
        return {
            "password": proofs.PASSWORD,
            "totp": proofs.TOTP,
            "recovery_code": proofs.RECOVERY_CODE,
            "magic_link": proofs.MAIL,
            "passkey": proofs.passkey(verified=self.verifies),
        }[method]

    def could_show(self, *, refused: frozenset[str] = frozenset()) -> list[Shows]:
        """All that she could show today."""
        return [self.shows(method) for method in sorted(self.has - refused)]

    @property
    def account_floor(self) -> int:
        """By policy, whoever has a second step is asked for one; codes on paper are none."""
        second = self.has & {"totp", "passkey"}
        return 2 if self.town.careful and second else 1

    def gain(self, method: str) -> None:
        """Set it up, in the account and in her hands. A touch is a passkey that verifies nobody."""
        house = self.town.house
        if method == "totp":
            self.seed = house.totp(self.account)
            self.last_step = self._step()
        elif method == "recovery_code":
            self.codes = house.recovery_codes(self.account)
        elif self.keys is None:
            self.verifies = method != "touch"
            self.keys = house.passkey(self.account, uv=self.verifies)

    def lose(self, method: str) -> None:
        """It is gone; what was proved with it was proved."""
        with self.town.house.app.app_context():
            delete_all(self.id, method)
            db.session.commit()
        self.forget(method)

    def forget(self, method: str) -> None:
        if method == "totp":
            self.seed = None
        elif method == "passkey":
            self.keys = None
        elif method == "recovery_code":
            self.codes = []

    def disable(self, *, disabled: bool) -> None:
        accounts = self.town.house.services.accounts
        with self.town.house.app.app_context():
            user = db.session.get_one(User, self.id)
            (accounts.disable if disabled else accounts.enable)(user, self.town.house.context)
        self.disabled = disabled

    def _step(self) -> int:
        return int(self.town.clock().timestamp()) // STEP

    def code(self) -> str:
        """What her app shows; it waits rather than show a code twice."""
        if self._step() <= self.last_step:
            late = (self.last_step + 1) * STEP - self.town.clock().timestamp()
            self.town.clock.advance(seconds=late)
        self.last_step = self._step()
        return pyotp.TOTP(self.seed or "").at(self.town.clock())

    def mailed_code(self) -> str | None:
        mail = self.town.mail_to(self)
        return code(mail) if mail else None

    def mailed_link(self) -> str | None:
        mail = self.town.mail_to(self)
        found = [one for one in links(mail) if "/login/link/" in one] if mail else []
        return found[0] if found else None

    def sign(self, options: Mapping[str, Any], *, right: bool = True) -> str | None:
        """What her authenticator makes of the options; None where it holds nothing they allow."""
        if self.keys is None:
            return None
        bent = Tampering() if right else Tampering(signature=lambda value: value[:-1] + b"!")
        try:
            made = self.keys.get_assertion(options, uv=self.verifies, tampering=bent)
        except NoCredential:
            return None
        return json.dumps(made)

    def make_key(self, options: Mapping[str, Any]) -> str:
        """A passkey on a new device of hers; ``took_up`` makes it the one that she uses."""
        self._making = SoftAuthenticator(self.town.house.settings.issuer)
        return json.dumps(self._making.make_credential(options))

    def first_code(self, seed: str) -> str:
        """What a new app shows first; ``took_up`` makes it the one that she uses."""
        self._scanned = seed
        return pyotp.TOTP(seed).at(self.town.clock())

    def took_up(self, method: str) -> None:
        """What she was setting up is set up, along a sign-in; codes on paper come with it."""
        if method == "totp":
            self.seed, self.last_step = self._scanned, self._step()
        else:
            self.keys, self.verifies = self._making, True
        self.codes = self.town.house.recovery_codes(self.account)
