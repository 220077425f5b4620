"""Everything the views and the command call: one of each, made from the others it needs."""

from collections.abc import Iterable
from functools import cached_property

from idp import migrate
from idp.assurance import Trait
from idp.clock import Clock
from idp.config import Settings
from idp.factors import build
from idp.factors.base import Factor, Tools
from idp.models import db
from idp.oidc.authorize import AuthorizationEndpoint
from idp.oidc.capabilities import capabilities_of
from idp.oidc.front_channel import FrontChannel
from idp.oidc.hints import IdTokenHints
from idp.oidc.issuance import Issuance
from idp.oidc.provider import Provider
from idp.oidc.request_objects import RequestObjects
from idp.oidc.requests import Requests
from idp.oidc.responding import Responder
from idp.secrecy import Box
from idp.services.accounts import Accounts
from idp.services.apps import ConnectedApps
from idp.services.ceremonies import Ceremonies
from idp.services.client_jwts import ClientJwts
from idp.services.client_keys import ClientKeys
from idp.services.client_registry import ClientRegistry
from idp.services.client_rules import ClientRules
from idp.services.client_secrets import ClientSecrets
from idp.services.clients import Clients
from idp.services.consents import Consents
from idp.services.deletion import Deletion
from idp.services.devices import Devices
from idp.services.email_change import EmailChange
from idp.services.enrolment import Enrolment
from idp.services.fetch import Fetcher
from idp.services.grants import Grants
from idp.services.holdings import Holdings
from idp.services.key_rotation import KeyRotation
from idp.services.keys import SigningKeys
from idp.services.mail import Mailer
from idp.services.notices import Notices
from idp.services.once import Once
from idp.services.outbox import Outbox
from idp.services.passkey_prompt import PasskeyPrompt
from idp.services.postman import mail_handlers
from idp.services.pushed import PushedRequests
from idp.services.registration import Registration
from idp.services.removal import Removal
from idp.services.reset import PasswordReset
from idp.services.sealing import Sealing
from idp.services.second_step import SecondStepReset
from idp.services.sessions import Sessions
from idp.services.signin import SignIn
from idp.services.subjects import Subjects
from idp.services.throttle import Throttle
from idp.services.weighing import Weighing
from idp.web.user_agents import device_name


class Services:
    """The program's parts, without HTTP. ``ready`` makes them all, so that no two threads do."""

    def __init__(self, settings: Settings, *, clock: Clock, kinds: Iterable[type[Factor]]) -> None:
        self.settings = settings
        self.clock = clock
        self.box = Box(settings.keys)
        self.factors = build(Tools(settings=settings, box=self.box, clock=clock), tuple(kinds))
        self.schema_revision = migrate.head()

    def ready(self) -> "Services":
        """Make every part now."""
        for name, part in vars(Services).items():
            if isinstance(part, cached_property):
                getattr(self, name)
        return self

    def commit(self) -> None:
        """End the transaction of a view that wrote something itself."""
        db.session.commit()

    def rollback(self) -> None:
        """Take back whatever was not committed."""
        db.session.rollback()

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
            find_by_login=self.accounts.find_by_login,
        )

    @cached_property
    def signin(self) -> SignIn:
        return SignIn(
            factors=self.factors,
            sessions=self.sessions,
            throttle=self.throttle,
            weighing=self.weighing,
            notices=self.notices,
            find_by_login=self.accounts.find_by_login,
        )

    # Changing how to sign in

    @cached_property
    def holdings(self) -> Holdings:
        return Holdings(self.factors)

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
            self.settings, holdings=self.holdings, enrolment=self.enrolment, notices=self.notices
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

    # Relying parties

    @cached_property
    def clients(self) -> Clients:
        return Clients()

    @cached_property
    def client_registry(self) -> ClientRegistry:
        rules = ClientRules(self.settings, capabilities_of(self.settings), methods=self.factors)
        return ClientRegistry(rules, self.client_secrets)

    @cached_property
    def client_secrets(self) -> ClientSecrets:
        return ClientSecrets(self.box)

    @cached_property
    def fetcher(self) -> Fetcher:
        return Fetcher.of(self.settings)

    @cached_property
    def client_keys(self) -> ClientKeys:
        return ClientKeys(self.fetcher, self.box)

    @cached_property
    def consents(self) -> Consents:
        return Consents()

    @cached_property
    def connected_apps(self) -> ConnectedApps:
        return ConnectedApps(self.consents)

    @cached_property
    def grants(self) -> Grants:
        return Grants(self.settings)

    @cached_property
    def sealing(self) -> Sealing:
        return Sealing(self.keys, self.client_keys)

    @cached_property
    def subjects(self) -> Subjects:
        return Subjects(self.box)

    @cached_property
    def keys(self) -> SigningKeys:
        return SigningKeys(self.settings, self.box)

    @cached_property
    def key_rotation(self) -> KeyRotation:
        return KeyRotation(self.settings, self.box, self.keys)

    @cached_property
    def provider(self) -> Provider:
        return Provider.build(
            self.settings,
            clients=self.clients,
            client_keys=self.client_keys,
            grants=self.grants,
            keys=self.keys,
            sealing=self.sealing,
            issuance=self.issuance,
            requests=self.requests,
            pushed=self.pushed_requests,
        )

    @cached_property
    def pushed_requests(self) -> PushedRequests:
        return PushedRequests(self.settings)

    @cached_property
    def requests(self) -> Requests:
        return Requests(
            self.settings,
            capabilities=capabilities_of(self.settings),
            clients=self.clients,
            pushed=self.pushed_requests,
            objects=RequestObjects(self.settings, ClientJwts(self.client_keys), self.fetcher),
            subjects=self.subjects,
            read_hint=IdTokenHints(self.settings, self.keys, self.clock),
        )

    @cached_property
    def issuance(self) -> Issuance:
        return Issuance(self.settings, self.keys, self.sealing)

    @cached_property
    def responder(self) -> Responder:
        return Responder(
            self.settings,
            box=self.box,
            sealing=self.sealing,
            front_channel=FrontChannel(self.settings, self.grants, self.issuance),
            pushed=self.pushed_requests,
        )

    @cached_property
    def authorization(self) -> AuthorizationEndpoint:
        return AuthorizationEndpoint(
            requests=self.requests,
            responder=self.responder,
            consents=self.consents,
            weighing=self.weighing,
            subjects=self.subjects,
        )
