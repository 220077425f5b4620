"""A link that was handed over lets one in, whoever else opens it at the same moment."""

from datetime import timedelta
from secrets import token_urlsafe

import pytest
from sqlalchemy import func, select

from idp.assurance import Demand
from idp.audit import Context
from idp.factors.base import Refused, Tools
from idp.models import BrowserSession, EvidenceRow, Transaction, db, release
from idp.services import transactions
from idp.services.signin import Accepted
from idp.services.transactions import Overtaken, Purpose
from idp.web.services import Services
from tests.factors.race import Racetrack, services_with
from tests.factors.storage import KEY, add_person
from tests.helpers.clock import NOON

ROUNDS = 8
CONTEXT = Context(at=NOON, address="192.0.2.1")


def begun() -> Transaction:
    """A sign-in of a browser of its own."""
    return transactions.begin(
        Purpose(return_to="/me"),
        browser_token=token_urlsafe(),
        lifetime=timedelta(minutes=30),
        context=CONTEXT,
    )


def used(services: Services, token: str, started: Transaction) -> Accepted | Refused:
    standing = services.weighing.standing(started, Demand(), presented=None, context=CONTEXT)
    return services.handed_links.use(token, standing, presented=None, context=CONTEXT)


def use(tools: Tools, token: str) -> bool:
    return isinstance(used(services_with(tools.settings.keys[0]), token, begun()), Accepted)


def link_of(services: Services, name: str) -> str:
    link = services.handed_links.link(add_person(f"{name}@example.com"), CONTEXT)
    return link.rpartition("/")[2]


def stored(started: Transaction) -> Transaction:
    """As the next request finds it."""
    release()
    db.session.remove()
    return db.session.get_one(Transaction, started.id)


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


def test_what_it_let_in_is_written_down_with_the_step_it_was(raced_url: str) -> None:
    """Whatever becomes of the request after that."""
    services = services_with(KEY)
    token, started = link_of(services, "bea"), begun()
    accepted = used(services, token, started)
    assert isinstance(accepted, Accepted)
    found = stored(started)
    assert (found.user_id, found.session_id) == (accepted.known.user.id, accepted.session_id)
    assert found.version == started.version
    assert transactions.step_of(found) == found.version > 0


def test_where_the_sign_in_has_gone_on_meanwhile_the_link_is_still_good(raced_url: str) -> None:
    services = services_with(KEY)
    token, started = link_of(services, "cleo"), begun()
    transactions.advance(stored(started), state={"elsewhere": True})
    db.session.commit()
    with pytest.raises(Overtaken):
        used(services, token, started)
    db.session.rollback()
    assert stored(started).state == {"elsewhere": True}
    for table in (BrowserSession, EvidenceRow):
        assert db.session.scalar(select(func.count()).select_from(table)) == 0
    assert isinstance(used(services, token, begun()), Accepted)
