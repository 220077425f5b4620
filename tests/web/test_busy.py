"""Too much at once: a calm 503 that says when to come again, and nothing is counted or lost."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from io import BytesIO
from ipaddress import ip_network
from threading import Event, Thread
from typing import Any

import httpx
import pytest

from idp import capacity
from idp.capacity import Busy, Gate
from idp.factors import FACTORS
from idp.factors.password import Password
from idp.models import Counter, db
from idp.passwords import Hasher
from idp.passwords.hashing import PATIENCE
from idp.web.bounded import Bounded
from idp.web.slow_clients import HEARD_OUT, HEARD_SECONDS, Bodies
from tests.helpers.clock import FakeClock
from tests.helpers.databases import Databases
from tests.helpers.house import House, Person
from tests.helpers.relying_party import RelyingParty
from tests.helpers.user_agent import Page, UserAgent
from tests.web.walking import enter, gone, housed, shown

SIZE = {"argon2_concurrency": 1, "argon2_waiting": 1}


@pytest.fixture(scope="module")
def house(databases: Databases) -> Iterator[House]:
    with databases.fresh("postgresql") as url, housed(url, FakeClock(), **SIZE) as made:
        yield made


@pytest.fixture(scope="module")
def alice(house: House) -> Person:
    return house.person()


def the_gate() -> Gate:
    return capacity.gate("hash", 1, 1, patience=PATIENCE)


@contextmanager
def a_flood() -> Iterator[None]:
    """Somebody hashes, and somebody waits to: there is no room for a third."""
    over = Event()

    def stay() -> None:
        the_gate().do(lambda: over.wait(60))

    threads = [Thread(target=stay, daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    while not the_gate().full:
        threads[0].join(0.001)
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join(60)


def shop_of(house: House) -> RelyingParty:
    return house.client(consent="never")


def counted(house: House) -> int:
    with house.app.app_context():
        return sum(db.session.scalars(db.select(Counter.count)))


def calm(response: httpx.Response) -> None:
    assert response.status_code == 503
    assert response.headers["Retry-After"] == str(capacity.RETRY_AFTER)
    assert "Location" not in response.headers


def send(agent: UserAgent, page: Page, alice: Person) -> httpx.Response:
    form = page.form("/password")
    values = {**form.fields, "username": alice.email, "password": alice.password}
    return agent.client.post(form.action, data=values)


def test_a_sign_in_that_finds_no_room_is_told_to_come_again(house: House, alice: Person) -> None:
    agent, shop = house.browser(), shop_of(house)
    page = shown(agent.page(shop.authorization_url()))
    with a_flood():
        response = send(agent, page, alice)
        calm(response)
        assert "Back in a moment" in response.text
        assert counted(house) == 0
        # What does not hash goes on.
        assert house.http().get("/oauth/jwks").status_code == 200
    assert gone(enter(agent, page, alice)).parameters["code"]  # the same page, the same form


def test_a_script_is_told_so_in_json(house: House, alice: Person) -> None:
    agent = house.browser()
    page = shown(agent.page(shop_of(house).authorization_url()))
    form = page.form("/password")
    values = {**form.fields, "username": alice.email, "password": alice.password}
    with a_flood():
        told = agent.client.post(form.action, json=values, headers={"Accept": "application/json"})
    calm(told)
    assert told.json()["error"] == "temporarily_unavailable"


class Hopeful(Password):
    """Finds out that there is no room only when it hashes."""

    crowded = False


def test_the_room_may_go_between_the_look_and_the_hash(sqlite_url: str) -> None:
    """Then the try was counted already, and is given back."""
    kinds = tuple(Hopeful if one is Password else one for one in FACTORS)
    house = House(sqlite_url, FakeClock(), kinds=kinds, **SIZE)
    alice, agent = house.person(), house.browser()
    page = shown(agent.page(shop_of(house).authorization_url()))
    with a_flood():
        calm(send(agent, page, alice))
    assert counted(house) == 0
    wrong = Person(alice.id, alice.email, "another password")
    shown(enter(agent, page, wrong))
    assert counted(house) > 0  # the control
    assert gone(enter(agent, page, alice)).parameters["code"]


def test_a_hash_that_is_out_of_date_is_renewed_another_time(house: House) -> None:
    """Whoever's password was right is let in, also when there is no room to hash it anew."""

    class NoRoom(Hasher):
        def hash(self, password: str) -> str:
            raise capacity.Busy("hash")

    password = house.services.factors["password"]
    assert isinstance(password, Password)
    assert Password._renewed(password, "paper lanterns")  # the control
    password._hasher = NoRoom(house.settings)
    assert Password._renewed(password, "paper lanterns") is None


