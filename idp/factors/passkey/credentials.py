"""A person's passkeys as rows, and as the descriptors that a browser is given."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from webauthn import base64url_to_bytes
from webauthn.helpers.structs import AuthenticatorTransport, PublicKeyCredentialDescriptor

from idp.models import Credential, db

KIND = "passkey"


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


def _transports(names: Any) -> list[AuthenticatorTransport]:
    return [AuthenticatorTransport(name) for name in names]
