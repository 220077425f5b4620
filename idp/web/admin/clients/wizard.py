"""/admin/clients/new: what it is; its name and addresses; then how it is connected."""

from collections.abc import Iterator
from typing import Any

from flask import Response, abort, request, url_for
from flask_babel import gettext as _

from idp.oidc.capabilities import endpoints_of
from idp.protocol.client_metadata import ADMITS_NOBODY
from idp.protocol.registration import InvalidClientMetadata
from idp.services import known_apps
from idp.services.client_presets import PRESETS, Preset
from idp.services.group_list import names_to_choose
from idp.services.invalid import Invalid
from idp.services.known_apps import KnownApp, home_of
from idp.services.roles import Area
from idp.web.admin.acting import acting
from idp.web.admin.blueprint import bp, page
from idp.web.admin.clients import fields, fresh
from idp.web.admin.clients.common import KINDS, SECTION, manager, problems, warn
from idp.web.admin.clients.presets import ABOUT, chose
from idp.web.admin.guard import console
from idp.web.admin.meanwhile import Errors
from idp.web.admin.person import errors_of
from idp.web.answers import redirect_to
from idp.web.context import services


@bp.get("/clients/new")
@console(Area.CLIENTS, writes=True)
def client_new() -> Response:
    """What is it? ``q`` looks for an application that is known."""
    q = request.args.get("q", "").strip()[:100]
    settings = services().settings
    kinds = [
        {
            "label": KINDS[name],
            "about": ABOUT[name],
            "chose": chose(preset),
            "url": url_for("admin.client_new_kind", kind=name),
        }
        for name, preset in PRESETS.items()
    ]
    return page(
        "admin/clients/new.html",
        section=SECTION,
        kinds=kinds,
        q=q,
        found=[_link(one) for one in known_apps.containing(q)],
        every=[_link(one) for one in known_apps.every()],
        registration=settings.client_registration,
        endpoint=settings.issuer + (endpoints_of(settings).registration or ""),
    )


def _link(app: KnownApp) -> dict[str, str]:
    url = url_for("admin.client_new_kind", kind=app.preset, app=app.key)
    return {"name": app.name, "url": url}


def _app(preset: Preset) -> KnownApp | None:
    """The known application that the address names, if it is of this kind."""
    app = known_apps.known(request.args.get("app", ""))
    return app if app is not None and app.preset == preset.name else None


@bp.route("/clients/new/<kind>", methods=["GET", "POST"])
@console(Area.CLIENTS, writes=True)
def client_new_kind(kind: str) -> Response:
    """Name, logo, addresses, and who may sign in."""
    preset = PRESETS.get(kind) or abort(404)
    app = _app(preset)
    if app is not None:
        preset = app.chosen()
    if request.method == "GET":
        return _form(preset, {"who": ADMITS_NOBODY, "client_name": app.name if app else None})
    given = fields.read(fields.WHO)
    home = home_of(request.form.get("address", "")) if app else ""
    values = {**given, "address": home, "who": fields.who_chosen(), "ours": "ours" in request.form}
    follows = app is not None and not given["redirect_uris"]
    if app and home and follows:
        # Not among the values of the form: they are to follow the address once it is put right.
        given["redirect_uris"] = app.addresses(home)
    found = tuple(_missing(given))
    try:
        members = {**preset.members, **_members(fields.with_logo(given), preset)}
        members |= {"client_uri": home} if home else {}
        made = services().client_editing.register(members, manager(), acting(), found=found)
    except Invalid as error:
        return _form(preset, values, errors=errors_of(error.problems))
    except InvalidClientMetadata as error:
        services().rollback()
        return _form(preset, values, errors=_wrong(error, home=home, follows=follows))
    fresh.keep(made.client_id, made.secret)
    warn(made.metadata.redirect_uris, made.metadata.application_type)
    return redirect_to(url_for("admin.client_connect", client_id=made.client_id, step=3))


def _wrong(error: InvalidClientMetadata, *, home: str, follows: bool) -> Errors:
    """At the fields of this form: its home page is where it is.

    Whatever is wrong with redirect addresses that follow from that is wrong there, and said once.
    """
    found = problems(error.problems, (*fields.WHO, "client_uri"))
    there = ("client_uri", "redirect_uris") if follows else ("client_uri",)
    first = {one["field"]: one["message"] for one in reversed(found)}
    said = next((first[member] for member in there if member in first), None)
    if said is None:
        return found
    told = said if home else _("Type where it is: its redirect addresses follow from that.")
    others = [one for one in found if one["field"] not in there]
    return [{"field": "address", "message": told}, *others]


def _members(given: dict[str, object], preset: Preset) -> dict[str, object]:
    members = {**given, "redirect_uris": given["redirect_uris"] if preset.redirects else []}
    if preset.name != "machine":
        members |= fields.admission()
    if "ours" in request.form:
        members["consent"] = "never"
    return members


def _missing(given: dict[str, object]) -> Iterator[tuple[str, str]]:
    if given["client_name"] is None:
        yield "client_name", "is what people know it by: type one"
    yield from fields.contradicted()


def _form(preset: Preset, values: dict[str, Any], *, errors: Errors | None = None) -> Response:
    return page(
        "admin/clients/new_kind.html",
        section=SECTION,
        status=422 if errors else 200,
        kind=KINDS[preset.name],
        app=_app(preset),
        preset=preset,
        chose=chose(preset),
        values=values,
        groups=names_to_choose(),
        vouches=manager().may_leave_unasked,
        errors=errors or [],
    )
