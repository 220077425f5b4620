"""The blueprint of /api/v1: how whatever goes wrong is told, and what every answer carries."""

from flask import Blueprint, Response

from idp.oidc.presented import challenge_with
from idp.oidc.protected import NoToken
from idp.oidc.resource import pointing
from idp.protocol.errors import OAuthError
from idp.protocol.registration import InvalidClientMetadata
from idp.services.client_listing import ClientRefused
from idp.services.idempotency import KeyReused, NotAnswered
from idp.services.invalid import Invalid
from idp.services.key_rotation import CannotRetire
from idp.services.versions import Stale
from idp.web.answers import problem_details
from idp.web.api.presenting import direct
from idp.web.api.problems import Problem, errors_of
from idp.web.context import services
from idp.web.dpop import offer_nonce

bp = Blueprint("api", __name__, url_prefix="/api/v1")


@bp.errorhandler(NoToken)
def no_token(_error: NoToken) -> Response:
    """Nothing was presented: no reason is told (RFC 6750 section 3.1)."""
    return _challenged(problem_details(401, "Unauthorized"), {})


@bp.errorhandler(OAuthError)
def refused(error: OAuthError) -> Response:
    """The token, or the sign-in behind it, will not do: says what would."""
    members = error.parameters()
    return _challenged(problem_details(error.status, error.description, **members), members)


@bp.errorhandler(404)
def not_found(_error: Exception) -> Response:
    """There is none, or it is somebody else's."""
    return problem_details(404, "There is nothing here by that name.")


@bp.errorhandler(Problem)
def told(error: Problem) -> Response:
    """What a view or the way to it has found."""
    members = {"errors": error.errors} if error.errors else {}
    response = problem_details(error.status, error.detail, **members)
    response.headers.extend(error.headers)
    return response


@bp.errorhandler(Invalid)
@bp.errorhandler(InvalidClientMetadata)
def invalid(error: Invalid | InvalidClientMetadata) -> Response:
    """What was sent is not accepted, field by field; nothing was changed."""
    detail = "Nothing was changed: see what is wrong with each field."
    return problem_details(422, detail, errors=errors_of(error.problems))


@bp.errorhandler(ClientRefused)
@bp.errorhandler(CannotRetire)
def conflicting(error: Exception) -> Response:
    """As things are, this cannot be done."""
    return problem_details(409, str(error))


@bp.errorhandler(Stale)
def stale(_error: Stale) -> Response:
    """RFC 9110 section 15.5.13: whoever sent it has not seen the latest change."""
    return problem_details(412, "It was changed since you read it. Nothing was done: read it anew.")


@bp.errorhandler(KeyReused)
def key_reused(_error: KeyReused) -> Response:
    """An Idempotency-Key stands for one call."""
    return problem_details(422, "This Idempotency-Key came with another call before.")


@bp.errorhandler(NotAnswered)
def not_answered(_error: NotAnswered) -> Response:
    """Not done twice, whatever became of the first."""
    detail = "A call with this Idempotency-Key was begun, and its answer is not there (yet)."
    response = problem_details(409, detail)
    response.headers["Retry-After"] = "1"
    return response


def _challenged(response: Response, members: dict[str, str]) -> Response:
    challenge_with(response, services().settings.issuer, members, direct().scheme)
    return response


@bp.after_request
def finish(response: Response) -> Response:
    """A challenge says where to find out what would be let in."""
    challenges = response.headers.getlist("WWW-Authenticate")
    response.headers.setlist(
        "WWW-Authenticate", [pointing(one, services().settings.issuer) for one in challenges]
    )
    return offer_nonce(response)
