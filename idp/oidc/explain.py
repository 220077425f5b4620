"""The decision about an authorization request, replayed: nothing is written, nobody is asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from idp.assurance import Challenge, Decision, Demand, Evidence, Satisfied, decide
from idp.audit import Context
from idp.clock import epoch
from idp.models import Transaction, User
from idp.oidc.answers import AskConsent
from idp.oidc.asked import Asked
from idp.oidc.authorize import AuthorizationEndpoint
from idp.oidc.clauses import REFERENCE_ERRORS, clause_of
from idp.oidc.permission import check_entry, still_to_allow
from idp.oidc.resumed import TO_COME
from idp.oidc.silent import decide_silently, not_allowed, unmet
from idp.oidc.supposed import Supposed, ledger
from idp.protocol.arrived import Arrived
from idp.protocol.claims import Requests, select_claims
from idp.protocol.client_metadata import ADMITS_NOBODY
from idp.protocol.errors import OAuthError
from idp.protocol.parameters import Parameters
from idp.protocol.vocabulary import Prompt
from idp.services.clients import Clients, RegisteredClient
from idp.services.consents import Consents
from idp.services.profiles import for_client, profile_of
from idp.services.sessions import Live
from idp.services.weighing import Weighing

_SIGN_IN = "this sign-in"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the tokens would say: the ID token's claims, the scope, and what userinfo tells."""

    id_token: Mapping[str, object]
    scope: tuple[str, ...]
    userinfo: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Explanation:
    """What would come of a request.

    Exactly one of ``challenge`` (a person would be asked), ``answer`` (tokens would be issued) and
    ``error`` is there. ``consent`` are the scopes she would have to allow before tokens are issued,
    ``pages`` what else she would be shown. ``demand`` includes the account's own floor.
    """

    client_id: str | None = None
    """Whose request it is, also where it cannot be answered; None: nobody's that is known."""
    asked: Asked | None = None
    demand: Demand | None = None
    evidence: tuple[Evidence, ...] = ()
    challenge: Challenge | None = None
    answer: Answer | None = None
    error: OAuthError | None = None
    clause: str | None = None
    consent: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()
    beginnings: frozenset[str] = frozenset()
    """Methods that are not enough by what is known of nobody, and may be with what she has."""
    registered: tuple[str, ...] = ()
    """The client's redirect addresses, where the one that was sent is none of them."""


@dataclass(frozen=True, slots=True)
class _Case:
    """A request that may be acted on, and whom it is supposed to meet."""

    asked: Asked
    user: User | None
    evidence: tuple[Evidence, ...]
    now: datetime

    @property
    def live(self) -> Live | None:
        """The session that the browser would present."""
        if not self.evidence:
            return None
        return Live(
            id="supposed",
            user_id=self.user.id if self.user else "",
            email=self.user.email if self.user else (self.asked.request.login_hint or "").strip(),
            name=None,
            role=None,
            has_second_step=True,
            opened=True,
            persistent=False,
            last_seen_at=self.now,
            evidence=self.evidence,
        )


