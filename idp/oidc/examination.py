"""What of a client can be tried with no browser at hand: by the command, by the API, by anybody.

Its registration by today's rules, what it would authenticate with, its addresses; and, where it
acts for itself, the token endpoint's own exchange, of which nothing is kept. Where people sign in
to it, it takes one to try that: told are the address for it, and how the last time ended.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import select

from idp import audit
from idp.assurance import Demand
from idp.audit import Context
from idp.config import Settings
from idp.models import AuditEvent, db, release
from idp.oidc.issuance import Issuance
from idp.oidc.trial import Step, Trial, decoded, failed
from idp.protocol.client_metadata import ADMITS_NOBODY, ClientMetadata
from idp.protocol.errors import OAuthError
from idp.protocol.redirect_uris import notes_on
from idp.protocol.registration import InvalidClientMetadata
from idp.services.binding import UNBOUND
from idp.services.client_keys import ClientKeys
from idp.services.client_presets import kind_of, signs_people_in
from idp.services.client_rules import ClientRules
from idp.services.client_secrets import has_secret
from idp.services.client_tokens import ClientTokens
from idp.services.clients import RegisteredClient
from idp.services.demands import client_floor
from idp.services.grant_ends import end_grant
from idp.services.groups import is_anybody_in
from idp.services.turned_away import NOBODY_ADMITTED, denied
from idp.services.weighing import Weighing

GRANT: Final = "client_credentials"
TESTED: Final = "client.tested"
NOBODY_IN_THEM: Final = "nobody is in an allowed group"
OUT_OF_REACH: Final = "nobody can prove as much"
LATEST: Final = 1000


@dataclass(frozen=True, slots=True)
class Last:
    """When it was tried before, and how that ended: ``passed``, or the code of an error."""

    at: datetime
    outcome: str


@dataclass(frozen=True, slots=True)
class Examination:
    """What was tried. ``address`` is where somebody can sign in to it, where that is possible."""

    trial: Trial
    address: str | None
    last: Last | None


class Examiner:
    """Looks at clients."""

    def __init__(
        self,
        settings: Settings,
        *,
        rules: ClientRules,
        weighing: Weighing,
        keys: ClientKeys,
        client_tokens: ClientTokens,
        issuance: Issuance,
    ) -> None:
        self._settings = settings
        self._rules = rules
        self._weighing = weighing
        self._keys = keys
        self._client_tokens = client_tokens
        self._issuance = issuance

    def examine(
        self, client: RegisteredClient, context: Context, *, scope: tuple[str, ...] | None = None
    ) -> Examination:
        """Go as far as it goes; ``scope`` None: all that it may have for itself.

        Commits, where a token was issued: with an audit event that says how it ended.
        """
        last = _last(client.id)
        release()
        steps = tuple(self._steps(client, context, scope))
        if client.metadata.redirect_uris and "code" in client.metadata.response_types:
            address = f"{self._settings.issuer}/admin/clients/{quote(client.id)}/test"
        else:
            address = None
        return Examination(Trial(steps), address, last)

    def standing(self, client: RegisteredClient, context: Context) -> tuple[Step, ...]:
        """The registration alone, up to the first thing that is wrong with it. Writes nothing."""
        return tuple(self._health(client, context))

    def _steps(
        self, client: RegisteredClient, context: Context, scope: tuple[str, ...] | None
    ) -> Iterator[Step]:
        standing = self.standing(client, context)
        yield from standing
        if standing[-1].error is not None:
            return
        if (closed := _closed(client.metadata) or self._too_high(client.metadata)) is not None:
            yield failed("entry", {}, closed)
        elif GRANT in client.metadata.grant_types:
            yield self._exchanged(client, context, scope)

    def _too_high(self, metadata: ClientMetadata) -> OAuthError | None:
        """Why nobody can come in, whatever she sets up: it asks for more than there is to show."""
        floor = client_floor(metadata, self._settings)
        demand = Demand(floor=floor.minimum, refused=floor.refused)
        if not signs_people_in(metadata) or self._weighing.reaches(demand):
            return None
        told = f"Nobody can reach {metadata.minimum_acr} by the ways to sign in that are left here."
        return OAuthError("unmet_authentication_requirements", told, reason=OUT_OF_REACH)

    def _health(self, client: RegisteredClient, context: Context) -> Iterator[Step]:
        checks: tuple[tuple[str, Callable[[RegisteredClient, Context], Mapping[str, object]]], ...]
        checks = (
            ("registration", self._registration),
            ("credentials", self._credentials),
            ("addresses", self._addresses),
        )
        for name, check in checks if client.metadata.redirect_uris else checks[:-1]:
            try:
                step = Step(name, {}, check(client, context))
            except OAuthError as error:
                step = failed(name, {}, error)
            yield step
            if step.error is not None:
                return

    def _registration(self, client: RegisteredClient, _context: Context) -> Mapping[str, object]:
        metadata = client.metadata
        if client.disabled:
            raise OAuthError("unauthorized_client", "The application is disabled.")
        try:
            self._rules.parse(metadata.to_json())
        except InvalidClientMetadata as error:
            told = " ".join(f"{name} {sentence}." for name, sentence in error.problems)
            raise OAuthError("invalid_client_metadata", told) from error
        return {"kind": kind_of(metadata), "grant_types": list(metadata.grant_types)}

    def _credentials(self, client: RegisteredClient, context: Context) -> Mapping[str, object]:
        metadata = client.metadata
        told: dict[str, object] = {"client_authentication": metadata.token_endpoint_auth_method}
        if has_secret(metadata):
            told["secrets"] = sum(one.is_alive(context.at) for one in client.secrets)
            if not told["secrets"]:
                raise OAuthError("invalid_client", "Every secret has ended.")
        if metadata.jwks is not None or metadata.jwks_uri is not None:
            told["keys"] = len(self._keys.published(client, context.at))
            if not told["keys"]:
                problem = self._keys.problem(client)
                why = f" (jwks_uri: {problem})" if problem else ""
                raise OAuthError(
                    "invalid_client", f"None of its public keys can be read or used{why}."
                )
        return told

    def _addresses(self, client: RegisteredClient, _context: Context) -> Mapping[str, object]:
        metadata = client.metadata
        notes = list(notes_on(metadata.redirect_uris, metadata.application_type))
        told = [f"Address {one.number} {one.sentence}." for one in notes]
        if any(one.blocks for one in notes):
            raise OAuthError("invalid_redirect_uri", " ".join(told))
        return {"redirect_uris": list(metadata.redirect_uris), **({"notes": told} if told else {})}

    def _exchanged(
        self, client: RegisteredClient, context: Context, scope: tuple[str, ...] | None
    ) -> Step:
        """RFC 6749 section 4.4, but for the authentication: nobody here has the secret."""
        sent: dict[str, object] = {"grant_type": GRANT}
        sent |= {"scope": " ".join(scope)} if scope is not None else {}
        try:
            step = Step("token", sent, self._token(client, context, scope))
        except OAuthError as error:
            db.session.rollback()
            step = failed("token", sent, error)
        audit.record(TESTED, context, client_id=client.id, outcome=step.error or "passed")
        db.session.commit()
        return step

    def _token(
        self, client: RegisteredClient, context: Context, scope: tuple[str, ...] | None
    ) -> Mapping[str, Any]:
        redeemed = self._client_tokens.issue(
            client, scope=scope, resource=(), context=context, binding=UNBOUND
        )
        try:
            return decoded(self._issuance.respond(redeemed, client, repeats_nonce=False))
        finally:
            end_grant(redeemed.grant_id, context.at)


def _closed(metadata: ClientMetadata) -> OAuthError | None:
    """Why nobody at all may sign in. Whoever acts for itself alone lets nobody in, and need not."""
    if not signs_people_in(metadata):
        return None
    if metadata.admits == ADMITS_NOBODY:
        return denied(NOBODY_ADMITTED)
    groups = metadata.allowed_groups
    if not groups or is_anybody_in(groups):
        return None
    told = f"Nobody is in a group that may sign in: {', '.join(groups)}."
    return OAuthError("access_denied", told, reason=NOBODY_IN_THEM)


def _last(client_id: str) -> Last | None:
    """Of the latest trials of all clients, so that it is no matter what else happened to one."""
    of_all = select(AuditEvent).where(AuditEvent.name == TESTED).order_by(AuditEvent.id.desc())
    latest = of_all.limit(LATEST).subquery()
    row = db.session.execute(
        select(latest.c.at, latest.c.data)
        .where(latest.c.client_id == client_id)
        .order_by(latest.c.id.desc())
        .limit(1)
    ).one_or_none()
    return Last(row.at, str(row.data.get("outcome", ""))) if row else None
