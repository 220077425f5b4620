"""Pictures in forms: an input for a file beside the one for an address."""

from flask import request

from idp.services import pictures
from idp.web.admin.acting import acting


def uploaded(field: str) -> str | None:
    """The path of the picture that came in ``field``, stored; None when there came none.

    The caller's transaction keeps it. Raises ``Invalid`` at the field.
    """
    file = request.files.get(field)
    body = file.read(pictures.LARGEST + 1) if file else b""
    return pictures.keep(body, acting(), field=field) if body else None
