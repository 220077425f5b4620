"""What the browser sent back, read with a limit on its size."""

from collections.abc import Callable
from typing import TypeVar

from webauthn.helpers import bytes_to_base64url
from webauthn.helpers.structs import AuthenticationCredential, RegistrationCredential

from idp.factors.base import Answer
from idp.factors.passkey.refusals import Deviation, Reason, or_else

FIELD = "passkey_response"
"""Holds the JSON text of ``PublicKeyCredential.toJSON()``."""
NOT_SET_UP = '{"error":"SecurityError"}'
"""In its place: the browser refuses this address (WebAuthn L3 5.1.3 step 8 and 5.1.4.1 step 7)."""
LIMIT = 32 * 1024
"""Characters. The longest honest ones are registrations that carry certificates: some 8 kB."""

Response = TypeVar("Response", AuthenticationCredential, RegistrationCredential)


def read_answer(answer: Answer, parse: Callable[[str], Response]) -> Response:
    """Parse with ``parse``; raises ``Deviation`` when there is nothing, or nothing of the kind."""
    text = answer.get(FIELD, "").strip()
    if not text:
        raise Deviation(Reason.MISSING)
    if text.replace(" ", "") == NOT_SET_UP:
        raise Deviation(Reason.NOT_SET_UP)
    if len(text) > LIMIT:
        raise Deviation(Reason.MALFORMED)
    with or_else(Reason.MALFORMED):
        response = parse(text)
    if response.id != bytes_to_base64url(response.raw_id):
        raise Deviation(Reason.MALFORMED)
    return response
