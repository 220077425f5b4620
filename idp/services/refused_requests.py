"""Authorization requests that were refused: on record, and found by the error page's reference."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final
from urllib.parse import urlsplit

from idp.audit import Context
from idp.models import AuditEvent
from idp.protocol.errors import OAuthError
from idp.services import repeated
from idp.services.audit_log import Search, search

NAME: Final = "authorization.refused"
LONGEST: Final = 2000


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of an address; ``differs`` where the other has something else."""

    text: str
    differs: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was sent against one address that is registered."""

    registered: str
    sent: tuple[Piece, ...]
    expected: tuple[Piece, ...]


def record(error: OAuthError, context: Context, *, alike: tuple[str, ...], **values: Any) -> None:
    """One more, with what it says and its reason if it has one. Takes what ``repeated`` does."""
    if error.reason is not None:
        values["reason"] = error.reason
    repeated.record(
        NAME,
        context,
        alike=(*alike, error.error),
        error=error.error,
        description=error.description,
        **values,
    )


_ABOUT_SOMEBODY: Final = frozenset({"access_denied", "unmet_authentication_requirements"})
_ANSWERS: Final = _ABOUT_SOMEBODY | {
    *("login_required", "interaction_required", "consent_required", "account_selection_required")
}
"""What ``prompt=none`` asks about, and may every minute: no failure (OIDC Core 3.1.2.6)."""


def record_at_once(
    error: OAuthError,
    context: Context,
    *,
    client_id: str,
    user_id: str | None,
    silent: bool = False,
) -> None:
    """The same where nobody was asked anything, unless it was all that a ``silent`` request asked.

    Whoever is signed in (``user_id``) is named where it has to do with them: any page can send
    them here with a request that is wrong.
    """
    if silent and error.error in _ANSWERS:
        return
    user_id = user_id if error.error in _ABOUT_SOMEBODY else None
    alike = (user_id or "", client_id)
    record(error, context, alike=alike, client_id=client_id, user_id=user_id)


def find(reference: str) -> AuditEvent | None:
    """The event; people read references out, so the letters' size is no matter."""
    wanted = reference.strip().upper()[:16]
    found = search(Search(reference=wanted, at_most=5)) if wanted else ()
    return next((event for event in found if event.name == NAME), None)


def is_mismatch(event: AuditEvent) -> bool:
    """Was it the redirect address that is not registered?"""
    described = str(event.data.get("description", ""))
    return described.startswith("redirect_uri is not one") and bool(event.data.get("redirect_uri"))


def compared(sent: str, registered: Sequence[str]) -> list[Comparison]:
    """``sent`` against each address, the likest first."""
    matched = [(SequenceMatcher(None, sent, one, autojunk=False), one) for one in registered]
    matched.sort(key=lambda pair: (-pair[0].ratio(), pair[1]))
    return [_comparison(matcher, sent, one) for matcher, one in matched]


def _comparison(matcher: SequenceMatcher[str], sent: str, registered: str) -> Comparison:
    codes = matcher.get_opcodes()
    return Comparison(
        registered,
        tuple(Piece(sent[a:b], tag != "equal") for tag, a, b, _, _ in codes if a < b),
        tuple(Piece(registered[a:b], tag != "equal") for tag, _, _, a, b in codes if a < b),
    )


def is_new_host(sent: str, registered: Sequence[str]) -> bool:
    """Is it somewhere that the application has never been?

    Whoever makes somebody follow a link can have any address end up here: one at a host that is
    not known must not be added by a click on what looks like a repair.
    """
    return _place(sent) not in {_place(one) for one in registered}


def _place(uri: str) -> tuple[str, str]:
    try:
        parts = urlsplit(uri)
    except ValueError:
        return "", uri
    return parts.scheme, parts.netloc
