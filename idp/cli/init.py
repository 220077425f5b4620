"""``idp init``: settings, keys and tables, from nothing."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import click
from sqlalchemy.exc import SQLAlchemyError

from idp import migrate
from idp.cli.files import new_key, to_toml, write_private
from idp.cli.output import json_option, print_json, say
from idp.cli.place import composed, context, is_terminal
from idp.cli.refusals import Refused, sentence
from idp.config import CONFIG_FILE, Settings, load_settings
from idp.services.keys import KeysUnreadable

KEYS_FILE = "idp.keys"
_DATABASE = "sqlite:///var/idp.sqlite3"


@click.command()
@click.option("--issuer", metavar="URL", envvar="IDP_ISSUER", help="The address people will see.")
@click.option(
    "--database-url",
    metavar="URL",
    envvar="IDP_DATABASE_URL",
    help=f"Where everything is kept; {_DATABASE} unless said otherwise.",
)
@click.option("--force", is_flag=True, help="Write anew what is there; old keys are kept.")
@json_option
def init(issuer: str | None, database_url: str | None, force: bool, as_json: bool) -> None:
    """Write idp.toml and a key file into the working directory, and migrate the database.

    What is not given is asked for when a terminal is there.
    """
    config, keys = Path(CONFIG_FILE), Path(KEYS_FILE)
    if not force:
        _insist_on_nothing_there(config, keys)
    issuer = issuer or _ask_issuer()
    database_url = database_url or _ask_database()
    lines = [new_key(), *_lines(keys)]
    around = _around()
    own = {} if _KEYS & around.keys() else {"keys": "\n".join(lines)}
    load_settings(Path(os.devnull), around, issuer=issuer, database_url=database_url, **own)
    write_private(keys, "\n".join(lines) + "\n")
    written = {"issuer": issuer, "database_url": database_url, "keys_file": KEYS_FILE}
    write_private(config, to_toml(written))
    _prepare(load_settings(config, around))
    _tell_what_goes_before(written)
    if as_json:
        print_json({"config": str(config), "keys_file": str(keys), "issuer": issuer})
    else:
        say(f"{config} and {keys} are written, and the database is ready.")
        say("Keep a copy of the keys where it is safe: without them the database is worth little.")
        say("Next: `idp serve`, which prints a link that makes you the administrator.")


_ASKED: Final = frozenset({"IDP_ISSUER", "IDP_DATABASE_URL"})
_KEYS: Final = frozenset({"IDP_KEYS", "IDP_KEYS_FILE"})


def _around() -> dict[str, str]:
    """The environment without what an option, or an answer, has the say about."""
    return {name: value for name, value in os.environ.items() if name not in _ASKED}


def _tell_what_goes_before(written: Mapping[str, str]) -> None:
    """Variables count more than the file: who has set one may not know."""
    values = {f"IDP_{name.upper()}": value for name, value in written.items()}
    for name in sorted((_ASKED | _KEYS) & os.environ.keys()):
        if os.environ[name] != values.get(name):
            click.echo(f"{name} is set, and counts more than {CONFIG_FILE}.", err=True)


def _insist_on_nothing_there(*files: Path) -> None:
    if there := [str(file) for file in files if file.exists()]:
        exist, it = ("exists", "it") if len(there) == 1 else ("exist", "them")
        raise Refused(f"{' and '.join(there)} {exist} already: --force writes {it} anew.")


def _ask_issuer() -> str:
    if not is_terminal():
        raise click.UsageError("Say --issuer URL: the address that people will see.")
    answer: str = click.prompt("The address people will see (https://id.example.com)", err=True)
    return answer


def _ask_database() -> str:
    if not is_terminal():
        return _DATABASE
    answer: str = click.prompt("The database", default=_DATABASE, err=True)
    return answer


def _lines(keys: Path) -> list[str]:
    """The keys there were: what they encrypted must stay readable."""
    return keys.read_text(encoding="utf-8").split() if keys.exists() else []


def _prepare(settings: Settings) -> None:
    """Make the tables and the first signing keys."""
    try:
        migrate.upgrade(settings.database_url)
        with composed(settings) as services:
            services.key_rotation.prepare(context())
    except (SQLAlchemyError, KeysUnreadable) as error:
        raise Refused(
            f"{CONFIG_FILE} and {KEYS_FILE} are written, but: {sentence(error)}"
            " Put it right, then run `idp db upgrade`."
        ) from error
