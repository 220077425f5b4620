"""How the command answers: tables and records for people, JSON alone for programs."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

json_option: Callable[[Command], Command] = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON, and nothing else."
)
"""``as_json``, for everything that lists or makes something."""


def say(text: str) -> None:
    """One line for people."""
    click.echo(text)


def tell(text: str, record: object, *, as_json: bool) -> None:
    """What was done: in a line for people, or as what is there now for programs."""
    if as_json:
        print_json(record)
    else:
        say(text)


def print_json(value: object) -> None:
    """One JSON document; instants as RFC 3339 in UTC."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=_encoded))


def _encoded(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Iterable):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def print_table(names: Sequence[str], rows: Iterable[Sequence[object]], *, none: str) -> None:
    """Columns under their names; the sentence ``none`` where there is no row."""
    cells = [[shown(value) for value in row] for row in rows]
    if not cells:
        say(none)
        return
    lines = [[name.upper() for name in names], *cells]
    widths = [max(len(line[place]) for line in lines) for place in range(len(names))]
    for line in lines:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        say("  ".join(padded).rstrip())


def print_told_once(members: Mapping[str, object]) -> None:
    """A record that may hold a ``client_secret``."""
    print_record(members)
    if members.get("client_secret") is not None:
        say("Keep the secret now: it is not told again.")


def print_record(members: Mapping[str, object]) -> None:
    """A name and a value a line; what is not there is left out."""
    there = {name: shown(value) for name, value in members.items() if shown(value)}
    width = max(map(len, there), default=0)
    for name, text in there.items():
        say(f"{name.ljust(width)}  {text}")


def shown(value: object) -> str:
    """A value as one line of plain text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if isinstance(value, str):
        return _plain(value)
    if isinstance(value, Mapping):
        return _plain(json.dumps(value, ensure_ascii=False, default=_encoded))
    if isinstance(value, Iterable):
        return ", ".join(shown(one) for one in value)
    return str(value)


def _plain(text: str) -> str:
    """Names come from outside: one with control characters must not drive the terminal."""
    return "".join(char if char.isprintable() else " " for char in text)
