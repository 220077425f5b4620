"""Applications that register themselves (RFC 7591), and keep what they registered (RFC 7592)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, func, select

from idp import audit
from idp.audit import Context
from idp.config import Settings
from idp.models import Client, db, reading, release
from idp.protocol.client_metadata import ClientMetadata
from idp.protocol.errors import OAuthError
from idp.protocol.registration import InvalidClientMetadata, parse_client_metadata
from idp.secrecy import digest, new_secret
from idp.services import belongings, counters, registration_tokens
from idp.services.client_registry import change, columns, insert_client
from idp.services.client_rules import ClientRules
from idp.services.client_secrets import ClientSecrets, alive, has_secret
from idp.services.clients import SELF_REGISTERED, is_client_id
from idp.services.counters import Bucket
from idp.services.fetch import Fetcher
from idp.services.not_now import NotNow
from idp.services.sectors import Sectors
from idp.services.self_registered import Latitude, SelfRegisteredRules
from idp.services.throttle import Throttle, Wait

BATCH: Final = 100

_ALL: Final = Bucket("register.all", limit=0, window=timedelta(hours=1))
"""Counted so that registrations wait for each other: then none of them exceeds the limit."""

_STILL: Final = (Client.managed_by == SELF_REGISTERED, Client.disabled_at.is_(None))
"""That nobody shut it out, or took it over, since."""


@dataclass(frozen=True, slots=True)
class SelfRegistered:
    """An application's registration, as it is told to the application itself.

    ``token`` keeps the registration; ``secret`` is there only when it was just made.
    """

    client_id: str
    metadata: ClientMetadata
    issued_at: datetime
    token: str
    secret: str | None = None


class ClientRegistration:
    """Registers, tells, changes and removes. Every operation commits once, at its end."""

    def __init__(
        self,
        settings: Settings,
        rules: ClientRules,
        secrets: ClientSecrets,
        throttle: Throttle,
        fetcher: Fetcher,
    ) -> None:
        self._settings = settings
        self._rules = SelfRegisteredRules(settings, rules)
        self._secrets = secrets
        self._throttle = throttle
        self._sectors = Sectors(fetcher)

    def register(self, sent: object, context: Context, *, token: str | None) -> SelfRegistered:
        """Add what was ``sent`` (decoded JSON), with the initial access token if there is one.

        Raises ``OAuthError``: ``invalid_token``, ``invalid_client_metadata``,
        ``invalid_redirect_uri``, ``NotNow``, and ``temporarily_unavailable`` when there are as
        many as there may be.
        """
        try:
            latitude = self._admit(token, context)
            metadata = self._rules.parse(sent, latitude)
            self._sectors.check(metadata)
            return self._insert(metadata, token if latitude is Latitude.VOUCHED else None, context)
        except OAuthError as error:
            _refused(error, context)
            raise

    def _admit(self, token: str | None, context: Context) -> Latitude:
        """How much may be asked for: all with a token of ours, else what is open to anybody."""
        vouched = token is not None and registration_tokens.is_good(token, context.at)
        release()
        if vouched:
            return Latitude.VOUCHED
        reserved = self._throttle.reserve_registration(context)
        db.session.commit()
        if isinstance(reserved, Wait):
            raise NotNow(
                reserved, "Too many registrations came from this network. Try again later."
            )
        if token is not None or self._settings.client_registration != "open":
            raise invalid_token(token)
        return Latitude.OPEN

    def _insert(
        self, metadata: ClientMetadata, token: str | None, context: Context
    ) -> SelfRegistered:
        used = registration_tokens.claim(token, context.at) if token is not None else None
        if token is not None and used is None:
            raise invalid_token(token)  # somebody else was quicker with its last use
        self._insist_on_room(context.at)
        client_id, kept_by = token_hex(16), new_secret()
        insert_client(
            metadata,
            _itself(client_id, context),
            client_id=client_id,
            managed_by=SELF_REGISTERED,
            registration_token_hash=digest(kept_by),
        )
        secret = None
        if has_secret(metadata):
            secret = self._secrets.make(client_id, metadata, context.at)
        if used is not None:
            audit.record("client.registration_token.used", context, client_id=client_id, made=used)
        db.session.commit()
        return SelfRegistered(client_id, metadata, context.at, kept_by, secret)

    def _insist_on_room(self, now: datetime) -> None:
        counters.count([_ALL], now)
        there = db.session.scalar(
            select(func.count()).select_from(Client).where(Client.managed_by == SELF_REGISTERED)
        )
        if (there or 0) >= self._settings.client_registration_limit:
            db.session.rollback()
            raise OAuthError(
                "temporarily_unavailable",
                "As many applications are registered as there may be.",
                redirectable=False,
                status=503,
            )

    def read(self, client_id: str, token: str | None, context: Context) -> SelfRegistered:
        """What is registered. Raises ``OAuthError`` ``invalid_token``."""
        row = _own(client_id, token, context)
        metadata = parse_client_metadata(row.registration)
        return SelfRegistered(row.id, metadata, row.created_at, token or "")

    def update(
        self, client_id: str, token: str | None, sent: object, context: Context
    ) -> SelfRegistered:
        """Replace the registration by what was ``sent`` (RFC 7592 section 2.2).

        What an administrator set stays. Raises ``OAuthError``: ``invalid_token``,
        ``invalid_client_metadata``, ``invalid_redirect_uri``, ``NotNow``.
        """
        _own(client_id, token, context)
        self._count_change(client_id, context)
        row = _own(client_id, token, context)
        try:
            _check_identity(row, sent, context.at)
            release()
            self._sectors.check(self._parse(sent, row))
            row = _own(client_id, token, context, lock=True)
            metadata = self._parse(sent, row)
        except InvalidClientMetadata as error:
            _refused(error, context, client_id)
            raise
        differing = _differing(row.registration, metadata.to_json())
        acting = _itself(client_id, context)
        change(client_id, acting, **columns(client_id, metadata))
        secret = self._secrets.fit(client_id, metadata, context.at)
        audit.record("client.changed", acting, client_id=client_id, members=differing, by="itself")
        db.session.commit()
        return SelfRegistered(client_id, metadata, row.created_at, token or "", secret)

    def _count_change(self, client_id: str, context: Context) -> None:
        """Only whoever holds the token gets here, so nobody uses up another's tries."""
        release()
        reserved = self._throttle.reserve_change(client_id, context)
        db.session.commit()
        if isinstance(reserved, Wait):
            error = NotNow(reserved, "The registration was changed too often. Try again later.")
            _refused(error, context, client_id)
            raise error

    def _parse(self, sent: object, row: Client) -> ClientMetadata:
        return self._rules.parse(sent, Latitude.OPEN, registered=row.registration)

    def delete(self, client_id: str, token: str | None, context: Context) -> None:
        """Remove the application with every grant, token and consent (RFC 7592 section 2.3).

        Raises ``OAuthError`` ``invalid_token``.
        """
        _own(client_id, token, context, lock=True)
        _delete(client_id, _itself(client_id, context), reason="by_itself")
        db.session.commit()

    def forget_unused(self, now: datetime) -> int:
        """Remove those that nobody used in time; returns how many. For the clean-up.

        Commits after each, and wants a database session of its own.
        """
        due = (
            Client.managed_by == SELF_REGISTERED,
            Client.first_used_at.is_(None),
            Client.disabled_at.is_(None),  # who was shut out is not let in again under a new id
            Client.created_at <= now - self._settings.client_registration_unused,
        )
        with reading():
            ids = db.session.scalars(select(Client.id).where(*due).limit(BATCH)).all()
        gone = 0
        for client_id in ids:
            gone += _delete(client_id, Context(at=now), *due, reason="never_used")
            db.session.commit()
        return gone


