"""``idp explain``: why a sign-in asks what it asks, or fails."""

from urllib.parse import parse_qsl, urlsplit

import click

from idp.cli.explain_text import print_explanation
from idp.cli.output import json_option, print_json
from idp.cli.people import find_person
from idp.cli.place import Place, at_place, context
from idp.oidc.explain import Explainer
from idp.oidc.explanation import as_json as explanation_json
from idp.oidc.supposed import KINDS, Supposed, read_supposed
from idp.protocol.parameters import Parameters

_WORDS = ", ".join(KINDS)


class Evidence(click.ParamType[tuple[Supposed, ...]]):
    """``pwd,otp`` or, with ages, ``pwd@3h,otp@90s``."""

    name = "evidence"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[Supposed, ...]:
        """Read it; a usage error where a word is not known."""
        if isinstance(value, tuple):
            return value
        try:
            return read_supposed(str(value))
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)


@click.command()
@click.argument("url")
@click.option("--user", "who", metavar="EMAIL", help="For this person; otherwise for anybody.")
@click.option(
    "--evidence",
    type=Evidence(),
    default=(),
    metavar="WORDS",
    help=f"What was proved, of: {_WORDS}; with an age (pwd@3h) before the request, without in it.",
)
@json_option
@at_place
def explain(
    place: Place, url: str, who: str | None, evidence: tuple[Supposed, ...], as_json: bool
) -> None:
    """Replay the decision about the authorization request URL (or its query alone).

    Tells what would be asked, or what the tokens would say, or which error and by which clause.
    Nothing is written and nobody is asked anything.
    """
    parameters = Parameters.of(parse_qsl(_query(url), keep_blank_values=True))
    with place.services() as services:
        _warn_of_another(url, services.settings.issuer)
        explainer = Explainer(
            services.settings.issuer,
            authorization=services.authorization,
            clients=services.clients,
            weighing=services.weighing,
            consents=services.consents,
        )
        user = find_person(services, who) if who else None
        now = context().at
        found = explainer.explain(parameters, user=user, supposed=evidence, now=now)
        if as_json:
            print_json(explanation_json(found, user))
        else:
            print_explanation(found, user, parameters, now)


def _warn_of_another(url: str, issuer: str) -> None:
    """On stderr: these may be the settings of another deployment than the address is of."""
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}"
    if parts.netloc and origin != issuer:
        told = f"idp: {origin} is not this provider's address, {issuer}: what follows is said as if"
        click.echo(f"{told} it were.", err=True)


def _query(url: str) -> str:
    parts = urlsplit(url)
    return parts.query or ("" if parts.scheme else url.lstrip("?"))
