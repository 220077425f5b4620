"""Everything the views and the command call: one of each, made from the others it needs."""

from functools import cached_property

from idp.oidc.authorize import AuthorizationEndpoint
from idp.oidc.capabilities import capabilities_of
from idp.oidc.device_approval import DeviceApproval
from idp.oidc.end_session import EndSession
from idp.oidc.examination import Examiner
from idp.oidc.front_channel import FrontChannel
from idp.oidc.hints import IdTokenHints
from idp.oidc.issuance import Issuance
from idp.oidc.provider import Intake, Provider
from idp.oidc.request_objects import RequestObjects
from idp.oidc.requests import Requests
from idp.oidc.responding import Responder
from idp.oidc.resumed import Resumed
from idp.oidc.trial import Trials
from idp.services.apps import ConnectedApps
from idp.services.backchannel import BackChannel, logout_handlers
from idp.services.client_editing import ClientEditing
from idp.services.client_jwts import ClientJwts
from idp.services.client_keys import ClientKeys
from idp.services.client_registration import ClientRegistration
from idp.services.client_registry import ClientRegistry
from idp.services.client_rules import ClientRules
from idp.services.client_secrets import ClientSecrets
from idp.services.client_tokens import ClientTokens
from idp.services.clients import Clients
from idp.services.consents import Consents
from idp.services.device_codes import DeviceCodes
from idp.services.fetch import Fetcher, Limits
from idp.services.figures import Figures
from idp.services.grants import Grants
from idp.services.health import Health
from idp.services.key_rotation import KeyRotation
from idp.services.keys import SigningKeys
from idp.services.logout_notices import PlainText
from idp.services.mail_trial import MailTrial
from idp.services.outbox import Outbox
from idp.services.pushed import PushedRequests
from idp.services.sealing import Sealing
from idp.services.session_state import SessionStates
from idp.services.subjects import Subjects
from idp.web.sign_in_services import SignInServices


class Services(SignInServices):
    """The program's parts, without HTTP; here those that know relying parties."""

    @cached_property
    def clients(self) -> Clients:
        return Clients()

    @cached_property
    def client_rules(self) -> ClientRules:
        return ClientRules(
            self.settings, capabilities_of(self.settings), ways=self.factors.values()
        )

    @cached_property
    def client_registry(self) -> ClientRegistry:
        return ClientRegistry(self.client_rules, self.client_secrets)

    @cached_property
    def client_editing(self) -> ClientEditing:
        return ClientEditing(self.client_registry, self.client_rules)

    @cached_property
    def client_registration(self) -> ClientRegistration:
        parts = (self.client_rules, self.client_secrets, self.throttle, self.fetcher)
        return ClientRegistration(self.settings, *parts)

    @cached_property
    def client_secrets(self) -> ClientSecrets:
        return ClientSecrets(self.box)

    @cached_property
    def fetcher(self) -> Fetcher:
        return Fetcher.of(self.settings)

    @cached_property
    def client_keys(self) -> ClientKeys:
        # One of its own: who has request objects fetched without end keeps nobody from these.
        return ClientKeys(Fetcher.of(self.settings, Limits(at_once=1)), self.box)

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
    def health(self) -> Health:
        return Health(self.settings, self.box, keys=self.keys, rotation=self.key_rotation)

    @cached_property
    def figures(self) -> Figures:
        return Figures(self.key_rotation, schema_revision=self.schema_revision)

    @cached_property
    def mail_trial(self) -> MailTrial:
        return MailTrial(self.settings, self.mailer)

    @cached_property
    def provider(self) -> Provider:
        """The endpoints that speak OpenID Connect, and what they publish."""
        return Provider.build(
            self.settings,
            clients=self.clients,
            client_keys=self.client_keys,
            grants=self.grants,
            keys=self.keys,
            sealing=self.sealing,
            issuance=self.issuance,
            requests=self.requests,
            intake=Intake(self.pushed_requests, self.device_codes, self.throttle),
        )

    @cached_property
    def device_codes(self) -> DeviceCodes:
        return DeviceCodes(self.settings, self.box, self.grants)

    @cached_property
    def device_approval(self) -> DeviceApproval:
        """What a browser decides for a device (RFC 8628)."""
        return DeviceApproval(
            self.settings,
            capabilities=capabilities_of(self.settings),
            clients=self.clients,
            consents=self.consents,
            codes=self.device_codes,
            weighing=self.weighing,
            subjects=self.subjects,
        )

    @cached_property
    def pushed_requests(self) -> PushedRequests:
        return PushedRequests(self.settings)

    @cached_property
    def requests(self) -> Requests:
        """Authorization requests, resolved and held against who sends them."""
        return Requests(
            self.settings,
            capabilities=capabilities_of(self.settings),
            clients=self.clients,
            pushed=self.pushed_requests,
            subjects=self.subjects,
            objects=RequestObjects(self.settings, ClientJwts(self.client_keys), self.fetcher),
            read_hint=self.hints,
        )

    @cached_property
    def issuance(self) -> Issuance:
        return Issuance(self.settings, self.keys, self.sealing)

    @cached_property
    def responder(self) -> Responder:
        """Answers to authorization requests, with the grant that is behind each."""
        return Responder(
            self.settings,
            box=self.box,
            sealing=self.sealing,
            front_channel=FrontChannel(self.settings, self.grants, self.issuance),
            pushed=self.pushed_requests,
            session_states=self.session_states,
        )

    @cached_property
    def authorization(self) -> AuthorizationEndpoint:
        """What becomes of an authorization request (RFC 6749 section 3.1)."""
        return AuthorizationEndpoint(
            requests=self.requests,
            responder=self.responder,
            consents=self.consents,
            weighing=self.weighing,
            subjects=self.subjects,
            session_states=self.session_states,
            resumed=Resumed(self.settings),
        )

    @cached_property
    def trials(self) -> Trials:
        """Applications tried out, without a sign-in that counts."""
        return Trials(
            self.settings,
            requests=self.requests,
            weighing=self.weighing,
            subjects=self.subjects,
            grants=self.grants,
            issuance=self.issuance,
            userinfo=self.provider.userinfo,
            standing=self.examiner.standing,
        )

    @cached_property
    def examiner(self) -> Examiner:
        """Applications looked at, with no browser at hand."""
        return Examiner(
            self.settings,
            rules=self.client_rules,
            weighing=self.weighing,
            keys=self.client_keys,
            client_tokens=ClientTokens(self.settings),
            issuance=self.issuance,
        )

    @cached_property
    def hints(self) -> IdTokenHints:
        return IdTokenHints(self.settings, self.keys, self.clock)

    @cached_property
    def session_states(self) -> SessionStates:
        return SessionStates(self.box)

    @cached_property
    def end_session(self) -> EndSession:
        return EndSession(self.clients, self.hints, self.subjects)

    @cached_property
    def notices_outbox(self) -> Outbox:
        """Logout tokens, apart from mail: an application that is slow to answer delays no mail."""
        backchannel = BackChannel(
            self.settings,
            keys=self.keys,
            clients=self.clients,
            subjects=self.subjects,
            clock=self.clock,
            post=self.fetcher.post,
        )
        return Outbox(PlainText(), logout_handlers(backchannel))
