"""JSON that is not to be stored: what the endpoints say that applications call."""

from collections.abc import Iterable, Mapping
from typing import Final

from flask import Response
from werkzeug.datastructures import Headers

from idp.json_text import dump

NO_STORE: Final = (
    ("Content-Type", "application/json"),
    ("Cache-Control", "no-store"),  # RFC 6749 section 5.1
    ("Pragma", "no-cache"),
)


class _Sound(Headers):
    """Headers of ours: nothing is in them that must not be.

    Werkzeug looks for that in each that is added, which took a twentieth of a whole answer.
    """

    def __init__(self, headers: Iterable[tuple[str, str]]) -> None:
        self._list = list(headers)


def json_answer(members: Mapping[str, object], status: int = 200) -> Response:
    """``members`` as one document."""
    body = dump(members).encode()
    length = "Content-Length", str(len(body))
    return Response([body], status, headers=_Sound((*NO_STORE, length)))
