"""Logs: one JSON object a line, with the ids of what it is about, and never a secret."""

import logging
import logging.config
import re
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, Final

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


def configure(level: str, *, json: bool = True) -> None:
    """Set logging up for a process that serves. ``level`` as in ``IDP_LOG_LEVEL``."""
    logging.config.dictConfig(_configuration(level, json=json))


def _configuration(level: str, *, json: bool) -> dict[str, Any]:
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
        "formatters": {"line": formatter if json else plain},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "line",
                "filters": ["identified", "redacted"],
            }
        },
        "root": {"level": level, "handlers": ["stderr"]},
        # At DEBUG the one writes whole tokens; the other lists its plugins at every look at tables.
        "loggers": {
            "authlib": {"level": "WARNING"},
            "alembic.runtime.plugins": {"level": "WARNING"},
        },
    }
