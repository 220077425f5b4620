"""Making what is registered be what the files say: created, changed, or left alone."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from idp import audit
from idp.audit import Context
from idp.models import Client, db
from idp.secrecy import digest, private_folder
from idp.services.client_files import ClientFile, Wanted, read_all
from idp.services.client_pages import unknown_groups
from idp.services.client_registry import (
    change,
    columns,
    insert_client,
)
from idp.services.client_rules import ClientRules
from idp.services.client_secrets import (
    Alive,
    ClientSecrets,
    alive,
    end_secrets,
    forget_all,
    forget_readable,
    has_secret,
    is_enough,
    is_readable,
)

MANAGED_BY: Final = "file"

Action = Literal["created", "changed", "unchanged"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One member that is registered otherwise than the file says."""

    member: str
    registered: object
    wanted: object


@dataclass(frozen=True, slots=True)
class Change:
    """What applying one file does, or would do. ``secret`` is one that was just generated.

    ``not_in`` is a file that was to hold a generated secret and is not there, while the client has
    a secret already: that one goes on, and only its hash is known here. ``no_groups`` are names in
    the registration that no group has: it may be made later, with the first who is put into it.
    """

    client_id: str
    action: Action
    differences: tuple[Difference, ...] = ()
    secret: str | None = None
    not_in: Path | None = None
    no_groups: tuple[str, ...] = ()


def apply_client_files(
    files: Sequence[ClientFile],
    rules: ClientRules,
    secrets: ClientSecrets,
    context: Context,
    *,
    environ: Mapping[str, str],
    dry_run: bool = False,
) -> tuple[Change, ...]:
    """Create and change clients, all or none; applying the same again changes nothing.

    Whether a client is disabled is not the files' business. With ``dry_run`` the changes are told
    and not made. Commits. Raises ``ClientFilesRefused`` with the problems of all files.
    """
    wanted = read_all(files, rules, environ)
    changes = tuple(
        replace(_apply(one, secrets, context), no_groups=_no_groups(one)) for one in wanted
    )
    if dry_run:
        db.session.rollback()
        return changes
    for one, made in zip(wanted, changes, strict=True):
        _write_secret(one, made)
    db.session.commit()
    return changes


def _no_groups(wanted: Wanted) -> tuple[str, ...]:
    metadata = wanted.metadata
    named = (*metadata.allowed_groups, *metadata.told_groups, *metadata.owner_groups)
    return unknown_groups(tuple(dict.fromkeys(named)))


def _apply(wanted: Wanted, secrets: ClientSecrets, context: Context) -> Change:
    row = db.session.get(Client, wanted.client_id, populate_existing=True)
    if row is None:
        insert_client(wanted.metadata, context, client_id=wanted.client_id, managed_by=MANAGED_BY)
        _, generated = _set_secret(wanted, secrets, context.at)
        return Change(wanted.client_id, "created", secret=generated)
    had = bool(alive(wanted.client_id, context.at))
    differences = _differences(row, wanted)
    secret_changed, generated = _set_secret(wanted, secrets, context.at)
    if secret_changed:
        differences += _of_secrets(had=had, has=has_secret(wanted.metadata))
    not_in = None if secret_changed else wanted.write_to
    if not differences:
        return Change(wanted.client_id, "unchanged", not_in=not_in)
    change(
        wanted.client_id,
        context,
        managed_by=MANAGED_BY,
        **columns(wanted.client_id, wanted.metadata),
    )
    names = [difference.member for difference in differences]
    audit.record("client.changed", context, client_id=wanted.client_id, members=names)
    return Change(wanted.client_id, "changed", differences, generated, not_in)


def _differences(row: Client, wanted: Wanted) -> tuple[Difference, ...]:
    registered = {**row.registration, "managed_by": row.managed_by}
    asked = {**wanted.metadata.to_json(), "managed_by": MANAGED_BY}
    return tuple(
        Difference(name, registered.get(name), asked.get(name))
        for name in sorted(registered.keys() | asked.keys())
        if registered.get(name) != asked.get(name)
    )


def _of_secrets(*, had: bool, has: bool) -> tuple[Difference, ...]:
    """In words, for they are not shown. Those that had run out were none."""
    if not had and not has:
        return ()
    wanted = ("another one" if had else "one") if has else None
    return (Difference("client_secret", "one" if had else None, wanted),)


def _set_secret(wanted: Wanted, secrets: ClientSecrets, now: datetime) -> tuple[bool, str | None]:
    """Let the client's secrets be the file's; returns whether that changed any, and a new one."""
    client_id, metadata = wanted.client_id, wanted.metadata
    if not has_secret(metadata):
        return forget_all(client_id), None
    if not is_readable(metadata):
        forget_readable(client_id)
    if _is_there(wanted, alive(client_id, now)):
        return False, None
    end_secrets(client_id, now)
    if wanted.secret is None:
        return True, secrets.make(client_id, metadata, now)
    secrets.keep(client_id, metadata, wanted.secret, now)
    return True, None


def _is_there(wanted: Wanted, found: tuple[Alive, ...]) -> bool:
    if wanted.secret is None:
        # A file that is not there names none to be used. Who applies from another checkout would
        # otherwise end the secret that the client runs with.
        return is_enough(found, wanted.metadata)
    # One that was replaced and goes on for a while has its end already.
    staying = tuple(one for one in found if not one.ends)
    hashes = {one.secret_hash for one in staying}
    return is_enough(staying, wanted.metadata) and hashes == {digest(wanted.secret)}


def _write_secret(wanted: Wanted, made: Change) -> None:
    """Put a generated secret where the file says, for its owner's eyes only."""
    if wanted.write_to is None or made.secret is None:
        return
    private_folder(wanted.write_to.parent)
    handle = os.open(wanted.write_to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(made.secret + "\n")
