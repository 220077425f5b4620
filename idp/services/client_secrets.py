"""Clients' secrets: made, kept by a hash, and sealed beside it where they must be read back.

A secret that is only ever presented is kept as a hash. Some clients have it sign or encrypt
instead (``client_secret_jwt``; ID tokens, userinfo or request objects by HS256): both sides need
the secret itself then, and for these clients alone it is kept encrypted with the deployment's
keys as well. When a registration stops needing that, the readable copies go.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, insert, select, update

from idp.models import ClientSecret, db, new_id
from idp.protocol.client_metadata import ClientMetadata
from idp.protocol.metadata_rules import ENCRYPTED, SECRET_METHODS, SIGNED
from idp.protocol.vocabulary import SYMMETRIC_ALGS, SYMMETRIC_ENCRYPTION_ALGS
from idp.secrecy import Box, Unreadable, digest, new_secret

PREFIX: Final = 6
"""Characters of a secret that are kept, so that people can tell one from another."""

SECRET_BYTES: Final[Mapping[str, int]] = {"HS256": 32, "HS384": 48, "HS512": 64}
"""RFC 7518 section 3.2: a key as long as the hash, at least."""

_LONGEST: Final = max(SECRET_BYTES.values())


def has_secret(metadata: ClientMetadata) -> bool:
    """Does the client authenticate with a secret, in one way or another?"""
    return metadata.token_endpoint_auth_method in SECRET_METHODS


def is_readable(metadata: ClientMetadata) -> bool:
    """Must the client's secret be read back, because it signs or encrypts?"""
    if not has_secret(metadata):
        return False
    algorithms = {metadata.token_endpoint_auth_signing_alg}
    algorithms |= {getattr(metadata, name) for name in SIGNED}
    algorithms |= {getattr(metadata, f"{prefix}_alg") for prefix in ENCRYPTED}
    by_assertion = metadata.token_endpoint_auth_method == "client_secret_jwt"  # noqa: S105
    return by_assertion or not algorithms.isdisjoint((*SYMMETRIC_ALGS, *SYMMETRIC_ENCRYPTION_ALGS))


def least_length(metadata: ClientMetadata) -> int:
    """How many characters the secret needs for the algorithms that were registered."""
    names = ("token_endpoint_auth_signing_alg", *SIGNED)
    wanted = [SECRET_BYTES.get(getattr(metadata, name) or "", 0) for name in names]
    return max(SECRET_BYTES["HS256"], *wanted)


def made_for(metadata: ClientMetadata) -> str:
    """A new secret: 256 random bits, or as many as the longest hash wants of a key."""
    # 4 characters for 3 bytes: as many characters as bytes are wanted, and they are the key.
    return secrets.token_urlsafe(_LONGEST * 3 // 4) if is_readable(metadata) else new_secret()


@dataclass(frozen=True, slots=True)
class Alive:
    """A secret that counts: its hash, whether it can be read, and whether it has an end."""

    secret_hash: str
    readable: bool
    ends: bool


class ClientSecrets:
    """Writes secrets. Everything here is part of the caller's transaction."""

    def __init__(self, box: Box) -> None:
        self._box = box

    def make(
        self,
        client_id: str,
        metadata: ClientMetadata,
        now: datetime,
        *,
        expires_at: datetime | None = None,
    ) -> str:
        """A new secret for the client, told this once."""
        secret = made_for(metadata)
        self.keep(client_id, metadata, secret, now, expires_at=expires_at)
        return secret

    def keep(
        self,
        client_id: str,
        metadata: ClientMetadata,
        secret: str,
        now: datetime,
        *,
        expires_at: datetime | None = None,
    ) -> None:
        """Let ``secret`` count."""
        db.session.execute(
            insert(ClientSecret).values(
                id=new_id(),
                client_id=client_id,
                secret_hash=digest(secret),
                prefix=secret[:PREFIX],
                sealed=self._box.seal(secret) if is_readable(metadata) else None,
                created_at=now,
                expires_at=expires_at,
            )
        )

    def fit(self, client_id: str, metadata: ClientMetadata, now: datetime) -> str | None:
        """Let the secrets be what a changed registration needs; returns one that had to be made.

        A client that authenticates in another way has none any more. One that needs a readable
        secret and was kept by hash alone gets a new one, and the others end: nobody could read
        them.
        """
        if not has_secret(metadata):
            forget_all(client_id)
            return None
        if not is_readable(metadata):
            forget_readable(client_id)
        if is_enough(alive(client_id, now), metadata):
            return None
        end_secrets(client_id, now)
        return self.make(client_id, metadata, now)


def alive(client_id: str, now: datetime) -> tuple[Alive, ...]:
    """The secrets of a client that count."""
    still = ClientSecret.expires_at.is_(None) | (ClientSecret.expires_at > now)
    found = db.session.execute(
        select(
            ClientSecret.secret_hash,
            ClientSecret.sealed.is_not(None),
            ClientSecret.expires_at.is_not(None),
        ).where(ClientSecret.client_id == client_id, still)
    )
    return tuple(Alive(*row) for row in found)


def is_enough(found: tuple[Alive, ...], metadata: ClientMetadata) -> bool:
    """Is one of them there, and readable where it must be?"""
    return any(one.readable or not is_readable(metadata) for one in found)


def forget_all(client_id: str) -> bool:
    """Remove every secret of the client; were there any?"""
    gone = delete(ClientSecret).where(ClientSecret.client_id == client_id)
    return bool(db.session.scalars(gone.returning(ClientSecret.id)).all())


def forget_readable(client_id: str) -> None:
    """Keep nothing of the client's secrets but their hashes."""
    db.session.execute(
        update(ClientSecret).where(ClientSecret.client_id == client_id).values(sealed=None)
    )


def unreadable(box: Box, now: datetime) -> tuple[str, ...]:
    """Clients that have a secret which counts, must be read back, and cannot be any more."""
    still = ClientSecret.expires_at.is_(None) | (ClientSecret.expires_at > now)
    found = db.session.execute(
        select(ClientSecret.client_id, ClientSecret.sealed)
        .where(ClientSecret.sealed.is_not(None), still)
        .order_by(ClientSecret.client_id)
    )
    return tuple(dict.fromkeys(row.client_id for row in found if not _opens(box, row.sealed)))


def _opens(box: Box, sealed: str) -> bool:
    try:
        box.open(sealed)
    except Unreadable:
        return False
    return True


def end_secrets(client_id: str, at: datetime) -> None:
    """Let every secret that would outlive ``at`` end then."""
    db.session.execute(
        update(ClientSecret)
        .where(
            ClientSecret.client_id == client_id,
            ClientSecret.expires_at.is_(None) | (ClientSecret.expires_at > at),
        )
        .values(expires_at=at)
    )
