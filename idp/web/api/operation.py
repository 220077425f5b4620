"""What there is to be called: one method at one path, and what it takes and gives."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from idp.protocol.scopes import ACCOUNT
from idp.services.roles import Permission
from idp.web.api.schema import Schema

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Described(ABC):
    """One method at one path. Its id is the name of its view, its summary the view's docstring.

    ``body`` None: it takes none. ``answer`` None: 204. ``conditional``: If-Match is needed.
    """

    name: str
    method: Method
    path: str
    summary: str
    answer: Schema | None
    status: int
    query: Mapping[str, Schema] = field(default_factory=dict)
    body: Schema | None = None
    conditional: bool = False
    tagged: bool = False

    @property
    @abstractmethod
    def scope(self) -> str:
        """What a token needs for it."""

    @property
    @abstractmethod
    def about(self) -> str:
        """The chapter of the document that it stands in."""

    @property
    def arguments(self) -> tuple[str, ...]:
        """The names in its path."""
        return tuple(part[1:-1] for part in self.path.split("/") if part.startswith("{"))

    @property
    def writes(self) -> bool:
        """Does it change something?"""
        return self.method != "GET"

    @property
    def takes_key(self) -> bool:
        """May it come with an Idempotency-Key? All others are idempotent by themselves."""
        return self.method == "POST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Described):
    """What administers. ``personal``: a client's own token will not do: it is about a person."""

    permission: Permission
    personal: bool

    @property
    def scope(self) -> str:
        """That of the permission."""
        return self.permission.scope

    @property
    def about(self) -> str:
        """What is administered."""
        return str(self.permission.area)


class OwnOperation(Described):
    """What somebody does about her own account, by a token of hers."""

    __slots__ = ()

    @property
    def scope(self) -> str:
        """One for all of them."""
        return ACCOUNT.name

    @property
    def about(self) -> str:
        """As the path begins."""
        return "me"
