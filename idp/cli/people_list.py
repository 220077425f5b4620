"""``idp users list``: everybody, or those who fit."""

from collections.abc import Sequence

import click

from idp.cli.output import json_option, print_json, print_table
from idp.cli.people import find_person, person_json
from idp.cli.place import Place, at_place
from idp.cli.refusals import Refused
from idp.services.people import Listed, State, Wanted, people_of
from idp.services.people_search import Spot, spot_of
from idp.web.services import Services


@click.command("list")
@click.option("--containing", default="", metavar="TEXT", help="In address, user name or name.")
@click.option(
    "--beginning", default="", metavar="TEXT", help="Of any word of address, user name or name."
)
@click.option("--state", type=click.Choice([one.value for one in State]), help="In this state.")
@click.option("--group", metavar="NAME", help="In this group.")
@click.option("--roles", is_flag=True, help="Only who has a role.")
@click.option("--after", default="", metavar="EMAIL", help="Go on after this address.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 100_000))
@json_option
@at_place
def list_users(
    place: Place,
    containing: str,
    beginning: str,
    state: str | None,
    group: str | None,
    roles: bool,
    after: str,
    limit: int,
    as_json: bool,
) -> None:
    """List people by address."""
    with place.services() as services:
        wanted = Wanted(
            beginning=beginning,
            containing=containing,
            state=State(state) if state else None,
            with_role=roles,
            group=group,
            after=after,
            spot=_spot(services, after, beginning),
            at_most=limit,
        )
        _print(people_of(wanted).listed, as_json=as_json)


def _spot(services: Services, after: str, beginning: str) -> Spot | None:
    """Where a search goes on. Raises ``Refused`` behind somebody whom it does not find."""
    if not (after and beginning):
        return None
    spot = spot_of(find_person(services, after), beginning)
    if spot is None:
        raise Refused(f"{after} is not among those who are found: leave --after out to begin.")
    return spot


def _print(found: Sequence[Listed], *, as_json: bool) -> None:
    if as_json:
        print_json([person_json(one.user) for one in found])
        return
    rows = [
        (
            *(one.user.email, one.user.name, one.user.username, one.user.role),
            one.state.value,
            one.user.created_at,
        )
        for one in found
    ]
    names = ("email", "name", "username", "role", "state", "created")
    print_table(names, rows, none="Nobody is found. `idp users create` makes an account.")
