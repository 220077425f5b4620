"""Where the command works: which settings, which database, and in whose name."""

import getpass
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from idp import migrate
from idp.app import create_app
from idp.audit import Context
from idp.cli.refusals import Refused
from idp.clock import system_clock
from idp.config import Settings, load_settings
from idp.models import db
from idp.web.services import Services


@dataclass(frozen=True, slots=True)
class Place:
    """``config`` is what ``--config`` names; without it the usual places are looked at."""

    config: Path | None = None

    def settings(self) -> Settings:
        """The settings. Raises ``ConfigurationError``."""
        return load_settings(self.config)

    @contextmanager
    def services(self) -> Iterator[Services]:
        """The program's parts over a database that has its schema; else raises ``Refused``."""
        settings = self.settings()
        insist_on_schema(settings)
        with composed(settings) as services:
            services.changed_settings.refresh(system_clock())
            yield services


@contextmanager
def composed(settings: Settings) -> Iterator[Services]:
    """The program's parts, whatever state the database is in; leaves no connection open."""
    app = create_app(settings)
    with app.app_context():
        try:
            yield app.extensions["idp"]
        finally:
            db.session.remove()
            db.engine.dispose()


def insist_on_schema(settings: Settings) -> None:
    """Raises ``Refused`` where the database was never migrated, or not to this version."""
    found, wanted = migrate.revision(settings.database_url), migrate.head()
    if found is None:
        raise Refused("The database is empty. Make its tables with `idp db upgrade`.")
    if found in migrate.own():
        return
    if migrate.knows(found):
        raise Refused(
            f"The database's schema is at revision {found} and this version needs {wanted}."
            " Run `idp db upgrade`."
        )
    if migrate.reads(found, migrate.readers(settings.database_url)):
        return  # a newer version has upgraded it, with nothing that is in the way of this one
    raise Refused(
        f"The database's schema is at revision {found}, which this version does not know."
        " A newer one has upgraded it: use that."
    )


def context() -> Context:
    """What the audit log is told: that it was the command, and whose."""
    return Context(at=system_clock(), actor_id=f"command:{_operator()}"[:255])


def _operator() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"  # a container's user need not have a name


def is_terminal() -> bool:
    """Is there somebody to ask?"""
    return sys.stdin.isatty()


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something that cannot be taken back; a script is taken at its word."""
    if not yes and is_terminal():
        click.confirm(question, abort=True, err=True)


at_place = click.make_pass_decorator(Place, ensure=True)
