"""Is what stands beside the program in order: backup, metrics, domain, Redis?"""

from datetime import datetime, timedelta
from importlib import import_module
from ipaddress import ip_address
from typing import Final, Literal
from urllib.parse import urlsplit

from sqlalchemy import select

from idp.backup import BACKED_UP
from idp.config import Settings
from idp.models import Fact, db, only_reads, release

Told = tuple[Literal["ok", "warning", "problem"], str]


def exposure(settings: Settings) -> Told:
    """Who reads /metrics."""
    wide = [str(one) for one in settings.metrics_networks if _is_wide(one.version, one.prefixlen)]
    if wide:
        return "warning", f"anybody in {', '.join(wide)} reads them: name fewer in metrics_networks"
    if not settings.metrics:
        return "ok", "nobody reads them: for that, set metrics_token or metrics_networks"
    if settings.metrics_networks:
        return "ok", f"are read from {', '.join(map(str, settings.metrics_networks))}"
    return "ok", "are read with metrics_token"


LONG_AGO: Final = timedelta(days=8)
"""Since the last backup: a weekly one, and a day."""


def backup(now: datetime) -> Told:
    """How long ago was the last of SQLite that this program made? Of others it does not know."""
    only_reads()
    made = db.session.scalar(select(Fact.at).where(Fact.name == BACKED_UP))
    release()
    if made is None:
        return "ok", "none was made by `idp db backup`: see that there is another"
    told = f"made by `idp db backup` at {made:%Y-%m-%d %H:%M} UTC"
    return ("warning", f"none since the one {told}") if now - made > LONG_AGO else ("ok", told)


def domain(settings: Settings) -> Told:
    """Do passkeys fit where people open the pages?"""
    rp_id = settings.rp_id
    if _is_address(rp_id):
        return "problem", f"{rp_id} is a number: passkeys need a name, such as localhost"
    if settings.issuer not in settings.passkey_origins:
        return "problem", f"{settings.issuer} is not among webauthn_origins: no passkey works there"
    foreign = [
        origin
        for origin in settings.passkey_origins
        if not _is_within(urlsplit(origin).hostname or "", rp_id)
    ]
    if foreign:
        return "ok", f"{rp_id}, and as related origins {', '.join(foreign)}"
    return "ok", f"{rp_id} fits {', '.join(settings.passkey_origins)}"


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_within(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain}")


def _is_wide(version: int, length: int) -> bool:
    return length < (8 if version == 4 else 32)


def quickness(settings: Settings) -> Told:
    """Does Redis answer? It is looked at only where it is wanted."""
    if import_module("idp.services.quick_counts").answers(settings.redis_url):
        return "ok", "answers"
    return "warning", "does not answer: the database counts meanwhile, which is slower and as good"
