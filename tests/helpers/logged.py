"""What a serving process would write into its log."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

from idp import logs


@contextmanager
def logged(level: str = "DEBUG") -> Iterator[StringIO]:
    """All of it, at its most talkative; afterwards everything is as it was."""
    root, requests = logging.getLogger(), logging.getLogger(logs.REQUESTS)
    before = [(one, one.handlers[:], one.level, one.propagate) for one in (root, requests)]
    logs.configure(level)
    written = StringIO()
    for handler in (*root.handlers, *requests.handlers):
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(written)
    try:
        yield written
    finally:
        for logger, handlers, level_before, propagate in before:
            logger.handlers[:] = handlers
            logger.setLevel(level_before)
            logger.propagate = propagate
