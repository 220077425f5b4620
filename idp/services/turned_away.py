"""Why somebody did not come in who could have been anybody: the descriptions of ``access_denied``.

They go to the application, and with the refusal into the audit log, by which its health is told.
"""

from typing import Final

NOBODY_YET: Final = "Nobody may sign in to this application yet."
NOT_AMONG: Final = "This person may not use this application."
CANCELLED: Final = "The person cancelled."
NOT_ALLOWED: Final = "The person did not allow it."

BY_THEMSELVES: Final = frozenset({CANCELLED, NOT_ALLOWED})
"""What people are free to do: nothing has failed."""
