"""/api/v1/me: a person's own passkeys and sessions, with a token of hers."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec

from flask import Response, abort, jsonify

from idp.assurance import Rung
from idp.clock import epoch
from idp.models import BrowserSession, User, db
from idp.oidc.protected import Needed
from idp.services import signing_out
from idp.services.access import LiveToken
from idp.services.holdings import credentials_of
from idp.services.passkeys import passkeys
from idp.services.session_list import listed
from idp.web.api.operation import Method, OwnOperation
from idp.web.api.presenting import direct
from idp.web.api.registry import OWN, VIEWS, summary_of
from idp.web.api.schema import FLAG, Schema, many, members, number, or_null, text
from idp.web.context import context, services
from idp.web.guards import RECENTLY

P = ParamSpec("P")
View = Callable[Concatenate[LiveToken, P], Response]


INSTANT: Final = number(about="Seconds since 1970, in UTC.")
PASSKEY: Final = members(
    {
        "id": text(),
        "name": text(),
        "created_at": INSTANT,
        "last_used_at": or_null(INSTANT),
        "backed_up": FLAG,
        "device_bound": FLAG,
        "aaguid": text(about="Which model of authenticator it says to be in."),
    }
)
SESSION: Final = members(
    {
        "id": text(),
        "user_agent": text(),
        "created_at": INSTANT,
        "last_seen_at": INSTANT,
        "this_session": {**FLAG, "description": "Is it the one that the token is from?"},
    }
)


def own(
    method: Method, path: str, *, answer: Schema | None = None
) -> Callable[[View[P]], Callable[P, Response]]:
    """An operation for whoever has a token with the scope ``account``, about her own account."""

    def register(view: View[P]) -> Callable[P, Response]:
        """Put ``view`` into the registry, and guard it."""
        made = OwnOperation(
            name=view.__name__,
            method=method,
            path=path,
            summary=summary_of(view),
            answer=answer,
            status=204 if answer is None else 200,
        )

        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> Response:
            live = services().provider.protected.token(direct(), scope=made.scope)
            return view(live, *args, **kwargs)

        OWN[made.name], VIEWS[made.name] = made, guarded
        return guarded

    return register


def _insist_on_the_strongest(live: LiveToken, user: User) -> None:
    """As on the account's own pages: just proved, by the best that the person has."""
    floor = services().holdings.strongest(user, credentials_of(user))
    needed = Needed(max(floor, Rung.ONE_FACTOR), RECENTLY)
    services().provider.protected.insist(live, needed, context().at)


@own("GET", "/me/passkeys", answer=members({"passkeys": many(PASSKEY)}))
def list_passkeys(live: LiveToken) -> Response:
    """The person's passkeys; never key material."""
    user = db.session.get_one(User, live.granted.person)
    found = [
        {
            "id": one.id,
            "name": one.name,
            "created_at": epoch(one.created_at),
            "last_used_at": epoch(one.last_used_at) if one.last_used_at else None,
            "backed_up": one.backed_up,
            "device_bound": one.device_bound,
            "aaguid": one.aaguid,
        }
        for one in passkeys(credentials_of(user))
    ]
    return jsonify(passkeys=found)


@own("GET", "/me/sessions", answer=members({"sessions": many(SESSION)}))
def list_sessions(live: LiveToken) -> Response:
    """The browsers in which the person is signed in."""
    found = listed(live.granted.person, context().at)
    return jsonify(sessions=[_session(one, live) for one in found])


def _session(session: BrowserSession, live: LiveToken) -> dict[str, Any]:
    return {
        "id": session.id,
        "user_agent": session.user_agent,
        "created_at": epoch(session.created_at),
        "last_seen_at": epoch(session.last_seen_at),
        "this_session": session.id == live.granted.session_id,
    }


@own("DELETE", "/me/sessions/{session_id}")
def end_session(live: LiveToken, session_id: str) -> Response:
    """End one of them; another person's is not found."""
    user = db.session.get_one(User, live.granted.person)
    _insist_on_the_strongest(live, user)
    ended = signing_out.end_session(
        session_id, user_id=user.id, context=context(), reason="by_owner"
    )
    if not ended:
        abort(404)
    services().commit()
    return Response(status=204)
