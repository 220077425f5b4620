"""A search for people goes on page after page: each once, nobody missed, at a bounded cost."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pytest
from flask import Flask
from sqlalchemy import insert, select, update

from idp.audit import Context
from idp.models import User, db, new_id
from idp.services import person_words
from idp.services.accounts import new_user
from idp.services.people import PAGE, State, Wanted, people_of
from idp.services.people_search import FEW, LOOKED_AT, MANY, Spot, spot_of, word_ways_of
from tests.bench.statements import counting
from tests.services.bare import bare_app


@pytest.fixture
def sqlite_app(sqlite_url: str) -> Iterator[Flask]:
    app = bare_app(sqlite_url)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


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
EVERYBODY = [f"{one.email.partition('@')[0]}@" for one in TOWN]
SEARCHES: Mapping[str, tuple[str, list[str]]] = {
    "small letters": ("ann", [*ADDRESS, *USERNAME, "eve@", "bell@", "cook@"]),
    "a name as it is written": ("Ann", [*ADDRESS, *USERNAME, "bell@", "cook@", "eve@"]),
    "a whole name": ("ann bell", ["ann@", "bell@", "cook@"]),
    "capitals": ("ANN", [*ADDRESS, *USERNAME, "bell@", "cook@", "eve@"]),
    "nobody": ("nn", []),
}
BY_WORDS: Mapping[str, tuple[str, list[str]]] = {
    "a surname": ("bell", ["bell@", "ann@", "cook@"]),
    "how a surname begins": ("rui", ["anna@"]),
    "the words of a name the other way round": ("bell ann", ["ann@", "bell@", "cook@"]),
    "words of a name and of an address": ("ruiz anna@", []),
    "words of a name and of a user name": ("other gil", ["gil@"]),
    "the host": ("example", EVERYBODY),
    "how an address begins": ("annika@ex", ["annika@"]),
    "a middle part of an address": ("nika@example", []),
    "a word that she has and one that she has not": ("annika nobody", []),
    "words of which two people have one each": ("ruiz dean", []),
    "the same word twice": ("petra petra", ["annika@"]),
    "a word and how it begins": ("anna ann", ["anna@", "eve@"]),
    "nothing but a sign": ("%", []),
}


PARTS: Mapping[str, tuple[Wanted, list[str]]] = {
    "whatever the case": (Wanted(containing="NNA"), ["anna@", "eve@", "hanna@"]),
    "of an address": (Wanted(containing="k@exam"), ["cook@"]),
    "of a name": (Wanted(containing="n b"), ["ann@", "bell@", "cook@"]),
    "of a user name": (Wanted(containing="zan"), ["annika@"]),
    "a sign that SQL gives a meaning": (Wanted(containing="%"), []),
    "and another such sign": (Wanted(containing="_"), []),
    "a state": (Wanted(containing="nna", state=State.DISABLED), ["eve@"]),
    "a beginning": (Wanted(containing="k", beginning="ann"), ["annika@", "cook@"]),
    "after an address": (Wanted(containing="nna", after="anna@example.com"), ["eve@", "hanna@"]),
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
    person_words.add(db.session.scalars(select(User)).all())
    db.session.commit()


def pages(
    beginning: str, *, at_most: int, after: Spot | None = None, **wanted: object
) -> list[list[str]]:
    """How the addresses of each page begin, and that each page says where the next one does."""
    found: list[list[str]] = []
    spot = after
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


def test_a_part_finds_with_what_else_is_wanted(app: Flask, context: Context) -> None:
    settle(TOWN, context)
    found = {name: people_of(wanted).listed for name, (wanted, _) in PARTS.items()}
    told = {
        name: [one.user.email.removesuffix("example.com") for one in each]
        for name, each in found.items()
    }
    assert told == {name: expected for name, (_, expected) in PARTS.items()}


def test_any_word_finds(app: Flask, context: Context) -> None:
    settle(TOWN, context)
    found = {name: pages(typed, at_most=4) for name, (typed, _) in BY_WORDS.items()}
    told = {name: [one for page in each for one in page] for name, each in found.items()}
    assert told == {name: expected for name, (_, expected) in BY_WORDS.items()}


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
    """All are found by address. By name they are found again, and by words once more, and told of
    no second time."""
    many = LOOKED_AT + 2 * PAGE
    mias = [One(f"mia{number:05}@example.com", "Mia") for number in range(many)]
    settle([*mias, *(One(f"z{number}@example.com", "Zoe") for number in range(FEW + 1))], context)
    last = Spot(0, f"mia{many - 1:05}@example.com", "")
    with counting(db.engine) as counted:
        page = people_of(Wanted(beginning="mia", spot=last))
    assert page.listed == []
    assert page.after is not None
    assert len(counted.texts) < 15
    further = pages("mia", at_most=PAGE, after=page.after)
    assert not any(further)
    assert len(further) < 5
    with counting(db.engine) as counted:
        nobody = people_of(Wanted(beginning="mia zoe"))
    assert nobody.listed == []
    assert nobody.after is not None
    assert len(counted.texts) < 25
    assert pages("mia zoe", at_most=PAGE) == [[], []]


NAMES: Mapping[str, tuple[str, str]] = {
    "Latin": ("José Núñez Ñandú", "nunez"),
    "Latin, without a space that tells": ("Anne-Marie d’Arc", "arc"),
    "Vietnamese": ("Nguyễn Thị Ánh", "anh"),
    "Greek": ("Ελένη Παπαδοπούλου", "παπαδοπουλου"),
    "Cyrillic": ("Анна Ахматова", "АХМАТ"),  # noqa: RUF001
    "Georgian": ("შოთა რუსთაველი", "რუსთ"),
    "Armenian": ("Արամ Խաչատրյան", "խաչ"),
    "Arabic": ("نجيب محفوظ", "محف"),
    "Hebrew": ("עמוס עוז", "עוז"),
    "Devanagari": ("प्रेम चंद", "चंद"),
    "Bengali": ("রবীন্দ্রনাথ ঠাকুর", "ঠাকু"),
    "Tamil": ("சுப்பிரமணிய பாரதி", "பாரதி"),
    "Thai": ("สุนทร ภู่", "ภู่"),
    "Chinese": ("王小明", "小明"),
    "Japanese": ("やまだ タロウ", "タロウ"),
    "Korean": ("김 철수", "철수"),
    "Amharic": ("አበበ ቢቂላ", "ቢቂላ"),
    "letters of full width": ("Ｔａｒｏ Ｙａｍａｄａ", "yama"),  # noqa: RUF001
}


@pytest.mark.parametrize(("name", "typed"), NAMES.values(), ids=NAMES)
def test_a_later_part_of_a_name_finds_it_in_every_script(
    sqlite_app: Flask, context: Context, name: str, typed: str
) -> None:
    settle([One("p1@example.com", name), One("p2@example.com", "Somebody Else")], context)
    assert [pages(one, at_most=5) for one in (typed, name, typed.upper())] == [[["p1@"]]] * 3


def test_of_words_that_many_have_the_rarest_is_read(app: Flask, context: Context) -> None:
    """The longest of them would lead through everybody."""
    many = [One(f"p{number:04}@example.com", "Maximiliane Bo") for number in range(FEW + 300)]
    settle([*many, One("z@example.com", "Bo Maximiliane Ek")], context)
    for typed in ("maximiliane bo ek", "ek maximiliane bo"):
        with counting(db.engine) as counted:
            assert pages(typed, at_most=5) == [["z@"]]
        assert len(counted.texts) < 15
        spot = spot_of(
            db.session.scalars(select(User).where(User.email == "z@example.com")).one(), typed
        )
        assert spot is not None
        assert spot.key == "ek"
    assert sum(map(len, pages("bo maximiliane", at_most=200))) == len(many) + 1


def test_of_the_many_who_have_a_word_those_leave_the_database_who_have_the_others(
    app: Flask, context: Context
) -> None:
    names = [*["Bo Ida"] * MANY, *["Ek Ida"] * (FEW + 1)]
    some = [One(f"p{number:04}@example.com", name) for number, name in enumerate(names)]
    both = [One(f"{one}@example.com", "Ida Ekborn Bolin") for one in "abc"]
    settle([*some, *both], context)
    for at_most in (1, 5):
        found = [one for page in pages("bo ida ek", at_most=at_most) for one in page]
        assert found == ["a@", "b@", "c@"]
    (way, *_) = word_ways_of("bo ida ek")
    first = way.read((), None, PAGE)
    assert (list(first.rows), first.passed) == ([], MANY)
    rest = way.read((), first.end, PAGE)
    assert [row.email for row in rest.rows] == [one.email for one in both]
    assert rest.end is None


def test_whoever_has_several_words_that_begin_so_is_told_of_once(
    app: Flask, context: Context
) -> None:
    settle([One("p1@example.com", "Max Otto Otter"), One("p2@example.com", "Ida Otter")], context)
    for at_most in (1, 5):
        found = [one for page in pages("ott", at_most=at_most) for one in page]
        assert found == ["p1@", "p2@"]


def test_a_search_goes_on_by_the_word_that_it_began_with(app: Flask, context: Context) -> None:
    """Though another has become the rarer one."""
    some = [One(f"p{number}@example.com", f"Bo{number % 3} Ek{number}") for number in range(9)]
    settle([*some, One("q@example.com", "Ek")], context)
    first = people_of(Wanted(beginning="ek bo", at_most=4))
    assert first.after is not None
    assert first.after.key.startswith("bo")
    more = [new_user({"email": f"r{n}@example.com", "name": "Bo"}, context)[0] for n in "123"]
    db.session.add_all(more)
    db.session.flush()
    person_words.add(more)
    db.session.commit()
    rest = people_of(Wanted(beginning="ek bo", spot=first.after))
    found = [one.user.email for one in (*first.listed, *rest.listed)]
    assert sorted(found) == [one.email for one in some]


def test_a_name_that_an_older_version_changed_is_not_found_as_it_was(
    app: Flask, context: Context
) -> None:
    settle([One("p1@example.com", "Ann Bell")], context)
    assert pages("bell", at_most=5) == [["p1@"]]
    db.session.execute(update(User).values(name="Ann Archer"))
    db.session.commit()
    assert pages("bell", at_most=5) == [[]]
    assert pages("ann arch", at_most=5) == [["p1@"]]


@pytest.mark.parametrize("way", [-1, 6, 99, 999])
def test_a_spot_that_no_page_named_is_harmless(app: Flask, context: Context, way: int) -> None:
    settle(TOWN, context)
    people_of(Wanted(beginning="ann bell", spot=Spot(way, "x", "y"), at_most=3))
