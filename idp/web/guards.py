"""Pages of our own state a Demand as well; a guard sends whoever falls short to prove the rest."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final, ParamSpec

from flask import Response, current_app, g, jsonify, request, url_for
from flask_babel import gettext as _

from idp.assurance import Rung, Satisfied
from idp.models import User, db, release
from idp.services import demands
from idp.services.holdings import credentials_of
from idp.services.sessions import Live
from idp.services.standing_in import ANEW, BY_CODE, WHOSE
from idp.services.transactions import Purpose
from idp.web import again, flow
from idp.web.answers import redirect_to, wants_json
from idp.web.context import live_session, services

P = ParamSpec("P")
View = Callable[P, Response]

RECENTLY: Final = 600
"""Seconds that a proof lets somebody change how she signs in."""


def demanding(
    floor: Rung = Rung.ONE_FACTOR,
    max_age: int | None = None,
    *,
    strongest: bool = False,
    back: str | None = None,
    for_role: bool = False,
) -> Callable[[View[P]], View[P]]:
    """A view that only somebody reaches who has shown this much, at most ``max_age`` seconds ago.

    ``strongest``: as much as the person can show at all. Anybody else is sent through a sign-in
    that asks for what is missing and comes back: here, or, where this is no page, to the endpoint
    ``back``. A script is told so with 401. ``for_role``: whoever turns out to have no role there is
    asked for nothing beyond who she is; the view has to turn her away.
    """

    def guard(view: View[P]) -> View[P]:
        """The view, behind it."""

        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> Response:
            """What the view answers, or the way to a sign-in. Looks at the session itself."""
            live = live_session()
            wanted = _wanted(floor, max_age, strongest=strongest, live=live)
            if for_role:
                wanted[demands.FOR_ROLE] = True
            if live is None:
                return _sign_in(wanted, None, back, kwargs)
            demand = demands.of_page(wanted, services().settings, started=g.now)
            if not isinstance(services().weighing.weigh(live, demand), Satisfied):
                return _sign_in(wanted, live, back, kwargs)
            if services().sessions.touch(live, g.now):
                release()  # whoever holds a person must not have locked her session first
            return view(*args, **kwargs)

        return guarded

    return guard


def secured(back: str | None = None) -> Callable[[View[P]], View[P]]:
    """For whatever changes how a person signs in, or shows it: just proved, by the best she has.

    With less, whoever finds a browser open, or has no more than a password, could make the account
    theirs.
    """
    return demanding(max_age=RECENTLY, strongest=True, back=back)


def _wanted(
    floor: Rung, max_age: int | None, *, strongest: bool, live: Live | None
) -> dict[str, str | int]:
    wanted: dict[str, str | int] = {} if max_age is None else {"max_age": max_age}
    if strongest and live is not None:
        user = db.session.get_one(User, live.user_id)
        holdings, known = services().holdings, (user, credentials_of(user), live.evidence)
        wanted[WHOSE] = user.id
        by_code, least = holdings.demanded_by_code(*known), floor
        floor = max(least, holdings.demanded(*known))
        # Nobody spends a code on what is content with no less than she then has.
        if by_code is not None and least <= by_code < floor:
            wanted[BY_CODE] = by_code.name
        elif floor >= Rung.PHR and holdings.comes_back_by_code(*known[:2], least=least):
            wanted[ANEW] = True
    return {"floor": floor.name, **wanted}


def _sign_in(
    wanted: dict[str, str | int], live: Live | None, back: str | None, arguments: Mapping[str, Any]
) -> Response:
    """Come back by GET: what was posted with too little proof is not done afterwards unseen."""
    is_change = request.method == "POST" and live is not None
    state = {"demand": wanted, **again.after(is_change=is_change)}
    url = flow.begin(
        Purpose(return_to=_return_to(back, arguments), state=state),
        user_id=live.user_id if live else None,
        session_id=live.id if live else None,
    )
    services().commit()
    if wants_json():
        return _not_proved(live, url)
    return redirect_to(url)


def _return_to(back: str | None, arguments: Mapping[str, Any]) -> str:
    if request.method == "GET":
        return request.full_path.rstrip("?")
    if back is None:
        return request.path
    known = next(current_app.url_map.iter_rules(back)).arguments
    return url_for(back, **{name: arguments[name] for name in known & arguments.keys()})


def _not_proved(live: Live | None, url: str) -> Response:
    """A script learns which of the two it is, and where a person could go on."""
    error = "insufficient_user_authentication" if live else "login_required"
    response = jsonify(error=error, message=_("Sign in first."), redirect=url)
    response.status_code = 401
    return response


def viewer() -> tuple[Live, User]:
    """Who looks at a guarded page."""
    live = live_session()
    if live is None:
        raise RuntimeError("only for views behind a guard")
    return live, db.session.get_one(User, live.user_id)
