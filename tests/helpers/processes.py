"""Processes that share nothing with each other but a database, as nodes do."""

from multiprocessing.context import ForkServerContext

_context = ForkServerContext()
# The program is imported once, by the process that the others are forked from.
_context.set_forkserver_preload(["idp.app", "tests.factors.race", "tests.services.racing"])


def nodes() -> ForkServerContext:
    """Where to get them, and the barriers at which they meet."""
    return _context