class Explainer:
    """Replays what the authorization endpoint decides, by the endpoint's own parts."""

    def __init__(
        self,
        issuer: str,
        *,
        authorization: AuthorizationEndpoint,
        clients: Clients,
        weighing: Weighing,
        consents: Consents,
    ) -> None:
        self._issuer = issuer
        self._authorization = authorization
        self._clients = clients
        self._weighing = weighing
        self._consents = consents

    def explain(
        self,
        parameters: Parameters,
        *,
        user: User | None,
        supposed: Sequence[Supposed],
        now: datetime,
    ) -> Explanation:
        """What would come of this request now, for ``user`` (None: somebody not known yet).

        ``supposed`` is all that was proved in her browser, before and in this sign-in.
        """
        client = self._clients.get(parameters.clean("client_id") or "")
        found = Explanation(
            client_id=client.id if client else None,
            evidence=ledger(supposed, now=now, transaction_id=_SIGN_IN),
        )
        try:
            asked = self._resume(parameters, client, now)
            case = _Case(asked, user, found.evidence, now)
            found = replace(found, asked=asked, demand=asked.demand, pages=_pages(case))
            demand, decision = self._decide(case)
            return self._told(replace(found, demand=demand), decision, case)
        except OAuthError as error:
            elsewhere = error.redirectable or error.error in REFERENCE_ERRORS
            known = () if elsewhere or client is None else client.metadata.redirect_uris
            return replace(found, error=error, clause=clause_of(error), registered=known)

    def _resume(
        self, parameters: Parameters, client: RegisteredClient | None, now: datetime
    ) -> Asked:
        """The request as its transaction would have it; what it refers to stays unused."""
        if client is None:
            return self._authorization.resume(_transaction(Arrived.plainly(parameters), now))
        arrived = self._authorization.resolve(parameters, client, now)
        return self._authorization.resume(_transaction(arrived, now))

    def _decide(self, case: _Case) -> tuple[Demand, Decision]:
        demand, live = case.asked.demand, case.live
        if Prompt.NONE in case.asked.request.prompts:
            if live is None:
                raise OAuthError("login_required", "Nobody fitting is signed in.")
            weighing = self._weighing if case.user else _OfNobody(self._weighing)
            is_shut = case.asked.client.metadata.admits == ADMITS_NOBODY
            allowed = not is_shut and self._question(case) is None
            decision = decide_silently(weighing, case.asked, live, allowed=allowed)
            check_entry(case.asked.client, live.user_id)
            if not allowed:
                raise not_allowed()
            return demand, decision
        if case.user is None and case.evidence:
            return demand, decide(demand, case.evidence, self._weighing.offers(None))
        transaction = Transaction(
            id=_SIGN_IN, user_id=case.user.id if case.user else None, state={}
        )
        standing = self._weighing.standing(
            transaction, demand, presented=live, context=Context(at=case.now)
        )
        return standing.demand, standing.decision

    def _told(self, found: Explanation, decision: Decision, case: _Case) -> Explanation:
        asked = case.asked
        if case.user is not None:
            if not isinstance(decision, Challenge):
                check_entry(asked.client, case.user.id)
            question = self._question(case)
            found = replace(found, consent=question.new if question else ())
        if isinstance(decision, Challenge):
            beginnings = self._beginnings(decision, case)
            return replace(found, challenge=decision, beginnings=beginnings)
        if not isinstance(decision, Satisfied):
            raise unmet()
        return replace(found, answer=self._answer(decision, case))

    def _question(self, case: _Case) -> AskConsent | None:
        """What she would still be asked to allow, where it is known who she is."""
        if case.user is None:
            return None
        asked = case.asked
        return still_to_allow(self._consents, asked.request, asked.client, case.user.id)

    def _beginnings(self, challenge: Challenge, case: _Case) -> frozenset[str]:
        if case.user is not None or case.evidence:
            return frozenset()
        known = decide(case.asked.demand, (), self._weighing.offers(None))
        sufficing = known.choices if isinstance(known, Challenge) else ()
        methods = {choice.method for choice in challenge.choices}
        return frozenset(methods - {choice.method for choice in sufficing})

    def _answer(self, satisfied: Satisfied, case: _Case) -> Answer:
        request, client = case.asked.request, case.asked.client
        # OIDC Core 5.4: without an access token, the claims of the scopes are in the ID token.
        alone = request.response_type == "id_token"
        claims: dict[str, object] = {
            "iss": self._issuer,
            "sub": self._authorization.subjects.of(client, case.user.id) if case.user else None,
            "aud": client.id,
            "nonce": request.nonce,
            "acr": satisfied.acr,
            "amr": list(satisfied.amr),
            "auth_time": epoch(satisfied.auth_time),
            "authorization_details": list(case.asked.details(satisfied, case.now)) or None,
            **select_claims(
                _profile(case, request.claims.id_token),
                scopes=case.asked.scope if alone else (),
                requested=request.claims.id_token,
            ),
        }
        return Answer(
            id_token={name: value for name, value in claims.items() if value is not None},
            scope=case.asked.scope,
            userinfo={}
            if alone
            else select_claims(
                _profile(case, request.claims.userinfo),
                scopes=case.asked.scope,
                requested=request.claims.userinfo,
            ),
        )


def _transaction(arrived: Arrived, now: datetime) -> Transaction:
    # Without a page there is no sign-in in which anything could be proved; there could be one.
    silent = Prompt.NONE in (arrived.parameters.clean("prompt") or "").split()
    return Transaction(
        id=TO_COME if silent else _SIGN_IN, parameters=arrived.to_json(), started_at=now
    )


def _pages(case: _Case) -> tuple[str, ...]:
    """What is shown before it comes to proofs; in the words of ``prompt``."""
    prompts = case.asked.request.prompts
    choosing = Prompt.SELECT_ACCOUNT in prompts and bool(case.evidence)
    pages = {"create": Prompt.CREATE in prompts, "select_account": choosing}
    return tuple(name for name, is_shown in pages.items() if is_shown)


def _profile(case: _Case, requested: Requests) -> Mapping[str, object]:
    """As the client is told it."""
    if case.user is None:
        return {}
    profile, client = profile_of(case.user.id, groups=True), case.asked.client.metadata
    return for_client(profile, client, scopes=case.asked.scope, requested=requested)


class _OfNobody(Weighing):
    """Weighs what somebody has proved of whom there is no account: what anybody might have."""

    def __init__(self, known: Weighing) -> None:
        self._known = known

    def weigh(self, live: Live, demand: Demand) -> Decision:
        """The decision on supposed evidence alone."""
        return decide(demand, live.evidence, self._known.offers(None))
