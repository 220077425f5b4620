"""Public documents, as they are sent."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from idp.config import Settings


@dataclass(frozen=True, slots=True)
class Document:
    """A public JSON document and its entity tag."""

    body: bytes
    etag: str

    @classmethod
    def of(cls, members: Mapping[str, object]) -> "Document":
        """The same members make the same document, on every node."""
        body = json.dumps(members, separators=(",", ":")).encode()
        return cls(body, hashlib.sha256(body).hexdigest()[:32])


class LiveDocument:
    """A document that follows settings which may change while the program runs."""

    def __init__(
        self, settings: Settings, make: Callable[[Settings], Document], *followed: str
    ) -> None:
        """``followed`` are the names of the settings that may change and that it depends on."""
        self._settings = settings
        self._make = make
        self._followed = followed
        self._made: tuple[tuple[object, ...], Document] | None = None

    def now(self) -> Document:
        """As the settings are now; the same one until they change."""
        seen = tuple(getattr(self._settings, name) for name in self._followed)
        made = self._made
        if made is None or made[0] != seen:
            made = self._made = (seen, self._make(self._settings))
        return made[1]
