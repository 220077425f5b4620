"""The server under more than it can do: slow clients, a flood of sign-ins, a reload meanwhile."""

import os
import re
import signal
import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Event

import httpx
import pytest
from sqlalchemy import select

from idp.cli.server import HEADERS_WITHIN, answers
from idp.cli.server import Server as Serving
from idp.config import Settings
from idp.models import StoredSecret, db
from idp.secrecy import Box
from idp.web.bounded import READERS
from tests.cli.command import Command
from tests.cli.test_serve import workers_of
from tests.helpers.databases import Databases
from tests.helpers.plain import PLAIN
from tests.helpers.ports import free_port, wait_until
from tests.helpers.servers import TEST_KEY, Server, idp_serve, serve
from tests.helpers.user_agent import UserAgent

HASHES, WAITING = 2, 4
OTHER_KEY = "b3RoZXIga2V5IG90aGVyIGtleSBvdGhlciBrZXkgb3Q="
SETTINGS = {
    "IDP_ARGON2_CONCURRENCY": str(HASHES),
    "IDP_ARGON2_WAITING": str(WAITING),
    # Guesses without end: what stands between them and the machine is the gate alone.
    "IDP_PASSWORD_ATTEMPTS": "100000",
    "IDP_NETWORK_ATTEMPTS": "100000",
}


