"""``idp mail``: does it arrive?"""

from dataclasses import asdict

import click

from idp.cli.output import json_option, print_json, print_table, say, tell
from idp.cli.people import find_person
from idp.cli.place import Place, at_place, context
from idp.cli.refusals import Refused
from idp.services.waiting import outbox_state

_NAMES = ("kind", "recipient", "created_at", "attempts", "next_attempt_at", "failed_at", "error")


@click.group()
def mail() -> None:
    """Try the mail, and see what waits or was given up."""


@mail.command("try")
@click.argument("who", metavar="EMAIL")
@json_option
@at_place
def try_mail(place: Place, who: str, as_json: bool) -> None:
    """Send a mail to somebody who has an account, now, and tell what the mail server says."""
    with place.services() as services:
        if not services.settings.mails:
            raise Refused("No mail can be sent: mail_url is not set.")
        user = find_person(services, who)
        email = user.email
        problem = services.mail_trial.send(user, context())
    if problem is not None:
        raise Refused(f"The mail could not be sent: {problem}")
    tell(f"The mail server took a mail to {email}.", {"email": email}, as_json=as_json)


@mail.command()
@json_option
@at_place
def outbox(place: Place, as_json: bool) -> None:
    """How much waits, and what was tried in vain within a week, with what the other side said."""
    with place.services():
        found = outbox_state(context().at)
    if as_json:
        print_json(asdict(found))
        return
    say(f"{found.waiting} wait.")
    rows = [[getattr(one, name) for name in _NAMES] for one in found.stuck]
    print_table(_NAMES, rows, none="Nothing was tried in vain.")
