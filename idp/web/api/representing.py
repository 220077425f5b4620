"""How values are written in answers, and how versions of them are told apart."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any


def instant(at: datetime | None) -> str | None:
    """RFC 3339 in UTC, to the millisecond; None for None."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def tag_of(version: object, representation: Any) -> str:
    """A strong entity tag (RFC 9110 section 8.8.3): of this version, told in this way."""
    told = json.dumps([version, representation], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(told.encode()).hexdigest()[:32]
