"""Decisions in words: why somebody is asked for more, and what came of an answer."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from flask_babel import gettext as _
from flask_babel import ngettext

from idp.assurance import Challenge, Evidence, Rung
from idp.factors.base import Refused
from idp.services import standing_in
from idp.services.demands import HANDED
from idp.services.session_list import used_in
from idp.services.throttle import Wait
from idp.services.weighing import Standing
from idp.web.context import context, services

DAY: Final = "d MMM y"
"""How a day is written, here as in templates/parts.html."""


def refusal(refused: Refused) -> str:
    """A refusal in the reader's language."""
    gaps = {"reference": refused.reference} if refused.reference else {}
    return str(_(refused.message, **gaps))


def why(standing: Standing) -> str:
    """What was proved, when, and what this needs: one or two sentences."""
    decision = standing.decision
    if not isinstance(decision, Challenge):
        return ""
    if standing.sets_up:
        return _setting_up(decision)
    if standing.demand.within:
        return str(_("Each confirmation needs a proof of its own, even just after signing in."))
    reason = decision.reason
    known = [*reason.counting, *reason.stale]
    need = _or_code(standing) or _need(decision, context().at)
    told = f"{_did(_used(standing, known), context().at)} {need}" if known else need
    if standing_in.only_anew(standing):
        lost = _("If you have lost your passkey, sign out, and sign in with a recovery code.")
        return f"{told} {lost}"
    return told


def _setting_up(decision: Challenge) -> str:
    wanted = decision.reason.wanted
    need = (
        _("You need a passkey for this, and have none yet.")
        if wanted >= Rung.PHR
        else _("You need a second step for this, and have none yet.")
    )
    if any(choice.enrol for choice in decision.choices):
        return f"{need} {_('Setting one up takes about a minute.')}"
    first = _(
        "Before you set something new up, confirm that it’s you, even if you have just signed in:"
        " a browser left open must not be enough."
    )
    return f"{need} {first}"


def _used(standing: Standing, proofs: Sequence[Evidence]) -> Sequence[Evidence]:
    """Those by what she signed in with: to set something up is a proof, but no sign-in."""
    live = standing.live
    if live is None or len(proofs) < 2:
        return proofs
    methods = {use.method for use in used_in([live.id]).get(live.id, ())}
    return [one for one in proofs if one.method in methods] or proofs


def _did(proofs: Sequence[Evidence], now: datetime) -> str:
    """By what she signed in, each method once, and when the newest of them was given."""
    newest = max(proof.at for proof in proofs)
    methods = listed([phrase(proof.method) for proof in proofs], _("and"))
    return str(
        _("You signed in %(when)s with %(methods)s.", when=ago(now - newest), methods=methods)
    )


def listed(words: Sequence[str], joint: str) -> str:
    """``a, b or c``, each once, in the order given."""
    once = list(dict.fromkeys(words))
    return "".join(once) if len(once) < 2 else f"{', '.join(once[:-1])} {joint} {once[-1]}"


def _is_recent(elapsed: timedelta) -> bool:
    return elapsed < timedelta(seconds=90)


def ago(elapsed: timedelta) -> str:
    """How long ago, roughly, in words."""
    seconds = int(elapsed.total_seconds())
    if _is_recent(elapsed):
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


def phrase(method: str) -> str:
    """How a sentence calls a method: "your password"."""
    if method == HANDED:
        return str(_("an administrator’s link"))
    factor = services().factors.get(method)
    return str(_(factor.phrase)) if factor else method


def together(way: Iterable[str]) -> str:
    """The methods that one sign-in takes: "your password + a recovery code"."""
    return " + ".join(map(phrase, way))


def _or_code(standing: Standing) -> str | None:
    """The same where a code may stand in for a lost passkey."""
    if standing_in.BY_CODE not in standing_in.said_of(standing):
        return None
    codes = [name for name in services().holdings.last_resorts if standing.choice(name)]
    if not codes or standing.demand.wanted < Rung.PHR:
        return None
    return str(_("This needs a passkey or %(code)s.", code=phrase(codes[0])))


def _need(decision: Challenge, now: datetime) -> str:
    """What is missing: another kind of proof, or the same ones anew."""
    reason = decision.reason
    if not reason.counting and reason.only_age_is_wanting:
        if all(_is_recent(now - proof.at) for proof in reason.stale):
            return str(_("This needs it once more."))
        return str(_("That is too long ago for this."))
    if reason.wanted >= Rung.PHR:
        return str(_("This needs a passkey."))
    ways = [phrase(choice.method) for choice in decision.choices]
    if reason.counting:
        return str(_("This needs %(ways)s as well.", ways=listed(ways, _("or"))))
    if reason.wanted >= Rung.SECOND_STEP:
        return str(_("This needs two steps."))
    return str(_("This needs a fresh proof that it’s you."))
