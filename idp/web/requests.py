"""Requests as they may come: no query, however it is written, keeps a page from being shown."""

from string import punctuation
from typing import Any
from urllib.parse import quote

import flask


class Request(flask.Request):
    """An address is ASCII (RFC 3986 section 2); of other bytes Werkzeug can make no query.

    It would fail at every look at one, also while saying that something failed. Percent-encoded
    they can be read, what is UTF-8 as that and the rest as U+FFFD.
    """

    def __init__(self, environ: dict[str, Any], *args: Any, **options: Any) -> None:
        super().__init__(environ, *args, **options)
        self.query_string = quote(self.query_string, safe=punctuation).encode()
