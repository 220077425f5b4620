"""``idp groups``: who belongs together."""

from dataclasses import asdict

import click

from idp.cli.output import json_option, print_json, print_table, say, tell
from idp.cli.people import person_json
from idp.cli.place import Place, at_place, confirm, context
from idp.cli.refusals import Refused
from idp.models import Group
from idp.services import group_list
from idp.services.group_list import COUNTED

LIMIT = click.IntRange(1, 10_000)


@click.group()
def groups() -> None:
    """List groups and their members; make, rename and delete them."""


@groups.command("list")
@click.option("--after", default="", metavar="NAME", help="Go on after this name.")
@click.option("--limit", default=100, show_default=True, type=LIMIT)
@json_option
@at_place
def list_groups(place: Place, after: str, limit: int, as_json: bool) -> None:
    """List groups by name, each with how many are in it."""
    with place.services():
        found = group_list.groups_of(after=after, at_most=limit).listed
    if as_json:
        print_json([asdict(one) for one in found])
        return
    rows = [(one.name, f"{COUNTED}+" if one.members > COUNTED else one.members) for one in found]
    print_table(("name", "members"), rows, none="There is no group.")


@groups.command()
@click.argument("name")
@click.option("--after", default="", metavar="EMAIL", help="Go on after this address.")
@click.option("--limit", default=100, show_default=True, type=LIMIT)
@json_option
@at_place
def members(place: Place, name: str, after: str, limit: int, as_json: bool) -> None:
    """List who is in the group NAME, by address."""
    with place.services():
        found = group_list.members_of(_found(name), after=after, at_most=limit)
        rows = [person_json(one) for one in found]
    if as_json:
        print_json(rows)
        return
    shown = [(row["email"], row["name"], row["role"]) for row in rows]
    print_table(("email", "name", "role"), shown, none="Nobody is in it.")


@groups.command()
@click.argument("name")
@json_option
@at_place
def create(place: Place, name: str, as_json: bool) -> None:
    """Make an empty group; `idp users update EMAIL --group NAME` puts people in."""
    with place.services():
        made = group_list.create(name, context())
        found = {"id": made.id, "name": made.name}
    if as_json:
        print_json(found)
    else:
        say(f"There is a group {found['name']} now.")


@groups.command()
@click.argument("name")
@click.argument("new_name", metavar="NEW")
@json_option
@at_place
def rename(place: Place, name: str, new_name: str, as_json: bool) -> None:
    """Call the group NAME otherwise; applications that name it do so by the new name."""
    with place.services():
        group_list.rename(_found(name), new_name, context())
    tell(f"{name} is now called {new_name}.", {"name": new_name}, as_json=as_json)


@groups.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@at_place
def delete(place: Place, name: str, yes: bool, as_json: bool) -> None:
    """Delete the group NAME; its members stay."""
    with place.services():
        group = _found(name)
        confirm(f"Delete the group {group.name}?", yes=yes)
        group_list.remove(group, context())
    told = {"name": name, "deleted": True}
    tell(f"The group {name} is deleted.", told, as_json=as_json)


def _found(name: str) -> Group:
    group = group_list.find_named(name)
    if group is None:
        raise Refused(f"There is no group called {name}. `idp groups list` shows which there are.")
    return group
