"""SQL for values that are made up of a number, in the words of either database.

Ids are scattered, so that rows lie in the indexes as in earnest. Secrets can be told from the
number, so that whoever measures has them.
"""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Table:
    """A table, how many rows, and what stands in each of its columns for the number ``i``."""

    name: str
    count: int
    columns: Mapping[str, str]


@dataclass(frozen=True)
class MadeUp:
    """Expressions of one database. ``now`` is in seconds of the epoch."""

    now: int
    scattered: str
    digested: str
    instant: str
    json: str

    def id(self, kind: str, number: str = "i") -> str:
        """The id of the ``number``th of its kind: 22 characters, and no order to be seen in them.

        The golden ratio of 2**32 puts neighbours far from each other, and nobody in the same place.
        """
        salt = zlib.crc32(kind.encode()) % 2**31
        place = f"((({number}) * 2654435761 + {salt}) & 4294967295)"
        return self.scattered.format(place=place, number=f"({number})")

    def digest(self, secret: str) -> str:
        """What is stored of the secret (an expression), as ``idp.secrecy.digest`` does it."""
        return self.digested.format(secret=secret)

    def document(self, text: str) -> str:
        """JSON whose text (an expression) is put together."""
        return self.json.format(text=text)

    def at(self, seconds: str = "0") -> str:
        """So many seconds (an expression) after now."""
        return self.instant.format(seconds=f"({self.now} + ({seconds}))")


DIALECTS: Final = {
    "sqlite": {
        "scattered": "printf('%08x%014x', {place}, {number})",
        "digested": "digest({secret})",
        "instant": "strftime('%Y-%m-%d %H:%M:%S.000000', {seconds}, 'unixepoch')",
        "json": "{text}",
    },
    "postgresql": {
        "scattered": "(lpad(to_hex({place}), 8, '0') || lpad(to_hex({number}), 14, '0'))",
        "digested": "rtrim(translate(encode(sha256(convert_to({secret}, 'UTF8')), 'base64'), "
        "'+/', '-_'), '=')",
        "instant": "to_timestamp({seconds})",
        "json": "CAST({text} AS json)",
    },
}


def made_up(dialect: str, now: int) -> MadeUp:
    return MadeUp(now, **DIALECTS[dialect])
