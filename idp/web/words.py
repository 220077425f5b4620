"""Decisions in words: why somebody is asked for more, and what came of an answer."""

from datetime import datetime

from flask_babel import gettext as _
from flask_babel import ngettext

from idp.assurance import Challenge, Evidence, Rung
from idp.factors.base import Refused
from idp.services.throttle import Wait
from idp.services.weighing import Standing
from idp.web.context import context, services


def refusal(refused: Refused) -> str:
    """A refusal in the reader's language."""
    return str(_(refused.message))


def why(standing: Standing) -> str:
    """What was proved, when, and what this needs: one or two sentences."""
    decision = standing.decision
    if not isinstance(decision, Challenge):
        return ""
    if standing.sets_up:
        return _setting_up(decision)
    if standing.demand.within:
        return str(_("Each confirmation needs a proof of its own, even just after signing in."))
    known = [*decision.reason.counting, *decision.reason.stale]
    newest = max(known, key=lambda proof: proof.at, default=None)
    need = _need(decision, fresh=bool(decision.reason.counting))
    return f"{_did(newest, context().at)} {need}" if newest else need


def _setting_up(decision: Challenge) -> str:
    wanted = decision.reason.wanted
    need = (
        _("You need a passkey for this, and have none yet.")
        if wanted >= Rung.PHR
        else _("You need a second step for this, and have none yet.")
    )
    if any(choice.enrol for choice in decision.choices):
        return f"{need} {_('Setting one up takes about a minute.')}"
    return f"{need} {_('Confirm that it’s you; then you can set one up, in about a minute.')}"


def _did(proof: Evidence, now: datetime) -> str:
    method = _method(proof.method)
    return str(
        _("You signed in %(when)s with %(method)s.", when=ago(now - proof.at), method=method)
    )


def ago(elapsed: object) -> str:
    """How long ago, roughly, in words."""
    seconds = int(getattr(elapsed, "total_seconds", lambda: 0)())
    if seconds < 90:
        return str(_("just now"))
    if seconds < 5400:
        minutes = round(seconds / 60)
        return str(ngettext("%(num)s minute ago", "%(num)s minutes ago", minutes))
    if seconds < 129600:
        hours = round(seconds / 3600)
        return str(ngettext("%(num)s hour ago", "%(num)s hours ago", hours))
    return str(ngettext("%(num)s day ago", "%(num)s days ago", round(seconds / 86400)))


def too_often(wait: Wait) -> str:
    """That it was tried too often, and when it may be tried again."""
    return str(
        ngettext(
            "Too many tries. Wait %(num)s minute.",
            "Too many tries. Wait %(num)s minutes.",
            wait.minutes,
        )
    )


def _method(method: str) -> str:
    factor = services().factors.get(method)
    return str(_(factor.phrase)) if factor else method


def _need(decision: Challenge, *, fresh: bool) -> str:
    wanted = decision.reason.wanted
    if wanted >= Rung.PHR:
        return str(_("This needs a passkey."))
    if wanted is Rung.MFA or (wanted is Rung.SECOND_STEP and fresh):
        return str(_("This needs a second step as well."))
    return str(_("This needs a fresh proof that it’s you."))
