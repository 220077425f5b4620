"""Routes as they are known to this program."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from werkzeug.routing import BaseConverter, Rule
from werkzeug.routing.rules import RulePart


@dataclass(frozen=True, slots=True)
class _Pattern:
    """What a route's pattern comes to, in the words of Werkzeug's ``Rule``."""

    parts: tuple[RulePart, ...]
    trace: tuple[tuple[bool, str], ...]
    converters: Mapping[str, BaseConverter]


_PATTERNS: Final[dict[str, _Pattern]] = {}


class LazyRule(Rule):
    """A route whose way back, from its endpoint to an address, is compiled at its first use.

    There are some two hundred, of which a process needs a handful: compiling all of them takes
    more time than everything else at the start. What their patterns come to is the same for
    every application of a process (a converter of Werkzeug's does nothing with its map), so
    whoever makes thousands of them, as the tests do, has it worked out once.
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

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compile_now = super()._compile_builder
        compiled: list[Callable[..., tuple[str, str]]] = []

        def build(rule: Rule, **values: object) -> tuple[str, str]:
            if not compiled:
                compiled.append(compile_now(append_unknown))
            return compiled[0](rule, **values)

        return build
