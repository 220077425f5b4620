"""Logs: one JSON object a line, with the ids of what it is about, and never a secret."""

import json
import logging
import logging.config
import re
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, Final

REQUESTS: Final = "idp.access"
"""The logger of requests: each of its records has a ``line``, a dictionary."""

_NOTHING: Final[Mapping[str, str]] = {}
about: ContextVar[Mapping[str, str]] = ContextVar("about", default=_NOTHING)
"""The ids of the request at hand: its own, its sign-in's, its trace's. Every line carries them."""

_SECRET = re.compile(
    r"(?i)(\b\w*(?:code|token|password|otp|secret|verifier|assertion|token_hint)=)[^&\s\"']+"
)
_LINK = re.compile(r"(/login/(?:reset|verify|link)/)[A-Za-z0-9_-]{16,}")


class Redacted(logging.Filter):
    """Takes what looks like a secret out of a line, should one ever get that far."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        cleaned = _LINK.sub(r"\1[redacted]", _SECRET.sub(r"\1[redacted]", message))
        if cleaned != message:
            record.msg, record.args = cleaned, None
        return True


class Identified(logging.Filter):
    """Adds the ids to a line; what the line says itself counts more."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.__dict__ |= {**about.get(), **record.__dict__}
        return True


class RequestLine(logging.Formatter):
    """A request's line, as ``JsonFormatter`` would write it from ``record.line``.

    One is written for every request, and what is in it is known: nothing has to be looked for in
    the record, nor could there be a secret.
    """

    _second: tuple[int, str] = (0, "")

    def format(self, record: logging.LogRecord) -> str:
        """One JSON object, of texts and numbers."""
        head = f'"time": "{self.formatTime(record)}", "level": "{record.levelname}"'
        said = {
            "logger": record.name,
            "message": record.msg,
            **about.get(),
            **record.__dict__["line"],
        }
        return f"{{{head}{''.join([_KEYS[name] + _write(of) for name, of in said.items()])}}}"

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        """As it is everywhere; put together once a second."""
        at = self._second
        if at[0] != (whole := int(record.created)):
            at = self._second = (whole, super().formatTime(record, datefmt)[:-3])
        return f"{at[1]}{int(record.msecs):03d}"


class _Keys(dict[str, str]):
    """How each name stands in a line; they are few."""

    def __missing__(self, name: str) -> str:
        self[name] = f", {_text(name)}: "
        return self[name]


_KEYS: Final = _Keys()
_text: Final = json.encoder.encode_basestring


def _write(value: object) -> str:
    return _text(value) if type(value) is str else "null" if value is None else repr(value)


def configure(level: str, *, as_json: bool = True) -> None:
    """Set logging up for a process that serves. ``level`` as in ``IDP_LOG_LEVEL``."""
    # As the manual of logging has it under "Optimization": no line of ours says any of this.
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.config.dictConfig(_configuration(level, as_json=as_json))


def _configuration(level: str, *, as_json: bool) -> dict[str, Any]:
    formatter = {
        "()": "pythonjsonlogger.json.JsonFormatter",
        "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
    }
    plain = {"format": "%(levelname)s %(name)s: %(message)s"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"redacted": {"()": Redacted}, "identified": {"()": Identified}},
        "formatters": {
            "line": formatter if as_json else plain,
            "request": {"()": RequestLine} if as_json else plain,
        },
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "line",
                "filters": ["identified", "redacted"],
            },
            "requests": {"class": "logging.StreamHandler", "formatter": "request"},
        },
        "root": {"level": level, "handlers": ["stderr"]},
        # At DEBUG authlib writes whole tokens, and alembic lists its plugins at every look at
        # tables; at INFO the pool says that it was emptied, which a reload does on purpose.
        "loggers": {
            REQUESTS: {"handlers": ["requests"], "propagate": False},
            "authlib": {"level": "WARNING"},
            "alembic.runtime.plugins": {"level": "WARNING"},
            "idp.models.pool": {"level": "WARNING"},
        },
    }
