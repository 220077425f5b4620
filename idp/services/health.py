"""Is this deployment in order? One finding a check, each with what to do about it."""

import json
import os
import smtplib
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.client import HTTPException
from pathlib import Path
from typing import Final, Literal, TypeVar
from urllib.parse import unquote, urlsplit

from sqlalchemy import ColumnElement, func, literal, select
from sqlalchemy.exc import SQLAlchemyError

from idp import migrate
from idp.config import Settings
from idp.models import AuditEvent, OutboxMessage, db, only_reads, release
from idp.secrecy import Box
from idp.services import stored_secrets
from idp.services.client_secrets import unreadable
from idp.services.health_beside import backup, domain, exposure, quickness
from idp.services.issuer_certificate import SOON, expiry
from idp.services.jose import ALGORITHMS
from idp.services.key_rotation import KeyRotation
from idp.services.keys import KeysUnreadable, SigningKeys
from idp.services.mail import KIND

PATIENCE: Final = 5.0
"""Seconds for whatever is asked over the network."""
APART: Final = timedelta(seconds=5)
"""How far two clocks may be apart before it is worth a word."""
LATE: Final = timedelta(minutes=15)
"""How long a mail may wait before it is worth a word."""

PLAIN: Final = "without TLS: good for this machine only"

NAMED: Final = 5
"""How many of many are named."""

T = TypeVar("T")
State = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found, in a sentence."""

    check: str
    state: State
    text: str


Found = tuple[State, str]
Checks = tuple[tuple[str, Callable[[datetime], Found]], ...]


class Health:
    """The checks. They read, and send nothing but a greeting to the mail server."""

    def __init__(
        self, settings: Settings, box: Box, *, keys: SigningKeys, rotation: KeyRotation
    ) -> None:
        self._settings = settings
        self._box = box
        self._keys = keys
        self._rotation = rotation

    def examine(self, now: datetime) -> Iterator[Finding]:
        """Every check, as it is done."""
        yield from (one for one in self.glance(now) if one.check not in ("mail", "issuer"))
        far: Checks = (("mail", self._mail), ("issuer", self._issuer))
        if self._settings.redis_url is not None:
            far = (("redis", lambda _now: quickness(self._settings)), *far)
        if self._settings.secure:
            far = (*far, ("certificate", self._certificate))
        for name, check in far:
            yield Finding(name, *_carefully(check, now))

    def glance(self, now: datetime) -> Iterator[Finding]:
        """Those that ask nobody but the database: quick enough for every page.

        Of mail and the issuer only what needs no asking: ``examine`` asks.
        """
        near: Checks = (
            ("database", self._database),
            ("schema", self._schema),
            ("clock", self._clock),
            ("keys", self._signing_keys),
            ("clients", self._client_secrets),
            ("outbox", self._outbox),
            ("rp_id", lambda _now: domain(self._settings)),
            ("metrics", lambda _now: exposure(self._settings)),
        )
        if self._settings.database_url.startswith("sqlite"):
            near = (*near, ("backup", backup))
        if urlsplit(self._settings.mail_url or "").scheme not in ("smtp", "smtps"):
            near = (*near, ("mail", self._mail))
        if not self._settings.secure:
            told: Found = ("warning", f"{self._settings.issuer} is {PLAIN}")
            near = (*near, ("issuer", lambda _now: told))
        for name, check in near:
            yield Finding(name, *_carefully(check, now))

    def _database(self, _now: datetime) -> Found:
        name = db.engine.dialect.name
        if name == "sqlite":
            _ask(literal(1))
            return "ok", f"SQLite answers ({db.engine.url.database}): good for one node"
        told = f"PostgreSQL {_ask(func.current_setting('server_version'))} answers"
        if _ask(func.pg_is_in_recovery()):
            return "problem", f"{told}, a standby, and none that takes writes: nobody can sign in"
        return "ok", told

    def _schema(self, _now: datetime) -> Found:
        url = self._settings.database_url
        found = migrate.revision(url)
        if found is None:
            return "problem", "there are no tables: run `idp db upgrade`"
        if found != migrate.head() and found in migrate.own():
            later = "when no node of that is left, run `idp db upgrade`"
            return "warning", f"revision {found} keeps what the version before needs: {later}"
        if found != migrate.head() and migrate.reads(found, migrate.readers(url)):
            return "warning", f"revision {found} is of a newer version: install that one here, too"
        if problems := migrate.pending(url):
            return "problem", f"{'; '.join(problems)}: run `idp db upgrade`"
        return "ok", f"revision {found}, as this version wants it"

    def _clock(self, now: datetime) -> Found:
        """Against the database server's, and against what was written last."""
        if db.engine.dialect.name == "postgresql":
            theirs = _ask(func.clock_timestamp())
            if abs(theirs - now) > APART:
                apart = int(abs(theirs - now).total_seconds())
                return "problem", f"{apart} s from the database server's: synchronise both (NTP)"
        only_reads()
        latest = db.session.scalar(select(func.max(AuditEvent.at)))
        release()
        if latest is not None and latest > now + APART:
            return "problem", f"behind what was written at {latest:%Y-%m-%d %H:%M:%S}: check NTP"
        return "ok", f"{now:%Y-%m-%d %H:%M:%S} UTC, and nothing that was written contradicts it"

    def _signing_keys(self, now: datetime) -> Found:
        only_reads()
        try:
            self._keys.check(now)
            stored_secrets.check(self._box)
        except KeysUnreadable as error:
            return "problem", str(error)
        finally:
            release()
        found = self._rotation.listed(now)
        signing = {key.algorithm: key for key in found if key.state == "signing"}
        release()
        if missing := [name for name in ALGORITHMS if name not in signing]:
            return "warning", f"none yet for {', '.join(missing)}: `idp serve` makes them"
        oldest = min(key.signs_from for key in signing.values())
        return "ok", f"{', '.join(sorted(signing))}, the oldest of {(now - oldest).days} days"

    def _client_secrets(self, now: datetime) -> Found:
        only_reads()
        lost = unreadable(self._box, now)
        release()
        if lost:
            told = ", ".join(lost[:NAMED]) + (" and others" if len(lost) > NAMED else "")
            again = "put that key back, or `idp clients rotate-secret`"
            return "warning", f"secrets are sealed by a key that is not here ({told}): {again}"
        return "ok", "every secret that signs or encrypts can be read"

    def _mail(self, _now: datetime) -> Found:
        url = self._settings.mail_url
        if url is None:
            return "warning", "mail_url is not set: nobody can be sent a link, nor a notice"
        parts = urlsplit(url)
        if parts.scheme == "console":
            return "warning", "is printed to the console: good for trying out only"
        if parts.scheme == "file":
            return _folder(Path(unquote(parts.path)))
        return _server(parts.hostname or "localhost", parts.port, tls=parts.scheme == "smtps")

    def _outbox(self, now: datetime) -> Found:
        only_reads()
        waiting, oldest = db.session.execute(
            select(func.count(), func.min(OutboxMessage.created_at)).where(
                OutboxMessage.kind == KIND,
                OutboxMessage.sent_at.is_(None),
                OutboxMessage.failed_at.is_(None),
            )
        ).one()
        failed = db.session.scalar(
            select(func.count()).where(
                OutboxMessage.sent_at.is_(None),
                OutboxMessage.failed_at > now - timedelta(days=1),
            )
        )
        release()
        if failed:
            told = "see `idp audit search --event mail`, and `--event logout.notice`"
            return "warning", f"{failed} given up within a day: {told}"
        if waiting and not self._settings.mails:
            return "warning", f"{waiting} to be sent, and mail_url is not set: none will be"
        if oldest is not None and now - oldest > LATE:
            return "warning", f"{waiting} wait, the oldest since {oldest:%Y-%m-%d %H:%M}"
        return "ok", f"{waiting} wait" if waiting else "nothing waits"

    def _issuer(self, _now: datetime) -> Found:
        issuer = self._settings.issuer
        try:
            told = _fetch(f"{issuer}/.well-known/openid-configuration").get("issuer")
        except ssl.SSLError as error:
            return "problem", f"{issuer} has no good certificate: {error.reason}"
        except (OSError, HTTPException, ValueError) as error:
            if isinstance(getattr(error, "reason", None), ssl.SSLError):
                return "problem", f"{issuer} has no good certificate: {error}"
            return "warning", f"{issuer} cannot be reached from here: {_short(error)}"
        if told != issuer:
            return "problem", f"at {issuer} somebody else answers, who says to be {told}"
        if not self._settings.secure:
            return "warning", f"{issuer} answers, {PLAIN}"
        return "ok", f"{issuer} answers over HTTPS and says so itself"

    def _certificate(self, now: datetime) -> Found:
        try:
            ends = expiry(self._settings.issuer)
        except ssl.SSLError as error:
            return "problem", f"is not trusted: {error.reason}"
        except OSError as error:
            return "warning", f"cannot be looked at from here: {_short(error)}"
        if ends - now < SOON:
            return "warning", f"ends on {ends:%Y-%m-%d}: see that it is renewed"
        return "ok", f"good until {ends:%Y-%m-%d}"


