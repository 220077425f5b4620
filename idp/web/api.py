"""Our own HTTP API, /api/v1: a person's passkeys and sessions, with tokens of this provider.

It is a resource server like any other: RFC 6750 for the token, and RFC 9470's challenge where the
sign-in behind it is too weak or too old. Errors are problem details (RFC 9457).
"""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, Concatenate, ParamSpec

from flask import Blueprint, Response, abort, jsonify, request

from idp.assurance import Rung
from idp.clock import epoch
from idp.models import BrowserSession, User, db
from idp.oidc.direct import Direct
from idp.oidc.presented import challenge_with
from idp.oidc.protected import Needed, NoToken
from idp.oidc.resource import pointing
from idp.protocol.errors import OAuthError
from idp.protocol.scopes import ACCOUNT
from idp.services import sessions, signing_out
from idp.services.access import LiveToken
from idp.services.passkeys import passkeys
from idp.services.weighing import credentials_of
from idp.web import certificates
from idp.web.context import context, services
from idp.web.dpop import offer_nonce
from idp.web.guards import RECENTLY

bp = Blueprint("api", __name__, url_prefix="/api/v1")
P = ParamSpec("P")
Operation = Callable[Concatenate[LiveToken, P], Response]


def with_token(operation: Operation[P]) -> Callable[P, Response]:
    """An operation for whoever has a token with the scope ``account``."""

    @wraps(operation)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Response:
        live = services().provider.protected.token(_direct(), scope=ACCOUNT.name)
        return operation(live, *args, **kwargs)

    return guarded


def _direct() -> Direct:
    return Direct(
        method=request.method,
        path=request.path,
        content_type=request.mimetype,
        authorization=request.headers.get("Authorization"),
        query=request.query_string.decode("latin-1"),
        body=b"",
        context=context(),
        dpop=request.headers.get("DPoP"),
        certificate=certificates.presented(),
    )


def _insist_on_the_strongest(live: LiveToken, user: User) -> None:
    """As on the account's own pages: just proved, by the best that the person has."""
    floor = services().holdings.strongest(user, credentials_of(user))
    needed = Needed(max(floor, Rung.ONE_FACTOR), RECENTLY)
    services().provider.protected.insist(live, needed, context().at)


@bp.get("/me/passkeys")
@with_token
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


@bp.get("/me/sessions")
@with_token
def list_sessions(live: LiveToken) -> Response:
    """The browsers in which the person is signed in."""
    found = sessions.listed(live.granted.person, context().at)
    return jsonify(sessions=[_session(one, live) for one in found])


def _session(session: BrowserSession, live: LiveToken) -> dict[str, Any]:
    return {
        "id": session.id,
        "user_agent": session.user_agent,
        "created_at": epoch(session.created_at),
        "last_seen_at": epoch(session.last_seen_at),
        "this_session": session.id == live.granted.session_id,
    }


@bp.delete("/me/sessions/<session_id>")
@with_token
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


@bp.errorhandler(NoToken)
def no_token(_error: NoToken) -> Response:
    """Nothing was presented: no reason is told (RFC 6750 section 3.1)."""
    response = _problem(401, "Unauthorized", {})
    return _challenged(response, {})


@bp.errorhandler(OAuthError)
def refused(error: OAuthError) -> Response:
    """The token, or the sign-in behind it, will not do: says what would."""
    members = error.parameters()
    response = _problem(error.status, error.description, members)
    return _challenged(response, members)


@bp.errorhandler(404)
def not_found(_error: Exception) -> Response:
    """There is none, or it is somebody else's."""
    return _problem(404, "There is nothing here by that name.", {})


def _challenged(response: Response, members: dict[str, str]) -> Response:
    challenge_with(response, services().settings.issuer, members, _direct().scheme)
    return response


def _problem(status: int, detail: str, members: dict[str, str]) -> Response:
    response = jsonify(
        type="about:blank", title=HTTPStatus(status).phrase, status=status, detail=detail, **members
    )
    response.status_code = status
    response.mimetype = "application/problem+json"
    return response


@bp.after_request
def finish(response: Response) -> Response:
    """It is about one person. A challenge says where to find out what would be let in."""
    response.headers["Cache-Control"] = "no-store"
    challenges = response.headers.getlist("WWW-Authenticate")
    response.headers.setlist(
        "WWW-Authenticate", [pointing(one, services().settings.issuer) for one in challenges]
    )
    return offer_nonce(response)
