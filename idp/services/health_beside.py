"""Is what stands beside the program in order: who may read its metrics, and Redis?"""

from importlib import import_module
from typing import Literal

from idp.config import Settings

Told = tuple[Literal["ok", "warning"], str]


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


def _is_wide(version: int, length: int) -> bool:
    return length < (8 if version == 4 else 32)


def quickness(settings: Settings) -> Told:
    """Does Redis answer? It is looked at only where it is wanted."""
    if import_module("idp.services.quick_counts").answers(settings.redis_url):
        return "ok", "answers"
    return "warning", "does not answer: the database counts meanwhile, which is slower and as good"
