"""A link that was handed over lets one in, whoever else opens it at the same moment."""

from datetime import timedelta
from secrets import token_urlsafe

from sqlalchemy import func, select

from idp.assurance import Demand
from idp.audit import Context
from idp.factors.base import Tools
from idp.models import BrowserSession, EvidenceRow, db, release
from idp.services import transactions
from idp.services.signin import Accepted
from idp.services.transactions import Purpose
from tests.factors.race import Racetrack, services_with
from tests.factors.storage import KEY, add_person
from tests.helpers.clock import NOON

ROUNDS = 8
CONTEXT = Context(at=NOON, address="192.0.2.1")


def use(tools: Tools, token: str) -> bool:
    """In a browser of its own."""
    services = services_with(tools.settings.keys[0])
    started = transactions.begin(
        Purpose(return_to="/me"),
        browser_token=token_urlsafe(),
        lifetime=timedelta(minutes=30),
        context=CONTEXT,
    )
    standing = services.weighing.standing(started, Demand(), presented=None, context=CONTEXT)
    outcome = services.handed_links.use(token, standing, presented=None, context=CONTEXT)
    return isinstance(outcome, Accepted)


def test_of_two_who_open_it_at_once_one_is_let_in(track: Racetrack, raced_url: str) -> None:
    ann = add_person("ann@example.com")
    for number in range(ROUNDS):
        link = services_with(KEY).handed_links.link(ann, CONTEXT)
        release()
        assert track.run(use, [link.rpartition("/")[2]], url=raced_url, key=KEY) == [1]
        release()
        for table in (BrowserSession, EvidenceRow):
            count = db.session.scalar(select(func.count()).select_from(table))
            assert count == number + 1
        release()
