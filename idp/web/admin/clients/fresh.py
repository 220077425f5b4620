"""Secrets just made, shown until they are stored: kept nowhere but in the viewer's own browser."""

from datetime import timedelta
from typing import Final

from flask import session

from idp.clock import epoch
from idp.secrecy import Unreadable
from idp.web.context import context, services

SHOWN_FOR: Final = timedelta(minutes=10)
MOST: Final = 5
"""A cookie has little room: so many clients' secrets at once, the latest."""
_NAME: Final = "fresh_secrets"

Row = tuple[str, str, int]


def keep(client_id: str, secret: str | None) -> None:
    """Let the pages of the client show it, sealed in the cookie that carries the form tokens."""
    if secret is not None:
        until = epoch(context().at + SHOWN_FOR)
        _store([*_others(client_id), (client_id, secret, until)][-MOST:])


def secret_of(client_id: str) -> str | None:
    """The client's secret, if it was just made here and is not stored yet."""
    return next((secret for whose, secret, _until in _kept() if whose == client_id), None)


def forget(client_id: str) -> None:
    """The client's is stored."""
    _store(_others(client_id))


def _others(client_id: str) -> list[Row]:
    return [row for row in _kept() if row[0] != client_id]


def _kept() -> list[Row]:
    try:
        rows: list[Row] = services().box.open(session.get(_NAME, ""))
    except Unreadable:
        return []
    now = epoch(context().at)
    return [(whose, secret, until) for whose, secret, until in rows if now < until]


def _store(rows: list[Row]) -> None:
    if rows:
        session[_NAME] = services().box.seal(rows)
    else:
        session.pop(_NAME, None)
