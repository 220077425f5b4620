"""What there is to be called: one method at one path, and what it takes and gives."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from idp.services.roles import Permission
from idp.web.api.schema import Schema

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method at one path. Its id is the name of its view, its summary the view's docstring.

    ``body`` None: it takes none. ``answer`` None: 204. ``conditional``: If-Match is needed.
    ``personal``: a client's own token will not do, for it is about whoever calls.
    """

    name: str
    method: Method
    path: str
    permission: Permission
    summary: str
    query: Mapping[str, Schema]
    body: Schema | None
    answer: Schema | None
    status: int
    conditional: bool
    personal: bool
    tagged: bool

    @property
    def arguments(self) -> tuple[str, ...]:
        """The names in its path."""
        return tuple(part[1:-1] for part in self.path.split("/") if part.startswith("{"))

    @property
    def takes_key(self) -> bool:
        """May it come with an Idempotency-Key? All others are idempotent by themselves."""
        return self.method == "POST"
