"""Routes as they are known to this program."""

from collections.abc import Callable, Iterable, Mapping
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
class Folder:
    """A route that ends in its one variable, called ``name``: for all ends but ``others``."""

    rule: Rule
    name: str
    others: frozenset[str]


@dataclass(frozen=True, slots=True)
class Matches:
    """Routes that need not be looked for again, by method: as many as there are, and no more."""

    whole: dict[tuple[str, str], Rule] = field(default_factory=dict)
    """Those without variables, by their path."""
    folders: dict[tuple[str, str], Folder | None] = field(default_factory=dict)
    """By what is before the end of their path; None where it takes more to know which it is."""


class Adapter(MapAdapter):
    """Walks the tree of routes once for an address that is written out in one, but for its end."""

    def __init__(self, *arguments: Any, matches: Matches) -> None:
        super().__init__(*arguments)
        self._matches = matches

    def match(self, *arguments: Any, **named: Any) -> Any:
        """As Flask asks: for a rule, and by nothing else than what the adapter was made for."""
        if arguments or named != {"return_rule": True}:
            return super().match(*arguments, **named)
        if whole := self._matches.whole.get((self.default_method, self.path_info)):
            return whole, {}
        place, _, end = self.path_info.rpartition("/")
        folder = self._matches.folders.get((self.default_method, place)) if end else None
        if folder and end not in folder.others:
            return folder.rule, {folder.name: end}
        rule, values = super().match(return_rule=True)
        self._remember(rule, place, *values)
        return rule, values

    def _remember(self, rule: Rule, place: str, *names: str) -> None:
        # It may have been one of its many other spellings.
        if not names and rule.rule == self.path_info:
            self._matches.whole[self.default_method, self.path_info] = rule
        elif [rule.rule] == [f"{place}/<{name}>" for name in names]:
            known = self._matches.folders
            if (at := (self.default_method, place)) not in known:
                known[at] = self._folder(rule, *names)

    def _folder(self, rule: Rule, name: str) -> Folder | None:
        place, every = _place(rule)[0], self.map.iter_rules()
        others = [one for one in every if one.rule != rule.rule and _place(one)[0] == place]
        leads_away = any(one.defaults for one in self.map.iter_rules(rule.endpoint))
        if leads_away or any(one.arguments for one in others):
            return None
        return Folder(rule, name, frozenset(_place(one)[2] for one in others))


def _place(rule: Rule) -> tuple[str, str, str]:
    return rule.rule.rstrip("/").rpartition("/")
