"""Which trace a request is part of, by W3C's Trace Context: said by whoever called, and bounded."""

import re

_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?"
)


def trace_id(traceparent: str) -> str | None:
    """The 32 digits of the trace (section 3.2.2.3); None for what is no ``traceparent``."""
    found = _TRACEPARENT.fullmatch(traceparent)
    return found.group(1) if found else None
