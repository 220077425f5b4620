"""Statements on their way to the driver: listeners hear of each, failures are SQLAlchemy's."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.pool import PoolProxiedConnection

from idp.models import driver
from idp.models.ahead import Ahead
from idp.models.driver import Sent, Text
from idp.models.failures import raised


def answered(
    engine: Engine,
    joined: Any,
    proxied: PoolProxiedConnection,
    text: Text,
    values: Mapping[str, Any],
    ahead: Ahead | None = None,
) -> Sequence[Any]:
    """What a statement finds. Whatever waits in the transaction it ``joined`` is sent before it,
    and what was asked ``ahead`` after it, which sees what it wrote.

    Raises ``DBAPIError``.
    """
    send = driver.SEND[engine.dialect.name]
    waiting: list[Sent] | None = getattr(joined, "waiting", None)
    if not waiting and ahead is None:
        return _sent(engine, joined, proxied, ((text, values),), send)[0]
    asked = ahead.asked() if ahead is not None else ()
    place = len(waiting or ())
    sent = (*(waiting or ()), (text, values), *asked)
    if waiting:
        waiting.clear()
        joined.lost += 1  # unless nothing goes wrong, be it before anything was sent
        found = _sent(engine, joined, proxied, sent, send)
        joined.lost -= 1
    else:
        found = _sent(engine, joined, proxied, sent, send)
    if ahead is not None:
        ahead.keep(asked, found[place + 1 :])
    return found[place]


def committed(
    engine: Engine, joined: Any, proxied: PoolProxiedConnection, sent: Sequence[Sent]
) -> None:
    """Send what waits, and commit. Raises ``DBAPIError`` when it is not certain that it holds."""
    _sent(engine, joined, proxied, sent, driver.COMMIT_AFTER[engine.dialect.name])


def _sent(
    engine: Engine,
    joined: Any,
    proxied: PoolProxiedConnection,
    sent: Sequence[Sent],
    send: driver.Send,
) -> driver.Found:
    below, hear = proxied.dbapi_connection, engine.dispatch
    heard = hear.before_cursor_execute or hear.after_cursor_execute
    told = [_Listeners(engine, joined, below, *one) for one in sent] if heard else ()
    for tell in told:
        tell.before()
    try:
        found = send(proxied, sent, joined is not None)
    except engine.dialect.loaded_dbapi.Error as error:
        used, texts = joined or proxied, ";\n".join(text.text for text, _values in sent)
        raise raised(error, engine, used, below=below, statement=texts) from error
    for tell in told:
        tell.after()
    return found


class _Listeners:
    """Whoever wants to hear of statements, and what they are told: as SQLAlchemy would."""

    def __init__(
        self, engine: Engine, joined: Any, below: Any, text: Text, values: Mapping[str, Any]
    ) -> None:
        self._hear = engine.dispatch
        self._told = joined, _Sent(below), text.text, values, _Asked(), False

    def before(self) -> None:
        for tell in self._hear.before_cursor_execute:
            tell(*self._told)

    def after(self) -> None:
        for tell in self._hear.after_cursor_execute:
            tell(*self._told)


class _Sent:
    """What listeners get to see of a cursor that there is not."""

    __slots__ = ("connection",)

    def __init__(self, connection: Any) -> None:
        self.connection = connection


class _Asked:
    """What listeners keep things on between a statement and its answer; SQLAlchemy's context."""
