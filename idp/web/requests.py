"""Requests as they may come: no query, however it is written, keeps a page from being shown."""

import re
from io import BytesIO
from string import punctuation
from typing import Any, Final, Literal
from urllib.parse import quote, unquote

import flask
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.utils import cached_property

from idp.web.sizes import MAX_BODY

_VISIBLE: Final = bytes(range(ord("!"), ord("~") + 1))
_AS_BROWSERS_SEND: Final = re.compile(r"[!#-:<>-~]+=[!#-:<-~]*(?:; [!#-:<>-~]+=[!#-:<-~]*)*")
"""Cookies, one after the other, of which none is quoted."""
_FIELDS: Final = "application/x-www-form-urlencoded"


class Request(flask.Request):
    """An address is ASCII (RFC 3986 section 2); of other bytes Werkzeug can make no query.

    It would fail at every look at one, also while saying that something failed. Percent-encoded
    they can be read, what is UTF-8 as that and the rest as U+FFFD.
    """

    # What Flask would look up in the configuration, several times for every body. A view that
    # takes more says so, of its own request.
    _max_content_length = MAX_BODY
    _max_form_memory_size = MAX_BODY
    _max_form_parts = 1000

    ours: dict[str, str] | None = None
    """Our own cookies, once somebody has looked for one (``idp.web.cookies``)."""

    def __init__(self, environ: dict[str, Any], *args: Any, **options: Any) -> None:
        super().__init__(environ, *args, **options)
        if self.query_string.translate(None, _VISIBLE):
            self.query_string = quote(self.query_string, safe=punctuation).encode()

    def leave_nul_out_of(self, fields: Literal["args", "form"]) -> None:
        """At the cost of nothing that was typed: no key makes it.

        PostgreSQL takes no text that holds it, and cannot even be asked for it.
        """
        pairs = getattr(self, fields).items(multi=True)
        without = [(name.replace("\0", ""), value.replace("\0", "")) for name, value in pairs]
        setattr(self, fields, ImmutableMultiDict(without))

    def _load_form_data(self) -> None:
        """Fields alone as Werkzeug reads them, which gets ready for files first, and for more."""
        if "form" in self.__dict__ or self.environ.get("CONTENT_TYPE") != _FIELDS:
            super()._load_form_data()
            return
        form = ImmutableMultiDict(_fields(self._whole_body()))
        vars(self).update(stream=BytesIO(), form=form, files=ImmutableMultiDict())

    def _whole_body(self) -> bytes:
        """As Werkzeug reads it, which says what is too long and what broke off; where it is here
        already (``idp.web.slow_clients``), it is so at once."""
        source, length = self.environ["wsgi.input"], self.environ.get("CONTENT_LENGTH")
        if type(source) is BytesIO and source.tell() == 0:
            body = source.getvalue()
            if len(body) <= MAX_BODY and str(len(body)) == length:
                return body
        return self._get_stream_for_parsing().read()

    def close(self) -> None:
        """What was sent is let go, where anybody has looked for files in it."""
        if "files" in vars(self):
            super().close()

    @cached_property
    def cookies(self) -> ImmutableMultiDict[str, str]:
        """The same as for Werkzeug, and in its shape."""
        return ImmutableMultiDict(self.pairs)

    @cached_property
    def pairs(self) -> list[tuple[str, str]]:
        """The cookies, name and value, as Werkzeug reads them: whose way through whatever may be
        sent takes longer."""
        sent = self.environ.get("HTTP_COOKIE", "")
        if not sent:
            return []
        if not _AS_BROWSERS_SEND.fullmatch(sent):
            return list(super().cookies.items(multi=True))
        parts = [one.partition("=") for one in sent.split("; ")]
        return [(name, value) for name, _, value in parts]


def _fields(body: bytes) -> list[tuple[str, str]]:
    """What a form holds (URL Standard, section 5.1); of what is no text, nothing."""
    try:
        parts = [one.partition("=") for one in body.decode().split("&") if one]
    except UnicodeDecodeError:
        return []
    return [(_unquoted(name), _unquoted(value)) for name, _, value in parts]


def _unquoted(text: str) -> str:
    text = text.replace("+", " ")
    return unquote(text, errors="werkzeug.url_quote") if "%" in text else text
