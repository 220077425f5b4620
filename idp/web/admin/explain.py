"""Why a sign-in asks what it asks, or fails."""

import shlex
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from flask import Response, request
from flask_babel import gettext as _

from idp.models import User
from idp.oidc.explain import Explainer, Explanation
from idp.oidc.explanation import called, came, demands, lines, proved
from idp.oidc.supposed import KINDS, Supposed, read_supposed
from idp.protocol.parameters import Parameters
from idp.services.client_pages import Manager, is_hidden
from idp.services.roles import Area, Permission
from idp.web.admin.blueprint import bp, page
from idp.web.admin.guard import console, may
from idp.web.context import context, services
from idp.web.guards import viewer

NOTHING_WRONG: Final[Mapping[str, str]] = {}
PEOPLE: Final = Permission(Area.PEOPLE)


@bp.get("/explain")
@console(Area.CLIENTS)
def explain() -> Response:
    """An authorization request, replayed for somebody: nothing is written, nobody is asked.

    By GET, so that what was found can be shown to somebody else by its address.
    """
    values = {name: request.args.get(name, "").strip() for name in ("url", "person", "evidence")}
    if not may(PEOPLE):  # how somebody signs in is not for whoever keeps applications
        values["person"] = ""
    if "url" not in request.args:
        return _page(values)
    asked = _asked(values["url"])
    person = services().accounts.find_by_login(values["person"]) if values["person"] else None
    problems: dict[str, str] = {}
    supposed: tuple[Supposed, ...] = ()
    if not values["url"]:
        problems["url"] = _("Paste the address that an application sends people to.")
    elif is_hidden(asked, Manager.of(viewer()[1])):
        problems["url"] = _("There is no such application.")
    if values["person"] and person is None:
        problems["person"] = _("Nobody is called so.")
    try:
        supposed = read_supposed(values["evidence"])
    except ValueError as error:
        problems["evidence"] = f"{error}."
    if problems:
        return _page(values, problems=problems)
    return _page(values, found=_explained(asked, person, supposed), person=person)


def _asked(url: str) -> Parameters:
    try:
        query = urlsplit(url).query or url
    except ValueError:  # not an address: what stands after its question mark, perhaps
        query = url
    return Parameters.of(parse_qsl(query, keep_blank_values=True))


def _explained(
    asked: Parameters, person: User | None, supposed: tuple[Supposed, ...]
) -> dict[str, Any]:
    now = context().at
    found = explainer().explain(
        asked,
        user=person,
        supposed=supposed,
        now=now,
    )
    return {
        "outcome": _outcome(found),
        "client": called(found.asked.client) if found.asked else found.client_id,
        "came": came(found.asked.arrived) if found.asked else None,
        "demands": list(demands(found.demand, now)) if found.demand else [],
        "proved": [proved(one, now) for one in found.evidence],
        "lines": list(lines(found)),
    }


def explainer() -> Explainer:
    """One, of the parts that there are."""
    parts = services()
    return Explainer(
        parts.settings.issuer,
        authorization=parts.authorization,
        clients=parts.clients,
        weighing=parts.weighing,
        consents=parts.consents,
    )


def _outcome(found: Explanation) -> str:
    if found.error is not None:
        return str(_("This request fails"))
    if found.challenge is not None:
        return str(_("This person is asked for more"))
    return str(_("This request is answered with tokens"))


def _command(values: Mapping[str, str]) -> str:
    options = {"person": "--user", "evidence": "--evidence"}
    given = {option: values[name] for name, option in options.items() if values[name]}
    said = (f"{option} {shlex.quote(value)}" for option, value in given.items())
    return " ".join(("idp explain", shlex.quote(values["url"] or "URL"), *said))


def _page(
    values: dict[str, str],
    *,
    found: dict[str, Any] | None = None,
    person: User | None = None,
    problems: Mapping[str, str] = NOTHING_WRONG,
) -> Response:
    return page(
        "admin/explain.html",
        section="admin.explain",
        status=422 if problems else 200,
        values=values,
        kinds=", ".join(KINDS),
        names_people=may(PEOPLE),
        found=found,
        person=person,
        command=_command(values),
        errors=[{"field": name, "message": told} for name, told in problems.items()],
    )
