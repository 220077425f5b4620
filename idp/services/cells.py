"""Cells of a table that somebody will open in a spreadsheet."""

from typing import Final

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def plain_cell(value: object) -> str:
    """Text that a spreadsheet takes for text: names come from outside, and formulas run.

    OWASP, "CSV Injection": what begins like a formula gets an apostrophe before it.
    """
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
