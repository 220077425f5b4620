"""/admin/people/<id>/profile: the standard claims (OpenID Connect Core 5.1) of one person."""

import shlex
from collections.abc import Mapping
from typing import Any, Final

from flask import Response, flash, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as later

from idp.models import User
from idp.protocol.claims import ADDRESS_MEMBERS
from idp.services.invalid import Invalid
from idp.services.roles import Area
from idp.services.versions import Stale
from idp.web.admin.acting import acting
from idp.web.admin.blueprint import bp, page
from idp.web.admin.guard import console, may
from idp.web.admin.meanwhile import Errors, seen, told
from idp.web.admin.people import CHANGES
from idp.web.admin.person import errors_of, found
from idp.web.answers import redirect_to
from idp.web.context import services
from idp.web.forms import submitted

CLAIMS: Final[Mapping[str, tuple[Any, Any]]] = {
    "given_name": (later("Given name"), ""),
    "family_name": (later("Family name"), ""),
    "middle_name": (later("Middle name"), ""),
    "nickname": (later("Nickname"), ""),
    "picture": (later("Picture"), later("The address of one, with https.")),
    "profile": (later("Profile page"), later("An address.")),
    "website": (later("Website"), later("An address.")),
    "gender": (later("Gender"), ""),
    "birthdate": (
        later("Date of birth"),
        later("YYYY-MM-DD, 0000-MM-DD without the year, or YYYY."),
    ),
    "zoneinfo": (later("Time zone"), later("Such as Europe/Paris.")),
    "locale": (later("Language"), later("Such as pt-BR.")),
    "phone_number": (later("Phone number"), later("Best as +1 425 555 1212.")),
}
"""The claims that are text, each with its name and a hint."""
LABELS: Final = {name: label for name, (label, _hint) in CLAIMS.items()}
VERIFIED: Final = "phone_number_verified"
ADDRESS: Final[Mapping[str, Any]] = {
    "formatted": later("Whole address, for a label"),
    "street_address": later("Street and number"),
    "locality": later("Town"),
    "region": later("Region"),
    "postal_code": later("Postal code"),
    "country": later("Country"),
}


@bp.get("/people/<user_id>/profile")
@console(Area.PEOPLE)
def person_profile(user_id: str) -> Response:
    """The form, with what is known."""
    return _page(found(user_id))


@bp.post("/people/<user_id>/profile")
@console(Area.PEOPLE, writes=True, back="admin.person_profile")
def person_profile_saved(user_id: str) -> Response:
    """Save these claims; what the form has no field for (claims in other languages) stays."""
    user, typed = found(user_id), _typed()
    try:
        profile = _profile(user, typed)
        services().accounts.update(user, {"profile": profile}, acting(), expected=seen())
    except Invalid as error:
        return _page(
            user,
            typed,
            errors_of({name: _told(name, text) for name, text in error.problems.items()}),
        )
    except Stale:
        return _page(
            user,
            typed,
            told(typed, _values(user), LABELS),
        )
    flash(_("Saved."))
    return redirect_to(url_for(".person_profile", user_id=user.id))


def _typed() -> dict[str, str]:
    """What was submitted of the form's own fields."""
    given = submitted()
    return {name: given.get(name, "").strip() for name in _names()}


def _names() -> tuple[str, ...]:
    return (*CLAIMS, VERIFIED, *(f"address-{part}" for part in ADDRESS_MEMBERS))


def _profile(user: User, typed: Mapping[str, str]) -> dict[str, object]:
    others = {
        name: value
        for name, value in user.profile.items()
        if name not in CLAIMS and name not in (VERIFIED, "address")
    }
    address = {part: typed[f"address-{part}"].replace("\r\n", "\n") for part in ADDRESS_MEMBERS}
    verified = {VERIFIED: True} if typed[VERIFIED] and typed["phone_number"] else {}
    texts = {name: typed[name] for name in CLAIMS if typed[name]}
    return {**others, **texts, **verified, "address": address}


def _values(user: User) -> dict[str, str]:
    address = user.profile.get("address") or {}
    texts = {name: str(user.profile.get(name) or "") for name in CLAIMS}
    parts = {f"address-{part}": str(address.get(part) or "") for part in ADDRESS_MEMBERS}
    return {**texts, VERIFIED: "yes" if user.profile.get(VERIFIED) else "", **parts}


def _told(name: str, sentence: str) -> str:
    label = CLAIMS[name][0] if name in CLAIMS else name
    return f"{label}: {sentence}."


def _page(
    user: User, typed: Mapping[str, str] | None = None, errors: Errors | None = None
) -> Response:
    return page(
        "admin/person_profile.html",
        section="admin.people",
        status=422 if errors else 200,
        person={"id": user.id, "name": user.display_name, "email": user.email},
        version=user.version,
        values=typed or _values(user),
        claims=CLAIMS.items(),
        verified=VERIFIED,
        address=ADDRESS.items(),
        editable=may(CHANGES),
        who=shlex.quote(user.email),
        errors=errors or [],
    )
