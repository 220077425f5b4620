"""``idp clients``: relying parties."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import IO, Any

import click

from idp.cli.client_changes import CHANGES
from idp.cli.client_files import apply_files, export
from idp.cli.client_members import id_from, members_from
from idp.cli.client_trials import test
from idp.cli.output import (
    json_option,
    print_json,
    print_record,
    print_table,
    print_told_once,
    say,
    tell,
)
from idp.cli.place import Place, at_place, confirm, context
from idp.cli.registration_tokens import list_tokens, make_token, revoke_token
from idp.services import client_listing
from idp.services.client_listing import ClientInfo
from idp.services.client_pages import found_by
from idp.services.client_presets import PRESETS
from idp.services.client_registry import Registration
from idp.services.clients import SELF_REGISTERED


@click.group()
def clients() -> None:
    """Register, show and change relying parties."""


clients.add_command(apply_files)
clients.add_command(export)
for command in (*CHANGES, test, make_token, list_tokens, revoke_token):
    clients.add_command(command)


@clients.command()
@click.option("--name", help="What people know the application by.")
@click.option(
    "--redirect-uri",
    "redirect_uris",
    metavar="U",
    multiple=True,
    help="Where answers go, to the letter; may be repeated.",
)
@click.option("--kind", type=click.Choice([*PRESETS]), help="What it is; other options count more.")
@click.option(
    "--group", "groups", multiple=True, help="Only people in it may sign in; may be repeated."
)
@click.option("--ours", is_flag=True, help="It belongs to this house: nobody is asked for consent.")
@click.option("--public", is_flag=True, help="It cannot keep a secret: in a browser, on a phone.")
@click.option(
    "--metadata",
    type=click.File("rb"),
    metavar="FILE.json",
    help="Members of a registration by their RFC 7591 names; options count more.",
)
@click.option(
    "--minimum-acr", metavar="A", help="The least sign-in it takes: urn:idp:acr:mfa, phr …"
)
@click.option(
    "--max-auth-age", metavar="S", type=click.IntRange(0), help="Seconds a sign-in may be old."
)
@click.option("--id", "client_id", help="Its client_id; made up otherwise.")
@json_option
@at_place
def add(
    place: Place,
    /,
    *,
    kind: str | None,
    public: bool,
    metadata: IO[bytes] | None,
    client_id: str | None,
    as_json: bool,
    **said: Any,
) -> None:
    """Register a relying party; its secret is told this once.

    The metadata may name its client_id, as --id does, and no secret.

    Unless the metadata says otherwise it may use refresh tokens, which it still gets only when it
    asks for offline_access and the person allows it.
    """
    preset = PRESETS[kind].members if kind else {}
    read = metadata.read() if metadata else None
    members = members_from(read, _said(**said), public=public, preset=preset)
    client_id = client_id or id_from(members)
    with place.services() as services:
        made = services.client_registry.register(members, context(), client_id=client_id)
        issuer = services.settings.issuer
    if as_json:
        print_json(made.to_json())
    else:
        _tell_registered(made, issuer)


def _said(
    *,
    name: str | None,
    redirect_uris: Sequence[str],
    groups: Sequence[str],
    ours: bool,
    **rest: Any,
) -> Mapping[str, object]:
    return {
        "client_name": name,
        "redirect_uris": list(redirect_uris) or None,
        "allowed_groups": list(groups) or None,
        "consent": "never" if ours else None,
        **rest,
    }


def _tell_registered(made: Registration, issuer: str) -> None:
    print_told_once(
        {
            "issuer": issuer,
            "client_id": made.client_id,
            "client_secret": made.secret,
            "redirect_uris": made.metadata.redirect_uris,
            "token_endpoint_auth_method": made.metadata.token_endpoint_auth_method,
        }
    )


@clients.command("list")
@click.option("--containing", default="", metavar="TEXT", help="In name, id or addresses.")
@click.option(
    "--beginning", default="", metavar="TEXT", help="How words of name, id or addresses begin."
)
@json_option
@at_place
def list_clients(place: Place, containing: str, beginning: str, as_json: bool) -> None:
    """List the relying parties by name."""
    with place.services():
        listed = found_by(beginning) if beginning else client_listing.listed()
        found = [info for info in listed if _contains(info, containing)]
    if as_json:
        print_json([_summary(info) for info in found])
        return
    names = ("client_id", "name", "type", "state", "managed_by", "created_at")
    rows = [
        (info.id, info.name, _type(info), _state(info), info.managed_by, info.created_at)
        for info in found
    ]
    print_table(names, rows, none="There is none. `idp clients add` registers one.")


def _contains(info: ClientInfo, text: str) -> bool:
    places = (info.id, info.name, *info.metadata.redirect_uris)
    return any(text.casefold() in place.casefold() for place in places)


def _type(info: ClientInfo) -> str:
    return "public" if info.metadata.is_public else "confidential"


def _state(info: ClientInfo) -> str:
    return "disabled" if info.disabled_at else "active"


def _summary(info: ClientInfo) -> dict[str, object]:
    return {
        "client_id": info.id,
        "client_name": info.name,
        "redirect_uris": info.metadata.redirect_uris,
        "public": info.metadata.is_public,
        "disabled": info.disabled_at is not None,
        "managed_by": info.managed_by,
        "created_at": info.created_at,
        "updated_at": info.updated_at,
        **_use(info),
    }


def _use(info: ClientInfo) -> dict[str, object]:
    """Kept only of those that registered themselves: they are forgotten when it stays away."""
    is_kept = info.managed_by == SELF_REGISTERED
    return {"first_used_at": info.first_used_at} if is_kept else {}


@clients.command()
@click.argument("client_id", metavar="ID")
@json_option
@at_place
def show(place: Place, client_id: str, as_json: bool) -> None:
    """Show one registration whole; of secrets only how they begin."""
    with place.services():
        info = client_listing.shown(client_id)
    members = {**_summary(info), **info.metadata.to_json()}
    secrets = [asdict(secret) for secret in info.secrets]
    if as_json:
        print_json({**members, "secrets": secrets})
        return
    print_record(members)
    if secrets:
        names = ("id", "prefix", "created_at", "expires_at", "last_used_at")
        say("")
        print_table(names, [[one[name] for name in names] for one in secrets], none="")


@clients.command("rotate-secret")
@click.argument("client_id", metavar="ID")
@click.option(
    "--overlap",
    metavar="S",
    default=0,
    type=click.IntRange(0, 90 * 24 * 3600),
    help="Seconds for which the old secret still counts.",
)
@json_option
@at_place
def rotate_secret(place: Place, client_id: str, overlap: int, as_json: bool) -> None:
    """Give a client a new secret, told this once; the old ones end, by default at once."""
    with place.services() as services:
        secret = services.client_registry.rotate_secret(
            client_id, context(), overlap=timedelta(seconds=overlap)
        )
    if as_json:
        print_json({"client_id": client_id, "client_secret": secret})
    else:
        print_told_once({"client_id": client_id, "client_secret": secret})


@clients.command()
@click.argument("client_id", metavar="ID")
@json_option
@at_place
def disable(place: Place, client_id: str, as_json: bool) -> None:
    """Stop a client, and all it holds, at once."""
    with place.services() as services:
        services.client_registry.disable(client_id, context())
    told = {"client_id": client_id, "disabled": True}
    tell(f"{client_id} is disabled.", told, as_json=as_json)


@clients.command()
@click.argument("client_id", metavar="ID")
@json_option
@at_place
def enable(place: Place, client_id: str, as_json: bool) -> None:
    """Let a disabled client go on."""
    with place.services() as services:
        services.client_registry.enable(client_id, context())
    told = {"client_id": client_id, "disabled": False}
    tell(f"{client_id} is enabled.", told, as_json=as_json)


@clients.command()
@click.argument("client_id", metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@at_place
def delete(place: Place, client_id: str, yes: bool, as_json: bool) -> None:
    """Delete a client with every grant, token and consent."""
    with place.services() as services:
        info = client_listing.shown(client_id)
        confirm(f"Delete {info.name} ({client_id}) for good?", yes=yes)
        services.client_registry.delete(client_id, context())
    tell(f"{client_id} is deleted.", {"client_id": client_id, "deleted": True}, as_json=as_json)
