"""Routes as they are known to this program."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

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


Matches: TypeAlias = dict[tuple[str, str], Rule]
"""By method and path, the routes that have no variables: so many as there are, and no more."""


class Adapter(MapAdapter):
    """Walks the tree of routes once for an address that is written out in one."""

    def __init__(self, *arguments: Any, matches: Matches) -> None:
        super().__init__(*arguments)
        self._matches = matches

    def match(self, *arguments: Any, **named: Any) -> Any:
        """As Flask asks: for a rule, and by nothing else than what the adapter was made for."""
        if arguments or named != {"return_rule": True}:
            return super().match(*arguments, **named)
        asked = self.default_method, self.path_info
        if known := self._matches.get(asked):
            return known, {}
        rule, values = super().match(return_rule=True)
        if not values and rule.rule == self.path_info:  # and not one of its many other spellings
            self._matches[asked] = rule
        return rule, values
