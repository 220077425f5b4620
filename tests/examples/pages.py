"""Examples within a Markdown page: each under a comment that names it."""

import re
from collections.abc import Mapping
from pathlib import Path

_EXAMPLE = re.compile(
    r"(?P<head><!-- example: (?P<name>[a-z-]+) -->\n```\w*\n)(?P<text>.*?)(?P<tail>```\n)",
    re.DOTALL,
)


def examples(page: Path) -> dict[str, str]:
    """The examples of a page by name. Raises ``ValueError`` where two have the same."""
    found = _EXAMPLE.findall(page.read_text(encoding="utf-8"))
    named = {name: text for _, name, text, _ in found}
    if len(named) != len(found):
        raise ValueError(f"{page.name}: two examples of one name")
    return named


def rewritten(page: Path, made: Mapping[str, str]) -> str:
    """The page with its examples as ``made``. Raises ``KeyError`` for one that is not there."""

    def put(match: re.Match[str]) -> str:
        return match["head"] + made[match["name"]] + match["tail"]

    return _EXAMPLE.sub(put, page.read_text(encoding="utf-8"))
