"""Routes as they are known to this program."""

from collections.abc import Callable

from werkzeug.routing import Rule


class LazyRule(Rule):
    """A route whose way back, from its endpoint to an address, is compiled at its first use.

    There are some two hundred, of which a process needs a handful: compiling all of them takes
    more time than everything else at the start.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compile_now = super()._compile_builder
        compiled: list[Callable[..., tuple[str, str]]] = []

        def build(rule: Rule, **values: object) -> tuple[str, str]:
            if not compiled:
                compiled.append(compile_now(append_unknown))
            return compiled[0](rule, **values)

        return build
