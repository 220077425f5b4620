"""What a character may be, wherever text comes from outside."""

import re
from typing import Final

# C0, DEL and C1 controls have no business in a parameter and break logs, headers and PostgreSQL
# (NUL); a lone surrogate cannot be encoded at all.
_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_UNSAFE_IN_JSON: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
# Embeddings and isolates turn the text around them: a client's name could rewrite our sentence.
_BIDI: Final = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
_PRINTABLE: Final = bytes(range(ord(" "), ord("~") + 1))
_LANGUAGE_TAG: Final = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*")


def is_clean(text: str) -> bool:
    """Whether ``text`` is free of control characters and lone surrogates."""
    # What is printable ASCII holds none of them, and most of what comes is nothing else.
    return _is_plain(text) or _UNSAFE.search(text) is None


def is_clean_json(text: str) -> bool:
    """The same for a JSON document, which may be laid out with tabs and line ends (RFC 8259)."""
    return _is_plain(text) or _UNSAFE_IN_JSON.search(text) is None


def _is_plain(text: str) -> bool:
    """Whether nothing is left of it without printable ASCII; ``isprintable`` takes longer."""
    return text.isascii() and not text.encode().translate(None, _PRINTABLE)


def is_displayable(text: str) -> bool:
    """Whether ``text`` may stand on a page: clean, not blank, not reordering what is around it."""
    return is_clean(text) and _BIDI.search(text) is None and bool(text.strip())


def is_language_tag(text: str) -> bool:
    """Whether ``text`` has the shape of a BCP 47 language tag."""
    return len(text) <= 35 and _LANGUAGE_TAG.fullmatch(text) is not None


def words(text: str) -> tuple[str, ...]:
    """A space-separated list, each word once, in the order given."""
    return tuple(dict.fromkeys(word for word in text.split(" ") if word))
