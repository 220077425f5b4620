"""``idp demo``: the provider and the demo applications, on this machine."""

import os
from collections.abc import Sequence
from pathlib import Path

import click

from idp.cli.demo_people import PASSWORD, PEOPLE
from idp.cli.demo_processes import Program, interruptible, is_taken, python, running, watch
from idp.cli.demo_site import HOST, ISSUER, PORT, Application, Site, applications_in
from idp.cli.output import say
from idp.cli.refusals import Refused
from idp.resources import resource_dir

FOLDER = Path("var/demo")


@click.command()
@click.option("--reset", is_flag=True, help="Begin afresh: forget what the demo has kept.")
def demo(reset: bool) -> None:
    """Run the provider and the demo applications until Ctrl-C.

    What they keep is in var/demo of the working directory, and is there at the next start.
    """
    site = Site(FOLDER.resolve())
    applications = applications_in(resource_dir("clients"))
    programs = _programs(site, applications)
    _insist_on_ports(programs)
    if reset:
        site.clear()
    site.prepare(applications)
    with interruptible(), running(programs, site.folder / "log") as started:
        for line in _panel(applications):
            say(line)
        watch(started)
    say("Stopped.")


def _programs(site: Site, applications: Sequence[Application]) -> list[Program]:
    serve = ("--config", str(site.config), "serve", "--host", HOST, "--port", str(PORT))
    provider = Program("provider", python("-m", "idp", *serve), Path.cwd(), PORT, {})
    return [provider, *(_program(site, one) for one in applications if one.port)]


def _program(site: Site, application: Application) -> Program:
    return Program(
        application.name,
        python("app.py"),
        application.folder,
        application.port or 0,
        {
            "OIDC_ISSUER": ISSUER,
            "OIDC_CLIENT_ID": application.client_id,
            "OIDC_CLIENT_SECRET_FILE": str(site.secret_file(application)),
            "HOST": HOST,
            "PORT": str(application.port),
        },
    )


def _insist_on_ports(programs: Sequence[Program]) -> None:
    if taken := [f"{one.port} ({one.name})" for one in programs if is_taken(one.port)]:
        raise Refused(
            f"Taken already: port {', port '.join(taken)}. Stop what runs there, or another demo."
        )


def _panel(applications: Sequence[Application]) -> list[str]:
    shown = [(one.title, one.url) for one in applications if one.port]
    places = [*shown, ("Provider", f"{ISSUER}/"), ("Mailbox", f"{ISSUER}/demo/mail")]
    people = [(person["email"], person.get("role") or "") for person in PEOPLE]
    width = max(len(name) for name, _ in [*places, *people])
    command = f"idp --config {os.path.relpath(FOLDER / 'idp.toml')} users list"
    return [
        "",
        *(f"  {name.ljust(width)}  {url}" for name, url in places),
        "",
        *(f"  {email.ljust(width)}  {role}".rstrip() for email, role in people),
        f"  {'password of both'.ljust(width)}  {PASSWORD}",
        "",
        f"  {'commands'.ljust(width)}  {command}",
        f"  {'logs'.ljust(width)}  {FOLDER / 'log'}",
        "  Ctrl-C stops everything.",
        "",
    ]
