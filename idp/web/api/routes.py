"""The routes, made of the registry: what is not in it is not there, nor in the document."""

from functools import cache

from flask import Response

from idp.oidc.documents import Document
from idp.web.api.blueprint import bp
from idp.web.api.document import document_of
from idp.web.api.registry import OPERATIONS, OWN, VIEWS
from idp.web.context import services
from idp.web.documents import document

MAX_AGE = 300


@cache
def _document(issuer: str) -> Document:
    return document_of([*OPERATIONS.values(), *OWN.values()], issuer)


@bp.get("/openapi.json")
def openapi() -> Response:
    """What there is to be called, by whom, with what; for anybody to read."""
    found = _document(services().settings.issuer)
    return document(found, max_age=MAX_AGE, source=lambda _now: found)


def add_all() -> None:
    """Once every module has named its operations. A client_id may hold slashes, two in a row."""
    for one in (*OPERATIONS.values(), *OWN.values()):
        rule = one.path.replace("{client_id}", "<path:client_id>")
        rule = rule.replace("{", "<").replace("}", ">")
        bp.add_url_rule(rule, one.name, VIEWS[one.name], methods=[one.method], merge_slashes=False)
