"""A search for people goes on page after page: each once, nobody missed, at a bounded cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest
from flask import Flask
from sqlalchemy import insert

from idp.audit import Context
from idp.models import User, db, new_id
from idp.services.people import PAGE, State, Wanted, people_of
from idp.services.people_search import LOOKED_AT, Spot, spot_of
from tests.bench.statements import counting


@dataclass(frozen=True)
class One:
    email: str
    name: str | None = None
    username: str | None = None
    disabled: bool = False


TOWN: Sequence[One] = (
    One("ann@example.com", "Ann Bell", "ann"),
    One("anna@example.com", "Anna Ruiz"),
    One("annika@example.com", "Petra Annika", "zannika"),
    One("bell@example.com", "Ann Bell", "abell"),
    One("cook@example.com", "Ann Bell"),
    One("dean@example.com", "ANN DEAN", "annd"),
    One("eve@example.com", "annabel", "eve", disabled=True),
    One("finn@example.com", None, "annf"),
    One("gil@example.com", "An Other", "gil"),
    One("hanna@example.com", "Hanna", "hanna"),
)
ADDRESS, USERNAME = ["ann@", "anna@", "annika@"], ["dean@", "finn@"]
SEARCHES: Mapping[str, tuple[str, list[str]]] = {
    "small letters": ("ann", [*ADDRESS, *USERNAME, "eve@", "bell@", "cook@"]),
    "a name as it is written": ("Ann", [*ADDRESS, *USERNAME, "bell@", "cook@"]),
    "a whole name": ("ann bell", ["ann@", "bell@", "cook@"]),
    "capitals": ("ANN", [*ADDRESS, *USERNAME, "bell@", "cook@"]),
    "nobody": ("nn", []),
}


def settle(town: Sequence[One], context: Context) -> None:
    rows: list[dict[str, object]] = [
        {
            "id": f"{number:022}",
            "email": one.email,
            "email_verified": True,
            "name": one.name,
            "username": one.username,
            "profile": {},
            "webauthn_handle": new_id(),
            "disabled_at": context.at if one.disabled else None,
            "created_at": context.at,
            "updated_at": context.at,
        }
        for number, one in enumerate(town)
    ]
    db.session.execute(insert(User), rows)
    db.session.commit()


def pages(beginning: str, *, at_most: int, **wanted: object) -> list[list[str]]:
    """How the addresses of each page begin, and that each page says where the next one does."""
    found: list[list[str]] = []
    spot: Spot | None = None
    while not found or spot is not None:
        page = people_of(
            Wanted(beginning=beginning, spot=spot, at_most=at_most, **wanted)  # type: ignore[arg-type]
        )
        assert page.more is (page.after is not None)
        found.append([one.user.email.removesuffix("example.com") for one in page.listed])
        spot = page.after
    return found


@pytest.mark.parametrize("at_most", [1, 2, 3, 100])
def test_page_after_page_each_comes_once(app: Flask, context: Context, at_most: int) -> None:
    settle(TOWN, context)
    for name, (beginning, expected) in SEARCHES.items():
        found = pages(beginning, at_most=at_most)
        assert [one for page in found for one in page] == expected, name
        assert all(len(page) == at_most for page in found[:-1])
        assert len(found[-1]) <= at_most


def test_other_filters_hold_on_every_page(app: Flask, context: Context) -> None:
    settle(TOWN, context)
    disabled = pages("ann", at_most=1, state=State.DISABLED)
    assert [one for page in disabled for one in page] == ["eve@"]
    active = pages("ann", at_most=2, state=State.ACTIVE)
    assert [one for page in active for one in page] == [*ADDRESS, *USERNAME, "bell@", "cook@"]


def test_it_goes_on_behind_somebody_who_is_gone(app: Flask, context: Context) -> None:
    settle(TOWN, context)
    first = people_of(Wanted(beginning="ann", at_most=2))
    assert first.after is not None
    db.session.delete(db.session.get_one(User, first.after.user_id))
    db.session.commit()
    second = people_of(Wanted(beginning="ann", at_most=2, spot=first.after))
    assert [one.user.email for one in second.listed] == ["annika@example.com", "dean@example.com"]


def test_a_page_goes_on_behind_a_person(app: Flask, context: Context) -> None:
    settle(TOWN, context)
    spots = {
        one: spot_of(db.session.get_one(User, f"{n:022}"), "ann") for n, one in enumerate(TOWN)
    }
    for one, spot in spots.items():
        listed = people_of(Wanted(beginning="ann", spot=spot)).listed
        expected = SEARCHES["small letters"][1]
        name = one.email.removesuffix("example.com")
        after = expected[expected.index(name) + 1 :] if name in expected else expected
        assert [each.user.email.removesuffix("example.com") for each in listed] == after


def test_a_page_costs_the_same_however_many_were_on_those_before(
    app: Flask, context: Context
) -> None:
    """All are found by address. By name they are found again, and told of no second time."""
    many = LOOKED_AT + 2 * PAGE
    settle([One(f"mia{number:05}@example.com", "Mia") for number in range(many)], context)
    last = Spot(0, f"mia{many - 1:05}@example.com", "")
    with counting(db.engine) as counted:
        page = people_of(Wanted(beginning="mia", spot=last))
    assert page.listed == []
    assert page.after is not None
    assert len(counted.texts) < 15
    assert people_of(Wanted(beginning="mia", spot=page.after)).after is None
