"""Forms that were overtaken: nothing is saved, what was typed stays, what is there now is told."""

from collections.abc import Mapping
from typing import Any, Final

from flask import request
from flask_babel import gettext as _

VERSION: Final = "version"
NONE: Final = -1
NO_LABELS: Final[Mapping[str, Any]] = {}

Errors = list[dict[str, str | None]]


def seen_text() -> str:
    """What the form says that it was made from; what nothing is ever called, if it does not say."""
    return request.form.get(VERSION, "?")


def seen() -> int:
    """The same where it is a number."""
    text = seen_text()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 18 else NONE


def told(
    typed: Mapping[str, Any], now: Mapping[str, Any], labels: Mapping[str, Any] = NO_LABELS
) -> Errors:
    """What to say, with what is there now at each field where something else was typed.

    ``labels`` are the fields' names for people, for the summary of all that is to be said.
    """
    differing: Errors = [
        {"field": name, "message": _of(labels.get(name), _now(now.get(name)))}
        for name in typed
        if _plain(typed[name]) != _plain(now.get(name))
    ]
    general = _(
        "Somebody changed this meanwhile, so nothing was saved. What is there now is told where you"
        " typed something else. Save again, and yours stands."
    )
    return [{"field": None, "message": str(general)}, *differing]


def _of(label: Any, sentence: str) -> str:
    return f"{label}: {sentence}" if label else sentence


def _plain(value: Any) -> Any:
    """What leaves the same mark on a form is the same."""
    if isinstance(value, list | tuple):
        return [str(one) for one in value] or ""
    if isinstance(value, Mapping):
        return {str(name): str(one) for name, one in value.items()} or ""
    return "" if value in (None, False) else str(value).replace("\r\n", "\n").strip()


def _now(value: Any) -> str:
    if isinstance(value, bool):
        return str(_("It is ticked now.") if value else _("It is not ticked now."))
    if isinstance(value, Mapping):
        value = [f"{name}: {one}" for name, one in value.items()]
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value or "")
    shown = ", ".join(text.split("\n"))
    return str(_("It is “%(value)s” now.", value=shown)) if shown else str(_("It is empty now."))
