"""The end-session endpoint's reading of a request (OpenID Connect RP-Initiated Logout 1.0)."""

from dataclasses import dataclass
from urllib.parse import quote

from idp.oidc.hints import Hint, IdTokenHints
from idp.protocol.errors import OAuthError
from idp.protocol.parameters import Parameters
from idp.protocol.redirect_uris import is_registered
from idp.services.clients import Clients, RegisteredClient
from idp.services.sessions import Live
from idp.services.subjects import Subjects


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """What a relying party wants, as far as it may be believed.

    ``client`` is whom the hint or ``client_id`` names. ``hint`` is its ID token, if it is ours, and
    ``person`` the account that this is about.
    ``way_back`` is a registered address of that client, ``state`` included. ``flaw`` says what of
    the request was not heeded, for the audit log.
    """

    client: RegisteredClient | None = None
    hint: Hint | None = None
    person: str | None = None
    way_back: str | None = None
    login_hint: str | None = None
    flaw: str | None = None

    def is_proven(self, live: Live) -> bool:
        """Is it sound, with an ID token from this very session? Only then nobody is asked."""
        if self.hint is None or self.flaw or self._means_another(live):
            return False
        if self.hint.session_id is None:
            return self.person == live.user_id
        return self.hint.session_id == live.id

    def _means_another(self, live: Live) -> bool:
        hinted = (self.login_hint or "").strip().casefold()
        return "@" in hinted and hinted != live.email.casefold()


class EndSession:
    """Reads requests. Nothing in one is an error that would keep a person from signing out."""

    def __init__(self, clients: Clients, hints: IdTokenHints, subjects: Subjects) -> None:
        self._clients = clients
        self._subjects = subjects
        self._hints = hints

    def read(self, parameters: Parameters) -> Leave:
        """What is asked for. Raises ``OAuthError`` for what is no request at all.

        Section 3: no redirect unless the address is one that the client registered, and unless it
        is sure who the client is: by its ID token, or by ``client_id`` and the person's word.
        """
        parameters.check_size()
        parameters.check_form()
        hint = self._hint(parameters)
        named = parameters.get("client_id")
        if hint is not None and named not in (None, hint.client_id):
            # Section 2: the two must agree. Which of them is wrong, nobody can tell.
            return Leave(flaw="client_id")
        client = self._client(hint.client_id if hint else named)
        return self._leave(client, hint if client else None, parameters)

    def _leave(
        self, client: RegisteredClient | None, hint: Hint | None, parameters: Parameters
    ) -> Leave:
        wanted, back = parameters.get("post_logout_redirect_uri"), None
        if client and wanted and is_registered(wanted, client.metadata.post_logout_redirect_uris):
            back = _with_state(wanted, parameters.get("state"))
        flaw = None
        if parameters.get("id_token_hint") and hint is None:
            flaw, back = "id_token_hint", None
        elif wanted and back is None:
            flaw = "post_logout_redirect_uri" if client else "no client"
        return Leave(
            client=client,
            hint=hint,
            person=self._subjects.person(client, hint.subject) if client and hint else None,
            way_back=back,
            login_hint=parameters.get("logout_hint"),
            flaw=flaw,
        )

    def _hint(self, parameters: Parameters) -> Hint | None:
        sent = parameters.get("id_token_hint")
        try:
            # One that has expired will do (section 2); one that we did not sign will not.
            return self._hints.read(sent) if sent else None
        except OAuthError:
            return None

    def _client(self, client_id: str | None) -> RegisteredClient | None:
        client = self._clients.get(client_id) if client_id else None
        return None if client is None or client.disabled else client


def _with_state(uri: str, state: str | None) -> str:
    """Section 3: ``state`` comes back as it was sent, and nothing else does."""
    if state is None:
        return uri
    joint = "&" if "?" in uri else "?"
    return f"{uri}{joint}state={quote(state, safe='')}"
