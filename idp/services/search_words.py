"""Words as they are looked for: what text is found by, and what of it somebody has typed."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

LONGEST: Final = 40
"""Characters of a word that are told from others."""
MOST_TYPED: Final = 8

_WORD: Final = re.compile(r"[^\W_]+")
_WEB: Final = re.compile(r"https?://", re.IGNORECASE)
"""Nearly every address begins so, and nobody looks for it."""


def words_in(text: str) -> tuple[str, ...]:
    """What was typed as words, each once, without case and accents; a few of them at most.

    Whatever has neither letter nor digit is one word. Empty where nothing was typed that tells one
    from another.
    """
    found = (word[:LONGEST] for word in _words(text.strip()))
    return tuple(dict.fromkeys(found))[:MOST_TYPED]


def found_by(texts: Iterable[str], *, at_most: int) -> frozenset[str]:
    """The words by whose beginning one of ``texts`` is to be found, the first ``at_most``."""
    words = dict.fromkeys(word for text in texts for word in _beginnings(text))
    return frozenset(list(words)[:at_most])


def _beginnings(text: str) -> Iterator[str]:
    """Scripts that put no space between words (Chinese, Japanese, Thai) may begin one anywhere."""
    for word in _words(text):
        yield word[:LONGEST]
        for place, letter in enumerate(word[1:], 1):
            if unicodedata.category(letter) == "Lo":
                yield word[place : place + LONGEST]


def _words(text: str) -> list[str]:
    folded = _folded(_WEB.sub(" ", text)).strip()
    return _WORD.findall(folded) or [one for one in (folded,) if one]


def _folded(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text)
    plain = "".join(one for one in apart if not unicodedata.combining(one)).casefold()
    # Together again where that is how it is written: Hangul falls apart like accents do.
    return unicodedata.normalize("NFC", plain)
