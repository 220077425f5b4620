"""The rows that list a person's ways to sign in: state first, and where each is managed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from flask import url_for

from idp.assurance import MAILBOX, Trait
from idp.factors.base import Factor, of_kind
from idp.models import Credential, User
from idp.services.passkeys import METHOD
from idp.web.context import services

ENOUGH_LEFT: Final = 3
"""With no more codes than this left it is time to make new ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodRow:
    """One way. ``count`` is how many of it are of use, out of ``total`` there have been."""

    method: str
    enrolled: bool
    count: int
    total: int
    since: datetime | None
    url: str


def method_url(method: str) -> str:
    """Where credentials of this kind are managed."""
    if method == METHOD:
        return url_for("account.passkeys")
    return url_for("account.method_page", method=method)


def method_rows(user: User, credentials: Sequence[Credential]) -> list[MethodRow]:
    """Every way there is here, those that nobody can be tricked out of first."""
    rows = [
        _row(factor, user, credentials)
        for factor in services().factors.values()
        if _is_shown(factor, user, credentials)
    ]
    return sorted(rows, key=lambda row: not _resists_phishing(row.method))


def deletion_of(user: User) -> dict[str, Any] | None:
    """When the account is deleted, and where that is called off; None where it stays."""
    if user.deletion_due_at is None:
        return None
    return {"date": user.deletion_due_at, "undo": url_for("account.keep")}


def _resists_phishing(method: str) -> bool:
    return Trait.PHISHING_RESISTANT in services().factors[method].can_prove


def _is_shown(factor: Factor, user: User, credentials: Sequence[Credential]) -> bool:
    """Codes for the loss of a second step are no matter to somebody who has none.

    Nor is a way that nobody has here, such as the mailbox where no mail is sent.
    """
    if not factor.offers(None, ()):
        return False
    if not services().holdings.uses(factor.name) and not of_kind(credentials, factor.name):
        return False
    holdings = services().holdings
    return factor.name not in holdings.last_resorts or holdings.has_second_step(user, credentials)


def _row(factor: Factor, user: User, credentials: Sequence[Credential]) -> MethodRow:
    mine = of_kind(credentials, factor.name)
    by_address = factor.can_prove == MAILBOX.proves  # nothing to set up but the address itself
    return MethodRow(
        method=factor.name,
        enrolled=bool(factor.offers(user, credentials)),
        count=len(mine),
        total=sum(one.kind == factor.name for one in credentials),
        since=max((one.created_at for one in mine), default=None),
        url=url_for("account.email") if by_address else method_url(factor.name),
    )
