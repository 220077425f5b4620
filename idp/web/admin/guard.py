"""Who reaches a page of the console: by role, and by what was just proved."""

from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec

from flask import Response, abort
from flask_babel import gettext as _

from idp.assurance import Rung
from idp.services.roles import ROLES, Area, Permission, permits
from idp.web import errors
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
    for changes within the last ten minutes. Whoever has no role learns of nothing here; another
    role is told so. ``back`` is as in ``guards.demanding``: where a change that came too late
    leads.
    """
    permission = Permission(area, writes)

    def guard(view: View[P]) -> View[P]:
        @wraps(view)
        def permitted(*args: P.args, **kwargs: P.kwargs) -> Response:
            return _not_yours(permission) or view(*args, **kwargs)

        age = RECENTLY if writes else None
        proved = demanding(Rung.MFA, age, strongest=True, back=back)(permitted)

        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> Response:
            # Before anything is asked for: nobody sets up a passkey to be told that there is
            # nothing here.
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
        abort(404)
    if permits(live.role, permission):
        return None
    return errors.page(
        _("Your role does not include this"),
        status=403,
        detail=_("Nothing was changed. An administrator can do it, or change your role."),
    )
