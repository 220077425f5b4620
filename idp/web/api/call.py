"""One call of an operation: who calls, with what; and what the answer is."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from flask import request

from idp.audit import Context
from idp.models import User
from idp.services.access import LiveToken
from idp.services.client_pages import Manager
from idp.services.roles import ADMINISTRATOR, scopes_of
from idp.services.versions import Stale
from idp.web.api.problems import Problem


@dataclass(frozen=True)
class Caller:
    """Whose token it is. ``user`` is None where a client acts for itself."""

    live: LiveToken
    user: User | None

    @cached_property
    def holds(self) -> frozenset[str]:
        """The scopes of the administration that count: the token's, and the role's as well."""
        scopes = frozenset(self.live.scope)
        return scopes if self.user is None else scopes & scopes_of(self.user.role)

    @cached_property
    def manager(self) -> Manager:
        """As whom the rules about applications know it."""
        if self.user is None:
            return Manager(None, frozenset(), self.holds)
        known = Manager.of(self.user)
        return replace(known, holds=known.holds & self.holds)

    @property
    def name(self) -> str:
        """The person, or the client that acts for itself, as the audit log has it."""
        return self.user.id if self.user else f"client:{self.live.granted.client_id}"[:255]

    @property
    def key(self) -> str:
        """Whom calls are counted for, and whose idempotency keys these are."""
        return f"{self.name} {self.live.granted.client_id}"

    def acting(self, context: Context) -> Context:
        """The circumstances of a change, with who makes it and by which application."""
        via = self.live.granted.client_id if self.user else None
        return replace(context, actor_id=self.name, via=via)

    def insist_on_reach(self, person: User) -> None:
        """Raise ``Problem`` where the other's role permits more than this token.

        A link to set an administrator's password is as good as her account.
        """
        if beyond := sorted(scopes_of(person.role) - self.holds):
            told = f"This person has a role. Changing it takes all that it permits: {beyond[0]} …"
            raise Problem(403, told)

    def insist_on_giving(self, role: str | None) -> None:
        """Raise ``Problem`` for a role that permits more than this token."""
        if beyond := sorted(scopes_of(role) - self.holds):
            raise Problem(403, f"Giving a role takes all that it permits: {beyond[0]} …")

    @property
    def is_administrator(self) -> bool:
        """Somebody of that role; a client is nobody."""
        return self.user is not None and self.user.role == ADMINISTRATOR


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What an operation is given; ``body`` and ``query`` fit the operation's schemas."""

    caller: Caller
    context: Context
    """With the caller as the actor."""
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None

    @property
    def limit(self) -> int:
        """How many items a page is to have."""
        return int(self.query["limit"])

    def insist_on_match(self, tag: str) -> None:
        """Raise ``Stale`` unless If-Match names this version (RFC 9110 section 13.1.1).

        ``*`` names any: who sends it has been asked for a condition, and says that there is none
        but that there is something. Of two such calls at one time the second is still refused.
        """
        if not request.if_match.contains(tag):
            raise Stale


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an operation returns. ``next`` is the cursor of the page after this one."""

    body: Any = None
    etag: str | None = None
    location: str | None = None
    next: str | None = None
