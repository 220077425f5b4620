"""``idp clients test``: what of a client can be tried without a browser."""

from collections.abc import Mapping

import click

from idp.cli.output import json_option, print_json, print_table, say, shown
from idp.cli.place import Place, at_place, context
from idp.cli.refusals import Refused
from idp.oidc.examination import Examination
from idp.services import client_listing
from idp.web.trials import NAMES, fix_of, told


@click.command("test")
@click.argument("client_id", metavar="ID")
@click.option("--scope", help="For itself, separated by spaces; otherwise all that it may have.")
@json_option
@at_place
def test(place: Place, client_id: str, scope: str | None, as_json: bool) -> None:
    """Try a client: its registration, and its token request where it acts for itself.

    Where people sign in to it, the address is told at which you can try that.
    """
    asked = tuple(scope.split()) if scope is not None else None
    with place.services() as services:
        client = services.clients.get(client_listing.shown(client_id).id)
        assert client is not None  # noqa: S101  it was looked at above
        found = services.examiner.examine(client, context(), scope=asked)
        if as_json:
            print_json({"client_id": client_id, **told(found)})
        else:
            _tell(found)
        if (fix := fix_of(found.trial)) is not None:
            raise Refused(f"{client_id} does not work yet ({found.trial.error}). {fix}")


_TOLD = ("error_description", "notes", "scope", "client_authentication", "kind")
"""What of an answer is worth a column: the first that there is. All of it is in the JSON."""


def _tell(found: Examination) -> None:
    rows = [
        (str(NAMES[one.name]), one.error or "works", _detail(one.answer))
        for one in found.trial.steps
    ]
    print_table(("step", "outcome", "detail"), rows, none="")
    if found.address:
        say(f"Sign in to it at {found.address}")
    if found.last:
        say(f"The last time, at {shown(found.last.at)}: {found.last.outcome}.")


def _detail(answer: Mapping[str, object]) -> object:
    return next((answer[name] for name in _TOLD if name in answer), None)
