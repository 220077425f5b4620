"""``python -m tests.failures.upgrading URL``: upgrades, killed time and again on the way.

Each try dies (SIGKILL) after one more statement than the last, until one comes to its end. Prints
how many died. A fork a try, so that the program is imported once.
"""

import os
import signal
import sys
from itertools import count
from typing import Any

from sqlalchemy import Engine, event

from idp.migrate import upgrade

_CHANGES = ("CREATE", "ALTER", "DROP", "INSERT INTO _alembic", "UPDATE alembic_version")


def _dies_after(statements: int, url: str) -> None:
    seen = count(1)

    @event.listens_for(Engine, "after_cursor_execute")
    def executed(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.lstrip().startswith(_CHANGES) and next(seen) >= statements:
            os.kill(os.getpid(), signal.SIGKILL)

    upgrade(url)
    os._exit(0)


def main(url: str) -> None:
    """Until it is done."""
    for statements in count(1):
        child = os.fork()
        if child == 0:
            _dies_after(statements, url)
        _, status = os.waitpid(child, 0)
        if status == 0:
            sys.stdout.write(f"{statements - 1}\n")
            return
        assert os.WTERMSIG(status) == signal.SIGKILL, "it failed, instead of being killed"


if __name__ == "__main__":
    main(sys.argv[1])
