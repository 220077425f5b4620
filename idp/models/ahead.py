"""What is going to be asked for: it goes with a statement before it, whose wait it shares."""

from collections.abc import Mapping, Sequence
from typing import Any

from idp.models.driver import Sent, Text


class Ahead:
    """One scope's: what is to be asked, and what was found of it and nobody has taken yet."""

    def __init__(self) -> None:
        self._asked: list[Sent] = []
        self._found: list[tuple[Sent, Sequence[Any]]] = []

    def ask(self, text: Text, values: Mapping[str, Any]) -> None:
        """Have it sent with the next statement that is waited for."""
        self._asked.append((text, values))

    def asked(self) -> Sequence[Sent]:
        """What is to be sent now."""
        asked, self._asked = self._asked, []
        return asked

    def keep(self, asked: Sequence[Sent], found: Sequence[Sequence[Any]]) -> None:
        """What was ``found`` of each that was ``asked``."""
        self._found.extend(zip(asked, found, strict=True))

    def take(self, text: Text, values: Mapping[str, Any]) -> Sequence[Any] | None:
        """What was found of this, once; None where it has still to be asked."""
        this = text, values
        if this in self._asked:
            self._asked.remove(this)
        place = next((at for at, (sent, _) in enumerate(self._found) if sent == this), None)
        return None if place is None else self._found.pop(place)[1]

    def written(self, text: Text) -> None:
        """Of what this names another may be found by now."""
        self._found = [one for one in self._found if one[0][0].tables.isdisjoint(text.tables)]

    def forget(self) -> None:
        """The same of everything."""
        self._found.clear()
