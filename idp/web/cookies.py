"""The cookies: who this browser is, and which session it may present."""

import re
from datetime import timedelta
from functools import partial

from flask import Response, after_this_request

from idp.config import Settings
from idp.secrecy import new_secret
from idp.web import here

SESSION = "idp_session"
BROWSER = "idp_browser"
DEVICE = "idp_device"
STATE = "idp_state"
REMEMBERED = "idp_remembered"

_LONGEST = 2000
_OURS = re.compile(r"[A-Za-z0-9_-]{43}")
_BROWSER_AGE = timedelta(days=1)
_DEVICE_AGE = timedelta(days=180)


def name(base: str, settings: Settings) -> str:
    """``__Host-`` ties a cookie to this very host over TLS; loopback http cannot have it."""
    return f"__Host-{base}" if settings.secure else base


def _settings() -> Settings:
    settings: Settings = here.app().extensions["idp"].settings
    return settings


def read(base: str) -> str | None:
    """The value the browser sent, None for none or one too long to be ours."""
    value = _held().get(base)
    return value if value and len(value) <= _LONGEST else None


def _held() -> dict[str, str]:
    """Ours, by what they are for: of two of one name the first, as it is the one for this path
    (RFC 6265 section 5.4)."""
    asked = here.asked()
    if asked.ours is None:
        prefix = name("", _settings())
        ours = [one for one in asked.pairs if one[0].startswith(prefix)]
        asked.ours = {whose.removeprefix(prefix): one for whose, one in reversed(ours)}
    return asked.ours


def _write(response: Response, base: str, value: str, max_age: timedelta | None) -> None:
    # The relying party's redirect must carry it; a foreign POST must not.
    _send(response, base, value, max_age, "; HttpOnly; SameSite=Lax")


def _send(
    response: Response, base: str, value: str, max_age: timedelta | None, attributes: str
) -> None:
    """Hand out a value of ours, in which nothing has to be quoted (RFC 6265 section 4.1.1)."""
    settings = _settings()
    age = "" if max_age is None else f"; Max-Age={int(max_age.total_seconds())}"
    secure = "; Secure" if settings.secure else ""
    cookie = f"{name(base, settings)}={value}{age}; Path=/{secure}{attributes}"
    response.headers.add("Set-Cookie", cookie)


def browser_token() -> str:
    """The token sign-ins in this browser are bound to; made, and sent, where there is none.

    It authenticates nobody: it only tells this browser's transactions from another's.
    """
    # Sent again each time: its day begins anew with every sign-in, so that none loses it half-way.
    own = here.own()
    token: str | None = own.get("browser_token")
    if token is None:
        sent = read(BROWSER) or ""
        # What is no token of ours may hold line ends and semicolons, once Werkzeug has unquoted it.
        token = own.browser_token = sent if _OURS.fullmatch(sent) else new_secret()
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
    # None needs TLS; between the ports of a loopback host, Lax does as well.
    same_site = "None" if _settings().secure else "Lax"
    _send(response, STATE, value, max_age, f"; SameSite={same_site}")


def clear_session(response: Response) -> None:
    """Forget the session: nobody is signed in here any more."""
    here.own().live = None
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
