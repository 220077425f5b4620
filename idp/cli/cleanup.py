"""``idp cleanup``: what has expired goes."""

import click

from idp.cli.output import json_option, print_json, say
from idp.cli.place import Place, at_place, context
from idp.services.cleanup import clean_up


@click.command()
@json_option
@at_place
def cleanup(place: Place, as_json: bool) -> None:
    """Remove what has expired. A running server does this by itself."""
    with place.services() as services:
        removed = clean_up(context().at)
        left = services.deletion.delete_due(context().at)
        unused = services.client_registration.forget_unused(context().at)
        wiped = services.key_rotation.sweep(context().at)
    found = {**removed, "accounts": left, "applications": unused}
    counts = {name: number for name, number in found.items() if number}
    if as_json:
        print_json(
            {
                "removed": removed,
                "accounts_deleted": left,
                "unused_clients_deleted": unused,
                "signing_keys_wiped": wiped,
            }
        )
    else:
        told = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in counts.items())
        say(f"Removed: {told or 'nothing'}.")
