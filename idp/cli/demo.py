"""``idp demo``: the provider and the demo applications, on this machine."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from idp.cli.demo_people import PASSWORD, PEOPLE
from idp.cli.demo_processes import Program, interruptible, is_taken, python, running, watch
from idp.cli.demo_site import HOST, Application, Site
from idp.cli.output import say
from idp.cli.refusals import Refused
from idp.config.settings import LOGIN_STYLES
from idp.resources import resource_dir

FOLDER = Path("var/demo")


@click.command()
@click.option("--reset", is_flag=True, help="Begin afresh: forget what the demo has kept.")
@click.option(
    "--login-style",
    type=click.Choice(LOGIN_STYLES),
    default=LOGIN_STYLES[0],
    show_default=True,
    help="How the sign-in begins, until the next start.",
)
@click.option("--offset", default=0, hidden=True, help="Move every port by this much.")
def demo(reset: bool, login_style: str, offset: int) -> None:
    """Run the provider and the demo applications until Ctrl-C.

    What they keep is in var/demo of the working directory, and is there at the next start.
    """
    site = Site(FOLDER.absolute(), offset, login_style)
    applications = site.applications_in(resource_dir("clients"))
    programs = _programs(site, applications)
    _insist_on_ports(programs)
    if reset:
        site.clear()
    site.prepare(applications)
    with interruptible(), running(programs, site.folder / "log") as started:
        for line in _panel(site, applications):
            say(line)
        watch(started)
    say("Stopped.")


def _programs(site: Site, applications: Sequence[Application]) -> list[Program]:
    serve = ("--config", str(site.config), "serve", "--host", HOST, "--port", str(site.port))
    provider = Program("provider", python("-m", "idp", *serve), Path.cwd(), site.port, {})
    urls = {f"{one.name.upper()}_URL": one.url for one in applications if one.port}
    return [provider, *(_program(site, one, urls) for one in applications if one.port)]


def _program(site: Site, application: Application, urls: Mapping[str, str]) -> Program:
    return Program(
        application.name,
        python("app.py"),
        application.folder,
        application.port or 0,
        {
            "OIDC_ISSUER": site.issuer,
            "OIDC_CLIENT_ID": application.client_id,
            "OIDC_CLIENT_SECRET_FILE": str(site.secret_file(application)),
            "HOST": HOST,
            "PORT": str(application.port),
            **urls,
        },
    )


def _insist_on_ports(programs: Sequence[Program]) -> None:
    if taken := [f"{one.port} ({one.name})" for one in programs if is_taken(one.port)]:
        raise Refused(
            f"Taken already: port {', port '.join(taken)}. Stop what runs there, or another demo."
        )


def _panel(site: Site, applications: Sequence[Application]) -> list[str]:
    shown = [(_called(one), one.url) for one in reversed(applications) if one.port]
    places = [*shown, ("Provider", site.issuer), ("Mailbox", f"{site.issuer}/demo/mail")]
    people = [(person["email"], person.get("role") or "") for person in PEOPLE]
    width = max(len(name) for name, _ in [*places, *people])
    return [
        "",
        *(f"  {name.ljust(width)}  {url}" for name, url in places),
        "",
        *(f"  {email.ljust(width)}  {role}".rstrip() for email, role in people),
        f"  {'password of both'.ljust(width)}  {PASSWORD}",
        "",
        f"  {'Commands'.ljust(width)}  {_typed('idp')} --config {FOLDER / 'idp.toml'} users list",
        *(f"  {'Device'.ljust(width)}  {command}" for command in _on_devices(site, applications)),
        f"  {'Logs'.ljust(width)}  {FOLDER / 'log'}",
        "",
        "  Ctrl-C stops everything.",
        "",
    ]


def _on_devices(site: Site, applications: Sequence[Application]) -> list[str]:
    """What to type to run those that serve nothing and look for a browser elsewhere."""
    names = [one.folder / "app.py" for one in applications if one.port is None]
    where = f"OIDC_ISSUER={site.issuer} " if site.offset else ""
    return [
        f"{where}{_typed('python')} {os.path.relpath(path)}" for path in names if path.is_file()
    ]


def _typed(name: str) -> str:
    """How a program of this environment is called from here: by its path where that is near."""
    path, here = Path(sys.executable).parent / name, Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else name


def _called(application: Application) -> str:
    title, name = application.title, application.name
    return title if title.lower() == name else f"{title} ({name})"
