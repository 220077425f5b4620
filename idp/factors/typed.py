"""Codes as people type them: what they add, and what their keyboard does to digits, is forgiven."""

import re
import unicodedata

_LONGEST = 200
_NOISE = frozenset({"Cc", "Cf", "Pd", "Zl", "Zp", "Zs"})
"""Unicode categories: controls, invisible marks, every kind of dash, every kind of space."""
_MINUS_SIGN = "\u2212"
_SIX_DIGITS = re.compile(r"[0-9]{6}")


def squeezed(text: str) -> str:
    """``text`` without spaces and dashes, full-width forms made plain; empty when overlong."""
    if len(text) > _LONGEST:
        return ""
    plain = unicodedata.normalize("NFKC", text).replace(_MINUS_SIGN, "")
    return "".join(char for char in plain if unicodedata.category(char) not in _NOISE)


def six_digits(text: str) -> str | None:
    """Six ASCII digits out of what was typed, or None when it is not that."""
    code = squeezed(text)
    return code if _SIX_DIGITS.fullmatch(code) else None
