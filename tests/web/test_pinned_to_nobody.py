"""A sign-in under way, of somebody who was removed while another step of it was written."""

from sqlalchemy import Table, select

from idp.models import Transaction, User, db
from idp.web.services import Services
from tests.helpers.house import House
from tests.web.walking import enter, gone, newcomer, signed_in, told

TABLE = Transaction.__table__


def test_it_begins_anew_with_nobody(town: House) -> None:
    assert isinstance(TABLE, Table)
    shop = town.client(consent="never")
    alice, bob = newcomer(town), newcomer(town)
    agent = signed_in(town, shop, alice)
    town.clock.advance(minutes=1)
    page = agent.page(shop.authorization_url(prompt="login"))
    assert alice.email in page.document.text

    def remove(services: Services) -> None:
        under_way = select(TABLE).where(TABLE.c.user_id == alice.id, TABLE.c.finished_at.is_(None))
        (row,) = db.session.execute(under_way).mappings().all()
        services.accounts.delete(db.session.get_one(User, alice.id), town.context)
        db.session.execute(TABLE.insert(), dict(row))
        db.session.commit()

    town.do(remove)
    again = agent.page(page.url)
    assert again.url != page.url
    assert alice.email not in again.document.text
    assert "code" in told(gone(enter(agent, again, bob)))
