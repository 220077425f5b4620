"""This project's own provider, in this process, as an issuer to be tested like any other."""

from collections.abc import Callable
from email.message import EmailMessage
from itertools import count

from sqlalchemy import select

from idp.clock import epoch
from idp.models import OutboxMessage, db
from tests.helpers import house as houses
from tests.helpers.authenticator import SoftAuthenticator
from tests.helpers.clock import FakeClock
from tests.helpers.house import House
from tests.helpers.relying_party import RelyingParty
from tests.helpers.smtp import code
from tests.helpers.user_agent import UserAgent
from tests.step_up.drive import Drive
from tests.step_up.issuer import Names, registration
from tests.step_up.people import STEP, Person, Totp

ALIASES = {"https://refeds.org/profile/mfa": "urn:idp:acr:mfa", "2": "urn:idp:acr:mfa"}
_NUMBERS = count(1)


class Ours:
    """A house whose clock stands still unless somebody waits. Whoever is asked for is made."""

    def __init__(
        self, database_url: str, clock: FakeClock, *, pace: int = 600, **settings: object
    ) -> None:
        self.pace = pace
        self.house = House(database_url, clock, acr_aliases=ALIASES, **settings)
        self.url = self.house.settings.issuer
        self.drive = Drive()
        self.names = Names(aliases=ALIASES)

    def person(self, *has: str, besides: Person | None = None) -> Person:
        """A new account; ``besides`` is always somebody else."""
        number = next(_NUMBERS)
        secret = f"{houses.PASSWORD} number {number}"
        made = self.house.person(f"person{number}@example.com", secret)
        person = Person(made.email, mailed_code=self._mail_reader(made.email))
        person.password = made.password
        if "totp" in has:
            seed = self.house.totp(made)
            person.totp = Totp(seed, self.now, self.wait, last_step=self.now() // STEP)
        if "passkey" in has:
            person.passkeys = self.house.passkey(made)
        if "recovery_code" in has:
            person.recovery_codes = self.house.recovery_codes(made)
        return person

    def key(self, person: Person, **knobs: object) -> SoftAuthenticator:
        """Give somebody one more passkey, made as ``make_credential`` is told."""
        user = self.house.do(lambda services: services.accounts.find_by_login(person.username))
        made = houses.Person(user.id, person.username, person.password or "")
        return self.house.passkey(made, **knobs)

    def _mail_reader(self, address: str) -> Callable[[], str]:
        newest = (
            select(OutboxMessage.payload)
            .where(OutboxMessage.recipient == address, OutboxMessage.kind == "mail")
            .order_by(OutboxMessage.id.desc())
            .limit(1)
        )

        def read() -> str:
            sealed = self.house.do(lambda _: db.session.scalars(newest).one())
            message = EmailMessage()
            message.set_content(self.house.services.box.open(sealed)["text"])
            return code(message)

        return read

    def client(self, role: str = "plain") -> RelyingParty:
        """A new registration."""
        return self.house.client(**registration(role, self.names, self.pace))

    def agent(self) -> UserAgent:
        """A browser with no cookies."""
        return self.house.browser()

    def wait(self, seconds: float) -> None:
        """Takes no time."""
        self.house.clock.advance(seconds=seconds)

    def now(self) -> int:
        """By the house's own clock."""
        return epoch(self.house.clock())
