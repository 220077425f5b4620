"""Everybody as a file, with nothing secret; what it says, an import takes."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Final

from idp.models import User
from idp.services.cells import plain_cell
from idp.services.people import Wanted, people_of

_COLUMNS: Final = ("email", "email_verified", "username", "name", "groups")


def _everybody() -> Iterator[User]:
    after = ""
    while True:
        found = people_of(Wanted(after=after, at_most=500))
        for one in found.listed:
            yield one.user
        if not found.more:
            return
        after = found.listed[-1].user.email


def as_json() -> Iterator[str]:
    """One object a line, however many there are."""
    for user in _everybody():
        person = {
            "email": user.email,
            "email_verified": user.email_verified,
            "username": user.username,
            "name": user.name,
            "profile": user.profile,
            "groups": [group.name for group in user.groups],
            "disabled": user.disabled_at is not None,
        }
        yield json.dumps(person, ensure_ascii=False)


def as_csv() -> Iterator[str]:
    """A line each, after the names of the columns."""
    yield ",".join(_COLUMNS)
    for user in _everybody():
        groups = ";".join(group.name for group in user.groups)
        verified = "yes" if user.email_verified else "no"
        cells = (user.email, verified, user.username, user.name, groups)
        text = io.StringIO()
        csv.writer(text, lineterminator="").writerow(map(plain_cell, cells))
        yield text.getvalue()
