"""The operations of the API: each is a row here, from which its route and its document are made."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from idp.services.roles import Area, Permission
from idp.web.api.call import Answer
from idp.web.api.operation import Method, Operation, OwnOperation
from idp.web.api.paging import QUERY
from idp.web.api.running import answer_to
from idp.web.api.schema import Schema

View = Callable[..., Answer]

OPERATIONS: Final[dict[str, Operation]] = {}
OWN: Final[dict[str, OwnOperation]] = {}
"""Those that are about whoever calls: their guard, and what they answer, are in ``me``."""
VIEWS: Final[dict[str, Callable[..., Any]]] = {}


def operation(
    method: Method,
    path: str,
    area: Area,
    *,
    query: Mapping[str, Schema] | None = None,
    body: Schema | None = None,
    answer: Schema | None = None,
    status: int | None = None,
    conditional: bool = False,
    personal: bool = False,
    tagged: bool = False,
) -> Callable[[View], View]:
    """Let a view answer this. It changes something unless it is a GET."""
    paged = answer is not None and "next" in answer.get("properties", ())

    def register(view: View) -> View:
        made = Operation(
            name=view.__name__,
            method=method,
            path=path,
            permission=Permission(area, writes=method != "GET"),
            summary=summary_of(view),
            query={**(query or {}), **(QUERY if paged else {})},
            body=body,
            answer=answer,
            status=status or (200 if answer is not None else 204),
            conditional=conditional,
            personal=personal,
            tagged=tagged,
        )
        OPERATIONS[made.name] = made
        VIEWS[made.name] = answer_to(made, view)
        return view

    return register


def summary_of(view: Callable[..., Any]) -> str:
    """The first line of what its docstring says."""
    return (view.__doc__ or "").strip().partition("\n")[0]
