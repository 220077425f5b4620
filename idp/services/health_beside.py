"""Is what stands beside the program in order: who may read its metrics, its domain, and Redis?"""

from importlib import import_module
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

from idp.config import Settings

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
