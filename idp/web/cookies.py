"""The cookies: who this browser is, and which session it may present."""

from datetime import timedelta
from functools import partial
from typing import Any

from flask import Response, after_this_request, current_app, g, request

from idp.config import Settings
from idp.secrecy import new_secret

SESSION = "idp_session"
BROWSER = "idp_browser"
DEVICE = "idp_device"
STATE = "idp_state"
REMEMBERED = "idp_remembered"

_LONGEST = 2000
_BROWSER_AGE = timedelta(days=1)
_DEVICE_AGE = timedelta(days=180)


def name(base: str, settings: Settings) -> str:
    """``__Host-`` ties a cookie to this very host over TLS; loopback http cannot have it."""
    return f"__Host-{base}" if settings.secure else base


def _settings() -> Settings:
    # Past the proxy: it costs many times what is looked up through it.
    app: Any = current_app
    settings: Settings = app._get_current_object().extensions["idp"].settings
    return settings


def read(base: str) -> str | None:
    """The value the browser sent, None for none or one too long to be ours."""
    value = request.cookies.get(name(base, _settings()))
    return value if value and len(value) <= _LONGEST else None


def _write(response: Response, base: str, value: str, max_age: timedelta | None) -> None:
    settings = _settings()
    response.set_cookie(
        name(base, settings),
        value,
        max_age=max_age,
        secure=settings.secure,
        httponly=True,
        samesite="Lax",  # the relying party's redirect must carry it; a foreign POST must not
        path="/",
    )


def browser_token() -> str:
    """The token sign-ins in this browser are bound to; made, and sent, where there is none.

    It authenticates nobody: it only tells this browser's transactions from another's.
    """
    # Sent again each time: its day begins anew with every sign-in, so that none loses it half-way.
    token: str | None = g.get("browser_token")
    if token is None:
        token = g.browser_token = read(BROWSER) or new_secret()
        after_this_request(partial(_send_browser_token, token))
    return token


def _send_browser_token(token: str, response: Response) -> Response:
    _write(response, BROWSER, token, _BROWSER_AGE)
    return response


def write_session(response: Response, token: str, *, persistent: bool) -> None:
    """Hand the session's new token out; without "keep me signed in" it ends with the browser."""
    age = _settings().session_lifetime_kept if persistent else None
    _write(response, SESSION, token, age)


def write_state(response: Response, value: str, max_age: timedelta | None) -> None:
    """What a script of ours in a frame may read, on whatever site the frame is."""
    settings = _settings()
    response.set_cookie(
        name(STATE, settings),
        value,
        max_age=max_age,
        secure=settings.secure,
        httponly=False,
        # None needs TLS; between the ports of a loopback host, Lax does as well.
        samesite="None" if settings.secure else "Lax",
        path="/",
    )


def clear_session(response: Response) -> None:
    """Forget the session: nobody is signed in here any more."""
    g.live = None
    clear(response, SESSION)


def clear(response: Response, base: str) -> None:
    """Forget one of these cookies."""
    settings = _settings()
    response.delete_cookie(
        name(base, settings), secure=settings.secure, httponly=True, samesite="Lax", path="/"
    )


def write_remembered(response: Response, value: str) -> None:
    """Remember whose address is typed here; as long as the browser is known at all."""
    _write(response, REMEMBERED, value, _DEVICE_AGE)


def write_device(response: Response, value: str) -> None:
    """Remember that the owner of an account has signed in from this browser."""
    _write(response, DEVICE, value, _DEVICE_AGE)
