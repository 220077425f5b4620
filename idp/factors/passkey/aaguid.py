"""Names for passkeys, by the model id (AAGUID) that the authenticator gave. For display only."""

import json
from collections.abc import Collection, Mapping
from functools import cache
from itertools import count
from pathlib import Path

FALLBACK = "Passkey"
_LIST = Path(__file__).parent.parent / "aaguid.json"


@cache
def _names() -> Mapping[str, str]:
    names: Mapping[str, str] = json.loads(_LIST.read_text(encoding="utf-8"))
    return names


def provider_name(aaguid: str) -> str | None:
    """What people call the maker of such passkeys, where it is well known.

    Unless attested, an AAGUID is the client's word: good enough for a label, for nothing else.
    """
    return _names().get(aaguid)


def label_for(aaguid: str, taken: Collection[str | None]) -> str:
    """A name for a new passkey, numbered from the second on: "Apple Passwords 2"."""
    name = provider_name(aaguid) or FALLBACK
    numbered = (f"{name} {number}" for number in count(2))
    return name if name not in taken else next(each for each in numbered if each not in taken)
