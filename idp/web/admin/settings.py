"""/admin/settings: what may change while the program runs."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from flask import Response, flash, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as later
from flask_babel import ngettext

from idp.config import LOGIN_STYLES
from idp.config.colours import USUAL, is_colour, least_contrast
from idp.config.live import CHANGEABLE
from idp.services import settings_revision
from idp.services.changed_settings import LOGOS, SettingInfo
from idp.services.invalid import Invalid
from idp.services.roles import Area, Permission
from idp.services.versions import Stale
from idp.web.account.blueprint import DONE
from idp.web.admin import meanwhile
from idp.web.admin.acting import acting
from idp.web.admin.blueprint import bp, page
from idp.web.admin.guard import console, may
from idp.web.admin.meanwhile import Errors
from idp.web.admin.sentences import WAYS
from idp.web.admin.uploads import uploaded
from idp.web.answers import redirect_to
from idp.web.context import services

FLAGS: Final = frozenset({"account_second_step", "enrol_in_step_up", "registration"})
REFUSED: Final = "refused_methods"


@bp.get("/settings")
@console(Area.SETTINGS)
def settings() -> Response:
    """Each with its value and where that comes from."""
    return _page()


@bp.post("/settings")
@console(Area.SETTINGS, writes=True, back="admin.settings")
def save_settings() -> Response:
    """Change what differs, all of it or nothing."""
    listed = {one.name: one for one in services().changed_settings.listed()}
    typed = {name: _typed(name) for name in CHANGEABLE if listed[name].source != "environment"}
    try:
        typed |= {**_logos(typed), **_picked(typed)}
        changed = services().changed_settings.set(typed, acting(), expected=meanwhile.seen_text())
    except Invalid as problems:
        services().rollback()
        return _page(typed, [_named(*one) for one in problems.problems.items()])
    except Stale:
        return _page(typed, meanwhile.told(typed, _now()))
    if changed:
        flash(_("Saved. Every node sees it within seconds."), DONE)
    else:
        flash(_("Nothing was different."), DONE)
    return redirect_to(url_for("admin.settings"))


LABELS: Final[Mapping[str, Any]] = {
    "site_name": later("The name of this place"),
    "accent": later("The accent colour"),
    "radius": later("The roundness of corners"),
    "logo_url": later("The logo"),
    "logo_dark_url": later("The logo on dark pages"),
    "help_url": later("The help page"),
    "privacy_url": later("The privacy page"),
    "terms_url": later("The page of the terms"),
    "login_style": later("The sign-in page"),
    "refused_methods": later("Ways to sign in"),
}
_THIS: Final = "This "


def _named(name: str, sentence: str) -> dict[str, str | None]:
    """At its field, and as somebody reads it who has only the list of all problems in sight."""
    label = LABELS.get(name)
    if label and sentence.startswith(_THIS):
        sentence = f"{label} {sentence.removeprefix(_THIS)}"
    return {"field": name, "message": sentence}


def _logos(typed: Mapping[str, str]) -> dict[str, str]:
    """Those that were uploaded, in the place of an address."""
    found = {name: uploaded(f"{name}_file") for name in LOGOS if name in typed}
    return {name: path for name, path in found.items() if path}


def _picked(typed: Mapping[str, str]) -> dict[str, str]:
    """The accent colour, where the picker was moved and nothing else was typed.

    A picker always sends a colour: it counts once that is not the one it began with. Where pages
    have scripts the field follows it, and says the same.
    """
    picked, offered = (request.form.get(f"accent_{name}", "") for name in ("picked", "offered"))
    text = typed.get("accent")
    is_moved = text in ("", offered) and is_colour(picked) and picked != offered
    return {"accent": picked} if is_moved else {}


def _typed(name: str) -> str:
    """A box that is not ticked sends nothing, and means no."""
    if name == REFUSED:
        return " ".join(one for one in services().factors if f"method-{one}" not in request.form)
    given = request.form.get(name, "")
    return ("true" if given == "yes" else "false") if name in FLAGS else given


def _now() -> dict[str, str]:
    """As the form would send what there is."""
    listed = services().changed_settings.listed()
    return {one.name: _sent(one) for one in listed}


def _sent(one: SettingInfo) -> str:
    if one.name in FLAGS:
        return "true" if one.value else "false"
    if one.name == REFUSED:
        return " ".join(one.value)
    return "" if one.value is None else str(one.value)


def _page(typed: Mapping[str, str] | None = None, errors: Errors | None = None) -> Response:
    listed = services().changed_settings.listed()
    accent = next(one.value for one in listed if one.name == "accent")
    return page(
        "admin/settings.html",
        section="admin.settings",
        status=422 if errors else 200,
        settings={one.name: _view(one, (typed or {}).get(one.name)) for one in listed},
        styles=LOGIN_STYLES,
        methods=[(name, WAYS[name]) for name in services().factors if name in WAYS],
        picker=_picker(accent, (typed or {}).get("accent")),
        contrast=f"{least_contrast(accent):.1f}" if accent else None,
        started=_started(),
        may_change=may(Permission(Area.SETTINGS, writes=True)),
        revision=settings_revision.current(),
        errors=errors or [],
    )


def _picker(accent: str | None, typed: str | None) -> str:
    """What is typed, where that is a colour; else the one that counts, or that of app.css."""
    found = (one for one in (typed, accent) if one and is_colour(one.lower()))
    return next(found, USUAL).lower()


def _view(one: SettingInfo, typed: str | None) -> dict[str, Any]:
    return {
        "value": _shown(one, typed),
        "source": one.source,
        "started_with": one.started_with,
        "pinned": one.source == "environment",
    }


def _shown(one: SettingInfo, typed: str | None) -> Any:
    if typed is None:
        return "" if one.value is None else one.value
    if one.name == REFUSED:
        return typed.split()
    return typed == "true" if one.name in FLAGS else typed


def _span(span: timedelta) -> str:
    """In days where they are whole, and more than one."""
    hours = span.total_seconds() / 3600
    if hours >= 48 and hours % 24 == 0:
        return str(ngettext("%(num)s day", "%(num)s days", int(hours / 24)))
    return str(_("%(number)s hours", number=f"{hours:g}"))


def _started() -> Mapping[str, object]:
    """What is only read at the start, for who looks for it here."""
    ours = services().settings
    return {
        "issuer": ours.issuer,
        "client_registration": ours.client_registration,
        "session_lifetime": _span(ours.session_lifetime),
        "key_lifetime": _span(ours.key_lifetime),
    }
