"""A secret just made, shown until it is stored: kept nowhere but in the viewer's own browser."""

from datetime import timedelta
from typing import Final

from flask import session

from idp.clock import epoch
from idp.secrecy import Unreadable
from idp.web.context import context, services

SHOWN_FOR: Final = timedelta(minutes=10)
_NAME: Final = "fresh_secret"


def keep(client_id: str, secret: str | None) -> None:
    """Let the pages of the client show it, sealed in the cookie that carries the form tokens."""
    if secret is not None:
        until = epoch(context().at + SHOWN_FOR)
        session[_NAME] = services().box.seal([client_id, secret, until])


def secret_of(client_id: str) -> str | None:
    """The client's secret, if it was just made here and is not stored yet."""
    try:
        whose, secret, until = services().box.open(session.get(_NAME, ""))
    except Unreadable:
        return None
    return str(secret) if whose == client_id and epoch(context().at) < until else None


def forget() -> None:
    """It is stored."""
    session.pop(_NAME, None)
