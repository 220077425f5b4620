"""Making what is registered be what the files say: created, changed, or left alone."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import delete, select

from idp import audit
from idp.audit import Context
from idp.models import Client, ClientSecret, db
from idp.secrecy import digest, new_secret, private_folder
from idp.services.client_files import ClientFile, Wanted, read_all
from idp.services.client_registry import (
    change,
    columns,
    end_secrets,
    has_secret,
    insert_client,
    insert_secret,
)
from idp.services.client_rules import ClientRules

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
    """What applying one file does, or would do. ``secret`` is one that was just generated."""

    client_id: str
    action: Action
    differences: tuple[Difference, ...] = ()
    secret: str | None = None


def apply_client_files(
    files: Sequence[ClientFile],
    rules: ClientRules,
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
    changes = tuple(_apply(one, context) for one in wanted)
    if dry_run:
        db.session.rollback()
        return changes
    for one, made in zip(wanted, changes, strict=True):
        _write_secret(one, made)
    db.session.commit()
    return changes


def _apply(wanted: Wanted, context: Context) -> Change:
    row = db.session.get(Client, wanted.client_id, populate_existing=True)
    if row is None:
        insert_client(wanted.metadata, context, client_id=wanted.client_id, managed_by=MANAGED_BY)
        _, generated = _set_secret(wanted, context.at)
        return Change(wanted.client_id, "created", secret=generated)
    differences = _differences(row, wanted)
    secret_changed, generated = _set_secret(wanted, context.at)
    if secret_changed:
        differences += (Difference("client_secret", None, "another one"),)
    if not differences:
        return Change(wanted.client_id, "unchanged")
    change(
        wanted.client_id,
        context,
        managed_by=MANAGED_BY,
        **columns(wanted.client_id, wanted.metadata),
    )
    names = [difference.member for difference in differences]
    audit.record("client.changed", context, client_id=wanted.client_id, members=names)
    return Change(wanted.client_id, "changed", differences, generated)


def _differences(row: Client, wanted: Wanted) -> tuple[Difference, ...]:
    registered = {**row.registration, "managed_by": row.managed_by}
    asked = {**wanted.metadata.to_json(), "managed_by": MANAGED_BY}
    return tuple(
        Difference(name, registered.get(name), asked.get(name))
        for name in sorted(registered.keys() | asked.keys())
        if registered.get(name) != asked.get(name)
    )


def _set_secret(wanted: Wanted, now: datetime) -> tuple[bool, str | None]:
    """Let the client's secrets be the file's; returns whether that changed any, and a new one."""
    if not has_secret(wanted.metadata):
        gone = db.session.scalars(
            delete(ClientSecret)
            .where(ClientSecret.client_id == wanted.client_id)
            .returning(ClientSecret.id)
        ).all()
        return bool(gone), None
    alive = _alive(wanted.client_id, now)
    if wanted.secret is None and wanted.write_to is None and alive:
        return False, None
    if wanted.secret is not None and alive == {digest(wanted.secret)}:
        return False, None
    generated = new_secret() if wanted.secret is None else None
    end_secrets(wanted.client_id, now)
    insert_secret(wanted.client_id, wanted.secret or generated or "", now)
    return True, generated


def _alive(client_id: str, now: datetime) -> set[str]:
    still = ClientSecret.expires_at.is_(None) | (ClientSecret.expires_at > now)
    found = select(ClientSecret.secret_hash).where(ClientSecret.client_id == client_id, still)
    return set(db.session.scalars(found))


def _write_secret(wanted: Wanted, made: Change) -> None:
    """Put a generated secret where the file says, for its owner's eyes only."""
    if wanted.write_to is None or made.secret is None:
        return
    private_folder(wanted.write_to.parent)
    handle = os.open(wanted.write_to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(made.secret + "\n")
