"""Changing a registration member by member, as forms do: what is not named stays as it is."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Final

from idp import audit
from idp.audit import Context
from idp.models import db
from idp.protocol.registration import InvalidClientMetadata, Problems
from idp.services import client_limits
from idp.services.client_listing import ClientInfo, ClientRefused, shown
from idp.services.client_pages import Manager, unknown_groups
from idp.services.client_registry import ClientRegistry, Registration
from idp.services.client_rules import ClientRules
from idp.services.versions import Stale

FILE: Final = "file"
TRIES: Final = 10
"""Of a change that does not depend on what others change meanwhile."""


class ClientEditing:
    """The rules for whoever changes clients by hand. Every operation commits once."""

    def __init__(self, registry: ClientRegistry, rules: ClientRules) -> None:
        self._registry = registry
        self._rules = rules

    def register(
        self,
        members: Mapping[str, object],
        manager: Manager,
        context: Context,
        *,
        found: Problems = (),
        managed_by: str = "console",
    ) -> Registration:
        """Add a client; ``found`` is what was seen to be wrong with the form already.

        Raises ``InvalidClientMetadata`` with all problems, ``ClientRefused``.
        """
        wanted = _named(members)
        self._check(wanted, {}, manager, context, found=found)
        return self._registry.register(wanted, context, managed_by=managed_by)

    def change(
        self,
        client_id: str,
        members: Mapping[str, object],
        manager: Manager,
        context: Context,
        *,
        expected: int,
    ) -> str | None:
        """Set these members, and take away those that are None; the rest stays.

        ``expected`` is the revision that was looked at. Returns a secret, told this once, if a new
        one was needed. Raises ``InvalidClientMetadata``, ``ClientRefused``, ``Stale``.
        """
        info = _at(client_id, expected)
        return self._replace(info, {**info.metadata.to_json(), **members}, manager, context)

    def replace(
        self,
        client_id: str,
        members: Mapping[str, object],
        manager: Manager,
        context: Context,
        *,
        expected: int,
    ) -> str | None:
        """Let this be the whole registration. Takes, returns and raises like ``change``."""
        return self._replace(_at(client_id, expected), members, manager, context)

    def _replace(
        self,
        info: ClientInfo,
        members: Mapping[str, object],
        manager: Manager,
        context: Context,
    ) -> str | None:
        wanted, before = _named(members), info.metadata.to_json()
        self._check(wanted, before, manager, context, client_id=info.id)
        return self._registry.update(info.id, wanted, context, expected=info.revision)

    def _check(
        self,
        wanted: Mapping[str, object],
        before: Mapping[str, object],
        manager: Manager,
        context: Context,
        *,
        client_id: str | None = None,
        found: Problems = (),
    ) -> None:
        problems = (*found, *_groups(wanted, before))
        if not_theirs := tuple(client_limits.beyond(wanted, before, manager)):
            _refused(not_theirs, context, client_id)
            problems += not_theirs
        try:
            self._rules.parse(wanted)
        except InvalidClientMetadata as error:
            problems += error.problems
        if problems:
            raise InvalidClientMetadata(problems)

    def let_be(
        self, client_id: str, members: Mapping[str, object], manager: Manager, context: Context
    ) -> str | None:
        """Set these members whatever the others are by now, for whoever names the whole change.

        Takes, returns and raises like ``change``; ``Stale`` when others never stop changing it.
        """
        return self._insist(client_id, lambda _info: members, manager, context)

    def add_address(self, client_id: str, uri: str, manager: Manager, context: Context) -> None:
        """One more redirect address, beside whatever there is by now. Raises like ``let_be``."""

        def added(info: ClientInfo) -> Mapping[str, object]:
            known = info.metadata.redirect_uris
            return {} if uri in known else {"redirect_uris": [*known, uri]}

        self._insist(client_id, added, manager, context)

    def _insist(
        self,
        client_id: str,
        change: Callable[[ClientInfo], Mapping[str, object]],
        manager: Manager,
        context: Context,
    ) -> str | None:
        """Overtaken, it is made anew from what is there then."""
        for _ in range(TRIES - 1):
            with suppress(Stale):
                return self._once(client_id, change, manager, context)
        return self._once(client_id, change, manager, context)

    def _once(
        self,
        client_id: str,
        change: Callable[[ClientInfo], Mapping[str, object]],
        manager: Manager,
        context: Context,
    ) -> str | None:
        info = _editable(client_id)
        members = change(info)
        if not members:
            return None
        return self._replace(info, {**info.metadata.to_json(), **members}, manager, context)

    def delete(self, client_id: str, typed: str, context: Context) -> None:
        """Remove the client, whose name was typed. Raises ``ClientRefused``."""
        info = _editable(client_id)
        if typed.strip() != info.name.strip():
            raise ClientRefused(f"Type {info.name} to delete it.")
        self._registry.delete(client_id, context)


def _refused(not_theirs: Problems, context: Context, client_id: str | None) -> None:
    """That somebody tried is on record, and nothing else of it is kept."""
    db.session.rollback()
    members = sorted({member for member, _sentence in not_theirs})
    audit.record("client.change.refused", context, client_id=client_id, members=members)
    db.session.commit()


def _editable(client_id: str) -> ClientInfo:
    info = shown(client_id)
    if info.managed_by == FILE:
        raise ClientRefused("A file keeps this application: change the file and apply it.")
    return info


def _at(client_id: str, expected: int) -> ClientInfo:
    info = _editable(client_id)
    if info.revision != expected:
        raise Stale
    return info


def _named(members: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in members.items() if value not in (None, "")}


def _groups(
    wanted: Mapping[str, object], before: Mapping[str, object]
) -> Iterator[tuple[str, str]]:
    for member in ("allowed_groups", "owner_groups", "told_groups"):
        names = wanted.get(member)
        if names == before.get(member) or not isinstance(names, list):
            continue  # of another type: for the rules to say
        if missing := unknown_groups([str(name) for name in names]):
            yield member, f"names a group that there is not: {', '.join(missing)}"
