"""``idp clients registration-token`` and its company: who may register an application."""

from dataclasses import asdict
from datetime import timedelta

import click

from idp.cli.output import json_option, print_json, print_record, print_table, say, tell
from idp.cli.place import Place, at_place, context
from idp.services import registration_tokens

_NAMES = ("id", "prefix", "uses_left", "created_at", "expires_at")
_LONGEST = 366 * 24 * 3600


@click.command("registration-token")
@click.option(
    "--uses",
    metavar="N",
    default=1,
    show_default=True,
    type=click.IntRange(1, 10000),
    help="How many applications may be registered with it.",
)
@click.option(
    "--expires-in",
    metavar="S",
    default=7 * 24 * 3600,
    show_default=True,
    type=click.IntRange(60, _LONGEST),
    help="Seconds for which it is good.",
)
@json_option
@at_place
def make_token(place: Place, uses: int, expires_in: int, as_json: bool) -> None:
    """Make an initial access token (RFC 7591), told this once.

    Whoever presents it at the registration endpoint may register an application.
    """
    with place.services() as services:
        lifetime = timedelta(seconds=expires_in)
        made, token = registration_tokens.make(context(), uses=uses, lifetime=lifetime)
        is_on = services.settings.client_registration != "off"
    if as_json:
        print_json({**asdict(made), "registration_token": token})
        return
    print_record({"registration_token": token, "uses": uses, "expires_at": made.expires_at})
    say("Keep the token now: it is not told again.")
    if not is_on:
        say('It does nothing before client_registration is "initial_token" or "open".')


@click.command("registration-tokens")
@json_option
@at_place
def list_tokens(place: Place, as_json: bool) -> None:
    """List the initial access tokens that are still good."""
    with place.services():
        found = [asdict(one) for one in registration_tokens.listed(context().at)]
    if as_json:
        print_json(found)
        return
    rows = [[one[name] for name in _NAMES] for one in found]
    print_table(_NAMES, rows, none="There is none. `idp clients registration-token` makes one.")


@click.command("revoke-registration-token")
@click.argument("token_id", metavar="ID")
@json_option
@at_place
def revoke_token(place: Place, token_id: str, as_json: bool) -> None:
    """Make a token worthless; what was registered with it stays."""
    with place.services():
        registration_tokens.revoke(token_id, context())
    told = {"id": token_id, "revoked": True}
    tell(f"{token_id} is good for nothing any more.", told, as_json=as_json)
