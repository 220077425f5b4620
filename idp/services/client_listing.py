"""Relying parties as people see them: listed and shown, with nothing secret in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from idp.models import Client, ClientSecret, db
from idp.protocol.client_metadata import ClientMetadata
from idp.protocol.registration import parse_client_metadata


class ClientRefused(Exception):
    """The operation on a client is refused; the text says why and what to do."""


def no_client(client_id: str) -> ClientRefused:
    """The refusal for an id that names nobody."""
    return ClientRefused(f"There is no client {client_id}.")


@dataclass(frozen=True, slots=True)
class SecretInfo:
    """A secret as it is listed."""

    id: str
    prefix: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """A client as it is listed and shown; nothing in it is secret."""

    id: str
    name: str
    metadata: ClientMetadata
    managed_by: str
    secrets: tuple[SecretInfo, ...]
    created_at: datetime
    updated_at: datetime
    disabled_at: datetime | None
    first_used_at: datetime | None = None
    revision: int = 0


def listed() -> tuple[ClientInfo, ...]:
    """Every client, by name."""
    rows = db.session.scalars(
        select(Client).options(selectinload(Client.secrets)).order_by(Client.name, Client.id)
    )
    return tuple(_info(row) for row in rows)


def shown(client_id: str) -> ClientInfo:
    """One client. Raises ``ClientRefused`` when there is none such."""
    row = db.session.get(
        Client, client_id, options=[selectinload(Client.secrets)], populate_existing=True
    )
    if row is None:
        raise no_client(client_id)
    return _info(row)


def _info(row: Client) -> ClientInfo:
    return ClientInfo(
        id=row.id,
        name=row.name,
        metadata=parse_client_metadata(row.registration),
        managed_by=row.managed_by,
        secrets=_secret_infos(row.secrets),
        created_at=row.created_at,
        updated_at=row.updated_at,
        disabled_at=row.disabled_at,
        first_used_at=row.first_used_at,
        revision=row.revision,
    )


def _secret_infos(rows: Sequence[ClientSecret]) -> tuple[SecretInfo, ...]:
    return tuple(
        SecretInfo(row.id, row.prefix, row.created_at, row.expires_at, row.last_used_at)
        for row in rows
    )