def _carefully(check: Callable[[datetime], Found], now: datetime) -> Found:
    try:
        return check(now)
    except SQLAlchemyError as error:
        db.session.rollback()
        return "problem", _short(getattr(error, "orig", None) or error)


def _ask(what: ColumnElement[T]) -> T:
    only_reads()
    answer = db.session.scalars(select(what)).one()
    release()
    return answer


def _folder(path: Path) -> Found:
    if path.exists() and not path.is_dir():
        return "problem", f"{path} is no folder"
    there = next(folder for folder in (path, *path.parents) if folder.is_dir())
    if not os.access(there, os.W_OK):
        return "problem", f"{path} cannot be written"
    return "ok", f"is written to {path}"


def _server(host: str, port: int | None, *, tls: bool) -> Found:
    try:
        with _greeted(host, port, tls=tls) as client:
            client.noop()
    except (OSError, smtplib.SMTPException) as error:
        return "problem", f"{host} does not answer: {_short(error)}"
    return "ok", f"{host} answers"


def _greeted(host: str, port: int | None, *, tls: bool) -> smtplib.SMTP:
    if tls:
        trusted = ssl.create_default_context()
        return smtplib.SMTP_SSL(host, port or 465, timeout=PATIENCE, context=trusted)
    return smtplib.SMTP(host, port or 25, timeout=PATIENCE)


def _fetch(url: str) -> dict[str, object]:
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:  # noqa: S310  our own issuer
        read = json.loads(answer.read(1 << 20))
    return read if isinstance(read, dict) else {}


def _short(error: object) -> str:
    reason = getattr(error, "reason", None)
    said = reason if isinstance(reason, Exception) else error  # without urllib's word around it
    told = " ".join(str(said).split()) or type(error).__name__
    return told[:200]
