"""Rows that grants hang on: a person, a session, a client, and what was asked and proved."""

from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from idp.assurance import Rung, Satisfied
from idp.audit import Context
from idp.config import Settings
from idp.factors import FACTORS
from idp.models import BrowserSession, Client, Consent, User, db
from idp.oidc.capabilities import capabilities_of
from idp.protocol.authorization import AuthorizationRequest
from idp.protocol.client_metadata import ClientMetadata
from idp.protocol.pkce import s256
from idp.protocol.registration import parse_client_metadata
from idp.secrecy import Box
from idp.services.client_registry import ClientRegistry, Registration
from idp.services.client_rules import ClientRules
from idp.services.client_secrets import ClientSecrets
from idp.services.clients import RegisteredClient
from idp.services.grants import Granted

CALLBACK = "https://shop.example.com/callback"
VERIFIER = "a-verifier-that-is-long-enough-to-be-one-0123456789"
REVISION = 1
"""Of every client here, so that what is kept of one and what a service sees are the same."""


def add_person(now: datetime, user_id: str = "ann", **columns: Any) -> User:
    """A person with a session of the same id."""
    user = User(
        id=user_id,
        email=f"{user_id}@example.com",
        email_verified=True,
        webauthn_handle=user_id,
        created_at=now,
        updated_at=now,
        **columns,
    )
    db.session.add(user)
    db.session.flush()
    db.session.add(
        BrowserSession(
            id=user_id, user_id=user_id, created_at=now, last_seen_at=now, expires_at=now
        )
    )
    db.session.commit()
    return user


def add_client(
    settings: Settings, context: Context, client_id: str = "shop", **members: Any
) -> Registration:
    """A client that may do the usual, changed by ``members``."""
    usual = {
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code", "refresh_token"],
    }
    made = registry_of(settings).register({**usual, **members}, context, client_id=client_id)
    db.session.execute(update(Client).where(Client.id == client_id).values(revision=REVISION))
    db.session.commit()
    return made


def registry_of(settings: Settings) -> ClientRegistry:
    """What registers clients, and removes them."""
    rules = ClientRules(settings, capabilities_of(settings), ways=FACTORS)
    return ClientRegistry(rules, ClientSecrets(Box(settings.keys)))


def as_registered(client_id: str, **members: Any) -> RegisteredClient:
    """A client as a service sees it, without a database."""
    metadata: ClientMetadata = parse_client_metadata(
        {
            "redirect_uris": [CALLBACK],
            "grant_types": ["authorization_code", "refresh_token"],
            **members,
        }
    )
    return RegisteredClient(client_id, metadata, (), disabled=False, revision=REVISION)


def request_of(client_id: str = "shop", **fields: Any) -> AuthorizationRequest:
    """An authorization request, changed by ``fields``."""
    usual: dict[str, Any] = {
        "client_id": client_id,
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "response_mode": "query",
        "scopes": ("openid",),
        "nonce": "n-1",
        "code_challenge": s256(VERIFIER),
    }
    return AuthorizationRequest(**{**usual, **fields})


def granted_to(
    client_id: str,
    now: datetime,
    *,
    user_id: str = "ann",
    scope: tuple[str, ...] = ("openid",),
    acr: str = "urn:idp:acr:mfa",
    amr: tuple[str, ...] = ("pwd", "otp", "mfa"),
) -> Granted:
    """What the person allowed, on the strength of a password and a code proved ``now``."""
    satisfied = Satisfied(acr=acr, rung=Rung.MFA, amr=amr, auth_time=now, evidence=())
    return Granted(
        user_id=user_id, session_id=user_id, client_id=client_id, scope=scope, satisfied=satisfied
    )


def agree(client_id: str, now: datetime, *, user_id: str = "ann") -> None:
    """The person has allowed the client what it asks for, if she had not yet."""
    hers = (Consent.user_id == user_id, Consent.client_id == client_id)
    if db.session.scalar(select(Consent.id).where(*hers)) is None:
        row = Consent(user_id=user_id, client_id=client_id, scope="openid offline_access")
        row.granted_at = row.last_used_at = now
        db.session.add(row)
    db.session.commit()
