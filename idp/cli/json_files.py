"""Files of JSON that options of the command name."""

import json
from typing import Any

from idp.cli.refusals import Refused


def json_object(text: bytes, what: str) -> dict[str, Any]:
    """The one object in a file of ``what``. Raises ``Refused``.

    A member that is named twice is refused, as the API does: one of the two would be lost.
    """
    try:
        read = json.loads(text, object_pairs_hook=_members_once)
    except (ValueError, RecursionError) as error:
        raise Refused(f"The file of {what} cannot be read: {error}.") from error
    if not isinstance(read, dict):
        raise Refused(f"The file of {what} must hold one JSON object.")
    return read


def _members_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, value in pairs:
        if name in members:
            raise ValueError(f"{name} is there twice")
        members[name] = value
    return members
