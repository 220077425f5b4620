"""``python -m tests.failures.upgrading URL [URL]``: upgrades, killed time and again on the way. Or
copies the first, upgraded, into the other.

Each try dies (SIGKILL) after one more statement than the last, until one comes to its end. Prints
how many died. A fork a try, so that the program is imported once.
"""

import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from typing import Any

from sqlalchemy import Engine, event

from idp.migrate import upgrade
from idp.transfer import transfer

_CHANGES = ("CREATE", "ALTER", "DROP", "INSERT INTO _alembic", "UPDATE alembic_version")
_COPIED = "ANALYZE"
"""Follows each table that was copied."""


def _dies_after(statements: int, work: Callable[..., object], *urls: str) -> None:
    seen = count(1)

    @event.listens_for(Engine, "after_cursor_execute")
    def executed(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.lstrip().startswith((*_CHANGES, _COPIED)) and next(seen) >= statements:
            os.kill(os.getpid(), signal.SIGKILL)

    work(*urls)
    os._exit(0)


def main(*urls: str) -> None:
    """Until it is done."""
    for statements in count(1):
        child = os.fork()
        if child == 0:
            _dies_after(statements, upgrade if len(urls) == 1 else transfer, *urls)
        _, status = os.waitpid(child, 0)
        if status == 0:
            sys.stdout.write(f"{statements - 1}\n")
            return
        assert os.WTERMSIG(status) == signal.SIGKILL, "it failed, instead of being killed"


if __name__ == "__main__":
    main(*sys.argv[1:])
