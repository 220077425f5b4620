"""Relying parties as requests see them: found by id in one cheap statement, and let in or not."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Any, Final, cast

from sqlalchemy import Table, bindparam, select
from sqlalchemy.exc import DBAPIError

from idp.models import Client, ClientSecret, db
from idp.models.plain import Plain, PlainRow
from idp.models.standby import takes_no_writes
from idp.protocol.client_metadata import ClientMetadata
from idp.protocol.registration import parse_client_metadata
from idp.secrecy import digest

MAX_CLIENT_ID: Final = 255
MAX_CACHED: Final = 10_000
"""Some 3 KiB each. With more in use than are kept, each request would read and parse one again."""

SELF_REGISTERED: Final = "registration"
"""``managed_by`` of an application that registered itself, and that nobody took over since."""

USE_NOTED_EVERY: Final = timedelta(days=1)
"""How precisely the last use of a secret is known."""

_clients: Final = cast("Table", Client.__table__)
_secrets: Final = cast("Table", ClientSecret.__table__)

REVISION_NOW: Final = (
    select(_clients.c.revision)
    .where(_clients.c.id == bindparam("client"))
    .scalar_subquery()
    .label("revision_now")
)
"""A column: at which revision ``client`` is."""

_REVISION = Plain(select(_clients.c.revision).where(_clients.c.id == bindparam("client_id")))
_CLIENT = Plain(
    select(
        *(_clients.c.id, _clients.c.registration, _clients.c.disabled_at, _clients.c.revision),
        *(_clients.c.managed_by, _clients.c.first_used_at),
    ).where(_clients.c.id == bindparam("client_id"))
)
_SECRETS = Plain(
    select(
        _secrets.c.id,
        _secrets.c.secret_hash,
        _secrets.c.expires_at,
        _secrets.c.last_used_at,
        _secrets.c.sealed,
    )
    .where(_secrets.c.client_id == bindparam("client_id"))
    .order_by(_secrets.c.created_at.desc(), _secrets.c.id)
)
_NOTE_FIRST_USE = Plain(
    _clients.update()
    .where(_clients.c.id == bindparam("client"), _clients.c.first_used_at.is_(None))
    .values(first_used_at=bindparam("now"))
)
_NOTE_USE = Plain(
    _secrets.update()
    .where(_secrets.c.id == bindparam("secret"))
    .values(last_used_at=bindparam("now"))
)


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """A secret as it is kept: by its hash, and encrypted where it must be read back."""

    id: str
    secret_hash: str
    expires_at: datetime | None
    last_used_at: datetime | None
    sealed: str | None = field(default=None, repr=False)

    def is_alive(self, now: datetime) -> bool:
        """Does it still count?"""
        return self.expires_at is None or now < self.expires_at


@dataclass(frozen=True, slots=True)
class RegisteredClient:
    """A relying party at one revision of its registration."""

    id: str
    metadata: ClientMetadata
    secrets: tuple[StoredSecret, ...]
    disabled: bool
    revision: int
    self_registered: bool = False
    """Is all that it says of itself only its own word?"""
    used: bool = True
    """Has anybody made use of it? Only kept for one that registered itself."""
    confirmed: bool = True
    """Was this revision read from the database for the request at hand? See ``Clients.known``."""

    @property
    def name(self) -> str:
        """What people know it by."""
        return self.metadata.client_name or self.id

    def confirm(self, row: PlainRow | None) -> None:
        """See to it that one whose revision was not read is at the one in ``row``.

        ``row`` has ``REVISION_NOW``, and is what the statement found by which something is done
        for the client. Raises ``Unconfirmed``.
        """
        if not self.confirmed and (row is None or row.revision_now != self.revision):
            raise Unconfirmed


class Unconfirmed(Exception):
    """What was known of a client may be out of date: roll back, look, and begin anew."""


class Clients:
    """Finds clients. What was parsed is kept, and used for as long as its revision is current.

    The revision is read each time: whatever is changed or disabled on any node counts at once on
    all of them, for the price of one look-up by primary key; or none, where the statement that
    does something for the client looks it up as well (``known``).
    """

    def __init__(self) -> None:
        self._cache: dict[str, RegisteredClient] = {}
        self._unconfirmed: dict[str, RegisteredClient] = {}

    def known(self, client_id: str) -> RegisteredClient | None:
        """The client as it last was, not ``confirmed``; None when nothing is known of it.

        Nothing may be done or refused for it before ``confirm``.
        """
        return self._unconfirmed.get(client_id)

    def confirmed(self, client: RegisteredClient) -> RegisteredClient:
        """One that was ``known``, for whoever has seen that it is at that revision."""
        cached = self._cache.get(client.id)
        if cached is not None and cached.revision == client.revision:
            return cached
        return replace(client, confirmed=True)

    def get(self, client_id: str) -> RegisteredClient | None:
        """The client of that id, also a disabled one; None when there is none."""
        if not is_client_id(client_id):
            return None
        revision = _REVISION.value({"client_id": client_id})
        if revision is None:
            self._cache.pop(client_id, None)
            self._unconfirmed.pop(client_id, None)
            return None
        return self.at(client_id, revision)

    def at(self, client_id: str, revision: int) -> RegisteredClient | None:
        """The same for whoever has just read which revision is current."""
        cached = self._cache.get(client_id)
        return cached if cached and cached.revision == revision else self._read(client_id)

    def accepts(self, client: RegisteredClient, secret: str, now: datetime) -> bool:
        """Is ``secret`` one of the client's that still count? Notes that it was used."""
        presented = digest(secret)
        matching = [
            one
            for one in client.secrets
            if compare_digest(one.secret_hash, presented) and one.is_alive(now)
        ]
        if matching:
            self._note_use(client, matching[0], now)
        return bool(matching)

    def note_first_use(self, client: RegisteredClient, now: datetime) -> None:
        """Keep an application that registered itself from being forgotten as never used."""
        if client.used:
            return
        _NOTE_FIRST_USE.run({"client": client.id, "now": now})
        self._keep(replace(self._cache.get(client.id, client), used=True))

    def _read(self, client_id: str) -> RegisteredClient | None:
        row = _CLIENT.one({"client_id": client_id})
        if row is None:
            return None
        secrets = _SECRETS.all({"client_id": client_id})
        client = registered(row, tuple(StoredSecret(*secret) for secret in secrets))
        if len(self._cache) >= MAX_CACHED:
            self._cache.clear()
            self._unconfirmed.clear()
        self._keep(client)
        return client

    def _keep(self, client: RegisteredClient) -> None:
        self._cache[client.id] = replace(client, confirmed=True)
        self._unconfirmed[client.id] = replace(client, confirmed=False)

    def _note_use(self, client: RegisteredClient, secret: StoredSecret, now: datetime) -> None:
        if secret.last_used_at is not None and now - secret.last_used_at < USE_NOTED_EVERY:
            return
        try:
            _NOTE_USE.run({"secret": secret.id, "now": now})
        except DBAPIError as error:
            if not takes_no_writes(error.orig):
                raise
            # Whoever only reads goes on over a standby. Nothing can be lost with it: nothing else
            # was written there either.
            db.session.rollback()
            return
        used = replace(secret, last_used_at=now)
        secrets = tuple(used if one is secret else one for one in client.secrets)
        self._keep(replace(client, secrets=secrets))


def registered(row: Any, secrets: tuple[StoredSecret, ...]) -> RegisteredClient:
    """From a row of ``clients``; raises ``InvalidClientMetadata`` for what no version wrote."""
    return RegisteredClient(
        id=row.id,
        metadata=parse_client_metadata(row.registration),
        secrets=secrets,
        disabled=row.disabled_at is not None,
        revision=row.revision,
        self_registered=row.managed_by == SELF_REGISTERED,
        used=row.managed_by != SELF_REGISTERED or row.first_used_at is not None,
    )


def is_client_id(text: str) -> bool:
    """Could ``text`` be a client id at all (RFC 6749 appendix A.1: VSCHAR), and ours by length?"""
    return 0 < len(text) <= MAX_CLIENT_ID and text.isascii() and text.isprintable()
