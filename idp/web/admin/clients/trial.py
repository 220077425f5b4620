"""/admin/clients/<id>/test: the real exchange as whoever asks, and what another would get."""

import json
import shlex
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import Response, request, url_for
from flask_babel import gettext as _

from idp.oidc.explain import Explanation
from idp.oidc.explanation import lines
from idp.oidc.supposed import KINDS, read_supposed
from idp.oidc.trial import Step, Trial
from idp.protocol.parameters import Parameters
from idp.services.client_listing import ClientInfo
from idp.services.roles import Area, Permission
from idp.web.admin.acting import acting
from idp.web.admin.blueprint import bp
from idp.web.admin.clients.common import USUAL, client_page, wanted
from idp.web.admin.explain import explainer
from idp.web.admin.guard import console, may
from idp.web.context import context, live_session, services
from idp.web.guards import viewer
from idp.web.trials import NAMES, admits_nobody, fix_of

ASKS: Final = ("scope", "acr_values", "max_age")


@bp.get("/clients/<path:client_id>/test")
@console(Area.CLIENTS)
def client_test(client_id: str) -> Response:
    """What would be asked; with ``person``, what the tokens and userinfo would say of them."""
    info = wanted(client_id)
    usual = USUAL if _is_for_people(info) else ()
    scopes = [scope for scope in usual if scope in info.metadata.scope]
    values = {"scope": " ".join(scopes), "acr_values": "", "max_age": ""}
    return _page(info, values)


@bp.post("/clients/<path:client_id>/test")
@console(Area.CLIENTS, writes=True, back="admin.client_test")
def client_tested(client_id: str) -> Response:
    """Run it. Nothing of it is kept, so that there is no page to be sent to."""
    info = wanted(client_id)
    values = {name: request.form.get(name, "").strip()[:1000] for name in ASKS}
    client, live = services().clients.get(client_id), live_session()
    assert client is not None  # noqa: S101  both were looked at above
    assert live is not None  # noqa: S101
    if _is_for_people(info):
        return _page(info, values, trial=services().trials.run(client, live, values, acting()))
    scope = tuple(values["scope"].split()) or None
    found = services().examiner.examine(client, acting(), scope=scope)
    return _page(info, values, trial=found.trial)


def _is_for_people(info: ClientInfo) -> bool:
    """Does anybody sign in to it by a code?"""
    return "code" in info.metadata.response_types


def _page(info: ClientInfo, values: dict[str, str], *, trial: Trial | None = None) -> Response:
    return client_page(
        "test",
        info,
        tab="admin.client_test",
        values=values,
        codes=_is_for_people(info),
        trial=_trial(trial) if trial else None,
        # What failed says so itself, with the link.
        choosing=trial is not None and admits_nobody(trial),
        command=_command(info),
        **_preview(info),
    )


def _command(info: ClientInfo) -> str:
    """What of it needs no browser."""
    test = f"idp clients test {shlex.quote(info.id)}"
    if not info.metadata.redirect_uris:
        return test
    asked = request.args.get("person", "").strip()
    who = asked or viewer()[1].email
    return f"{test}\nidp explain {shlex.quote(_request(info))} --user {shlex.quote(who)}"


def _trial(trial: Trial) -> dict[str, Any]:
    return {
        "passed": trial.passed,
        "acr": trial.acr,
        "issued": any(one.name == "token" and one.error is None for one in trial.steps),
        "steps": [_step(one) for one in trial.steps],
        "fix": fix_of(trial),
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "name": NAMES[step.name],
        "failed": step.error,
        "sent": json.dumps(step.sent, indent=2, ensure_ascii=False) if step.sent else None,
        "answer": json.dumps(step.answer, indent=2, ensure_ascii=False),
    }


def _preview(info: ClientInfo) -> dict[str, Any]:
    """Of somebody else, for whoever may read about people; nothing is written."""
    signs_in = info.metadata.redirect_uris and _is_for_people(info)
    if not may(Permission(Area.PEOPLE)) or not signs_in:
        return {"previews": False}
    url = _request(info)
    person = request.args.get("person", "").strip()
    evidence = request.args.get("evidence", "passkey").strip()
    told = {
        "previews": True,
        "person": person,
        "evidence": evidence,
        "kinds": ", ".join(KINDS),
        "explain_url": url_for("admin.explain", url=url, person=person, evidence=evidence),
    }
    return told | (_previewed(url, person, evidence) if "person" in request.args else {})


def _request(info: ClientInfo) -> str:
    """An authorization request such as the application would send."""
    scopes = [scope for scope in USUAL if scope in info.metadata.scope]
    asked = {
        "client_id": info.id,
        "redirect_uri": info.metadata.redirect_uris[0],
        "response_type": "code",
        "scope": " ".join(scopes),
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",  # RFC 7636 appendix B
        "code_challenge_method": "S256",
    }
    return f"{services().settings.issuer}/oauth/authorize?{urlencode(asked)}"


def _previewed(url: str, person: str, evidence: str) -> dict[str, Any]:
    if not person:
        return {"errors": [{"field": "person", "message": _("Say for whom.")}]}
    user = services().accounts.find_by_login(person)
    if user is None:
        return {"errors": [{"field": "person", "message": _("Nobody is called so.")}]}
    try:
        supposed = read_supposed(evidence)
    except ValueError as error:
        return {"errors": [{"field": "evidence", "message": f"{error}."}]}
    asked = Parameters.of(parse_qsl(urlsplit(url).query))
    found = explainer().explain(asked, user=user, supposed=supposed, now=context().at)
    return {"preview": _told(found)}


def _told(found: Explanation) -> dict[str, Any]:
    answer = found.answer
    return {
        "lines": list(lines(found)),
        "id_token": _pretty(answer.id_token) if answer else None,
        "userinfo": _pretty(answer.userinfo) if answer else None,
    }


def _pretty(claims: Mapping[str, object]) -> str:
    return json.dumps(claims, indent=2, ensure_ascii=False)
