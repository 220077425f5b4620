"""``idp users``: people."""

import sys
from collections.abc import Callable, Mapping
from functools import wraps
from typing import IO, Any

import click

from idp.cli.output import json_option, print_json, print_record, print_table, say, tell
from idp.cli.people import details_of, fields_from, find_person, person_json
from idp.cli.people_changes import role, update
from idp.cli.people_endings import ENDINGS
from idp.cli.people_files import export_users, import_users
from idp.cli.people_links import link
from idp.cli.people_list import list_users
from idp.cli.place import Place, at_place, confirm, context, is_terminal
from idp.cli.refusals import Refused
from idp.models import User
from idp.services.account_fields import Fields
from idp.services.reset import LIFETIME_BY_HAND
from idp.services.roles import ADMINISTRATOR
from idp.web.services import Services

_RESET = "`idp users reset --print`"
_VALID_FOR = f"{int(LIFETIME_BY_HAND.total_seconds()) // 3600} hours"

Made = Callable[..., None]


@click.group()
def users() -> None:
    """Make, show, disable and delete people's accounts."""


def _about_a_person(command: Made) -> Made:
    """The options that say who somebody is, handed on as ``fields``."""

    @wraps(command)
    def with_fields(
        *given: Any,
        email: str,
        name: str | None,
        username: str | None,
        claims: IO[bytes] | None,
        groups: tuple[str, ...],
        admin: bool,
        **others: Any,
    ) -> None:
        """The command, with what the options said."""
        options: Mapping[str, object] = {
            "email": email,
            "name": name,
            "username": username,
            "groups": groups or None,
            "role": ADMINISTRATOR if admin else None,
        }
        fields = fields_from(claims.read() if claims else None, options)
        command(*given, fields=fields, **others)

    made: Made = with_fields
    for option in _WHO:
        made = option(made)
    return made


_WHO: tuple[Callable[[Made], Made], ...] = (
    click.option("--admin", is_flag=True, help="May administer this provider."),
    click.option("--group", "groups", multiple=True, help="Put into it; may be repeated."),
    click.option(
        "--claims",
        type=click.File("rb"),
        metavar="FILE.json",
        help="Standard claims (OpenID Connect Core 5.1) as a JSON object.",
    ),
    click.option("--username", help="Another name to sign in with."),
    click.option("--name", help="The name that pages and applications show."),
    click.argument("email"),
)


@users.command()
@_about_a_person
@click.option("--password-stdin", is_flag=True, help="Read a password from standard input.")
@json_option
@at_place
def create(place: Place, fields: Fields, password_stdin: bool, as_json: bool) -> None:
    """Make an account for EMAIL, which counts as verified.

    Without a password, a one-time link to set one is printed: hand it over.
    """
    password = _read_password() if password_stdin else None
    with place.services() as services:
        user = services.accounts.create(
            {**fields, "email_verified": True}, context(), password=password
        )
        url = None if password else services.password_reset.link(user, context())
        _tell_made(user, url, as_json=as_json)


@users.command()
@_about_a_person
@json_option
@at_place
def invite(place: Place, fields: Fields, as_json: bool) -> None:
    """Mail EMAIL a link to set a password and sign in, making the account where there is none.

    Following the link verifies the address.
    """
    with place.services() as services:
        user = services.accounts.find_by_login(fields["email"])
        _insist_on_mail(services, otherwise=_RESET if user else "`idp users create`")
        if user is None:
            user = services.accounts.create(fields, context())
        services.password_reset.send(user, context(), invited=True)
        if as_json:
            print_json(person_json(user))
        else:
            say(f"An invitation is on its way to {user.email}; it is good for {_VALID_FOR}.")


def _read_password() -> str:
    if is_terminal():
        typed = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        return str(typed)
    try:
        # Whatever this machine's language is: a browser sends it so, or it never fits.
        line = sys.stdin.buffer.readline().decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise Refused("The password on standard input has to be in UTF-8.") from error
    if not line:
        raise Refused("There was no password on standard input.")
    return line


def _tell_made(user: User, url: str | None, *, as_json: bool) -> None:
    if as_json:
        print_json(person_json(user) | ({"link": url} if url else {}))
        return
    say(f"Made an account for {user.email} ({user.id}).")
    if url:
        say(f"To set a password, once, within {_VALID_FOR}: {url}")


@users.command()
@click.argument("who", metavar="EMAIL")
@json_option
@at_place
def show(place: Place, who: str, as_json: bool) -> None:
    """Show one person: claims, groups, ways to sign in, sessions."""
    with place.services() as services:
        user = find_person(services, who)
        details = details_of(user, context().at)
        if as_json:
            print_json(person_json(user) | details)
            return
        print_record({**person_json(user), **details, "credentials": None})
        rows = [tuple(one.values()) for one in details["credentials"]]
        names = ("id", "kind", "label", "created", "last used")
        print_table(names, rows, none="There is no way to sign in yet.")


@users.command()
@click.argument("who", metavar="EMAIL")
@json_option
@at_place
def disable(place: Place, who: str, as_json: bool) -> None:
    """Shut a person out now: sessions and tokens end."""
    with place.services() as services:
        user = find_person(services, who)
        services.accounts.disable(user, context())
        tell(f"{user.email} is disabled.", person_json(user), as_json=as_json)


@users.command()
@click.argument("who", metavar="EMAIL")
@json_option
@at_place
def enable(place: Place, who: str, as_json: bool) -> None:
    """Let a disabled person in again."""
    with place.services() as services:
        user = find_person(services, who)
        services.accounts.enable(user, context())
        tell(f"{user.email} is enabled.", person_json(user), as_json=as_json)


@users.command()
@click.argument("who", metavar="EMAIL")
@click.option("--print", "print_it", is_flag=True, help="Print the link instead of mailing it.")
@click.option(
    "--second-step", is_flag=True, help="Also take every passkey, app and recovery code off."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@at_place
def reset(
    place: Place, who: str, print_it: bool, second_step: bool, yes: bool, as_json: bool
) -> None:
    """Mail a person a one-time link to set a new password, or print it.

    The old password holds until the link is used. A second step stays, unless --second-step says
    that it is lost: then it ends at once, with every session, and the person is told by mail.
    """
    with place.services() as services:
        user = find_person(services, who)
        if user.disabled_at is not None:
            raise Refused(f"{user.email} is disabled: `idp users enable {user.email}` first.")
        if not print_it:
            _insist_on_mail(services, otherwise=_RESET)
        if second_step:
            confirm(f"Take every passkey, app and recovery code off {user.email}?", yes=yes)
            services.second_step.take_off(user, context())
        if not print_it:
            services.password_reset.send(user, context())
        url = services.password_reset.link(user, context()) if print_it else None
    if as_json:
        print_json({"email": user.email} | ({"link": url} if url else {}))
    elif url:
        say(url)
    else:
        say(f"A link is on its way to {user.email}; it is good for {_VALID_FOR}.")


def _insist_on_mail(services: Services, *, otherwise: str) -> None:
    if services.settings.mail_url is None:
        raise Refused(f"No mail can be sent: mail_url is not set. Print a link with {otherwise}.")


for _command in (*ENDINGS, list_users, update, role, link, import_users, export_users):
    users.add_command(_command)
