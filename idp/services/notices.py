"""Mails that tell a person of a change to the safety of her account."""

from datetime import timedelta

from idp.audit import Context
from idp.factors.base import Mail
from idp.models import User

USEFUL_FOR = timedelta(hours=24)


def notice(
    user: User, event: str, url: str, context: Context, *, device: str | None = None
) -> Mail:
    """``event`` is one sentence; ``url`` is where to look after it."""
    values = {"event": event, "at": context.at, "device": device, "place": None, "url": url}
    return Mail("security_notice", user.email, values, not_after=context.at + USEFUL_FOR)
