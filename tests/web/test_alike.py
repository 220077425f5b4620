"""No answer tells which accounts there are: status, headers, body and work are alike."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from sqlalchemy import event

from idp.models import db
from idp.passwords import schemes
from tests.helpers.house import House, Person
from tests.helpers.relying_party import RelyingParty
from tests.helpers.user_agent import Page, UserAgent
from tests.web.walking import newcomer, user_of

WRONG = "not the password of anybody"
_VARYING = re.compile(
    r"[A-Za-z0-9._-]{22,}"  # ids, nonces, tokens, challenges
    r"|[a-z]+[0-9]*@example\.com"
)


_SEVERAL = re.compile(r'({"id": "…"[^}]*})(?:, {"id": "…"[^}]*})+')


@pytest.fixture(scope="module")
def shop(town: House) -> RelyingParty:
    return town.client(consent="never")


def known(house: House) -> str:
    return newcomer(house).email


def unknown(_house: House) -> str:
    return "person0@example.com"  # the same initial as theirs: it stands on the page


def disabled(house: House) -> str:
    person = newcomer(house)
    house.do(lambda idp: idp.accounts.disable(user_of(idp, person), house.context))
    return person.email


def without_password(house: House) -> str:
    with house.app.app_context():
        person = newcomer(house)
        house.services.accounts.delete(user_of(house.services, person), house.context)
        made = house.services.accounts.create(
            {"email": person.email, "email_verified": True}, house.context
        )
    house.passkey(Person(made.id, made.email, ""))
    return person.email


def with_second_step(house: House) -> str:
    person = newcomer(house)
    house.totp(person)
    return person.email


def unverified(house: House) -> str:
    return newcomer(house, email_verified=False).email


KINDS: list[Callable[[House], str]] = [
    known,
    unknown,
    disabled,
    without_password,
    with_second_step,
    unverified,
]


class Seen:
    """What an outsider sees of an answer, and what it cost us."""

    def __init__(self, response: httpx.Response, hashes: int, statements: list[str]) -> None:
        self.status = response.status_code
        self.headers = sorted(
            (name, _plain(value))
            for name, value in response.headers.items()
            if name not in ("x-request-id", "content-length")
        )
        self.body = _plain(response.text)
        self.hashes = hashes
        self.statements = statements


def _plain(text: str) -> str:
    # How many passkeys somebody has, or nobody seems to have, is drawn by lot from the name.
    return _SEVERAL.sub(r"\1", _VARYING.sub("…", text))


@contextmanager
def counting(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[list[int], list[str]]]:
    """Counts hashes that are computed, and the statements that are sent."""
    hashes: list[int] = []
    statements: list[str] = []
    verify = schemes.Argon2id.verify

    def counted(self: schemes.Argon2id, *args: Any, **kwargs: Any) -> bool:
        hashes.append(1)
        return verify(self, *args, **kwargs)

    def noted(_c: object, _k: object, statement: str, *_: object) -> None:
        statements.append(statement)

    with house.app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", noted)
    with monkeypatch.context() as patched:
        patched.setattr(schemes.Argon2id, "verify", counted)
        yield hashes, statements
    event.remove(engine, "before_cursor_execute", noted)


Walk = Callable[[UserAgent, Page, str], httpx.Response]


def guess(agent: UserAgent, page: Page, username: str) -> httpx.Response:
    form = page.form("/password")
    return agent.client.post(
        form.action, data={**form.fields, "username": username, "password": WRONG}
    )


def ask_for_mail(agent: UserAgent, page: Page, username: str) -> httpx.Response:
    form = page.form("/password")
    mail = form.button("Email me a sign-in link").action or ""
    sent = agent.client.post(mail, data={**form.fields, "username": username, "send": "link"})
    assert sent.status_code == 303
    return agent.client.get(sent.headers["Location"])


def wrong_code(agent: UserAgent, page: Page, username: str) -> httpx.Response:
    ask_for_mail(agent, page, username)
    form = page.form("/password")
    values = {"csrf_token": form.fields["csrf_token"], "code": "000000"}
    return agent.client.post(f"{page.path}/magic_link", data=values)


def forgot(agent: UserAgent, page: Page, username: str) -> httpx.Response:
    page = agent.page("/login/forgotten")
    form = page.form("/forgotten")
    return agent.client.post(form.action, data={**form.fields, "username": username})


def guess_in_json(agent: UserAgent, page: Page, username: str) -> httpx.Response:
    return agent.json(page.path, {"username": username, "password": WRONG})


WALKS: list[Walk] = [guess, guess_in_json, ask_for_mail, wrong_code, forgot]


def seen(
    house: House,
    shop: RelyingParty,
    monkeypatch: pytest.MonkeyPatch,
    walk: Walk,
    kind: Callable[[House], str],
) -> Seen:
    username = kind(house)
    agent = house.browser()
    page = agent.page(shop.authorization_url())
    with counting(house, monkeypatch) as (hashes, statements):
        response = walk(agent, page, username)
    return Seen(response, len(hashes), statements)


@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.__name__)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_account_is_answered_like_no_account(
    town: House,
    shop: RelyingParty,
    monkeypatch: pytest.MonkeyPatch,
    walk: Walk,
    kind: Callable[[House], str],
) -> None:
    town.clock.advance(hours=2)
    nobodys = seen(town, shop, monkeypatch, walk, unknown)
    town.clock.advance(hours=2)
    theirs = seen(town, shop, monkeypatch, walk, kind)
    assert theirs.status == nobodys.status
    assert theirs.headers == nobodys.headers
    assert theirs.body == nobodys.body
    assert theirs.hashes == nobodys.hashes


def test_a_guess_costs_one_hash(
    town: House, shop: RelyingParty, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A control: what is counted is counted."""
    for kind in KINDS:
        assert seen(town, shop, monkeypatch, guess, kind).hashes == 1
    assert seen(town, shop, monkeypatch, ask_for_mail, known).hashes == 0


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_guess_asks_the_database_the_same(
    town: House,
    shop: RelyingParty,
    monkeypatch: pytest.MonkeyPatch,
    kind: Callable[[House], str],
) -> None:
    """Not to the letter, but in number: a look-up more is a millisecond that can be measured."""
    nobodys = seen(town, shop, monkeypatch, guess, unknown).statements
    theirs = seen(town, shop, monkeypatch, guess, kind).statements
    assert len(theirs) == len(nobodys)


