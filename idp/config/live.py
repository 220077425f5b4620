"""Settings of which some may change while the program runs."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, Final, Self

from idp.config.settings import Settings

CHANGEABLE: Final = (
    *("site_name", "accent", "radius", "logo_url", "logo_dark_url"),
    *("help_url", "privacy_url", "terms_url"),
    *("login_style", "refused_methods", "account_second_step", "enrol_in_step_up"),
    "registration",
)
"""Nothing that tokens, keys or stored data depend on, nor what is only read at the start."""

_CHANGEABLE: Final = frozenset(CHANGEABLE)
_PARSERS: Final = {item.name: item.metadata["parse"] for item in fields(Settings)}
_DEFAULTS: Final[Mapping[str, Any]] = {
    item.name: item.default for item in fields(Settings) if item.name in _CHANGEABLE
}


class LiveSettings(Settings):
    """As it was started with, and over that what was changed since.

    Whoever holds it sees a change at the next look; all values change at one instant.
    """

    __slots__ = ("_changed",)
    _changed: Mapping[str, Any]

    @classmethod
    def over(cls, started: Settings) -> Self:
        """Nothing is changed yet."""
        made = cls(**{item.name: getattr(started, item.name) for item in fields(Settings)})
        made.change({})
        return made

    def change(self, values: Mapping[str, Any]) -> None:
        """From now on these, parsed, stand for those it was started with."""
        object.__setattr__(self, "_changed", dict(values))

    @property
    def changed(self) -> tuple[tuple[str, Any], ...]:
        """All that is changed: two looks that find the same saw the same settings."""
        return tuple(sorted(self._changed.items()))

    def started_with(self, name: str) -> Any:
        """The value that the file, the environment or the default gave."""
        return getattr(Settings, name).__get__(self)

    def is_default(self, name: str) -> bool:
        """Was it started with what holds where nobody gives anything?"""
        return bool(self.started_with(name) == _DEFAULTS[name])


def _looked_up(name: str) -> property:
    """Where the others are found at once, this is looked for among what was changed first."""
    started: Any = getattr(Settings, name)

    def look(own: LiveSettings) -> Any:
        changed = own._changed
        return changed[name] if name in changed else started.__get__(own)

    return property(look, started.__set__)


for _name in CHANGEABLE:
    setattr(LiveSettings, _name, _looked_up(_name))


def parse(name: str, value: object) -> Any:
    """One changeable setting from what was typed. Raises ``ValueError`` that says what it must be,
    and ``KeyError`` for one that cannot be changed here."""
    if name not in _CHANGEABLE:
        raise KeyError(name)
    return _PARSERS[name](value)


def pinned(environ: Iterable[str]) -> frozenset[str]:
    """Those that a variable sets: it wins, wherever else they are changed."""
    given = {variable.removeprefix("IDP_").lower().removesuffix("_file") for variable in environ}
    return frozenset(_CHANGEABLE & given)
