"""/admin/health: the doctor's checks, a mail to oneself, and what the outbox holds."""

from flask import Response, flash, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as later

from idp.models import release
from idp.services.health import Finding
from idp.services.roles import Area, Permission
from idp.services.waiting import outbox_state
from idp.web.account.blueprint import DONE
from idp.web.admin.acting import acting
from idp.web.admin.blueprint import bp, page
from idp.web.admin.guard import console, may
from idp.web.answers import redirect_to
from idp.web.context import context, services
from idp.web.guards import viewer

TITLES = {
    "database": later("Database"),
    "schema": later("Schema"),
    "clock": later("Clock"),
    "keys": later("Signing keys"),
    "clients": later("Clients’ secrets"),
    "outbox": later("Outbox"),
    "backup": later("Backup"),
    "rp_id": later("Passkeys’ domain"),
    "metrics": later("Metrics"),
    "mail": later("Mail"),
    "issuer": later("Address and HTTPS"),
    "certificate": later("Certificate"),
    "redis": later("Redis"),
}
WORDS = {"ok": later("In order"), "warning": later("Look at this"), "problem": later("Problem")}


@bp.get("/health")
@console(Area.HEALTH)
def health() -> Response:
    """Everything `idp doctor` looks at, examined now."""
    return _page()


@bp.post("/health/mail")
@console(Area.HEALTH, writes=True, back="admin.health")
def try_mail() -> Response:
    """Send a mail to whoever asks for it, and tell what the mail server said."""
    _live, user = viewer()
    email = user.email
    problem = services().mail_trial.send(user, acting())
    if problem is not None:
        return _page(problem=_("The mail could not be sent. %(why)s", why=problem))
    flash(_("A mail is on its way to %(email)s. Look whether it arrives.", email=email), DONE)
    return redirect_to(url_for("admin.health"))


def finding_view(one: Finding) -> dict[str, str]:
    """As templates show it: ``{state, word, title, text}``."""
    return {
        "state": one.state,
        "word": str(WORDS[one.state]),
        # A check that has no title yet must not take the console's first page down.
        "title": str(TITLES.get(one.check, one.check)),
        "text": _sentence(one.text),
    }


def _sentence(text: str) -> str:
    """With a capital, unless it begins with a name or an address."""
    first = text.split(maxsplit=1)[0].rstrip(",:")
    is_word = first.isalpha() and first != services().settings.rp_id
    return text[:1].upper() + text[1:] if is_word else text


def _page(*, problem: str | None = None) -> Response:
    release()
    findings = [finding_view(one) for one in services().health.examine(context().at)]
    return page(
        "admin/health.html",
        section="admin.health",
        status=422 if problem else 200,
        findings=sorted(findings, key=lambda one: ("problem", "warning", "ok").index(one["state"])),
        outbox=outbox_state(context().at),
        may_change=may(Permission(Area.HEALTH, writes=True)),
        errors=[{"field": None, "message": problem}] if problem else [],
    )
