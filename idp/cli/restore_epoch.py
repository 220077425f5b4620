"""``idp restore-epoch``: what a restored backup would bring back to life ends."""

import click

from idp.cli.output import json_option, print_json, say
from idp.cli.place import Place, at_place, confirm, context
from idp.services.restoring import begin_epoch


@click.command("restore-epoch")
@click.option(
    "--keep-recovery-codes",
    is_flag=True,
    help="Leave recovery codes as the backup has them: one used since then works once more.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@at_place
def restore_epoch(place: Place, keep_recovery_codes: bool, yes: bool, as_json: bool) -> None:
    """After a restore, before serving: end all that the backup does not know to have ended.

    Everybody signs in anew, every token is worthless, links and codes that were mailed or shown
    are, too. Whom you disabled and what you deleted after the backup is for you to do again.
    """
    confirm("Every session, token, link and recovery code ends. Go on?", yes=yes)
    with place.services():
        ended = begin_epoch(context(), keep_recovery_codes=keep_recovery_codes)
    if as_json:
        print_json({"ended": ended})
        return
    told = ", ".join(f"{number} {name}" for name, number in ended.items() if number)
    say(f"Ended: {told or 'nothing, for there was nothing'}. You may serve now.")
