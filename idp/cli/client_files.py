"""``idp clients apply`` and ``export``: registrations in files."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from idp.cli.output import json_option, print_json, say, shown
from idp.cli.place import Place, at_place, context
from idp.cli.refusals import Refused
from idp.oidc.capabilities import capabilities_of
from idp.services import client_export, client_listing
from idp.services.client_apply import Change, apply_client_files
from idp.services.client_files import read_client_file
from idp.services.client_rules import ClientRules
from idp.web.services import Services


@click.command("apply")
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
            found,
            _rules(services),
            services.client_secrets,
            context(),
            environ=os.environ,
            dry_run=dry_run,
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
    return ClientRules(settings, capabilities_of(settings), ways=services.factors.values())


def _change_json(change: Change, *, dry_run: bool) -> dict[str, object]:
    told: dict[str, object] = {
        "client_id": change.client_id,
        "action": change.action,
        "differences": [asdict(difference) for difference in change.differences],
    }
    if change.secret and not dry_run:
        told["client_secret"] = change.secret
    if change.not_in:
        told["client_secret_not_in"] = str(change.not_in)
    if change.no_groups:
        told["groups_not_there"] = list(change.no_groups)
    return told


def _tell_change(change: Change, *, dry_run: bool) -> None:
    would = "would be " if dry_run and change.action != "unchanged" else ""
    say(f"{change.client_id}: {would}{change.action}")
    for difference in change.differences:
        registered, wanted = shown(difference.registered), shown(difference.wanted)
        say(f"  {difference.member}: {registered or '(nothing)'} -> {wanted or '(nothing)'}")
    for name in change.no_groups:
        say(f"  there is no group called {name}: until there is, nobody is in it")
    if change.secret and not dry_run:
        say(f"  client_secret: {change.secret} (told this once)")
    if change.not_in:
        say(f"  client_secret: goes on, and is not in {change.not_in}")
        say(f"  (`idp clients rotate-secret {change.client_id}` makes another one)")


@click.command()
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
