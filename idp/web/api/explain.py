"""/api/v1/explain: why a sign-in asks what it asks, or fails."""

from typing import Final
from urllib.parse import parse_qsl, urlsplit

from idp.oidc.explain import Explanation
from idp.oidc.explanation import lines
from idp.oidc.supposed import read_supposed
from idp.protocol.parameters import Parameters
from idp.services.client_pages import is_hidden
from idp.services.roles import Area, Permission
from idp.web.admin.explain import explainer
from idp.web.api.call import Answer, Call
from idp.web.api.problems import Problem, wrong_query
from idp.web.api.registry import operation
from idp.web.api.schema import many, members, text
from idp.web.context import services

OUTCOMES: Final = ("error", "asks", "tokens")


@operation(
    "GET",
    "/explain",
    Area.CLIENTS,
    query={
        "url": text(at_most=8000, about="The authorization request, or what follows its ?."),
        "person": text(at_most=320, about="For whom: an address or a user name."),
        "evidence": text(at_most=400, about="Supposing these proofs: pwd@3h,otp"),
    },
    answer=members({"outcome": text(of=OUTCOMES), "lines": many({"type": "string"})}),
)
def explain_request(call: Call) -> Answer:
    """Replay an authorization request for somebody: nothing is written, nobody is asked."""
    url, who = call.query.get("url", ""), call.query.get("person")
    if not url:
        raise wrong_query(("url", "is missing"))
    if who and Permission(Area.PEOPLE).scope not in call.caller.holds:
        raise Problem(403, "Who somebody is and how she signs in takes admin:people:read.")
    person = services().accounts.find_by_login(who) if who else None
    if who and person is None:
        raise wrong_query(("person", "is nobody's name here"))
    try:
        supposed = read_supposed(call.query.get("evidence", ""))
    except ValueError as error:
        raise wrong_query(("evidence", str(error))) from error
    asked = Parameters.of(parse_qsl(_query_of(url), keep_blank_values=True))
    if is_hidden(asked, call.caller.manager):
        raise wrong_query(("url", "names an application that is not for your eyes"))
    found = explainer().explain(asked, user=person, supposed=supposed, now=call.context.at)
    return Answer(body={"outcome": _outcome(found), "lines": list(lines(found))})


def _query_of(url: str) -> str:
    try:
        return urlsplit(url).query or url
    except ValueError as error:
        raise wrong_query(("url", "is not an address")) from error


def _outcome(found: Explanation) -> str:
    if found.error is not None:
        return "error"
    return "asks" if found.challenge else "tokens"
