"""The authorization endpoint's address: parameters in, a redirect out, never a page of sign-in."""

from urllib.parse import unquote_plus

from flask import Blueprint, Request, Response

from idp.protocol.parameters import Parameters
from idp.web import arriving, here

bp = Blueprint("authorization", __name__)


@bp.route("/oauth/authorize", methods=["GET", "POST"])
def endpoint() -> Response:
    """RFC 6749 section 3.1, OpenID Connect Core 3.1.2.1: by GET in the query, by POST in the body.

    It has no form token: any page may send a person here, and by itself it changes nothing.
    """
    return arriving.arrive(parameters_of(here.asked()))


def parameters_of(request: Request) -> Parameters:
    """One source only: what stands in the query of a POST does not count."""
    if request.method == "POST":
        return Parameters.of(request.form.items(multi=True))
    query = request.query_string.decode("utf-8", "replace")
    # As ``parse_qsl`` reads them, blank values kept.
    return Parameters.of([_pair(one) for one in query.split("&") if one])


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    if "%" not in text and "+" not in text:
        return name, value
    # What stands in every address and every list is put right at once, where that is all.
    plain = value.replace("%3A", ":").replace("%2F", "/").replace("+", " ")
    if "%" not in plain and "%" not in name and "+" not in name:
        return name, plain
    return unquote_plus(name), unquote_plus(value)
