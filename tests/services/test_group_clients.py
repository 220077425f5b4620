"""What registrations say of groups and pictures is found in either database."""

import base64
from collections.abc import Iterator
from datetime import timedelta

import pytest

from idp.audit import Context
from idp.factors import FACTORS
from idp.models import Picture, db
from idp.services import client_listing, group_clients, group_list, pictures
from idp.services.invalid import Invalid
from idp.web.services import Services
from tests.factors.storage import KEY, make_tools, storage
from tests.helpers.clock import NOON, FakeClock

CONTEXT = Context(at=NOON, actor_id="command:test")
NAMES = ("staff", 'the "best" \\ 100%_', "Ünïcode ’", "名前")
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture
def idp(database_url: str) -> Iterator[Services]:
    with storage(database_url):
        yield Services(make_tools(KEY).settings, clock=FakeClock(), kinds=FACTORS)


def client(idp: Services, managed_by: str = "command", **members: object) -> str:
    wanted = {"redirect_uris": ["https://app.example/"], **members}
    return idp.client_registry.register(wanted, CONTEXT, managed_by=managed_by).client_id


def test_whatever_a_group_is_called_it_is_found_and_followed(idp: Services) -> None:
    for number, name in enumerate(NAMES):
        group = group_list.create(name, CONTEXT)
        naming = client(idp, allowed_groups=[name], client_name=name)
        client(idp, client_name=f"{name} only in the name", told_groups=[f"{name}."])
        assert [one.id for one in group_clients.naming(name)] == [naming]
        revision = client_listing.shown(naming).revision
        group_list.rename(group, f"New {number}", CONTEXT)
        now = client_listing.shown(naming)
        assert now.metadata.allowed_groups == (f"New {number}",)
        assert now.revision == revision + 1
        assert group_clients.naming(name) == ()


def test_one_that_a_file_keeps_holds_it_for_all(idp: Services) -> None:
    group = group_list.create("staff", CONTEXT)
    free = client(idp, told_groups=["staff"])
    client(idp, managed_by="file", owner_groups=["staff"], client_name="Filed")
    with pytest.raises(Invalid, match="Filed"):
        group_list.rename(group, "crew", CONTEXT)
    assert client_listing.shown(free).metadata.told_groups == ("staff",)
    assert group_list.find_named("staff") is not None


def test_pictures_that_nothing_names_go_and_the_others_stay(idp: Services) -> None:
    shown, unused = (pictures.keep(PIXEL + bytes([one]), CONTEXT, field="x") for one in (1, 2))
    client(idp, logo_uri=f"https://id.example.com{shown}")
    db.session.commit()
    assert pictures.forget_unused((), NOON + timedelta(days=29)) == 0
    assert pictures.forget_unused((), NOON + timedelta(days=31)) == 1
    left = [f"{pictures.PATH}{one.id}" for one in db.session.query(Picture)]
    assert left == [shown]
    assert unused not in left
