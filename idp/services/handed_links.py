"""Sign-in links that an administrator makes and hands over, for somebody who cannot get in.

Such a link shows no more than a mailed one: that somebody was reached who may set the password
anew. So it is the mailbox's trait, which never counts towards two factors: whoever has a second
step is still asked for it, and ``acr`` says what it came to. ``amr`` has ``recovery``, for no mail
was read.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from idp import audit
from idp.assurance import MAILBOX
from idp.audit import Context
from idp.config import Settings
from idp.factors.base import Proof, Refused
from idp.models import User, db
from idp.services import open_links
from idp.services.demands import HANDED
from idp.services.reset import GONE
from idp.services.sessions import Live
from idp.services.signin import Accepted, SignIn
from idp.services.weighing import Standing
from idp.state import peek, put, supersede, take

PURPOSE: Final = open_links.HANDED
METHOD: Final = HANDED
"""As what it stands in the ledger and the audit log."""
PATH: Final = "/login/handed/"
LIFETIME: Final = timedelta(minutes=10)
"""NIST SP 800-63B-4: an out-of-band secret lives ten minutes at most."""


class HandedLinks:
    """Each works once, and the newest of a person alone."""

    def __init__(self, settings: Settings, signin: SignIn) -> None:
        self._issuer = settings.issuer
        self._signin = signin

    def link(self, user: User, context: Context) -> str:
        """A new one, to hand over. Commits. That the account is open is the caller's to see to."""
        supersede(PURPOSE, user.id, now=context.at)
        data = {"user_id": user.id}
        token = put(PURPOSE, data, now=context.at, lifetime=LIFETIME, owner=user.id)
        audit.record("login.handed_link.made", context, user_id=user.id)
        db.session.commit()
        return f"{self._issuer}{PATH}{token}"

    def whose(self, token: str, now: datetime) -> User | None:
        """Who would be signed in; the link stays as it is. None: of no use."""
        return _owner(peek(PURPOSE, token, now=now)) if token.isascii() else None

    def use(
        self, token: str, standing: Standing, *, presented: Live | None, context: Context
    ) -> Accepted | Refused:
        """Claim it and write down what it shows, in one transaction; ``GONE`` when it is too late.

        ``standing`` is of a sign-in that was just begun for it, ``presented`` the session that the
        browser had before. Commits when it is accepted.
        """
        user = _owner(take(PURPOSE, token, now=context.at))
        if user is None:
            db.session.rollback()
            return GONE
        proof = Proof(user.id, None, MAILBOX.proves, ("recovery",), notice=_NOTICE)
        return self._signin.vouched(standing, METHOD, proof, presented=presented, context=context)


_NOTICE: Final = "An administrator’s sign-in link was used for your account."


def _owner(entry: dict[str, Any] | None) -> User | None:
    if entry is None:
        return None
    user = db.session.get(User, entry["user_id"], populate_existing=True)
    return None if user is None or user.disabled_at is not None else user
