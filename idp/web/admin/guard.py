"""Who reaches a page of the console: by role, and by what was just proved."""

from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec

from flask import Response, abort, url_for
from flask_babel import gettext as _

from idp.assurance import Rung
from idp.services.roles import ROLES, Area, Permission, permits
from idp.web import errors, here
from idp.web.answers import wants_json
from idp.web.context import live_session
from idp.web.guards import RECENTLY, demanding

P = ParamSpec("P")
View = Callable[P, Response]

GUARDED: Final[dict[str, Permission]] = {}
"""What each view of the console needs, by its endpoint; a test insists that every route is here."""


def console(
    area: Area, *, writes: bool = False, back: str | None = None
) -> Callable[[View[P]], View[P]]:
    """A view for those whose role permits to read the area or, with ``writes``, to change it.

    They have shown the best they have, and two factors at least (a passkey where there is one);
    for changes within the last ten minutes. Whoever has no role is told that, and learns of
    nothing here; another role is told what it lacks. ``back`` is as in ``guards.demanding``:
    where a change that came too late leads.
    """
    permission = Permission(area, writes)

    def guard(view: View[P]) -> View[P]:
        """The view, behind it."""

        @wraps(view)
        def permitted(*args: P.args, **kwargs: P.kwargs) -> Response:
            if refused := _not_yours(permission):
                return refused
            here.asked().leave_nul_out_of("form")
            return view(*args, **kwargs)

        age = RECENTLY if writes else None
        proved = demanding(Rung.MFA, age, strongest=True, back=back, for_role=True)(permitted)

        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> Response:
            # Before anything is asked for: nobody sets up a second step to be told that there is
            # nothing here for her. Whoever is not signed in yet is asked who she is, and for
            # no more where she has no role.
            if live_session() is not None and (refused := _not_yours(permission)):
                return refused
            return proved(*args, **kwargs)

        GUARDED[f"admin.{view.__name__}"] = permission
        return guarded

    return guard


def may(permission: Permission) -> bool:
    """Does the signed-in person's role permit this?"""
    live = live_session()
    return live is not None and permits(live.role, permission)


def _not_yours(permission: Permission) -> Response | None:
    live = live_session()
    if live is None or live.role not in ROLES:
        return _no_administrator()
    if permits(live.role, permission):
        return None
    return errors.page(
        _("Your role does not include this"),
        status=403,
        detail=_("Nothing was changed. An administrator can do it, or change your role."),
    )


def _no_administrator() -> Response:
    """The same whatever the address would lead to; nothing more for a script."""
    if wants_json():
        abort(404)
    return errors.page(
        _("This account may not administer"),
        status=404,
        detail=_(
            "It has no role here. An administrator can give it one; if another account of yours"
            " has a role, sign out of this one first."
        ),
        back={"url": url_for("account.home"), "label": _("Go to your account")},
    )