def test_without_a_free_connection_there_is_a_503(house: House) -> None:
    with house.app.app_context():
        pool = db.engine
    held = [pool.connect() for _ in range(20)]
    try:
        response = house.browser().client.get("/me/security")
    finally:
        for connection in held:
            connection.close()
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert house.browser().client.get("/me/security").status_code != 503


# Before the application


def slow(address: str, **headers: str) -> dict[str, Any]:
    return {"REMOTE_ADDR": address, "CONTENT_LENGTH": "3", **headers}


PROXY = "10.0.0.1"
FORWARDED = "HTTP_X_FORWARDED_FOR"
SHARES = [
    ("one network", slow("2001:db8::1"), slow("2001:db8::2"), False),
    ("another network", slow("2001:db8::1"), slow("2001:db8:1::1"), True),
    ("behind a proxy, one", slow(PROXY, **{FORWARDED: "192.0.2.1"}), slow("192.0.2.1"), False),
    (
        "behind a proxy, another",
        slow(PROXY, **{FORWARDED: "192.0.2.1"}),
        slow(PROXY, **{FORWARDED: "192.0.2.1, 192.0.2.2"}),
        True,
    ),
    ("a proxy that does not say", slow(PROXY), slow(PROXY), True),
    (
        "nobody's word but a proxy's",
        slow("192.0.2.1", **{FORWARDED: "192.0.2.8"}),
        slow("192.0.2.1", **{FORWARDED: "192.0.2.9"}),
        False,
    ),
]


@pytest.mark.parametrize(
    ("one", "other", "let_in"), [row[1:] for row in SHARES], ids=[row[0] for row in SHARES]
)
def test_who_sends_slowly_leaves_room_for_others(
    one: dict[str, Any], other: dict[str, Any], let_in: bool
) -> None:
    bodies = Bodies(largest=8, readers=9, from_one=1, trusted=(ip_network(f"{PROXY}/32"),))

    class Meanwhile(BytesIO):
        """Another body that comes while this one is read."""

        def read(self, size: int | None = -1) -> bytes:
            environ = {**other, "wsgi.input": BytesIO(b"abc")}
            with ThreadPoolExecutor(1) as threads, nullcontext() if let_in else pytest.raises(Busy):
                threads.submit(bodies.receive, environ).result()
            return super().read(size)

    for _again in range(2):
        bodies.receive({**one, "wsgi.input": Meanwhile(b"abc")})


FILE = {"PATH_INFO": "/file"}
SENT = [
    ("no body", {}, b"", "200 OK"),
    ("a body", {"CONTENT_LENGTH": "3"}, b"abc", "200 OK"),
    ("a body without a length", {"HTTP_TRANSFER_ENCODING": "chunked"}, b"abc", "200 OK"),
    ("one that breaks off", {"CONTENT_LENGTH": "4"}, b"abc", "400 Bad Request"),
    ("as large as files may be there", {**FILE, "CONTENT_LENGTH": "9"}, b"123456789", "200 OK"),
    ("a file that breaks off", {**FILE, "CONTENT_LENGTH": "9"}, b"12345678", "400 Bad Request"),
    ("a length of zeros without end", {"CONTENT_LENGTH": "0" * 5000}, b"", "400 Bad Request"),
    ("a length that is none", {"CONTENT_LENGTH": "x"}, b"", "200 OK"),
]


def bounded_at_eight(seen: list[bytes]) -> Bounded:
    """Bodies of eight bytes, of twelve where files are taken in; ``seen`` by the application."""

    def app(environ, start_response):
        seen.append(environ["wsgi.input"].read())
        start_response("200 OK", [])
        return [b""]

    return Bounded(app, threads=1, largest=8, larger={"/file": 12})