def invalid_token(token: str | None) -> OAuthError:
    """RFC 6750 section 3.1. The same for whatever is wrong: no id can be tried out by it."""
    unknown = "The token is unknown, expired or used up."
    told = unknown if token is not None else "A token is needed, as Authorization: Bearer."
    return OAuthError("invalid_token", told, redirectable=False, status=401)


def _own(client_id: str, token: str | None, context: Context, *, lock: bool = False) -> Client:
    """The client that ``token`` keeps, if it is this one and may still be kept by it.

    RFC 7592 section 2: one statement finds it or does not, whatever there is under that id.
    """
    wanted = (
        select(Client)
        .where(Client.id == client_id, Client.registration_token_hash == digest(token or ""))
        .where(*_STILL)
        .execution_options(populate_existing=True)
    )
    row = db.session.scalar(wanted.with_for_update() if lock else wanted)
    if row is None or token is None:
        error = invalid_token(token)
        _refused(error, context, client_id if is_client_id(client_id) else None)
        raise error
    return row


def _itself(client_id: str, context: Context) -> Context:
    """The same, in which the application is who acts: as the log names it elsewhere."""
    return replace(context, actor_id=f"client:{client_id}")


def _check_identity(row: Client, sent: object, now: datetime) -> None:
    """RFC 7592 section 2.2: ``client_id`` is there, and a secret that is sent is the issued one."""
    members: Mapping[str, Any] = sent if isinstance(sent, Mapping) else {}
    if members.get("client_id") != row.id:
        raise InvalidClientMetadata((("client_id", "must be there, and be the client's own"),))
    secret = members.get("client_secret")
    if secret is not None and digest(str(secret)) not in _issued(row.id, now):
        raise InvalidClientMetadata(
            (("client_secret", "is not the one that was issued: leave it out"),)
        )


def _issued(client_id: str, now: datetime) -> set[str]:
    return {one.secret_hash for one in alive(client_id, now)}


def _differing(registered: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    names = sorted(registered.keys() | wanted.keys())
    return [name for name in names if registered.get(name) != wanted.get(name)]


def _delete(client_id: str, context: Context, *only_if: ColumnElement[bool], reason: str) -> bool:
    removed = db.session.scalar(
        delete(Client).where(Client.id == client_id, *only_if).returning(Client.id)
    )
    if removed is not None:
        belongings.of_client(client_id)
        audit.record("client.deleted", context, client_id=client_id, reason=reason)
    return removed is not None


def _refused(error: OAuthError, context: Context, client_id: str | None = None) -> None:
    """Commit that it was refused, and why."""
    members = [name for name, _ in getattr(error, "problems", ())]
    name = "throttled" if isinstance(error, NotNow) else "refused"
    audit.record(
        f"client.registration.{name}",
        context,
        client_id=client_id,
        error=error.error,
        members=members[:20],
    )
    db.session.commit()
