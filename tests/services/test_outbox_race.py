"""Two workers on one outbox: every mail once."""

from collections import Counter
from dataclasses import replace

from sqlalchemy import func, select

from idp.factors.base import Mail, Tools
from idp.models import OutboxMessage, db
from idp.services.mail import Mailer
from idp.services.outbox import Outbox
from idp.services.postman import mail_handlers
from tests.factors.race import Racetrack
from tests.factors.storage import KEY, make_tools
from tests.helpers.clock import NOON
from tests.helpers.smtp import Outbox as Server

MAILS = 40


def deliver(tools: Tools, url: str) -> bool:
    settings = replace(tools.settings, mail_url=url)
    return Outbox(tools.box, mail_handlers(settings)).deliver_due(NOON) > 0


def test_two_workers_send_every_mail_once(track: Racetrack, raced_url: str, outbox: Server) -> None:
    tools = make_tools()
    mailer = Mailer(tools.settings, tools.box)
    for number in range(MAILS):
        mail = Mail("reset", f"{number}@example.com", {"url": "https://x", "minutes": 1})
        mailer.queue(mail, now=NOON)
    db.session.commit()

    workers = track.run(deliver, [outbox.url], url=raced_url, key=KEY)

    assert workers == [2], "both had a part in it"
    sent = Counter(str(mail["To"]) for mail in outbox.messages)
    assert sent == Counter(f"{number}@example.com" for number in range(MAILS))
    unsent = select(func.count()).select_from(OutboxMessage).where(OutboxMessage.sent_at.is_(None))
    assert db.session.scalar(unsent) == 0
