"""What of a registration is not for everybody who keeps applications to write.

An application asks people before it is told of them. Where its registration says that nobody is
asked, whoever wrote that has answered for everybody: it takes the right to change everybody's
account, which an administrator has, and an application that was given ``admin:people:write``. Who
keeps applications, and nothing else, has them ask.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from idp.protocol.scopes import ADMIN_SCOPES
from idp.services.client_pages import Manager
from idp.services.client_powers import asks_nobody, scopes, worth
from idp.services.roles import ADMINISTRATOR

Found = Iterator[tuple[str, str]]


def beyond(wanted: Mapping[str, Any], before: Mapping[str, Any], manager: Manager) -> Found:
    """What of a change is not this one's to make, by members; ``before`` is empty for a new one."""
    yield from _owners(wanted, before, manager)
    yield from _administers(wanted, before, manager)
    if not manager.may_leave_unasked:
        yield from _unasked(wanted, before)
        yield from _onwards(wanted, before)


def _owners(wanted: Mapping[str, Any], before: Mapping[str, Any], manager: Manager) -> Found:
    """Whose a client is, only an administrator says: nobody takes it from the others."""
    if manager.role == ADMINISTRATOR:
        return
    if (wanted.get("owner_groups") or []) != (before.get("owner_groups") or []):
        yield "owner_groups", "is for an administrator to change"


def _administers(wanted: Mapping[str, Any], before: Mapping[str, Any], manager: Manager) -> Found:
    """Nobody lets an application administer more than they may let it."""
    named = ADMIN_SCOPES & scopes(wanted)
    if not manager.may_hand_on(named | worth(before)):
        told = ", ".join(sorted(named - manager.holds))
        yield "scope", f"administers, and is not yours to give: leave out {told or 'it'}"


def _unasked(wanted: Mapping[str, Any], before: Mapping[str, Any]) -> Found:
    """Nobody is left unasked; and of those who are already, no more is taken."""
    if not asks_nobody(wanted):
        return
    if not asks_nobody(before):
        yield "consent", "is for an administrator to set to never: choose that people are asked"
    elif more := sorted(scopes(wanted) - scopes(before)):
        told = ", ".join(more)
        yield "scope", f"is for an administrator to widen, for nobody is asked: leave out {told}"


def _onwards(wanted: Mapping[str, Any], before: Mapping[str, Any]) -> Found:
    """Elsewhere in people's names (RFC 8693): they are asked about this application alone."""
    member = "token_exchange_audiences"
    if more := sorted(_listed(wanted, member) - _listed(before, member)):
        yield member, f"is for an administrator to widen: leave out {', '.join(more)}"


def _listed(registration: Mapping[str, Any], member: str) -> frozenset[str]:
    value = registration.get(member)  # of another type: for the rules to say
    return frozenset(map(str, value)) if isinstance(value, list | tuple) else frozenset()
