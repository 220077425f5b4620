"""May this person use this client, and what has she still to allow it?"""

from idp.oidc.answers import AskConsent
from idp.protocol.authorization import AuthorizationRequest
from idp.protocol.client_metadata import ADMITS_NOBODY
from idp.protocol.vocabulary import Prompt
from idp.services.admission import is_for
from idp.services.clients import RegisteredClient
from idp.services.consents import Consents
from idp.services.live import Seen
from idp.services.turned_away import IN_NO_GROUP, NOBODY_ADMITTED, denied


def check_entry(client: RegisteredClient, user_id: str) -> None:
    """Raise ``OAuthError`` when the client is for nobody yet, or the person in none of its groups.

    Its ``reason`` tells which.
    """
    if client.metadata.admits == ADMITS_NOBODY:
        raise denied(NOBODY_ADMITTED)
    if not is_for(client, user_id):
        raise denied(IN_NO_GROUP)


def still_to_allow(
    consents: Consents,
    request: AuthorizationRequest,
    client: RegisteredClient,
    user_id: str,
    *,
    seen: Seen | None = None,
) -> AskConsent | None:
    """The question to put to the person; None when there is none.

    By the client's registration it is asked once for each scope, every time, or never (the
    deployment's own applications); ``prompt=consent`` asks in any case but the last. So does one
    that registered itself and names an API: which, nobody but the person has looked at.
    ``seen`` is what was just read of the person and the client.
    """
    if client.metadata.consent == "never":
        return None
    scopes = request.concerns
    missing = consents.missing(user_id, client.id, scopes, seen=seen)
    if missing:
        already = tuple(scope for scope in scopes if scope not in missing)
        return AskConsent(missing, already, request.resource)
    always = Prompt.CONSENT in request.prompts or client.metadata.consent == "always"
    unseen = client.self_registered and bool(request.resource)
    # Asked again, though all was allowed before: then all of it is listed.
    return AskConsent(scopes, (), request.resource) if always or unseen else None
