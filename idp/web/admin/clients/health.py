"""How an application fares, in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as later
from flask_babel import ngettext

from idp.protocol.client_metadata import ADMITS_NOBODY
from idp.services.client_health import MOST, Health
from idp.services.client_listing import ClientInfo
from idp.services.client_presets import acts_for_people, signs_people_in


@dataclass(frozen=True, slots=True)
class HealthView:
    """``kind`` as the macro ``state`` takes it; ``detail`` says why, where there is a why."""

    kind: str
    words: str
    detail: str | None = None


def words(health: Health, info: ClientInfo) -> HealthView:
    """The one thing that matters most about it."""
    if info.disabled_at is not None:
        return HealthView("warning", _("Disabled"))
    if info.metadata.admits == ADMITS_NOBODY and acts_for_people(info.metadata):
        return HealthView("warning", _("Nobody may sign in yet"))
    if health.failures:
        return HealthView("problem", _failed(health.failures), _mostly(health))
    if not signs_people_in(info.metadata):
        return HealthView("ok", _("No failures in 24 hours"))
    if health.last_sign_in is None:
        return HealthView("warning", _("No sign-in yet"))
    return HealthView("ok", _("Working"))


def _failed(number: int) -> str:
    if number >= MOST:
        return str(_("%(number)s failures or more in 24 hours", number=number))
    return str(ngettext("%(num)s failure in 24 hours", "%(num)s failures in 24 hours", number))


def _mostly(health: Health) -> str | None:
    if health.reason is None:
        return None
    name, reason = health.reason
    told = REASONS.get((name, reason)) or EVENTS.get(name)
    return str(told) if told else f"{name}: {reason}"


REASONS: Final[Mapping[tuple[str, str], Any]] = {
    ("authorization.refused", "redirect_uri"): later("It sent a redirect address not known here"),
    ("authorization.refused", "access_denied"): later("People said no, or are in no allowed group"),
    ("authorization.refused", "nobody is admitted"): later(
        "People tried while nobody may sign in; choose who may"
    ),
    ("authorization.refused", "in no allowed group"): later("People are in no allowed group"),
    ("authorization.refused", "unmet_authentication_requirements"): later(
        "People could not sign in as strongly as it asks"
    ),
    ("client.authentication.refused", "method"): later(
        "It authenticates in another way than it is registered for"
    ),
    ("client.authentication.refused", "secret"): later("It sent a wrong or expired secret"),
    ("code.refused", "code_verifier"): later("Its PKCE verifier does not fit its challenge"),
    ("code.refused", "redirect_uri"): later("It sent another redirect address with the code"),
}
EVENTS: Final[Mapping[str, Any]] = {
    "authorization.refused": later("Its authorization requests were refused"),
    "client.authentication.refused": later("It could not show that it is itself"),
    "code.refused": later("Its codes were unknown, used or too old"),
    "token.refused": later("Its tokens were unknown, used or too old"),
    "token.exchange.refused": later("Its token exchanges were refused"),
    "device.code.refused": later("Its device codes were unknown, used or too old"),
}
