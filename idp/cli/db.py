"""``idp db``: the schema, a backup, and the way to another database."""

from pathlib import Path
from typing import Final

import click
from alembic.util import CommandError

from idp import migrate
from idp.backup import NoBackup, back_up
from idp.cli.output import json_option, print_json, say, tell
from idp.cli.place import Place, at_place, confirm, context
from idp.cli.refusals import Refused
from idp.config.addresses import database_url
from idp.transfer import NotTransferable, transfer

LEFT: Final = "When no node of the version before is left: `idp db upgrade`."


@click.group()
def db() -> None:
    """Bring the database to this version's schema, back it up, or take it elsewhere."""


@db.command()
@click.argument("revision", default="head")
@click.option(
    "--rolling",
    is_flag=True,
    help="Leave what only nodes of the version before need, while they are replaced one by one.",
)
@at_place
def upgrade(place: Place, revision: str, *, rolling: bool) -> None:
    """Run the migrations up to REVISION, by default all there are."""
    if rolling and revision != "head":
        raise click.UsageError("--rolling says itself how far.")
    url = place.settings().database_url
    try:
        if rolling:
            migrate.upgrade_beside(url)
        else:
            migrate.upgrade(url, revision)
    except CommandError as error:
        raise Refused(f"{error}.") from error
    found = migrate.revision(url)
    say(f"The schema is at revision {found}.{_left(found)}")


def _left(found: str | None) -> str:
    """What is still to be done, some time."""
    return f" {LEFT}" if found != migrate.head() and found in migrate.own() else ""


@db.command()
@click.argument("revision", default="-1")
@click.option("--yes", is_flag=True, help="Do not ask.")
@at_place
def downgrade(place: Place, revision: str, yes: bool) -> None:
    """Undo migrations down to REVISION ("base" for all), by default the last one.

    What was kept in tables and columns that go is lost: make a backup first.
    """
    url = place.settings().database_url
    confirm("Data may be lost. Go on?", yes=yes)
    try:
        migrate.downgrade(url, revision)
    except CommandError as error:
        raise Refused(f"{error}.") from error
    say(f"The schema is at revision {migrate.revision(url) or 'none'}.")


@db.command()
@json_option
@at_place
def check(place: Place, as_json: bool) -> None:
    """Tell whether the schema is this version's; status 1 when it is not."""
    url = place.settings().database_url
    found = migrate.revision(url)
    problems = migrate.pending(url) if found else ("the database is empty",)
    if as_json:
        print_json({"revision": found, "expected": migrate.head(), "problems": problems})
    if problems:
        raise Refused(f"Not this version's schema: {'; '.join(problems)}. Run `idp db upgrade`.")
    if not as_json:
        say(f"The schema is this version's: revision {found}.")


@db.command()
@click.argument("file", type=click.Path(path_type=Path))
@json_option
@at_place
def backup(place: Place, file: Path, as_json: bool) -> None:
    """Copy an SQLite database into FILE, which is new, while the server goes on.

    For its owner only. Keep idp.keys apart from it. To put it back: stop the server, move it to
    where the database was, remove the files beside that with -wal and -shm at their end, and run
    `idp db upgrade` and `idp restore-epoch`.
    """
    try:
        size = back_up(place.settings().database_url, file, context().at)
    except NoBackup as error:
        raise Refused(f"{error}.") from error
    tell(f"{file}: {size:,} bytes.", {"file": str(file), "bytes": size}, as_json=as_json)


@db.command()
@click.option(
    "--to",
    "target",
    metavar="URL",
    required=True,
    help="Where; a password may be in PGPASSWORD or ~/.pgpass instead.",
)
@json_option
@at_place
def copy(place: Place, target: str, as_json: bool) -> None:
    """Copy everything from SQLite into an empty PostgreSQL database.

    Stop the server before, and start it over the other database afterwards. The file stays as it
    is; the keys in idp.keys go with what was copied.
    """
    try:
        rows = transfer(place.settings().database_url, _checked(target))
    except NotTransferable as error:
        raise Refused(f"{error}. Nothing was copied.") from error
    if as_json:
        print_json({"rows": rows})
        return
    for table, number in rows.items():
        if number:
            say(f"{table}: {number}")
    say("All of it is copied. Let database_url name the other database, and start the server.")
    say("Going back to the file later is restoring a backup: then run `idp restore-epoch`.")


def _checked(target: str) -> str:
    try:
        return database_url(target)
    except ValueError as error:
        raise click.UsageError(f"--to {error}") from error
