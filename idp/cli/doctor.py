"""``idp doctor``: is everything in order?"""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict

import click

from idp.cli.output import json_option, print_json, say
from idp.cli.place import Place, at_place, composed, context
from idp.cli.refusals import Refused
from idp.config import ConfigurationError, keys_file
from idp.services.health import Finding, Health
from idp.services.key_file import who_reads

_SIGNS = {"ok": "ok     ", "warning": "warning", "problem": "PROBLEM"}


@click.command()
@json_option
@at_place
def doctor(place: Place, as_json: bool) -> None:
    """Check configuration, database, schema, clock, keys, mail, issuer and RP ID.

    One line each. Status 1 when something is a problem; a warning is none.
    """
    findings = _examine(place, aloud=not as_json)
    if as_json:
        print_json([asdict(finding) for finding in findings])
    problems = dict.fromkeys(one.check for one in findings if one.state == "problem")
    if problems:
        raise Refused(f"Not in order: {', '.join(problems)}.")


def _examine(place: Place, *, aloud: bool) -> list[Finding]:
    found: list[Finding] = []
    for finding in _findings(place):
        found.append(finding)
        if aloud:
            say(f"{_SIGNS[finding.state]} {finding.check:<13}  {finding.text}")
    return found


def _findings(place: Place) -> Iterator[Finding]:
    """Each as it is found; without settings that can be used there is nothing else to look at."""
    with ExitStack() as opened:
        try:
            settings = place.settings()
            services = opened.enter_context(composed(settings))
        except ConfigurationError as error:
            yield from (Finding("configuration", "problem", problem) for problem in error.problems)
            return
        yield Finding("configuration", "ok", "can be used")
        yield Finding("key_file", *who_reads(keys_file(place.config, os.environ)))
        health = Health(settings, services.box, keys=services.keys, rotation=services.key_rotation)
        yield from health.examine(context().at)
