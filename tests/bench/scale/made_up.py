"""SQL for values that are made up of a number, in the words of either database.

Ids are scattered, or in the order of time where real ones are, so that rows lie in the indexes as
in earnest. Secrets can be told from the number, so that whoever measures has them.
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
    stamped: str
    padded: str
    digested: str
    instant: str
    json: str

    def id(self, kind: str, number: str = "i") -> str:
        """The id of the ``number``th of its kind: 22 characters, and no order to be seen in them.

        The golden ratio of 2**32 puts neighbours far from each other, and nobody in the same place.
        """
        return self.scattered.format(place=_place(kind, number), number=f"({number})")

    def id_at(self, kind: str, number: str = "i") -> str:
        """The same as ``idp.models.new_id_at`` makes it: the higher the number, the later."""
        return self.stamped.format(
            at=f"({_FIRST} + {_APART} * ({number}))", place=_place(kind, number)
        )

    def filed(self, prefix: str, number: str = "i") -> str:
        """What is stored of ``secret_at``, as ``idp.secrecy.filed`` does it."""
        stamp = f"substr({self.id_at('', number)}, 1, 10)"
        padded = self.padded.format(number=f"({number})", width=_LENGTH - len(prefix))
        hashed = self.digest(f"{stamp} || '{prefix}' || {padded}")
        return f"{stamp} || substr({hashed}, 1, 33)"

    def digest(self, secret: str) -> str:
        """What is stored of the secret (an expression), as ``idp.secrecy.digest`` does it."""
        return self.digested.format(secret=secret)

    def document(self, text: str) -> str:
        """JSON whose text (an expression) is put together."""
        return self.json.format(text=text)

    def at(self, seconds: str = "0") -> str:
        """So many seconds (an expression) after now."""
        return self.instant.format(seconds=f"({self.now} + ({seconds}))")


_FIRST: Final = 1767225600 * 16
"""The beginning of 2026, by the clock of ``idp.secrecy.stamp``."""
_APART: Final = 4
_LENGTH: Final = 43


def secret_at(prefix: str, number: int) -> str:
    """The ``number``th secret of those that begin with ``prefix``, in the form of
    ``idp.secrecy.new_secret_at``."""
    return f"{_FIRST + _APART * number:010x}{prefix}{number:0{_LENGTH - len(prefix)}d}"


def _place(kind: str, number: str) -> str:
    salt = zlib.crc32(kind.encode()) % 2**31
    return f"((({number}) * 2654435761 + {salt}) & 4294967295)"


DIALECTS: Final = {
    "sqlite": {
        "scattered": "printf('%08x%014x', {place}, {number})",
        "stamped": "printf('%010x%012x', {at}, {place})",
        "padded": "printf('%0{width}d', {number})",
        "digested": "digest({secret})",
        "instant": "strftime('%Y-%m-%d %H:%M:%S.000000', {seconds}, 'unixepoch')",
        "json": "{text}",
    },
    "postgresql": {
        "scattered": "(lpad(to_hex({place}), 8, '0') || lpad(to_hex({number}), 14, '0'))",
        "stamped": "(lpad(to_hex({at}), 10, '0') || lpad(to_hex({place}), 12, '0'))",
        "padded": "lpad(({number})::text, {width}, '0')",
        "digested": "rtrim(translate(encode(sha256(convert_to({secret}, 'UTF8')), 'base64'), "
        "'+/', '-_'), '=')",
        "instant": "to_timestamp({seconds})",
        "json": "CAST({text} AS json)",
    },
}


def made_up(dialect: str, now: int) -> MadeUp:
    return MadeUp(now, **DIALECTS[dialect])
