"""Why somebody did not come in who could have been anybody: the reasons of ``access_denied``.

They stand in the audit log, by which an application's health is told. Applications get the words,
which may change without anything else changing.
"""

from collections.abc import Mapping
from typing import Final

from idp.protocol.errors import OAuthError

NOBODY_ADMITTED: Final = "nobody is admitted"
IN_NO_GROUP: Final = "in no allowed group"
CANCELLED: Final = "cancelled"
NOT_ALLOWED: Final = "not allowed"

_WORDS: Final[Mapping[str, str]] = {
    NOBODY_ADMITTED: "Nobody may sign in to this application yet.",
    IN_NO_GROUP: "This person may not use this application.",
    CANCELLED: "The person cancelled.",
    NOT_ALLOWED: "The person did not allow it.",
}

BY_THEMSELVES: Final = frozenset({CANCELLED, NOT_ALLOWED})
"""What people are free to do: nothing has failed."""


def denied(reason: str, error: str = "access_denied") -> OAuthError:
    """The refusal for that reason, one of the above."""
    return OAuthError(error, _WORDS[reason], reason=reason)
