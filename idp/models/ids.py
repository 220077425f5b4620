"""What rows are called by: names that nobody can guess, and that are no secrets."""

import secrets
from datetime import datetime

from idp.secrecy import stamp


def new_id() -> str:
    """A random identifier: 128 bits, URL-safe, 22 characters; the first of them no hyphen."""
    made = secrets.token_urlsafe(16)
    # People hand ids to commands, which take what begins with a hyphen for an option.
    return new_id() if made.startswith("-") else made


def new_id_at(now: datetime) -> str:
    """The same for rows that are made by the thousand: a ``stamp``, and 72 random bits after it
    (RFC 9562 section 5.7 has 74).

    They follow one another in an index, so what is written is in the page that was written last,
    however large the index is. A random one is in a page that has to be read first, and that
    PostgreSQL logs as a whole after each checkpoint. Nobody reads the time out of it.
    """
    return stamp(now) + secrets.token_urlsafe(9)
