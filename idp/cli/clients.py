"""``idp clients``: relying parties."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

import click

from idp.cli.client_members import members_from
from idp.cli.output import json_option, print_json, print_record, print_table, say, shown
from idp.cli.place import Place, at_place, confirm, context
from idp.cli.refusals import Refused
from idp.oidc.capabilities import capabilities_of
from idp.services import client_export, client_listing
from idp.services.client_apply import Change, apply_client_files
from idp.services.client_files import read_client_file
from idp.services.client_listing import ClientInfo
from idp.services.client_registry import Registration
from idp.services.client_rules import ClientRules
from idp.web.services import Services


@click.group()
def clients() -> None:
    """Register, show and change relying parties."""


@clients.command()
@click.option("--name", help="What people know the application by.")
@click.option(
    "--redirect-uri",
    "redirect_uris",
    metavar="U",
    multiple=True,
    help="Where answers go, to the letter; may be repeated.",
)
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
    name: str | None,
    redirect_uris: tuple[str, ...],
    public: bool,
    metadata: IO[bytes] | None,
    minimum_acr: str | None,
    max_auth_age: int | None,
    client_id: str | None,
    as_json: bool,
) -> None:
    """Register a relying party; its secret is told this once.

    Unless the metadata says otherwise it may use refresh tokens, which it still gets only when it
    asks for offline_access and the person allows it.
    """
    given = {
        "client_name": name,
        "redirect_uris": list(redirect_uris) or None,
        "minimum_acr": minimum_acr,
        "max_auth_age": max_auth_age,
    }
    members = members_from(metadata.read() if metadata else None, given, public=public)
    with place.services() as services:
        made = services.client_registry.register(members, context(), client_id=client_id)
        issuer = services.settings.issuer
    if as_json:
        print_json(made.to_json())
    else:
        _tell_registered(made, issuer)


def _tell_registered(made: Registration, issuer: str) -> None:
    print_record(
        {
            "issuer": issuer,
            "client_id": made.client_id,
            "client_secret": made.secret,
            "redirect_uris": made.metadata.redirect_uris,
            "token_endpoint_auth_method": made.metadata.token_endpoint_auth_method,
        }
    )
    if made.secret:
        say("Keep the secret now: it is not told again.")


@clients.command("list")
@json_option
@at_place
def list_clients(place: Place, as_json: bool) -> None:
    """List the relying parties by name."""
    with place.services():
        found = client_listing.listed()
    if as_json:
        print_json([_summary(info) for info in found])
        return
    names = ("client_id", "name", "type", "state", "managed_by", "created_at")
    rows = [
        (info.id, info.name, _type(info), _state(info), info.managed_by, info.created_at)
        for info in found
    ]
    print_table(names, rows, none="There is none. `idp clients add` registers one.")


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
    }


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


@clients.command("apply")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@json_option
@at_place
def apply_files(place: Place, files: tuple[Path, ...], dry_run: bool, as_json: bool) -> None:
    """Let the registrations be what FILES say: all of them, or none.

    A folder stands for every client.toml in it and right below it. Applying the same again changes
    nothing; what is in no file is left alone.
    """
    found = [read_client_file(file) for file in _spread(files)]
    with place.services() as services:
        changes = apply_client_files(
            found, _rules(services), context(), environ=os.environ, dry_run=dry_run
        )
    if as_json:
        print_json([_change_json(change, dry_run=dry_run) for change in changes])
        return
    for change in changes:
        _tell_change(change, dry_run=dry_run)


def _spread(paths: Sequence[Path]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        below = sorted({*path.glob("client.toml"), *path.glob("*/client.toml")})
        if path.is_dir() and not below:
            raise Refused(f"There is no client.toml in {path}.")
        files += below if path.is_dir() else [path]
    return files


def _rules(services: Services) -> ClientRules:
    settings = services.settings
    return ClientRules(settings, capabilities_of(settings), methods=services.factors)


def _change_json(change: Change, *, dry_run: bool) -> dict[str, object]:
    told: dict[str, object] = {
        "client_id": change.client_id,
        "action": change.action,
        "differences": [asdict(difference) for difference in change.differences],
    }
    if change.secret and not dry_run:
        told["client_secret"] = change.secret
    return told


def _tell_change(change: Change, *, dry_run: bool) -> None:
    would = "would be " if dry_run and change.action != "unchanged" else ""
    say(f"{change.client_id}: {would}{change.action}")
    for difference in change.differences:
        registered, wanted = shown(difference.registered), shown(difference.wanted)
        say(f"  {difference.member}: {registered or '(nothing)'} -> {wanted or '(nothing)'}")
    if change.secret and not dry_run:
        say(f"  client_secret: {change.secret} (told this once)")


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
        print_record({"client_id": client_id, "client_secret": secret})


@clients.command()
@click.argument("client_id", metavar="ID")
@at_place
def disable(place: Place, client_id: str) -> None:
    """Stop a client, and all it holds, at once."""
    with place.services() as services:
        services.client_registry.disable(client_id, context())
    say(f"{client_id} is disabled.")


@clients.command()
@click.argument("client_id", metavar="ID")
@at_place
def enable(place: Place, client_id: str) -> None:
    """Let a disabled client go on."""
    with place.services() as services:
        services.client_registry.enable(client_id, context())
    say(f"{client_id} is enabled.")


@clients.command()
@click.argument("client_id", metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask.")
@at_place
def delete(place: Place, client_id: str, yes: bool) -> None:
    """Delete a client with every grant, token and consent."""
    with place.services() as services:
        info = client_listing.shown(client_id)
        confirm(f"Delete {info.name} ({client_id}) for good?", yes=yes)
        services.client_registry.delete(client_id, context())
    say(f"{client_id} is deleted.")


@clients.command()
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option(
    "--to",
    "folder",
    metavar="FOLDER",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write FOLDER/ID/client.toml for each; needed for more than one.",
)
@json_option
@at_place
def export(place: Place, ids: tuple[str, ...], folder: Path | None, as_json: bool) -> None:
    """Write registrations (by default all) as files that `idp clients apply` takes.

    No secret is in them: applied elsewhere they make new ones.
    """
    with place.services():
        wanted = ids or tuple(info.id for info in client_listing.listed())
        found = {client_id: client_export.exported(client_id) for client_id in wanted}
    if as_json:
        print_json(list(found.values()))
    elif folder is not None:
        _write(found, folder)
    elif len(found) == 1:
        click.echo(client_export.to_toml(*found.values()), nl=False)
    else:
        raise Refused(f"{len(found)} clients do not go into one file: say --to FOLDER.")


def _write(found: Mapping[str, dict[str, Any]], folder: Path) -> None:
    for number, (client_id, members) in enumerate(found.items(), start=1):
        # An id may be an address, which is no name for a folder.
        name = client_id if client_id.replace("-", "").replace("_", "").isalnum() else str(number)
        file = folder / name / "client.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(client_export.to_toml(members), encoding="utf-8")
        say(str(file))
