"""The parts of the program that know people and their ways to sign in, and no application."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Self

from idp import migrate
from idp.assurance import Trait
from idp.clock import Clock
from idp.config import Settings
from idp.config.live import LiveSettings
from idp.factors import build
from idp.factors.base import Factor, Tools
from idp.models import db
from idp.secrecy import Box
from idp.services import methods, persons, way_back
from idp.services.accounts import Accounts
from idp.services.ceremonies import Ceremonies
from idp.services.changed_settings import ChangedSettings
from idp.services.deletion import Deletion
from idp.services.devices import Devices
from idp.services.email_change import EmailChange
from idp.services.enrolment import Enrolment
from idp.services.first_run import FirstRun
from idp.services.handed_links import HandedLinks
from idp.services.holdings import Holdings
from idp.services.idempotency import Idempotency
from idp.services.mail import Mailer
from idp.services.notices import Notices
from idp.services.once import Once
from idp.services.outbox import Outbox
from idp.services.passkey_prompt import PasskeyPrompt
from idp.services.postman import mail_handlers
from idp.services.registration import Registration
from idp.services.removal import Removal
from idp.services.reset import PasswordReset
from idp.services.second_step import SecondStepReset
from idp.services.sessions import Sessions
from idp.services.signin import SignIn
from idp.services.throttle import Throttle
from idp.services.weighing import Weighing
from idp.web.skeletons import Skeletons
from idp.web.user_agents import device_name


class SignInServices:
    """People and how they sign in: what the rest is built upon."""

    def __init__(self, settings: Settings, *, clock: Clock, kinds: Iterable[type[Factor]]) -> None:
        self.settings = LiveSettings.over(settings)
        self.clock = clock
        self.box = Box(settings.keys)
        tools = Tools(settings=self.settings, box=self.box, clock=clock)
        self.factors = build(tools, tuple(kinds))
        self.skeletons = Skeletons()
        self.schema_revision = migrate.head()

    def ready(self) -> Self:
        """Make every part now, so that no two threads do."""
        for kind in reversed(type(self).__mro__):
            for name, part in vars(kind).items():
                if isinstance(part, cached_property):
                    getattr(self, name)
        return self

    def commit(self) -> None:
        """End the transaction of a view that wrote something itself."""
        db.session.commit()

    def rollback(self) -> None:
        """Take back whatever was not committed."""
        db.session.rollback()

    @cached_property
    def changed_settings(self) -> ChangedSettings:
        return ChangedSettings(self.settings, check=self._check_methods)

    def _check_methods(self, values: Mapping[str, Any]) -> dict[str, str]:
        """What is wrong with these settings together, a sentence by its name."""
        told = methods.problem(
            self.factors.values(),
            refused=values["refused_methods"],
            login_style=values["login_style"],
            mails=self.settings.mails,
        ) or way_back.problem(
            self.factors.values(),
            now={name: getattr(self.settings, name) for name in values},
            then=values,
            mails=self.settings.mails,
        )
        return {"refused_methods": f"This {told}."} if told else {}

    @cached_property
    def idempotency(self) -> Idempotency:
        return Idempotency(self.box)

    # People

    @cached_property
    def accounts(self) -> Accounts:
        return Accounts(self.settings)

    @cached_property
    def mailer(self) -> Mailer:
        return Mailer(self.settings, self.box)

    @cached_property
    def outbox(self) -> Outbox:
        return Outbox(self.box, mail_handlers(self.settings))

    @cached_property
    def devices(self) -> Devices:
        return Devices(self.box)

    @cached_property
    def throttle(self) -> Throttle:
        return Throttle(self.settings, self.devices)

    @cached_property
    def password_reset(self) -> PasswordReset:
        return PasswordReset(self.settings, mailer=self.mailer, throttle=self.throttle)

    @cached_property
    def registration(self) -> Registration:
        return Registration(self.settings, mailer=self.mailer, throttle=self.throttle)

    @cached_property
    def first_run(self) -> FirstRun:
        return FirstRun(self.settings, factors=self.factors, sessions=self.sessions)

    # Signing in

    @cached_property
    def sessions(self) -> Sessions:
        steps = [name for name, one in self.factors.items() if Trait.POSSESSION in one.can_prove]
        return Sessions(self.settings, second_steps=steps)

    @cached_property
    def weighing(self) -> Weighing:
        return Weighing(self.settings, factors=self.factors, sessions=self.sessions)

    @cached_property
    def ceremonies(self) -> Ceremonies:
        return Ceremonies(
            factors=self.factors,
            throttle=self.throttle,
            mailer=self.mailer,
            find_by_login=persons.by_login,
        )

    @cached_property
    def signin(self) -> SignIn:
        return SignIn(
            factors=self.factors,
            sessions=self.sessions,
            throttle=self.throttle,
            weighing=self.weighing,
            notices=self.notices,
            known_as=persons.known_as,
        )

    @cached_property
    def handed_links(self) -> HandedLinks:
        return HandedLinks(self.settings, self.signin)

    # Changing how to sign in

    @cached_property
    def holdings(self) -> Holdings:
        return Holdings(self.settings, self.factors)

    @cached_property
    def notices(self) -> Notices:
        return Notices(self.mailer, describe=device_name)

    @cached_property
    def once(self) -> Once:
        return Once(self.box)

    @cached_property
    def second_step(self) -> SecondStepReset:
        return SecondStepReset(self.factors, self.notices)

    @cached_property
    def enrolment(self) -> Enrolment:
        return Enrolment(
            self.settings,
            self.box,
            factors=self.factors,
            holdings=self.holdings,
            sessions=self.sessions,
            throttle=self.throttle,
            notices=self.notices,
            once=self.once,
        )

    @cached_property
    def removal(self) -> Removal:
        return Removal(
            self.settings,
            holdings=self.holdings,
            enrolment=self.enrolment,
            notices=self.notices,
        )

    @cached_property
    def email_change(self) -> EmailChange:
        return EmailChange(mailer=self.mailer, throttle=self.throttle, notices=self.notices)

    @cached_property
    def deletion(self) -> Deletion:
        return Deletion(notices=self.notices)

    @cached_property
    def passkey_prompt(self) -> PasskeyPrompt:
        return PasskeyPrompt(factors=self.factors, enrolment=self.enrolment, holdings=self.holdings)
