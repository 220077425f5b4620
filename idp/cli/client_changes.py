"""``idp clients set`` and its kin: one thing about a client, as the console's forms change it."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import IO

import click

from idp.cli.output import json_option, print_json, print_told_once, tell
from idp.cli.place import Place, at_place, context
from idp.protocol.client_metadata import MEMBER_NAMES
from idp.services import client_listing, pictures
from idp.services.client_pages import Manager
from idp.services.roles import ADMINISTRATOR, handed_on_by
from idp.web.services import Services

WHOEVER_RUNS_IT = Manager(ADMINISTRATOR, frozenset(), handed_on_by(ADMINISTRATOR))
YEARS = 10 * 366 * 24 * 3600


@click.command("set")
@click.argument("client_id", metavar="ID")
@click.argument("member")
@click.argument("value")
@json_option
@at_place
def set_member(place: Place, client_id: str, member: str, value: str, as_json: bool) -> None:
    """Let one MEMBER of a registration be VALUE: JSON, or a text as it stands.

    Not of a client that a file keeps.
    """
    if member not in MEMBER_NAMES and member.partition("#")[0] not in MEMBER_NAMES:
        raise click.BadParameter(f"{member} is not a member of a registration.")
    _change(place, client_id, {member: _read(value)}, as_json=as_json)


@click.command("unset")
@click.argument("client_id", metavar="ID")
@click.argument("member")
@json_option
@at_place
def unset_member(place: Place, client_id: str, member: str, as_json: bool) -> None:
    """Take one MEMBER out of a registration, so that its default holds."""
    _change(place, client_id, {member: None}, as_json=as_json)


def _read(value: str) -> object:
    try:
        return json.loads(value)
    except ValueError:
        return value


def _change(place: Place, client_id: str, members: Mapping[str, object], *, as_json: bool) -> None:
    with place.services() as services:
        secret = _changed(services, client_id, members)
        now = client_listing.shown(client_id).metadata.to_json()
    (member,) = members
    told = {"client_id": client_id, member: now.get(member)}
    if secret is not None:
        told["client_secret"] = secret
    if as_json:
        print_json(told)
    else:
        print_told_once(told)


def _changed(services: Services, client_id: str, members: Mapping[str, object]) -> str | None:
    return services.client_editing.let_be(client_id, members, WHOEVER_RUNS_IT, context())


@click.command()
@click.argument("client_id", metavar="ID")
@click.argument("file", type=click.File("rb"), metavar="FILE")
@json_option
@at_place
def logo(place: Place, client_id: str, file: IO[bytes], as_json: bool) -> None:
    """Show this picture as a client's logo: PNG, JPEG or WebP, kept here."""
    body = file.read(pictures.LARGEST + 1)
    with place.services() as services:
        address = services.settings.issuer + pictures.keep(body, context(), field="logo")
        _changed(services, client_id, {"logo_uri": address})
    tell(f"{client_id} has a logo: {address}", {"logo_uri": address}, as_json=as_json)


@click.command("add-secret")
@click.argument("client_id", metavar="ID")
@click.option(
    "--expires-in", metavar="S", type=click.IntRange(1, YEARS), help="Seconds; never otherwise."
)
@json_option
@at_place
def add_secret(place: Place, client_id: str, expires_in: int | None, as_json: bool) -> None:
    """Give a client one more secret, told this once; the others go on."""
    now = context()
    until = None if expires_in is None else now.at + timedelta(seconds=expires_in)
    with place.services() as services:
        secret = services.client_registry.add_secret(client_id, now, expires_at=until)
    if as_json:
        print_json({"client_id": client_id, "client_secret": secret, "expires_at": until})
    else:
        print_told_once({"client_id": client_id, "client_secret": secret, "expires_at": until})


@click.command("remove-secret")
@click.argument("client_id", metavar="ID")
@click.argument("secret_id", metavar="SECRET")
@json_option
@at_place
def remove_secret(place: Place, client_id: str, secret_id: str, as_json: bool) -> None:
    """Forget the secret whose id `idp clients show` tells: whoever uses it is refused from now."""
    with place.services() as services:
        services.client_registry.remove_secret(client_id, secret_id, context())
    told = {"client_id": client_id, "removed": secret_id}
    tell(f"{client_id} has no such secret any more.", told, as_json=as_json)


CHANGES = (set_member, unset_member, logo, add_secret, remove_secret)
