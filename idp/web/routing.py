"""Routes as they are known to this program."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from werkzeug.routing import BaseConverter, MapAdapter, Rule
from werkzeug.routing.rules import RulePart


@dataclass(frozen=True, slots=True)
class _Pattern:
    """What a route's pattern comes to, in the words of Werkzeug's ``Rule``."""

    parts: tuple[RulePart, ...]
    trace: tuple[tuple[bool, str], ...]
    converters: Mapping[str, BaseConverter]


Builder = Callable[..., tuple[str, str]]
"""From a rule and values for its variables to a domain and a path."""

_PATTERNS: Final[dict[str, _Pattern]] = {}
_WAYS_BACK: Final[dict[tuple[object, ...], Builder]] = {}


class LazyRule(Rule):
    """A route whose way back, from its endpoint to an address, is compiled at its first use.

    There are some two hundred, of which a process needs a handful: compiling all of them takes
    more time than everything else at the start. What a pattern comes to is the same for every
    application of a process (a converter of Werkzeug's does nothing with its map), so whoever
    makes thousands of them, as the tests do, has it worked out once.
    """

    def _parse_rule(self, rule: str) -> Iterable[RulePart]:
        known = _PATTERNS.get(rule)
        if known is None:
            return self._work_out(rule)
        self._trace.extend(known.trace)
        self._converters.update(known.converters)
        self.arguments.update(known.converters)
        return known.parts

    def _work_out(self, rule: str) -> Iterable[RulePart]:
        before = len(self._trace)
        parts = tuple(super()._parse_rule(rule))
        _PATTERNS[rule] = _Pattern(parts, tuple(self._trace[before:]), self._converters)
        return parts

    def _compile_builder(self, append_unknown: bool = True) -> Builder:
        return _first_with_query if append_unknown else _first

    def compiled(self, *, append_unknown: bool) -> Builder:
        """The way back, which is the same for whoever has this pattern with these defaults."""
        key = (self.rule, append_unknown, *sorted((self.defaults or {}).items()))
        if key not in _WAYS_BACK:
            _WAYS_BACK[key] = super()._compile_builder(append_unknown)
        return _WAYS_BACK[key]


def _first(rule: LazyRule, **values: object) -> tuple[str, str]:
    rule._build = rule.compiled(append_unknown=False).__get__(rule)
    return rule._build(**values)


def _first_with_query(rule: LazyRule, **values: object) -> tuple[str, str]:
    rule._build_unknown = rule.compiled(append_unknown=True).__get__(rule)
    return rule._build_unknown(**values)


@dataclass(frozen=True, slots=True)
class Shape:
    """A route with variables, between slashes each, as a path is split at its slashes.

    Every path with these ``words`` is its own that has none of the ``others`` in the place of one
    of its ``names``: with such a word there, it may be another route's.
    """

    rule: Rule
    words: tuple[tuple[int, str], ...]
    names: tuple[tuple[int, str, frozenset[str]], ...]

    def values(self, parts: Sequence[str]) -> dict[str, str] | None:
        """Of its variables; None where it takes more to know whose the path is."""
        for place, word in self.words:
            if parts[place] != word:
                return None
        found = {}
        for place, name, others in self.names:
            value = parts[place]
            if not value or value in others:
                return None
            found[name] = value
        return found


Place = tuple[str, int, str]
"""The method, the number of parts, and the first of them."""


@dataclass(frozen=True, slots=True)
class Matches:
    """Routes that need not be looked for again: as many as there are, and no more."""

    whole: dict[tuple[str, str], Rule] = field(default_factory=dict)
    """Those without variables, by method and path."""
    shapes: dict[Place, list[Shape]] = field(default_factory=dict)
    seen: set[tuple[Place, str]] = field(default_factory=set)
    """Those with variables: by where they are, and also those that have no shape."""


class Adapter(MapAdapter):
    """Walks the tree of routes once for all addresses that differ in their variables alone."""

    def __init__(self, *arguments: Any, matches: Matches) -> None:
        super().__init__(*arguments)
        self._matches = matches

    def match(self, *arguments: Any, **named: Any) -> Any:
        """As Flask asks: for a rule, and by nothing else than what the adapter was made for."""
        if arguments or named != {"return_rule": True} or not self.path_info.startswith("/"):
            return super().match(*arguments, **named)
        if whole := self._matches.whole.get((self.default_method, self.path_info)):
            return whole, {}
        parts = self.path_info.split("/")
        place = self.default_method, len(parts), parts[1]
        for shape in self._matches.shapes.get(place, ()):
            if found := shape.values(parts):
                return shape.rule, found
        rule, values = super().match(return_rule=True)
        self._remember(rule, place, has_values=bool(values))
        return rule, values

    def _remember(self, rule: Rule, place: Place, *, has_values: bool) -> None:
        # It may have been one of its many other spellings.
        if not has_values and rule.rule == self.path_info:
            self._matches.whole[self.default_method, self.path_info] = rule
        elif has_values and _is_at(place, rule) and (place, rule.rule) not in self._matches.seen:
            self._matches.seen.add((place, rule.rule))
            if shape := self._shape(rule):
                self._matches.shapes.setdefault(place, []).append(shape)

    def _shape(self, rule: Rule) -> Shape | None:
        """None where another route may be meant for other reasons than a word in its place.

        Of those that differ in what their variables are called, the tree finds the same one
        whatever is in them.
        """
        mine = _parts(rule)
        near = [one for one in self.map.iter_rules() if _parts(one)[1:2] == mine[1:2]]
        if any(one.defaults for one in self.map.iter_rules(rule.endpoint)):
            return None
        if any(not _IS_PLAIN(part) for one in near for part in _parts(one)):
            return None
        others = [_parts(one) for one in near if _length(one) == _length(rule)]
        words = tuple((at, part) for at, part in enumerate(mine) if part[:1] != "<")
        names = tuple(
            (at, part[1:-1], frozenset(one[at] for one in others) - {part})
            for at, part in enumerate(mine)
            if part[:1] == "<"
        )
        return Shape(rule, words[2:], names)


_IS_PLAIN: Final = re.compile(r"[^<>]*|<\w+>").fullmatch


def _parts(rule: Rule) -> list[str]:
    return rule.rule.split("/")


def _is_at(place: Place, rule: Rule) -> bool:
    """Not where more slashes come first, nor where a variable has some in it: as many as anybody
    cares to send."""
    parts = _parts(rule)
    return place[1:] == (len(parts), parts[1])


def _length(rule: Rule) -> int:
    """Of one that is about to be led to its slash, too."""
    return rule.rule.rstrip("/").count("/")
