"""``idp users update`` and ``idp users role``: what the console's forms do."""

from typing import IO, Any

import click

from idp.cli.output import json_option, print_json, say
from idp.cli.people import fields_from, find_person, person_json
from idp.cli.place import Place, at_place, context
from idp.cli.refusals import Refused
from idp.models import User
from idp.services.roles import ROLES

NO_ROLE = "none"


@click.command()
@click.argument("who", metavar="EMAIL")
@click.option("--email", help="Another address; it counts as verified with --verified only.")
@click.option("--verified/--unverified", default=None, help="Is the address known to be theirs?")
@click.option("--name", help="The name that pages and applications show; empty for none.")
@click.option("--username", help="Another name to sign in with; empty for none.")
@click.option("--group", "groups", multiple=True, help="All their groups; may be repeated.")
@click.option(
    "--claims",
    type=click.File("rb"),
    metavar="FILE.json",
    help="All further standard claims (OpenID Connect Core 5.1) as a JSON object.",
)
@click.option("--no-groups", is_flag=True, help="Out of every group.")
@json_option
@at_place
def update(
    place: Place,
    who: str,
    email: str | None,
    verified: bool | None,
    name: str | None,
    username: str | None,
    groups: tuple[str, ...],
    claims: IO[bytes] | None,
    no_groups: bool,
    as_json: bool,
) -> None:
    """Change what is given, and nothing else."""
    given: dict[str, Any] = {
        "email": email,
        "email_verified": verified,
        "name": name,
        "username": username,
        "groups": () if no_groups else groups or None,
    }
    fields = fields_from(claims.read() if claims else None, given)
    if not fields:
        raise Refused("There is nothing to change: see `idp users update --help`.")
    with place.services() as services:
        user = find_person(services, who)
        services.accounts.update(user, fields, context())
        _tell(user, f"{user.email} is changed.", as_json=as_json)


@click.command()
@click.argument("who", metavar="EMAIL")
@click.argument("role", metavar="ROLE", type=click.Choice([*ROLES, NO_ROLE]))
@json_option
@at_place
def role(place: Place, who: str, role: str, as_json: bool) -> None:
    """Give a person a role, in place of the one they have.

    ROLE is `administrator`, `auditor` or `client_manager`, or `none`, which takes it away.
    """
    with place.services() as services:
        user = find_person(services, who)
        wanted = None if role == NO_ROLE else role
        services.accounts.update(user, {"role": wanted}, context())
        _tell(user, f"{user.email} now has the role: {role}.", as_json=as_json)


def _tell(user: User, text: str, *, as_json: bool) -> None:
    if as_json:
        print_json(person_json(user))
    else:
        say(text)
