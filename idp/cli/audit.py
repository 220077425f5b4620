"""``idp audit``: what happened."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import click

from idp.cli.moments import Moment
from idp.cli.output import json_option, print_json, print_table, shown
from idp.cli.people import find_person
from idp.cli.place import Place, at_place
from idp.models import AuditEvent
from idp.services.audit_log import Outcome, Search, search
from idp.web.services import Services

_NAMES = ("when", "event", "by", "person", "client", "address", "reference", "more")


@click.group()
def audit() -> None:
    """Read the audit log."""


@audit.command("search")
@click.option("--user", "who", metavar="EMAIL", help="About this person.")
@click.option("--client", "client_id", metavar="ID", help="About this client.")
@click.option("--event", help="This event, or those that begin with these words: login.password")
@click.option("--outcome", type=click.Choice(["ok", "refused"]), help="What went well, or wrong.")
@click.option("--reference", help="What an error page showed.")
@click.option("--since", type=Moment(), help="Not before: an age such as 2h, or a time.")
@click.option("--until", type=Moment(), help="Before: an age such as 2h, or a time.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000))
@json_option
@at_place
def search_events(
    place: Place,
    who: str | None,
    client_id: str | None,
    event: str | None,
    outcome: Outcome | None,
    reference: str | None,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    as_json: bool,
) -> None:
    """Find events, the newest first."""
    with place.services() as services:
        wanted = Search(
            user_id=_id_of(services, who) if who else None,
            client_id=client_id,
            event=event,
            outcome=outcome,
            reference=reference.strip().upper() if reference else None,
            since=since,
            until=until,
            at_most=limit,
        )
        found = search(wanted)
        if as_json:
            print_json([_as_json(one) for one in found])
        else:
            _print(services, found)


def _id_of(services: Services, who: str) -> str:
    """A person who was deleted is still found by the bare id."""
    known = services.accounts.find_by_login(who) or services.accounts.find(who)
    if known is not None:
        return known.id
    return who if "@" not in who else find_person(services, who).id


def _as_json(event: AuditEvent) -> dict[str, object]:
    names = ("id", "at", "name", "actor_id", "user_id", "client_id", "session_id")
    more = ("transaction_id", "address", "reference", "data")
    return {name: getattr(event, name) for name in (*names, *more)}


def _print(services: Services, events: Sequence[AuditEvent]) -> None:
    ids = {user_id for one in events for user_id in (one.actor_id, one.user_id) if user_id}
    people = {user_id: services.accounts.find(user_id) for user_id in ids}
    names = {user_id: user.email if user else user_id for user_id, user in people.items()}
    print_table(_NAMES, [_row(one, names) for one in events], none="There is no such event.")


def _row(event: AuditEvent, names: Mapping[str, str]) -> tuple[object, ...]:
    """Who did it is named where it is somebody else than the person whom it is about."""
    by = event.actor_id if event.actor_id != event.user_id else None
    return (
        f"{event.at:%Y-%m-%d %H:%M:%S}",
        event.name,
        names.get(by or ""),
        names.get(event.user_id or ""),
        event.client_id,
        event.address,
        event.reference,
        " ".join(f"{name}={shown(value)}" for name, value in sorted(event.data.items())),
    )
