"""What a person is told once she has signed out: who was told, and who may stay a while."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

from idp.services.session_clients import Party
from idp.state import peek, put

PURPOSE: Final = "farewell"
LIFETIME: Final = timedelta(minutes=10)

Lasting = tuple[str, str | None]
"""An app's name, and until when at the latest (ISO 8601); None: it has nothing of ours any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Farewell:
    """``frames`` are addresses to be opened in frames (Front-Channel Logout 1.0 section 2).

    ``told`` are apps by name, ``staying`` those that nobody can tell, ``away`` those that were
    allowed to go on while the person is away. ``way_back`` leads to the app called ``app``.
    """

    frames: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    staying: tuple[Lasting, ...] = ()
    away: tuple[Lasting, ...] = ()
    way_back: str | None = None
    app: str | None = None


def farewell_of(
    parties: Iterable[Party],
    *,
    issuer: str,
    session_id: str,
    way_back: str | None = None,
    app: str | None = None,
) -> Farewell:
    """From the clients of a session that has just ended. ``app`` asked for it and knows."""
    all_of_them = tuple(parties)
    return Farewell(
        frames=tuple(
            frame_of(uri, issuer=issuer, session_id=session_id)
            for one in all_of_them
            if (uri := one.metadata.frontchannel_logout_uri)
        ),
        told=tuple(one.name for one in all_of_them if one.is_told),
        staying=tuple(
            _lasting(one) for one in all_of_them if not (one.is_told or one.away or one.name == app)
        ),
        away=tuple(_lasting(one) for one in all_of_them if one.away),
        way_back=way_back,
        app=app,
    )


def frame_of(uri: str, *, issuer: str, session_id: str) -> str:
    """Section 2: ``iss`` and ``sid`` are added to what is registered, and nothing else."""
    joint = "&" if "?" in uri else "?"
    return f"{uri}{joint}iss={quote(issuer, safe='')}&sid={quote(session_id, safe='')}"


def _lasting(party: Party) -> Lasting:
    return party.name, party.stays_until.isoformat() if party.stays_until else None


def keep(farewell: Farewell, now: datetime) -> str:
    """Keep it for the page that says it, in the caller's transaction; returns the handle."""
    return put(PURPOSE, asdict(farewell), now=now, lifetime=LIFETIME)


def kept(handle: str, now: datetime) -> Farewell | None:
    """What ``keep`` kept; a page may be looked at twice."""
    found: Mapping[str, Any] | None = peek(PURPOSE, handle, now=now)
    return None if found is None else Farewell(**found)
