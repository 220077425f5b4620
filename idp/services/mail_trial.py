"""Is mail on its way? One is sent now, past the outbox, and what the server says is told."""

from datetime import timedelta
from email.message import EmailMessage
from typing import Final

from idp import audit
from idp.audit import Context
from idp.config import Settings
from idp.factors.base import Mail
from idp.models import User, db, release
from idp.services.mail import Mailer
from idp.services.outbox import in_words
from idp.services.postman import Postman
from idp.services.transports import Transport, transport_for

USEFUL_FOR: Final = timedelta(hours=1)


class MailTrial:
    """Sends a mail to somebody who administers, while she waits."""

    def __init__(self, settings: Settings, mailer: Mailer) -> None:
        self._settings = settings
        self._mailer = mailer

    def send(self, user: User, context: Context) -> str | None:
        """Hand one over to the mail server; None when it was taken, else what went wrong.

        Audited either way. No database connection is held while the server is talked to.
        """
        values = {"url": self._mailer.url("/admin/health")}
        mail = Mail("trial", user.email, values, not_after=context.at + USEFUL_FOR)
        letter = self._mailer.rendered(mail, user.id)
        user_id, to = user.id, user.email
        release()
        transport = transport_for(self._settings)
        postman = Postman(self._settings, transport)
        problem = _tried(transport, postman.compose(letter, written=context.at), postman, to)
        audit.record(
            f"mail.trial.{'failed' if problem else 'sent'}",
            context,
            user_id=user_id,
            **({"error": problem} if problem else {}),
        )
        db.session.commit()
        return problem


def _tried(transport: Transport, message: EmailMessage, postman: Postman, to: str) -> str | None:
    try:
        # Number 0: in a folder of mails it never takes the place of one from the outbox.
        transport.send(message, sender=postman.sender, to=to, number=0)
    except Exception as error:
        return in_words(error)
    return None
