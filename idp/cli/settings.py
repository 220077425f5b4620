"""``idp settings``: what may change while the program runs."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import IO

import click

from idp.cli.output import json_option, print_json, print_table, tell
from idp.cli.place import Place, at_place, context
from idp.cli.refusals import Refused
from idp.config.live import CHANGEABLE
from idp.services import pictures
from idp.services.invalid import Invalid

NAME = click.Choice(CHANGEABLE)


@click.group()
def settings() -> None:
    """List and change what may change at run time; a variable wins over it, the file does not."""


@settings.command("list")
@json_option
@at_place
def list_settings(place: Place, as_json: bool) -> None:
    """List them, each with where its value comes from."""
    with place.services() as services:
        found = services.changed_settings.listed()
    if as_json:
        print_json([asdict(one) for one in found])
        return
    rows = [(one.name, one.value, one.source) for one in found]
    print_table(("name", "value", "source"), rows, none="There are none.")


@settings.command("set")
@click.argument("name", metavar="NAME", type=NAME)
@click.argument("value")
@json_option
@at_place
def set_setting(place: Place, name: str, value: str, as_json: bool) -> None:
    """Let NAME, of those in `idp settings list`, be VALUE; every node sees it within seconds."""
    if not value.strip():
        raise Refused(f"To go back: `idp settings unset {name}`.")
    changed = _change(place, {name: value})
    text = f"{name} is changed." if changed else f"{name} was so already."
    tell(text, {"name": name, "value": value, "changed": changed}, as_json=as_json)


@settings.command()
@click.argument("name", metavar="NAME", type=NAME)
@json_option
@at_place
def unset(place: Place, name: str, as_json: bool) -> None:
    """Let NAME be what the server was started with."""
    changed = _change(place, {name: ""})
    text = f"{name} is what the server was started with."
    tell(text, {"name": name, "changed": changed}, as_json=as_json)


@settings.command()
@click.argument("file", type=click.File("rb"), metavar="FILE")
@click.option("--dark", is_flag=True, help="For dark pages.")
@json_option
@at_place
def logo(place: Place, file: IO[bytes], dark: bool, as_json: bool) -> None:
    """Show this picture as the logo of every page: PNG, JPEG or WebP, kept in the database."""
    name, body = "logo_dark_url" if dark else "logo_url", file.read(pictures.LARGEST + 1)
    with place.services() as services:
        path = pictures.keep(body, context(), field="logo")
        services.changed_settings.set({name: path}, context())
    tell(f"The logo is {path}.", {"name": name, "value": path}, as_json=as_json)


def _change(place: Place, values: Mapping[str, str]) -> bool:
    with place.services() as services:
        try:
            return bool(services.changed_settings.set(values, context()))
        except Invalid as error:
            name, text = next(iter(error.problems.items()))
            raise Refused(f"{name}: {text[:1].lower()}{text[1:]}") from error