def test_the_controls_differ(town: House, shop: RelyingParty) -> None:
    """The comparison would see a difference: a right password is answered otherwise."""
    person = newcomer(town)
    agent = town.browser()
    page = agent.page(shop.authorization_url())
    form = page.form("/password")
    values = {**form.fields, "username": person.email, "password": person.password}
    right = agent.client.post(form.action, data=values)
    assert right.status_code == 303
    assert "set-cookie" in right.headers


def test_all_are_told_to_wait_alike(
    town: House, shop: RelyingParty, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = []
    for kind in KINDS:
        town.clock.advance(hours=1)
        username = kind(town)
        agent = town.browser()
        page = agent.page(shop.authorization_url())
        for _ in range(10):
            assert guess(agent, page, username).status_code == 422
        with counting(town, monkeypatch) as (hashes, _statements):
            late = guess(agent, page, username)
        assert (late.status_code, len(hashes)) == (429, 0)
        answers.append((late.headers["Retry-After"], _plain(late.text)))
    assert len(set(answers)) == 1


def test_registering_is_answered_alike(databases_url: str, town: House) -> None:
    house = House(databases_url, town.clock, registration=True)
    answers = []
    for username in (known(house), "fresh@example.com", disabled(house)):
        agent = house.browser()
        page = agent.page("/login/register")
        form = page.form("/register")
        response = agent.client.post(form.action, data={**form.fields, "username": username})
        answers.append((response.status_code, _plain(response.text)))
    assert len(set(answers)) == 1
