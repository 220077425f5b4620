"""The authorization endpoint's address: parameters in, a redirect out, never a page of sign-in."""

from urllib.parse import parse_qsl

from flask import Blueprint, Response, request

from idp.oidc.answers import Answered
from idp.protocol.errors import OAuthError
from idp.protocol.parameters import Parameters
from idp.web import errors, flow
from idp.web.answers import redirect_to
from idp.web.context import context, live_session, services

bp = Blueprint("authorization", __name__)


@bp.route("/oauth/authorize", methods=["GET", "POST"])
def endpoint() -> Response:
    """RFC 6749 section 3.1, OpenID Connect Core 3.1.2.1: by GET in the query, by POST in the body.

    It has no form token: any page may send a person here, and by itself it changes nothing.
    """
    parameters = _parameters()
    live = live_session()
    try:
        outcome = services().authorization.arrive(parameters, presented=live, context=context())
    except OAuthError as error:
        return errors.authorization_refused(error, parameters.to_json())
    if live is not None:
        services().sessions.touch(live, context().at)
    if isinstance(outcome, Answered):
        services().commit()
        return flow.send(outcome.response, by=redirect_to)
    url = flow.begin(outcome.purpose, user_id=outcome.user_id, session_id=outcome.session_id)
    services().commit()
    return redirect_to(url)


def _parameters() -> Parameters:
    """One source only: what stands in the query of a POST does not count."""
    if request.method == "POST":
        return Parameters.of(request.form.items(multi=True))
    query = request.query_string.decode("utf-8", "replace")
    return Parameters.of(parse_qsl(query, keep_blank_values=True))
