"""The cookie by which a page of ours, in a frame, sees that the session has changed.

OpenID Connect Session Management 1.0 section 3.2. It is there to be read by a script, also in a
frame on another site, and is worth nothing to anybody: see ``SessionStates``.
"""

from typing import Any, Final

from flask import Flask, Response

from idp.services.sessions import Live
from idp.web import cookies, here
from idp.web.context import services

_UNASKED: Final[Any] = object()


def will_be_compared() -> None:
    """The answer to this request tells a relying party the state: the browser must have it, too."""
    here.own().state_will_be_compared = True


def _keep_in_step(response: Response) -> Response:
    live: Live | None = here.own().get("live", _UNASKED)
    if live is _UNASKED:
        return response
    if live is not None or _is_known_to_be_nobody():
        state = services().session_states.of_browser(live.id if live else None)
        if state != cookies.read(cookies.STATE):
            age = services().settings.session_lifetime_kept if live and live.persistent else None
            cookies.write_state(response, state, age)
    return response


def _is_known_to_be_nobody() -> bool:
    """Without a session cookie it may be a frame on another site, which is never sent that one.

    Such a request must not make the relying parties of whoever is signed in believe otherwise.
    """
    if cookies.read(cookies.SESSION) is not None:
        return True
    is_told = bool(here.own().get("state_will_be_compared"))
    return is_told and cookies.read(cookies.STATE) is None


def install(app: Flask) -> None:
    """Keep it in step with the session, whatever view changed that."""
    app.after_request(_keep_in_step)


def cookie_name() -> str:
    """What the script has to look for."""
    return cookies.name(cookies.STATE, services().settings)
