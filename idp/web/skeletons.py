"""Pages that are alike but for a few values: rendered once, and from then on put together."""

import json
import re
import secrets
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from markupsafe import escape

from idp.factors.base import UNIQUE
from idp.json_text import dump_sorted

MOST: Final = 4000
"""An application has one or two. What is the same in several is kept once: a further one takes
some three kilobytes."""

Values = Mapping[str, str]
Render = Callable[[Values], str]


class Skeletons:
    """What is between the values, by all that a page depends on besides them.

    A template may show such a value, in text or in an attribute, and ask whether it is empty. It
    may not look into it: what stands there while a skeleton is made is no more than a mark.
    """

    def __init__(self) -> None:
        self._known: dict[Hashable, _Skeleton] = {}
        self._texts: dict[bytes, bytes] = {}
        # Nobody who is shown on a page can have it for a name.
        self._mark = f"mark{secrets.token_hex(16)}"

    def page(self, key: Hashable, values: Values, render: Render) -> bytes:
        """The page with these values, escaped, in UTF-8. ``render`` makes the whole from what it is
        given.

        ``key`` is everything else that there is to see on it.
        """
        found = key, tuple(name for name, value in values.items() if value)
        skeleton = self._known.get(found)
        if skeleton is None:
            skeleton = self._cut(render(self._marks(values)), values)
            if len(self._known) >= MOST:
                self._known.clear()
                self._texts.clear()
            self._known[found] = skeleton
        return skeleton.filled(_escaped(values))

    def _marks(self, values: Values) -> Values:
        return {name: f"{self._mark}{name}x" if value else "" for name, value in values.items()}

    def _cut(self, page: str, values: Values) -> "_Skeleton":
        names = "|".join(map(re.escape, values))
        parts = re.split(f"{self._mark}({names})x", page)
        texts = [part.encode() for part in parts[::2]]
        return _Skeleton([self._texts.setdefault(one, one) for one in texts], parts[1::2])


@dataclass(frozen=True, slots=True)
class _Skeleton:
    """Texts, and the names of the values between them; one text more than names.

    In UTF-8: what has a letter that is not ASCII takes longer to encode than all the rest.
    """

    texts: Sequence[bytes]
    names: Sequence[str]

    def filled(self, shown: Mapping[str, bytes]) -> bytes:
        parts = [b""] * (2 * len(self.names) + 1)
        parts[::2] = self.texts
        parts[1::2] = [shown[name] for name in self.names]
        return b"".join(parts)


def _escaped(values: Values) -> Mapping[str, bytes]:
    """As they stand on a page: in one go, as long as none has in it what they are told apart by."""
    texts = escape("\n".join(values.values())).encode().split(b"\n")
    if len(texts) != len(values):
        return {name: escape(value).encode() for name, value in values.items()}
    return dict(zip(values, texts, strict=True))


def apart(publics: Sequence[Mapping[str, Any]]) -> tuple[dict[str, str], tuple[str, ...]]:
    """What is of these ceremonies alone, by a name; and the rest, JSON that is cut there."""
    cut = _OWN.split(dump_sorted(publics))
    return {f"own{number}": value for number, value in enumerate(cut[1::2])}, tuple(cut[::2])


def together(rest: Sequence[str], marks: Values) -> list[Any]:
    """The ceremonies again, with marks in the place of what is their own."""
    own = [f'"{UNIQUE}":"{marks[f"own{number}"]}"' for number in range(len(rest) - 1)]
    found: list[Any] = json.loads("".join(chain.from_iterable(zip(rest, [*own, ""], strict=True))))
    return found


_OWN: Final = re.compile(rf'"{UNIQUE}":"([^"\\]*)"')
"""A member of that name. In a text, a quotation mark would have a backslash before it."""
