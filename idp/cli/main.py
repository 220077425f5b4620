"""The command itself, and what belongs to it."""

from pathlib import Path

import click

from idp.cli.audit import audit
from idp.cli.cleanup import cleanup
from idp.cli.clients import clients
from idp.cli.db import db
from idp.cli.demo import demo
from idp.cli.doctor import doctor
from idp.cli.explain import explain
from idp.cli.groups import groups
from idp.cli.init import init
from idp.cli.keys import keys
from idp.cli.mail import mail
from idp.cli.place import Place
from idp.cli.refusals import Guarded
from idp.cli.restore_epoch import restore_epoch
from idp.cli.serve import serve
from idp.cli.settings import settings
from idp.cli.users import users


@click.group(cls=Guarded, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="The settings file; otherwise IDP_CONFIG, or idp.toml in the working directory.",
)
@click.version_option(package_name="gatehouse-idp", prog_name="idp")
@click.pass_context
def main(ctx: click.Context, config: Path | None) -> None:
    """Gatehouse, an OpenID Connect provider.

    A command ends with status 0 when it is done, 1 when it was refused (one line on stderr says
    why and what to do), and 2 when it was not called as its help says.
    """
    ctx.obj = Place(config)


for command in (
    *(init, serve, demo, doctor, db, cleanup, restore_epoch),
    *(users, groups, clients, keys, mail, settings, explain, audit),
):
    main.add_command(command)
