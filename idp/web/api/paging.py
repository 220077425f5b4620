"""Pages of a list: a cursor says behind which item the next one begins."""

import base64
import json
from collections.abc import Sequence
from typing import Any, Final

from idp.protocol.text import is_clean
from idp.web.api.problems import wrong_query
from idp.web.api.schema import Schema, number, text

USUAL: Final = 50
MOST: Final = 100

QUERY: Final[dict[str, Schema]] = {
    "limit": {**number(at_least=1, at_most=MOST, about="Items a page."), "default": USUAL},
    "cursor": text(about="The next of the page before; without one, the first page."),
}
"""The parameters that every list takes."""


def cursor_of(*key: str | int) -> str:
    """The place behind the item of this key. Nothing in it is secret."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).rstrip(b"=").decode()


def read_cursor(cursor: str | None, *kinds: type) -> Sequence[Any] | None:
    """The key in a cursor of ours; None for the first page. Raises ``Problem``."""
    if cursor is None:
        return None
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        key = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, RecursionError) as error:
        raise _not_ours() from error
    if not isinstance(key, list) or [type(one) for one in key] != list(kinds):
        raise _not_ours()
    if not all(_is_sound(one) for one in key):
        raise _not_ours()
    return key


def _is_sound(part: str | int) -> bool:
    return is_clean(part) if isinstance(part, str) else 0 <= part < 2**63


def _not_ours() -> Exception:
    return wrong_query(
        ("cursor", "is not one that was given here: leave it out for the first page")
    )
