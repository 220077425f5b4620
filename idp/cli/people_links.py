"""``idp users link``: a sign-in link to hand over."""

import click

from idp.cli.output import json_option, print_json, say
from idp.cli.people import find_person
from idp.cli.place import Place, at_place, context
from idp.cli.refusals import Refused


@click.command()
@click.argument("who", metavar="EMAIL")
@json_option
@at_place
def link(place: Place, who: str, as_json: bool) -> None:
    """Print a one-time link that signs a person in, to hand over; it is good for ten minutes.

    It sets nothing, and a second step is still asked for.
    """
    with place.services() as services:
        user = find_person(services, who)
        if user.disabled_at is not None:
            raise Refused(f"{user.email} is disabled: `idp users enable {user.email}` first.")
        email, url = user.email, services.handed_links.link(user, context())
    if as_json:
        print_json({"email": email, "link": url})
    else:
        say(url)
