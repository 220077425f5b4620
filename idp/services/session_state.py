"""Session Management 1.0: what a relying party's page can compare, and learns nothing else from."""

import hashlib
import secrets
from functools import lru_cache, partial
from typing import Final

from idp.protocol.authorization import AuthorizationRequest
from idp.protocol.parameters import Parameters
from idp.protocol.responses import ReplyTo
from idp.protocol.urls import origin
from idp.secrecy import Box

NOBODY_SIGNED_IN: Final = "nobody"
"""The state of a browser in which nobody is signed in."""


class SessionStates:
    """Makes the states of browsers, and what is handed out about them.

    A browser's state is a keyed digest of the session's public id: no one else can make it, it
    opens nothing, and another session, so another sign-in, has another. A further proof in the
    same session leaves it as it is: for relying parties nothing has happened.
    """

    def __init__(self, box: Box) -> None:
        # The answer to one request needs it up to three times.
        self._digest = lru_cache(maxsize=256)(partial(box.keyed_digest, "browser"))

    def of_browser(self, session_id: str | None) -> str:
        """The state of a browser that presents this session; ``NOBODY_SIGNED_IN`` for none."""
        return NOBODY_SIGNED_IN if session_id is None else self._digest(session_id)

    def beside(self, request: AuthorizationRequest, session_id: str | None) -> dict[str, str]:
        """What an answer that grants carries besides; nothing, where ``openid`` was not asked."""
        if not request.is_openid:
            return {}
        return self._member(request.client_id, request.redirect_uri, session_id)

    def beside_error(
        self, reply: ReplyTo, parameters: Parameters, session_id: str | None
    ) -> dict[str, str]:
        """The same for one that refuses, of whose request no more is known than it said.

        So a relying party that was told ``login_required`` can see when somebody signs in.
        """
        scopes = (parameters.clean("scope") or "").split()
        client_id = parameters.clean("client_id")
        if client_id is None or "openid" not in scopes:
            return {}
        return self._member(client_id, reply.redirect_uri, session_id)

    def _member(self, client_id: str, redirect_uri: str, session_id: str | None) -> dict[str, str]:
        """Section 2. Empty for an address that is on no web page: nothing there could ask."""
        source = origin(redirect_uri)
        if not source.startswith(("https://", "http://")):
            return {}
        salt = secrets.token_urlsafe(12)
        # Section 3.2: client ID, origin URL, browser state and salt, hashed; then the salt.
        text = f"{client_id} {source} {self.of_browser(session_id)} {salt}"
        return {"session_state": f"{hashlib.sha256(text.encode()).hexdigest()}.{salt}"}
