"""How large a request's body may be: little everywhere, and more where a file is handed in."""

from collections.abc import Mapping
from typing import Final

from idp.services.people_files import MAX_BYTES

MAX_BODY: Final = 320 * 1024
"""Bytes: of a form with a picture, and of a picture in a call's JSON."""

IMPORT_FORM: Final = MAX_BYTES + MAX_BODY
IMPORT_CALL: Final = 2 * MAX_BYTES + MAX_BODY
"""The file is a text in JSON there, which makes two bytes of some of its characters."""

LARGER: Final[Mapping[str, int]] = {
    "/admin/people/import": IMPORT_FORM,
    "/api/v1/people/import": IMPORT_CALL,
}
"""By path, for whoever takes bodies in. The views let nobody send so much whom they do not know."""


def most_at(path: str) -> int:
    """Bytes that a body sent to this path may have."""
    return LARGER.get(path, MAX_BODY)