def answered(bounded: Bounded, body: object, headers: dict[str, str]) -> str:
    told: list[str] = []

    def start_response(line, _headers, _error=None):
        told.append(line)
        return lambda _bytes: None

    b"".join(bounded({"wsgi.input": body, **headers}, start_response))
    return told[0]


@pytest.mark.parametrize(
    ("headers", "body", "status"), [one[1:] for one in SENT], ids=[one[0] for one in SENT]
)
def test_a_body_is_here_whole_or_not_at_all(
    headers: dict[str, str], body: bytes, status: str
) -> None:
    seen: list[bytes] = []
    bounded = bounded_at_eight(seen)
    assert answered(bounded, BytesIO(body), headers) == status
    assert seen == ([body] if status == "200 OK" else [])


CHUNKED = {"HTTP_TRANSFER_ENCODING": "chunked"}
TOO_LARGE = [
    ("it says so", {"CONTENT_LENGTH": "9"}, 9, 0),
    ("it does not say so", CHUNKED, 9, 0),
    ("no end is near", {"CONTENT_LENGTH": str(HEARD_OUT + 1)}, HEARD_OUT + 1, HEARD_OUT + 1),
    ("none comes", CHUNKED, HEARD_OUT + 9 + 5, 5),
    ("nothing was sent yet", {"CONTENT_LENGTH": "9", "HTTP_EXPECT": "100-continue"}, 9, 9),
]


@pytest.mark.parametrize(
    ("headers", "size", "left"), [one[1:] for one in TOO_LARGE], ids=[one[0] for one in TOO_LARGE]
)
def test_who_sends_too_much_is_heard_out_and_nothing_is_kept(
    headers: dict[str, str], size: int, left: int
) -> None:
    body, seen = BytesIO(bytes(size)), list[bytes]()
    assert answered(bounded_at_eight(seen), body, headers) == "200 OK"
    told = size if left == size else 0  # to the application, which refuses it by its length
    assert [len(one) for one in seen] == [9 if headers is CHUNKED else told]
    assert size - body.tell() == (0 if left == size else left)


@pytest.mark.parametrize(
    "headers", [{"CONTENT_LENGTH": str(HEARD_OUT)}, CHUNKED], ids=["it says so", "it does not"]
)
def test_who_sends_too_much_and_slowly_is_heard_for_a_few_seconds(headers: dict[str, str]) -> None:
    pieces: list[float] = []

    class Slow(BytesIO):
        """Takes two seconds for each piece."""

        def read(self, size: int | None = -1) -> bytes:
            pieces.append(2.0)
            return bytes(size or 0)

    bodies = Bodies(largest=8, readers=1, from_one=1, clock=lambda: sum(pieces))
    bodies.receive({**headers, "REMOTE_ADDR": "192.0.2.1", "wsgi.input": Slow()})
    beside = 1 if headers is CHUNKED else 0  # read to learn that it is too large
    assert len(pieces) - beside == 3
    assert HEARD_SECONDS <= sum(pieces) < HEARD_SECONDS + 2 * (1 + beside)


def test_who_sends_too_much_is_answered_where_nobody_can_hear_it_out() -> None:
    bodies = Bodies(largest=8, readers=1, from_one=1)
    slowly = BytesIO(b"123456789")

    class Meanwhile(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            bodies.receive({**slow("192.0.2.2"), "CONTENT_LENGTH": "9", "wsgi.input": slowly})
            return super().read(size)

    bodies.receive({**slow("192.0.2.1"), "wsgi.input": Meanwhile(b"abc")})
    assert slowly.tell() == 0


def test_one_file_is_taken_in_at_a_time() -> None:
    bounded, large = bounded_at_eight([]), {**FILE, "CONTENT_LENGTH": "9"}
    meanwhile: list[str] = []

    class Slow(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if not meanwhile:
                meanwhile.append(answered(bounded, BytesIO(b"123456789"), large))
                meanwhile.append(answered(bounded, BytesIO(b"123"), {"CONTENT_LENGTH": "3"}))
            return super().read(size)

    assert answered(bounded, Slow(b"123456789"), large) == "200 OK"
    assert meanwhile == ["503 Service Unavailable", "200 OK"]
    assert answered(bounded, BytesIO(b"123456789"), large) == "200 OK"
