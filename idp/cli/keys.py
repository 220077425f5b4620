"""``idp keys``: what tokens are signed with."""

from dataclasses import asdict

import click

from idp.cli.output import json_option, print_json, print_table, tell
from idp.cli.place import Place, at_place, confirm, context
from idp.services.jose import ALGORITHMS

_NAMES = ("kid", "algorithm", "state", "published_at", "signs_from", "stops_at", "removed_at")


@click.group()
def keys() -> None:
    """List, rotate and retire the keys that tokens are signed with."""


@keys.command("list")
@click.option("--all", "also_removed", is_flag=True, help="Also those that are gone.")
@json_option
@at_place
def list_keys(place: Place, also_removed: bool, as_json: bool) -> None:
    """List the signing keys: waiting, signing, or published until their tokens have expired."""
    with place.services() as services:
        found = services.key_rotation.listed(context().at)
    shown = [asdict(key) for key in found if also_removed or key.state != "removed"]
    if as_json:
        print_json(shown)
        return
    rows = [[key[name] for name in _NAMES] for key in shown]
    print_table(_NAMES, rows, none="There is no key yet. `idp serve` makes the first ones.")


@keys.command()
@click.option(
    "--algorithm",
    "algorithms",
    multiple=True,
    type=click.Choice(ALGORITHMS),
    help="Only this one; may be repeated.",
)
@click.option(
    "--at-once",
    is_flag=True,
    help="Sign with the new key now: for a key that has leaked.",
)
@json_option
@at_place
def rotate(place: Place, algorithms: tuple[str, ...], at_once: bool, as_json: bool) -> None:
    """Publish a successor for each key; it signs once relying parties have had time to see it."""
    with place.services() as services:
        kids = services.key_rotation.rotate(
            context(), algorithms=algorithms or ALGORITHMS, at_once=at_once
        )
        found = {key.kid: key for key in services.key_rotation.listed(context().at)}
    successors = [found[kid] for kid in kids]
    if as_json:
        print_json([asdict(key) for key in successors])
        return
    names = ("kid", "algorithm", "signs_from")
    rows = [(key.kid, key.algorithm, key.signs_from) for key in successors]
    print_table(names, rows, none="Somebody else is rotating at this very moment.")


@keys.command()
@click.argument("kid")
@click.option(
    "--at-once",
    is_flag=True,
    help="Also remove it from the key set: what it signed is worthless from now on.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@at_place
def retire(place: Place, kid: str, at_once: bool, yes: bool, as_json: bool) -> None:
    """Stop signing with the key KID now; it stays published until its tokens have expired."""
    if at_once:
        confirm(f"Every token that {kid} signed will be worthless. Go on?", yes=yes)
    with place.services() as services:
        services.key_rotation.retire(kid, context(), at_once=at_once)
    told = {"kid": kid, "published": not at_once}
    tell(
        f"{kid} signs no more.{' It is no longer published.' if at_once else ''}",
        told,
        as_json=as_json,
    )
