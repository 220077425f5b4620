"""Contrast of two colours (WCAG 2.2, 1.4.3), and what follows from one accent colour."""

import re
from collections.abc import Sequence
from typing import Final

ENOUGH: Final = 4.5
"""For text, by WCAG 2.2 AA."""
USUAL: Final = "#2f5bd8"
"""The accent of app.css."""
LIGHT: Final = ("#ffffff", "#f6f7f9", "#f1f4fc")
DARK: Final = ("#171a21", "#0f1115", "#1e2432")
"""The grounds that the accent stands on, in app.css."""
_HEX: Final = re.compile(r"#[0-9a-f]{6}")


def is_colour(text: str) -> bool:
    """Is it written as #rrggbb, in lower case?"""
    return _HEX.fullmatch(text) is not None


def contrast(one: str, other: str) -> float:
    """From 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def least_contrast(colour: str, grounds: Sequence[str] = LIGHT) -> float:
    """With the ground that it stands out from least."""
    return min(contrast(colour, ground) for ground in grounds)


def mixed(colour: str, other: str, share: float) -> str:
    """``share`` of ``other`` in ``colour``, from 0 to 1."""
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def for_the_dark(colour: str) -> str:
    """The same hue, as much lighter as dark grounds need."""
    tints = (mixed(colour, "#ffffff", step / 20) for step in range(21))
    return next(tint for tint in tints if least_contrast(tint, DARK) >= ENOUGH)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(value / 255) for value in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return float(value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
