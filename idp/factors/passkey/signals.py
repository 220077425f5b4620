"""What passkey providers may be told (WebAuthn L3 §5.1.10): facts for the page's script.

Each is the argument of the method of ``PublicKeyCredential`` that its docstring names.
"""

from collections.abc import Sequence

from webauthn.helpers import bytes_to_base64url, parse_authentication_credential_json

from idp.factors.base import Answer, of_kind
from idp.factors.passkey.answer import read_answer
from idp.factors.passkey.credentials import KIND
from idp.factors.passkey.refusals import Deviation
from idp.models import Credential, User


def unknown_credential(rp_id: str, answer: Answer) -> dict[str, str] | None:
    """``signalUnknownCredential``, which deletes for good.

    Only after a refusal for the reason ``unknown_credential``: then nobody owns it.
    """
    try:
        response = read_answer(answer, parse_authentication_credential_json)
    except Deviation:
        return None
    return {"rpId": rp_id, "credentialId": bytes_to_base64url(response.raw_id)}


def accepted_credentials(
    rp_id: str, user: User, credentials: Sequence[Credential]
) -> dict[str, str | list[str]]:
    """``signalAllAcceptedCredentials``, which hides the others; after a deletion."""
    accepted = [each.lookup for each in of_kind(credentials, KIND) if each.lookup]
    return {"rpId": rp_id, "userId": user.webauthn_handle, "allAcceptedCredentialIds": accepted}


def user_details(rp_id: str, user: User) -> dict[str, str]:
    """``signalCurrentUserDetails``; after a change of name or address."""
    return {
        "rpId": rp_id,
        "userId": user.webauthn_handle,
        "name": user.email,
        "displayName": user.display_name,
    }
