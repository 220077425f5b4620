"""JSON as it is stored and signed: compact, in UTF-8."""

import json
from typing import Any, Final

import orjson

_OPTIONS: Final = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
_SORTED: Final = _OPTIONS | orjson.OPT_SORT_KEYS


def dump(value: object) -> str:
    """``value`` as one document. Raises ``TypeError`` for what JSON has no form for."""
    return _dumped(value, _OPTIONS, _PLAIN).decode()


def dump_sorted(value: object) -> str:
    """The same text for the same value, whatever order its members came in."""
    return stored(value).decode()


def stored(value: object) -> bytes:
    """The same as the database is handed it; there is no NUL in it."""
    return _dumped(value, _SORTED, _IN_ORDER)


def load_sorted(text: bytes) -> Any:
    """What ``dump_sorted`` wrote, or anybody else. Raises ``ValueError`` for what is no JSON.

    orjson makes a fraction of a number of more than 64 bits. So what it would not write again as
    it stands there is read by the other, which takes three times as long.
    """
    try:
        found = orjson.loads(text)
        if orjson.dumps(found, option=_SORTED) == text:
            return found
    except ValueError:  # half of a surrogate pair, perhaps
        pass
    return json.loads(text)


def _dumped(value: object, options: int, otherwise: json.JSONEncoder) -> bytes:
    try:
        return orjson.dumps(value, option=options)
    except TypeError:  # a number of more than 64 bits, or half of a surrogate pair; or no JSON
        return otherwise.encode(value).encode()


_PLAIN: Final = json.JSONEncoder(separators=(",", ":"))
_IN_ORDER: Final = json.JSONEncoder(separators=(",", ":"), sort_keys=True)
