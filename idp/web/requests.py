"""Requests as they may come: no query, however it is written, keeps a page from being shown."""

import re
from string import punctuation
from typing import Any, Final
from urllib.parse import quote

import flask

_VISIBLE: Final = re.compile(rb"[!-~]*")


class Request(flask.Request):
    """An address is ASCII (RFC 3986 section 2); of other bytes Werkzeug can make no query.

    It would fail at every look at one, also while saying that something failed. Percent-encoded
    they can be read, what is UTF-8 as that and the rest as U+FFFD.
    """

    def __init__(self, environ: dict[str, Any], *args: Any, **options: Any) -> None:
        super().__init__(environ, *args, **options)
        if not _VISIBLE.fullmatch(self.query_string):
            self.query_string = quote(self.query_string, safe=punctuation).encode()
