"""A person's passkeys as rows, and as the descriptors that a browser is given."""

import unicodedata
from base64 import urlsafe_b64decode
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from webauthn import base64url_to_bytes
from webauthn.helpers.structs import AuthenticatorTransport, PublicKeyCredentialDescriptor

from idp.models import Credential, db
from idp.secrecy import Box

KIND = "passkey"

_DECOY_SIZES = (16, 20, 32, 32)
"""Bytes, as the common providers' credential ids have them."""


def passkeys_of(user_id: str) -> Sequence[Credential]:
    """A person's passkeys, oldest first."""
    return db.session.scalars(
        select(Credential)
        .where(Credential.user_id == user_id, Credential.kind == KIND)
        .order_by(Credential.created_at, Credential.id)
    ).all()


def find_passkey(credential_id: str) -> Credential | None:
    """Whoever's it is, as the database has it now; ``credential_id`` is base64url."""
    return db.session.scalar(
        select(Credential)
        .where(Credential.kind == KIND, Credential.lookup == credential_id)
        .execution_options(populate_existing=True)
    )


def descriptor(passkey: Credential) -> PublicKeyCredentialDescriptor:
    """How a browser finds it: the id, and the ways to reach it that its client once named."""
    return PublicKeyCredentialDescriptor(
        id=base64url_to_bytes(passkey.lookup or ""),
        transports=_transports(passkey.data.get("transports", ())),
    )


def decoys(box: Box, login_name: str) -> list[PublicKeyCredentialDescriptor]:
    """Descriptors for somebody who has no passkey, or does not exist: always the same ones.

    Without them the list itself would tell who is known here (WebAuthn L3 §14.6.2). They can
    be told from real ones only with the deployment's key. However a name is written, they are
    the same: real ones would be.
    """
    login_name = unicodedata.normalize("NFKC", login_name).strip().lower()
    seed = _digest(box, login_name, 0)
    how_many = 2 if seed[0] % 4 == 0 else 1
    size = _DECOY_SIZES[seed[1] % len(_DECOY_SIZES)]
    return [
        PublicKeyCredentialDescriptor(
            id=_digest(box, login_name, number)[:size],
            transports=_transports(("hybrid", "internal")),
        )
        for number in range(1, how_many + 1)
    ]


def _digest(box: Box, login_name: str, number: int) -> bytes:
    digest = box.keyed_digest("passkey decoy", f"{number}\0{login_name}")
    return urlsafe_b64decode(f"{digest}=")


def _transports(names: Any) -> list[AuthenticatorTransport]:
    return [AuthenticatorTransport(name) for name in names]
