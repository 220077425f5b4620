"""Who has left an application's groups gets nothing for what she was given before."""

import pytest
from sqlalchemy import select

from idp.models import Group, User, db
from tests.oidc.desk import Desk, code_form, on_both
from tests.oidc.test_device import TV, asked, decided, polled

API = "https://api.example.com"


def put_in(desk: Desk, *names: str) -> None:
    """Ann into these groups, and out of all others."""
    with desk.rows():
        there = {one.name: one for one in db.session.scalars(select(Group))}
        groups = [there.get(name) or Group(name=name) for name in names]
        db.session.get_one(User, "ann").groups = groups


def reasons(desk: Desk, name: str) -> list[object]:
    return [event.data["reason"] for event in desk.events(name)]


@on_both
@pytest.mark.parametrize("narrowed", [{}, {"resource": API}], ids=["at once", "apart"])
def test_a_code_rests_while_its_person_is_in_none_of_the_groups(
    desk: Desk, narrowed: dict[str, str]
) -> None:
    put_in(desk, "Staff")
    shop = desk.client(allowed_groups=["Staff"])
    desk.tokens(shop)  # from here on the client is known, and a code could go at once
    code = desk.code(shop, scope=("openid", "offline_access"), resource=(API,))
    put_in(desk, "Choir")
    refused = shop.token_request(**code_form(code), **narrowed)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert reasons(desk, "code.refused") == ["in no allowed group"]
    put_in(desk, "Choir", "Staff")
    assert "refresh_token" in shop.token_request(**code_form(code), **narrowed).json()


@on_both
def test_a_device_code_rests_while_its_person_is_in_none_of_the_groups(desk: Desk) -> None:
    put_in(desk, "Staff")
    tv = desk.client(**TV, allowed_groups=["Staff"])
    told = asked(tv, scope="openid offline_access")
    decided(desk, told)
    put_in(desk, "Choir")
    refused = polled(tv, told["device_code"])
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert reasons(desk, "device.code.refused") == ["in no allowed group"]
    put_in(desk, "Staff")
    assert "refresh_token" in polled(tv, told["device_code"]).json()