@pytest.fixture(scope="module")
def server(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("overload")
    with databases.fresh("sqlite") as url, serve(url, folder, settings=SETTINGS) as (one,):
        yield one


def token_answers(server: Server) -> httpx.Response:
    """A request with a body, at the token endpoint; it is refused, which is an answer."""
    return httpx.post(
        f"{server.url}/oauth/token", data={"grant_type": "x"}, timeout=20, verify=PLAIN
    )


def begin(
    server: Server, stack: ExitStack, sent: bytes, *, address: str = "127.0.0.1"
) -> socket.socket:
    connection = stack.enter_context(
        socket.create_connection(("127.0.0.1", server.port), source_address=(address, 0))
    )
    connection.sendall(sent)
    return connection


SLOW = {
    "headers that do not end": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: b\r\n",
    "bodies that do not end": (
        b"POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n\r\ngrant"
    ),
    "too large bodies that do not end": (
        b"POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000000\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n\r\ngrant"
    ),
    "chunks that do not end": (
        b"POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n\r\n5\r\ngrant\r\n"
    ),
}


BODY = b"grant_type=x&client_id=y"
HEAD = SLOW["bodies that do not end"].removesuffix(b"grant").replace(b"500", b"%d" % len(BODY))


@pytest.mark.parametrize("sent", SLOW.values(), ids=SLOW)
def test_clients_that_take_their_time_take_nobody_elses(server: Server, sent: bytes) -> None:
    """Three times as many as threads there are to read from them."""
    with ExitStack() as stack:
        for client in range(READERS * 3):
            begin(server, stack, sent, address=f"127.0.0.{2 + client % 4}")
        assert httpx.get(f"{server.url}/healthz", verify=PLAIN).is_success
        assert httpx.get(f"{server.url}/oauth/jwks", verify=PLAIN).is_success

        def is_free() -> bool:
            answer = token_answers(server)
            if answer.status_code == 503:
                assert int(answer.headers["Retry-After"]) > 0
            return answer.status_code == 400

        # Who is too slow is sent away, so that others may send.
        wait_until(is_free, seconds=HEADERS_WITHIN, what="room for a body")


def test_one_computer_however_slow_leaves_room_for_others(server: Server) -> None:
    """As many connections as there are threads to read from them, and more: nobody waits."""
    with ExitStack() as stack:
        for _client in range(READERS * 2):
            begin(server, stack, SLOW["bodies that do not end"], address="127.0.0.2")
        assert [token_answers(server).status_code for _ in range(3)] == [400, 400, 400]


def test_who_is_slow_but_not_too_slow_is_heard(server: Server) -> None:
    with ExitStack() as stack:
        one = begin(server, stack, HEAD + BODY[:5])
        assert token_answers(server).status_code == 400
        one.sendall(BODY[5:])
        assert b"unsupported_grant_type" in one.recv(4096)


def memory_of(pid: int) -> int:
    """The most it ever had, in KiB."""
    (found,) = re.findall(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found)


def test_a_flood_of_sign_ins_costs_memory_and_others_within_bounds(server: Server) -> None:
    agent = UserAgent(server.url)
    page = agent.page(f"{server.url}/me/security")
    form = page.form("/password")
    guess = {**form.fields, "username": "ann@example.com", "password": "a wrong guess"}
    cookies = dict(agent.client.cookies)
    (worker,) = workers_of(server.pid)
    httpx.post(form.action, data=guess, cookies=cookies, timeout=60, verify=PLAIN)
    before = memory_of(worker)
    over = Event()

    def guess_on(_number: int) -> Counter[int]:
        with httpx.Client(cookies=cookies, timeout=60, verify=PLAIN) as client:
            answers = [client.post(form.action, data=guess) for _ in range(5)]
        for answer in answers:
            assert answer.status_code in (422, 503), answer.text
            assert answer.status_code == 422 or int(answer.headers["Retry-After"]) > 0
        return Counter(answer.status_code for answer in answers)

    def others() -> list[int]:
        found = []
        while not over.is_set():
            found.append(token_answers(server).status_code)
        return found

    with ThreadPoolExecutor(25) as threads:
        beside = threads.submit(others)
        told = sum(threads.map(guess_on, range(24)), Counter())
        over.set()
        tokens = Counter(beside.result())
    assert told[422] >= HASHES + WAITING  # as many as there was room for were judged
    assert told[503] > 0
    # Whoever does not hash never waits for who does.
    assert tokens.keys() == {400}
    assert tokens[400] >= 3
    hashes = HASHES * 19456
    assert memory_of(worker) - before < hashes + 40 * 1024
    agent.client.close()


UNHEARD = 0
"""In place of a status: the connection ended before the server had asked for the body."""


def posted_to(server: Server) -> int:
    """The status that a request to the token endpoint is answered with, or ``UNHEARD``."""
    with ExitStack() as stack:
        try:
            one = begin(
                server, stack, HEAD.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n")
            )
            one.settimeout(20)
            asked = one.recv(4096)
        except (BrokenPipeError, ConnectionResetError):
            return UNHEARD
        if not asked:
            return UNHEARD
        assert asked == b"HTTP/1.1 100 Continue\r\n\r\n"
        one.sendall(BODY)
        return int(one.recv(4096).split()[1])


def replaced(server: Server, before: int) -> None:
    """Wait until the only worker is another one."""
    wait_until(
        lambda: len(now := workers_of(server.pid)) == 1 and before not in now,
        seconds=60,
        what="another worker",
    )


def test_a_reload_loses_no_request(server: Server) -> None:
    """Every worker is replaced while it is asked; a connection that closed is asked for anew.

    What is posted has a connection of its own. Once the server has asked for its body, an answer is
    owed: nobody asks again.
    """
    (before,) = workers_of(server.pid)
    over = Event()

    def post() -> Counter[int]:
        found: Counter[int] = Counter()
        while not over.is_set():
            found[posted_to(server)] += 1
        return found

    def ask() -> Counter[int]:
        # As a proxy does: it tries once more where the connection ended before any answer.
        with httpx.Client(transport=httpx.HTTPTransport(retries=1, verify=PLAIN)) as client:
            found: Counter[int] = Counter()
            while not over.is_set():
                try:
                    answer = client.get(f"{server.url}/oauth/jwks")
                except (httpx.RemoteProtocolError, httpx.ReadError):
                    answer = client.get(f"{server.url}/oauth/jwks")
                found[answer.status_code] += 1
            return found

    with ThreadPoolExecutor(8) as threads:
        asking = [threads.submit(ask) for _ in range(4)]
        posting = [threads.submit(post) for _ in range(4)]
        os.kill(server.pid, signal.SIGHUP)
        try:
            replaced(server, before)
        finally:
            over.set()
        answered = sum((one.result() for one in asking), Counter())
        posted = sum((one.result() for one in posting), Counter())
    assert answered.keys() == {200}
    assert posted.keys() <= {400, UNHEARD}
    assert posted[400] > len(posting), "the control: one after the other, all the while"


def test_a_reload_waits_for_what_is_on_its_way(server: Server) -> None:
    """Sent by halves, before its worker is asked to end and after."""
    (before,) = workers_of(server.pid)
    with ExitStack() as stack:
        idle = begin(server, stack, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert idle.recv(4096).startswith(b"HTTP/1.1 200")
        halves = [begin(server, stack, HEAD + BODY[:5]) for _ in range(4)]
        os.kill(server.pid, signal.SIGHUP)
        idle.settimeout(60)
        assert idle.recv(4096) == b"", "it ends: what nobody uses is closed at once"
        assert before in workers_of(server.pid)
        for one in halves:
            one.sendall(BODY[5:])
        for one in halves:
            assert b"unsupported_grant_type" in one.recv(4096)
    replaced(server, before)


WRONG: dict[str, tuple[str, str]] = {
    "a word that it is not": ("log_level = 'LOUD'", "log_level: must be one of"),
    "a way to sign in that there is not": (
        "refused_methods = ['smile']",
        "refused_methods: names a way to sign in that there is not",
    ),
    "a key that opens nothing": (f"keys = '{OTHER_KEY}'", "cannot be read with the configured"),
    "another database": (
        "database_url = 'postgresql+psycopg://idp:hunter2@127.0.0.1:9/idp'",
        "The database cannot be used",
    ),
    "a database without tables": (
        "database_url = 'sqlite:///empty.sqlite3'",
        "The database is empty",
    ),
}


def by_the_file(port: int) -> list[str]:
    """With no variables for what the file is to say."""
    return ["env", "-u", "IDP_KEYS", "-u", "IDP_DATABASE_URL", *idp_serve(port)]


@pytest.mark.parametrize(("wrong", "told"), WRONG.values(), ids=WRONG)
def test_a_reload_with_settings_that_are_wrong_changes_nothing(
    databases: Databases, tmp_path: Path, wrong: str, told: str
) -> None:
    file = tmp_path / "idp.toml"
    with databases.fresh("sqlite") as url:
        right = f"keys = '{TEST_KEY}'\ndatabase_url = '{url}'\nlog_level = 'INFO'\n"
        file.write_text(right)
        named = {"IDP_CONFIG": str(file)}
        with serve(url, tmp_path, settings=named, command=by_the_file) as (server,):
            workers = workers_of(server.pid)
            name = wrong.partition(" ")[0]
            kept = [line for line in right.splitlines() if not line.startswith(name)]
            file.write_text("\n".join([*kept, wrong]))
            os.kill(server.pid, signal.SIGHUP)
            wait_until(lambda: "not reloaded" in server.output(), seconds=20, what="a complaint")
            assert told in server.output()
            assert "hunter2" not in server.output()
            assert workers_of(server.pid) == workers
            assert httpx.get(f"{server.url}/oauth/jwks", verify=PLAIN).is_success


def test_nothing_that_goes_wrong_with_a_reload_ends_the_server(
    sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Not even what nobody thought of: that is logged whole."""

    def thought_of_by_nobody() -> Settings:
        raise RuntimeError("the sky has fallen")

    settings = Command.over(sqlite_url).settings
    serving = Serving(
        "127.0.0.1",
        free_port(),
        settings=settings,
        workers=1,
        threads=1,
        announce=lambda: None,
        read_anew=thought_of_by_nobody,
    )
    serving.reload_signal = True
    serving._reload(None, None)
    assert not serving.reload_signal
    (told,) = caplog.records
    assert told.getMessage().startswith("not reloaded, the workers go on as they are")
    assert told.exc_info


def test_a_reload_seals_by_a_new_key_what_a_start_would(
    databases: Databases, tmp_path: Path
) -> None:
    """Or the old one, once it is taken away, would take every pairwise subject along."""
    file = tmp_path / "idp.toml"
    with databases.fresh("sqlite") as url:
        file.write_text(f"keys = '{TEST_KEY}'\ndatabase_url = '{url}'\n")
        named = {"IDP_CONFIG": str(file)}
        with serve(url, tmp_path, settings=named, command=by_the_file) as (server,):
            (worker,) = workers_of(server.pid)
            file.write_text(f"keys = ['{OTHER_KEY}', '{TEST_KEY}']\ndatabase_url = '{url}'\n")
            os.kill(server.pid, signal.SIGHUP)
            replaced(server, worker)
        with Command.over(url).services():
            (sealed,) = db.session.scalars(select(StoredSecret.sealed)).all()
            assert Box([OTHER_KEY]).open(sealed)


def test_a_worker_that_dies_is_replaced_whatever_the_file_says_by_then(
    databases: Databases, tmp_path: Path
) -> None:
    """A change counts with a reload, and for all workers: half of one is no way to notice it."""
    file = tmp_path / "idp.toml"
    file.touch()
    with databases.fresh("sqlite") as url:
        named = {"IDP_CONFIG": str(file)}
        with serve(url, tmp_path, settings=named) as (server,):
            (worker,) = workers_of(server.pid)
            file.write_text("colour = 'red'\n")
            os.kill(worker, signal.SIGKILL)
            replaced(server, worker)
            wait_until(
                lambda: answers("localhost", server.port),
                seconds=20,
                what="an answer of the new worker",
            )
            assert "no such setting" not in server.output()
