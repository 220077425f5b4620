"""``idp users import`` and ``export``: people in files."""

from dataclasses import asdict
from typing import IO

import click

from idp import audit
from idp.cli.output import json_option, print_json, print_table, say
from idp.cli.place import Place, at_place, context
from idp.cli.refusals import Refused
from idp.services.people_export import as_csv, as_json
from idp.services.people_files import FirebaseKey, Unreadable, records
from idp.services.people_import import Plan, carry_out, plan

_SHOWN = 50


@click.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--dry-run", is_flag=True, help="Say what would be made, and what is wrong.")
@click.option("--firebase-key", metavar="KEY", help="base64_signer_key of a Firebase project.")
@click.option("--firebase-separator", default="Bw==", help="base64_salt_separator.")
@click.option("--firebase-rounds", default=8, show_default=True)
@click.option("--firebase-mem-cost", default=14, show_default=True)
@json_option
@at_place
def import_users(
    place: Place,
    file: IO[bytes],
    dry_run: bool,
    firebase_key: str | None,
    firebase_separator: str,
    firebase_rounds: int,
    firebase_mem_cost: int,
    as_json: bool,
) -> None:
    """Make everybody in FILE, or nobody.

    CSV (email, email_verified, name, username, groups, password_hash), or JSON: ours, or an
    export of Keycloak, Auth0, Django (dumpdata) or Firebase. Passwords go on working, and their
    hashes are made anew at the next sign-in.
    """
    key = (
        FirebaseKey(
            signer_key=firebase_key,
            salt_separator=firebase_separator,
            rounds=firebase_rounds,
            mem_cost=firebase_mem_cost,
        )
        if firebase_key
        else None
    )
    with place.services():
        try:
            planned = plan(records(file.read(), firebase=key), context())
        except Unreadable as error:
            raise Refused(str(error)) from error
        if planned.problems:
            _tell_problems(planned, as_json=as_json)
            raise Refused(
                f"Nobody was imported: {_counted(len(planned.problems), 'problem')} to mend first."
            )
        made = 0 if dry_run else carry_out(planned, context())
    if as_json:
        print_json({"would_make": len(planned.ready), "made": made, "problems": []})
    else:
        would = f"Would make {_counted(len(planned.ready), 'account')}."
        say(would if dry_run else f"Made {_counted(made, 'account')}.")


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _tell_problems(planned: Plan, *, as_json: bool) -> None:
    if as_json:
        problems = [asdict(one) for one in planned.problems]
        print_json({"would_make": len(planned.ready), "made": 0, "problems": problems})
        return
    rows = [(one.place, one.field, one.sentence) for one in planned.problems[:_SHOWN]]
    print_table(("record", "field", "problem"), rows, none="")


@click.command("export")
@click.option("--format", "form", type=click.Choice(["json", "csv"]), default="json")
@at_place
def export_users(place: Place, form: str) -> None:
    """Print everybody, without anything secret; `idp users import` takes it."""
    with place.services() as services:
        audit.record("people.exported", context())
        services.commit()
        for line in (as_csv if form == "csv" else as_json)():
            click.echo(line)
