"""Mails that tell a person of a change to the safety of her account, and the words for it."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final, Literal

from idp.audit import Context
from idp.factors.base import Mail
from idp.models import User
from idp.services.mail import Mailer

Remedy = Literal["secure", "undo", "stop"]
"""What the mail says to do about it: look after the account, take it back, or stop it."""

USEFUL_FOR = timedelta(hours=24)
SECURITY_PATH = "/me/security"

_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "password": {
        "added": "A password was set.",
        "replaced": "Your password was changed.",
        "removed": "Your password was removed.",
    },
    "passkey": {
        "added": "A passkey was added.",
        "renamed": "A passkey was renamed.",
        "removed": "A passkey was deleted.",
    },
    "totp": {
        "added": "An authenticator app was set up.",
        "replaced": "Your authenticator app was replaced.",
        "removed": "Your authenticator app was turned off.",
        "refused": "A code from an authenticator app was wrong while setting it up.",
    },
    "recovery_code": {
        "added": "Recovery codes were made.",
        "replaced": "New recovery codes were made. The old ones no longer work.",
        "removed": "Your recovery codes were removed with your last second step.",
    },
}
_OTHERWISE: Final[Mapping[str, str]] = {
    "added": "A way to sign in was added.",
    "replaced": "A way to sign in was replaced.",
    "renamed": "A way to sign in was renamed.",
    "removed": "A way to sign in was removed.",
    "refused": "A way to sign in was not set up.",
}


def sentence(method: str, action: str, label: str | None = None) -> str:
    """What happened to a credential of this kind, with its name where it has one.

    Raises ``KeyError`` for an action that nothing is known of.
    """
    words = _WORDS.get(method, {}).get(action) or _OTHERWISE[action]
    told = label is None or label.casefold() in words.casefold()  # one that is called "Passkey"
    return words if told else f"{words.removesuffix('.')}: {label}."


def notice(
    user: User,
    event: str,
    url: str,
    context: Context,
    *,
    device: str | None = None,
    to: str | None = None,
    remedy: Remedy = "secure",
) -> Mail:
    """``event`` is one sentence; ``url`` is where what ``remedy`` names is done.

    It goes to ``to``, where that is not the person's present address.
    """
    values = {
        "event": event,
        "at": context.at,
        "device": device,
        "place": None,
        "url": url,
        "remedy": remedy,
    }
    return Mail("security_notice", to or user.email, values, not_after=context.at + USEFUL_FOR)


class Notices:
    """Puts such mails into the outbox, in the caller's transaction.

    ``describe`` turns a browser's description of itself into what people call it.
    """

    def __init__(self, mailer: Mailer, *, describe: Callable[[str], str]) -> None:
        self._mailer = mailer
        self._describe = describe

    def tell(
        self,
        user: User,
        event: str,
        context: Context,
        *,
        path: str = SECURITY_PATH,
        to: str | None = None,
        remedy: Remedy = "secure",
    ) -> None:
        """``path`` is of this provider: where the mail leads to."""
        device = self._describe(context.user_agent) if context.user_agent else None
        url = self._mailer.url(path)
        mail = notice(user, event, url, context, device=device, to=to, remedy=remedy)
        self._mailer.queue(mail, now=context.at, user_id=user.id)
