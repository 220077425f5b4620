"""Registering relying parties and keeping their registrations: every change is a revision."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select, update

from idp import audit
from idp.audit import Context
from idp.clock import epoch
from idp.models import Client, ClientSecret, db, new_id
from idp.protocol.client_metadata import ClientMetadata
from idp.services import belongings, client_words
from idp.services.client_listing import ClientRefused, no_client, shown
from idp.services.client_rules import ClientRules
from idp.services.client_secrets import ClientSecrets, end_secrets, has_secret
from idp.services.clients import is_client_id
from idp.services.versions import Stale


@dataclass(frozen=True, slots=True)
class Registration:
    """A client just registered; ``secret`` is told this once, and None for a public client."""

    client_id: str
    metadata: ClientMetadata
    secret: str | None
    issued_at: datetime

    def to_json(self) -> dict[str, object]:
        """The answer to a registration (RFC 7591 section 3.2.1)."""
        answer: dict[str, object] = {
            "client_id": self.client_id,
            "client_id_issued_at": epoch(self.issued_at),
        }
        if self.secret is not None:
            # RFC 7591 section 3.2.1: required beside a secret; 0 means that it does not expire.
            answer |= {"client_secret": self.secret, "client_secret_expires_at": 0}
        return answer | self.metadata.to_json()


class ClientRegistry:
    """Adds, changes and removes clients. Every operation commits once, at its end."""

    def __init__(self, rules: ClientRules, secrets: ClientSecrets) -> None:
        self._rules = rules
        self._secrets = secrets

    def register(
        self,
        members: Mapping[str, object],
        context: Context,
        *,
        client_id: str | None = None,
        managed_by: str = "command",
    ) -> Registration:
        """Add a client, with a secret where it authenticates by one.

        Raises ``InvalidClientMetadata``, ``ClientRefused`` (the id is taken or malformed).
        """
        metadata = self._rules.parse(members)
        client_id = client_id or new_id()
        insert_client(metadata, context, client_id=client_id, managed_by=managed_by)
        secret = None
        if has_secret(metadata):
            secret = self._secrets.make(client_id, metadata, context.at)
        db.session.commit()
        return Registration(client_id, metadata, secret, context.at)

    def update(
        self,
        client_id: str,
        members: Mapping[str, object],
        context: Context,
        *,
        expected: int | None = None,
    ) -> str | None:
        """Replace the registration; returns a secret, told this once, if it needs a new one.

        ``expected`` is the revision that was looked at; None: whatever it is by now. Raises
        ``InvalidClientMetadata``, ``ClientRefused``, ``Stale``.
        """
        metadata = self._rules.parse(members)
        before = shown(client_id).metadata.to_json()
        change(client_id, context, expected=expected, **columns(client_id, metadata))
        secret = self._secrets.fit(client_id, metadata, context.at)
        told = differences(before, metadata.to_json())
        audit.record("client.changed", context, client_id=client_id, **told)
        db.session.commit()
        return secret

    def add_secret(
        self, client_id: str, context: Context, *, expires_at: datetime | None = None
    ) -> str:
        """A further secret, told this once. Raises ``ClientRefused``."""
        metadata = _with_secret(client_id)
        secret = self._secrets.make(client_id, metadata, context.at, expires_at=expires_at)
        change(client_id, context)
        audit.record("client.secret_added", context, client_id=client_id)
        db.session.commit()
        return secret

    def rotate_secret(
        self, client_id: str, context: Context, *, overlap: timedelta = timedelta(0)
    ) -> str:
        """A new secret, told this once; the others end after ``overlap``, so at once by default.

        Raises ``ClientRefused``.
        """
        metadata = _with_secret(client_id)
        end_secrets(client_id, context.at + overlap)
        secret = self._secrets.make(client_id, metadata, context.at)
        change(client_id, context)
        audit.record("client.secret_rotated", context, client_id=client_id)
        db.session.commit()
        return secret

    def remove_secret(self, client_id: str, secret_id: str, context: Context) -> None:
        """Forget one secret. Raises ``ClientRefused`` when there is none such."""
        removed = db.session.scalar(
            delete(ClientSecret)
            .where(ClientSecret.id == secret_id, ClientSecret.client_id == client_id)
            .returning(ClientSecret.id)
        )
        if removed is None:
            raise ClientRefused(f"{client_id} has no such secret.")
        change(client_id, context)
        audit.record("client.secret_removed", context, client_id=client_id)
        db.session.commit()

    def disable(self, client_id: str, context: Context) -> None:
        """Stop the client, and all it holds, at once on every node. Raises ``ClientRefused``."""
        change(client_id, context, disabled_at=context.at)
        audit.record("client.disabled", context, client_id=client_id)
        db.session.commit()

    def enable(self, client_id: str, context: Context) -> None:
        """Let a disabled client go on. Raises ``ClientRefused``."""
        change(client_id, context, disabled_at=None)
        audit.record("client.enabled", context, client_id=client_id)
        db.session.commit()

    def delete(self, client_id: str, context: Context) -> None:
        """Remove the client with every grant, token and consent. Raises ``ClientRefused``."""
        removed = db.session.scalar(
            delete(Client).where(Client.id == client_id).returning(Client.id)
        )
        if removed is None:
            raise no_client(client_id)
        belongings.of_client(client_id)
        audit.record("client.deleted", context, client_id=client_id)
        db.session.commit()


def _with_secret(client_id: str) -> ClientMetadata:
    metadata = shown(client_id).metadata
    if not has_secret(metadata):
        raise ClientRefused(f"{client_id} does not authenticate with a secret.")
    return metadata


def insert_client(
    metadata: ClientMetadata, context: Context, *, client_id: str, managed_by: str, **values: Any
) -> None:
    """Add the row, with further columns' ``values``, in the caller's transaction.

    Raises ``ClientRefused``.
    """
    if not is_client_id(client_id):
        raise ClientRefused("client_id must be 1 to 255 printable ASCII characters.")
    if db.session.get(Client, client_id) is not None:
        raise ClientRefused(f"There is a client {client_id} already.")
    belongings.of_client(client_id)
    db.session.execute(
        insert(Client).values(
            id=client_id,
            **columns(client_id, metadata),
            managed_by=managed_by,
            # Random, so that a client that was deleted and made anew under the same id is
            # never taken for the one that some process remembers.
            revision=secrets.randbits(30),
            created_at=context.at,
            updated_at=context.at,
            **values,
        )
    )
    client_words.keep(client_id, metadata.client_name or client_id, metadata.redirect_uris)
    audit.record("client.registered", context, client_id=client_id, managed_by=managed_by)


def differences(before: Mapping[str, object], after: Mapping[str, object]) -> dict[str, Any]:
    """Which members differ, and what they were and are: for the audit log."""
    names = sorted(name for name in {**before, **after} if before.get(name) != after.get(name))
    return {
        "members": names,
        "before": {name: before.get(name) for name in names},
        "after": {name: after.get(name) for name in names},
    }


def columns(client_id: str, metadata: ClientMetadata) -> dict[str, Any]:
    """What a registration sets in its row; a client without a name goes by its id."""
    return {"registration": metadata.to_json(), "name": metadata.client_name or client_id}


def change(client_id: str, context: Context, *, expected: int | None = None, **values: Any) -> None:
    """Set columns and count a revision, in the caller's transaction.

    With its ``name`` comes its ``registration``, and what it is found by is changed with them.
    Raises ``ClientRefused``, and ``Stale`` when it is no longer at the revision ``expected``.
    """
    wanted = [Client.id == client_id]
    if expected is not None:
        wanted.append(Client.revision == expected)
    changed = db.session.scalar(
        update(Client)
        .where(*wanted)
        .values(revision=Client.revision + 1, updated_at=context.at, **values)
        .returning(Client.id)
        .execution_options(synchronize_session=False)
    )
    if changed is None:
        db.session.rollback()
        raise Stale if _is_there(client_id) else no_client(client_id)
    if "name" in values:
        uris = values["registration"].get("redirect_uris", ())
        client_words.keep(client_id, values["name"], uris)


def _is_there(client_id: str) -> bool:
    return db.session.scalar(select(Client.id).where(Client.id == client_id)) is not None
