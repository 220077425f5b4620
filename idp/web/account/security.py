"""/me/security: everything that guards the account, in one list."""

from flask import Response, url_for
from flask_babel import gettext as _

from idp.services.holdings import credentials_of
from idp.web.account.blueprint import bp, page
from idp.web.account.rows import deletion_of, method_rows
from idp.web.context import context, services
from idp.web.guards import secured, viewer


@bp.get("/security")
@secured()
def security() -> Response:
    """The ways to sign in, the address, and what else there is to decide."""
    _live, user = viewer()
    credentials = credentials_of(user)
    return page(
        "account/security.html",
        methods=method_rows(user, credentials),
        floor=_floor(services().holdings.has_second_step(user, credentials)),
        email={
            "address": user.email,
            "pending": services().email_change.pending(user, context().at),
            "url": url_for("account.email") if services().settings.mails else None,
        },
        links={
            "activity": url_for("account.activity_page"),
            "export": url_for("account.export"),
            "delete": url_for("account.delete"),
        },
        deletion=deletion_of(user),
    )


def _floor(has_second_step: bool) -> str | None:
    if not services().settings.account_second_step:
        return None
    if has_second_step:
        return str(_("A password alone does not open this account: we ask for a second step."))
    return str(_("One step opens this account. A second one keeps others out."))
