"""Pages of our own state a Demand as well; a guard sends whoever falls short to prove the rest."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from flask import Response, g, request

from idp.assurance import Rung, Satisfied
from idp.models import User, db
from idp.services import demands
from idp.services.sessions import Live
from idp.services.transactions import Purpose
from idp.web import flow
from idp.web.answers import see_other
from idp.web.context import live_session, services

P = ParamSpec("P")
View = Callable[P, Response]


def demanding(
    floor: Rung = Rung.ONE_FACTOR, max_age: int | None = None
) -> Callable[[View[P]], View[P]]:
    """A view that only somebody reaches who has shown this much, at most ``max_age`` seconds ago.

    Anybody else is sent through a sign-in that asks for what is missing and comes back here.
    """
    wanted: dict[str, str | int] = {"floor": floor.name}
    if max_age is not None:
        wanted["max_age"] = max_age

    def guard(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> Response:
            live = live_session()
            if live is None:
                return _sign_in(wanted, None)
            demand = demands.of_page(wanted, services().settings, started=g.now)
            if not isinstance(services().weighing.weigh(live, demand), Satisfied):
                return _sign_in(wanted, live)
            services().sessions.touch(live, g.now)
            return view(*args, **kwargs)

        return guarded

    return guard


def _sign_in(wanted: dict[str, str | int], live: Live | None) -> Response:
    """Come back by GET: what was posted with too little proof is not done afterwards unseen."""
    back = request.full_path.rstrip("?") if request.method == "GET" else request.path
    url = flow.begin(
        Purpose(return_to=back, state={"demand": wanted}),
        user_id=live.user_id if live else None,
        session_id=live.id if live else None,
    )
    services().commit()
    return see_other(url)


def viewer() -> tuple[Live, User]:
    """Who looks at a guarded page."""
    live = live_session()
    if live is None:
        raise RuntimeError("only for views behind a guard")
    return live, db.session.get_one(User, live.user_id)
