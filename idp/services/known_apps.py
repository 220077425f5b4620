"""Applications that many people run, and what each needs to be registered with.

Only facts that the application's own documentation or its source tells: a wrong redirect address
is worse than none.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from idp.services.client_presets import PRESETS, Preset

ADDRESS: Final = "{address}"
"""In a redirect address: where the application itself is."""

_MARK: Final = "known:"
"""How the ``software_id`` of a registration that was made for one begins (RFC 7591 section 2)."""

_LIST: Final = Path(__file__).parent / "known_apps.json"


@dataclass(frozen=True, slots=True)
class KnownApp:
    """One of them. ``also`` are other words that people look for; ``note`` is what to set there."""

    key: str
    name: str
    preset: str
    redirect_uris: tuple[str, ...]
    token_endpoint_auth_method: str
    require_pkce: bool
    """False where it sends none, or not in every version or setting."""
    scope: str
    docs: str
    also: tuple[str, ...] = ()
    note: str | None = None

    def chosen(self) -> Preset:
        """Its kind of application, with what is its own."""
        preset = PRESETS[self.preset]
        own = {
            "token_endpoint_auth_method": self.token_endpoint_auth_method,
            "require_pkce": self.require_pkce,
            "scope": self.scope,
            "software_id": f"{_MARK}{self.key}",
        }
        return replace(preset, members=MappingProxyType({**preset.members, **own}))

    def addresses(self, home: str) -> list[str]:
        """Its redirect addresses, where it is at ``home``."""
        return [one.replace(ADDRESS, home) for one in self.redirect_uris]


@cache
def _known() -> Mapping[str, KnownApp]:
    found = json.loads(_LIST.read_text(encoding="utf-8"))
    return {one["key"]: _read(one) for one in found}


def _read(found: Mapping[str, Any]) -> KnownApp:
    lists = {name: tuple(value) for name, value in found.items() if isinstance(value, list)}
    return KnownApp(**{**found, **lists})


def known(key: str) -> KnownApp | None:
    """The one of that key."""
    return _known().get(key)


def marked(software_id: str | None) -> KnownApp | None:
    """The one that a registration's ``software_id`` says, if it was made for one."""
    said = software_id or ""
    return known(said.removeprefix(_MARK)) if said.startswith(_MARK) else None


def every() -> tuple[KnownApp, ...]:
    """All of them, by name."""
    return tuple(sorted(_known().values(), key=lambda one: one.name.casefold()))


def containing(text: str) -> tuple[KnownApp, ...]:
    """Those in whose name, or another word for them, each word of ``text`` is; none for nothing."""
    words = text.casefold().split()
    return tuple(one for one in every() if words and all(word in _text(one) for word in words))


def _text(app: KnownApp) -> str:
    return " ".join((app.name, app.key, *app.also)).casefold()


def home_of(typed: str) -> str:
    """An address as it was typed, with what people leave out and without what they copy along.

    That is the scheme; and slashes at the end, and a query or fragment of the page they were on.
    """
    address = re.split(r"[?#]", typed.strip(), maxsplit=1)[0].rstrip("/")
    return address if "://" in address or not address else f"https://{address}"
