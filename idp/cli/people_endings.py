"""``idp users sessions``, ``delete`` and ``keep``: what ends, and what does not after all."""

import click

from idp.cli.output import json_option, print_json, print_table, say, tell
from idp.cli.people import find_person, person_json
from idp.cli.place import Place, at_place, confirm, context
from idp.cli.refusals import Refused
from idp.services.deletion import TIME_TO_UNDO
from idp.services.endings import end_everything
from idp.services.session_list import listed
from idp.services.signing_out import end_session

_NAMES = ("id", "user_agent", "address", "created_at", "last_seen_at", "expires_at")


@click.command()
@click.argument("who", metavar="EMAIL")
@click.option("--end", is_flag=True, help="End them all, with every token.")
@click.option("--end-one", metavar="ID", help="End this one.")
@json_option
@at_place
def sessions(place: Place, who: str, end: bool, end_one: str | None, as_json: bool) -> None:
    """List the browsers a person is signed in with, or sign them out."""
    now = context()
    with place.services() as services:
        user = find_person(services, who)
        rows = [{name: getattr(one, name) for name in _NAMES} for one in listed(user.id, now.at)]
        if end:
            end_everything(user.id, context=now, reason="by_administrator")
        elif end_one is not None:
            reason = "by_administrator"
            if not end_session(end_one, user_id=user.id, context=now, reason=reason):
                raise Refused(f"{user.email} has no session {end_one}.")
        services.commit()
        email = user.email
    if as_json:
        print_json(rows)
    elif end:
        say(f"Ended {len(rows)} sessions of {email}.")
    elif end_one is not None:
        say(f"Ended the session {end_one} of {email}.")
    else:
        print_table(_NAMES, [list(row.values()) for row in rows], none="Signed in nowhere.")


@click.command()
@click.argument("who", metavar="EMAIL")
@click.option("--later", is_flag=True, help=f"In {TIME_TO_UNDO.days} days, as the console does.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@at_place
def delete(place: Place, who: str, later: bool, yes: bool, as_json: bool) -> None:
    """Delete a person with everything that is theirs; the audit log keeps the id.

    With --later the person is signed out now and told by mail, and can keep the account until then.
    """
    with place.services() as services:
        user = find_person(services, who)
        told = person_json(user) | {"deleted": not later}
        if later:
            refused = services.deletion.request(user, user.email, context())
            if refused is not None:
                raise Refused(refused.message)
            told |= {"deletion_due_at": user.deletion_due_at}
            text = f"{user.email} will be deleted in {TIME_TO_UNDO.days} days."
        else:
            confirm(f"Delete {user.email} for good?", yes=yes)
            text = f"{user.email} is deleted."
            services.accounts.delete(user, context())
    tell(text, told, as_json=as_json)


@click.command()
@click.argument("who", metavar="EMAIL")
@json_option
@at_place
def keep(place: Place, who: str, as_json: bool) -> None:
    """Keep an account that was to be deleted later."""
    with place.services() as services:
        user = find_person(services, who)
        kept = services.deletion.undo(user, context())
        text = f"{user.email} stays." if kept else f"{user.email} was not to be deleted."
        tell(text, person_json(user), as_json=as_json)


ENDINGS = (sessions, delete, keep)
