"""Fetching what registrations point at: in time, in bounds, and never from an inside address."""

import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address, ip_network
from pathlib import Path
from threading import Barrier, Event
from typing import Any

import pytest

from idp.config import load_settings
from idp.services.fetch import Fetcher, Limits, system_trust
from idp.services.outside import LOOPBACK, is_outside
from idp.services.unfetchable import NOWHERE, Unfetchable
from tests.helpers.little_server import Behave, LittleServer, little_server, saying
from tests.helpers.servers import TEST_KEY
from tests.services.certificate import localhost_certificate

QUICK = Limits(seconds=0.4, body=1000)
PATIENT = Limits(seconds=10, body=1000)


@pytest.fixture
def server() -> Iterator[LittleServer]:
    with little_server() as running:
        yield running


def near(**arguments: object) -> Fetcher:
    """One that may call this machine."""
    return Fetcher(**{"networks": LOOPBACK, "limits": PATIENT, **arguments})  # type: ignore[arg-type]


def test_a_document_is_fetched_without_the_fragment_and_without_manners_of_a_browser(
    server: LittleServer,
):
    server.answer = saying(b'{"keys": []}', kind="Application/JWK-Set+JSON; charset=utf-8")
    answer = near().get(server.url("/a/b?c=d%20e#frag"))
    assert (answer.status, answer.body) == (200, b'{"keys": []}')
    assert answer.content_type == "application/jwk-set+json"
    head, _, _ = server.requests[0].partition(b"\r\n\r\n")
    first, *headers = head.decode().split("\r\n")
    assert first == "GET /a/b?c=d%20e HTTP/1.1"
    names = {line.partition(":")[0].lower() for line in headers}
    assert names == {"host", "accept", "accept-encoding", "user-agent", "connection"}
    assert f"Host: 127.0.0.1:{server.port}" in headers


def test_a_form_is_posted_and_its_status_is_the_callers_to_judge(server: LittleServer):
    server.answer = saying(b"no", "400 Bad Request")
    answer = near().post(server.url(), {"logout_token": "a b&c"})
    assert (answer.status, answer.body) == (400, b"no")
    assert server.requests[0].endswith(b"\r\n\r\nlogout_token=a+b%26c")
    assert b"Content-Type: application/x-www-form-urlencoded" in server.requests[0]


def endless(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b"x" * 65536)


def endless_chunks(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"400\r\n" + b"x" * 1024 + b"\r\n")


def endless_headers(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X-Filler: x\r\n")


def cut_short(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")


def not_http(connection: socket.socket) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")


MOVED = "Location: https://elsewhere.example/"

BAD_ANSWERS: dict[str, tuple[Behave, str]] = {
    "moved": (saying(b"", "302 Found", MOVED), "302 and not 200"),
    "moved for good": (saying(b"", "308 Permanent Redirect", MOVED), "308 and not 200"),
    "not found": (saying(b"", "404 Not Found"), "404 and not 200"),
    "no content": (saying(b"", "204 No Content"), "204 and not 200"),
    "one byte too many": (saying(b"x" * 1001), "too large"),
    "endless": (endless, "too large"),
    "endless in chunks": (endless_chunks, "too large"),
    "endless headers": (endless_headers, "not HTTP"),
    "cut short": (cut_short, "ended early"),
    "another protocol": (not_http, "not HTTP"),
}


@pytest.mark.parametrize(("answer", "why"), BAD_ANSWERS.values(), ids=BAD_ANSWERS)
def test_what_is_no_good_answer_is_refused(server: LittleServer, answer: Behave, why: str):
    server.answer = answer
    with pytest.raises(Unfetchable, match=why) as refused:
        near().get(server.url())
    assert "elsewhere" not in str(refused.value)
    assert len(server.requests) == 1
    server.answer = saying(b"x" * 1000)
    assert near().get(server.url()).body == b"x" * 1000


def test_a_redirect_of_a_form_is_an_answer_and_not_followed(server: LittleServer):
    server.answer = saying(b"", "307 Temporary Redirect", f"Location: {server.url('/other')}")
    assert near().post(server.url(), {"a": "b"}).status == 307
    assert len(server.requests) == 1


def test_one_that_says_nothing_is_not_waited_for(server: LittleServer):
    over = Event()

    def wait(_connection: socket.socket) -> None:
        over.wait(20)

    server.answer = wait
    with pytest.raises(Unfetchable, match="too long"):
        near(limits=QUICK).get(server.url())
    over.set()


def test_one_that_says_a_little_now_and_then_is_not_waited_for(server: LittleServer):
    """Each byte is in time; all of them together are not."""
    over = Event()

    def trickle(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n")
        while not over.wait(0.02):
            connection.sendall(b"x")

    server.answer = trickle
    with pytest.raises(Unfetchable, match="too long"):
        near(limits=QUICK).get(server.url())
    over.set()


def test_a_name_that_takes_too_long_is_not_waited_for(server: LittleServer):
    over = Event()

    def slow(_host: str) -> Sequence[str]:
        over.wait(20)
        return ["127.0.0.1"]

    with pytest.raises(Unfetchable, match="too long"):
        near(limits=QUICK, resolve=slow).get(server.url())
    over.set()
    assert server.requests == []


def test_those_that_never_answer_do_not_have_everybody_wait(server: LittleServer):
    """Else whoever registers one could have every thread of the process wait for it."""
    over, begun = Event(), Barrier(3)

    def slow(_host: str) -> Sequence[str]:
        begun.wait(10)
        over.wait(10)
        return ["127.0.0.1"]

    fetcher = near(resolve=slow)
    with ThreadPoolExecutor(2) as others:
        waiting = [others.submit(fetcher.get, server.url()) for _ in range(2)]
        begun.wait(10)
        with pytest.raises(Unfetchable, match="too many others"):
            fetcher.get(server.url())
        over.set()
        assert [one.result().status for one in waiting] == [200, 200]
    begun = Barrier(1)
    assert fetcher.get(server.url()).status == 200


INSIDE = (
    *("127.0.0.1", "127.8.9.1", "0.0.0.0", "0.1.2.3", "10.1.2.3", "172.31.0.1"),  # noqa: S104
    *("192.168.1.1", "169.254.169.254", "100.64.0.1", "192.0.0.170", "192.0.2.1", "198.19.0.1"),
    *(
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
    ),
    *("192.88.99.1", "::", "::1", "fe80::1", "fc00::1", "fd12:3456::1", "ff02::1"),
    *("::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::1"),
    *("2002:7f00:1::1", "2001:0:4136:e378::1", "2001:db8::1", "100::1", "fec0::1", "3fff::1"),
)
OUTSIDE = ("8.8.8.8", "1.1.1.1", "193.0.14.129", "2606:4700:4700::1111", "2a00:1450:4001::1")


@pytest.mark.parametrize("address", INSIDE)
def test_an_inside_address_is_never_called(server: LittleServer, address: str):
    assert not is_outside(ip_address(address))
    fetcher = Fetcher(resolve=lambda _host: [address], limits=PATIENT)
    with pytest.raises(Unfetchable, match=NOWHERE):
        fetcher.get(server.url("/", host="rp.example", scheme="https"))
    assert server.requests == []


@pytest.mark.parametrize("address", OUTSIDE)
def test_a_public_address_is_outside(address: str):
    assert is_outside(ip_address(address))


SPELLINGS = ("127.0.0.1", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "localhost", "[::1]")


@pytest.mark.parametrize("host", SPELLINGS)
def test_however_loopback_is_spelt_it_is_not_public(server: LittleServer, host: str):
    with pytest.raises(Unfetchable, match=NOWHERE):
        Fetcher(limits=PATIENT).get(server.url("/", host=host, scheme="https"))
    assert server.requests == []


def test_one_inside_address_among_public_ones_is_too_many():
    fetcher = Fetcher(resolve=lambda _host: ["8.8.8.8", "10.0.0.1"], limits=PATIENT)
    with pytest.raises(Unfetchable, match=NOWHERE):
        fetcher.get("https://rp.example/jwks")


@pytest.mark.parametrize("addresses", [[], [f"8.8.8.{n}" for n in range(9)]], ids=["none", "nine"])
def test_a_name_has_some_addresses_and_not_many(addresses: list[str]):
    fetcher = Fetcher(resolve=lambda _host: addresses, limits=PATIENT)
    with pytest.raises(Unfetchable, match=NOWHERE):
        fetcher.get("https://rp.example/jwks")


def test_an_inside_network_is_reached_when_it_is_listed(server: LittleServer):
    listed = near(networks=[ip_network("127.0.0.1/32")], resolve=lambda _host: ["127.0.0.1"])
    assert listed.get(server.url("/", host="localhost")).status == 200
    other = near(networks=[ip_network("127.0.0.2/32")], resolve=lambda _host: ["127.0.0.1"])
    with pytest.raises(Unfetchable, match=NOWHERE):
        other.get(server.url("/", host="localhost"))


def rebinding(*answers: str) -> tuple[Callable[[str], Sequence[str]], list[str]]:
    """A resolver that says something else each time, and what it was asked."""
    asked: list[str] = []

    def resolve(host: str) -> Sequence[str]:
        asked.append(host)
        return [answers[min(len(asked), len(answers)) - 1]]

    return resolve, asked


def test_a_name_is_asked_once_and_what_it_said_then_is_what_counts(server: LittleServer):
    resolve, asked = rebinding("127.0.0.1", "10.0.0.1")
    assert near(resolve=resolve).get(server.url("/", host="localhost")).status == 200
    assert asked == ["localhost"]


def test_the_next_fetch_checks_anew(server: LittleServer):
    resolve, _ = rebinding("127.0.0.1", "10.0.0.1")
    fetcher = near(resolve=resolve)
    fetcher.get(server.url("/", host="localhost"))
    with pytest.raises(Unfetchable, match=NOWHERE):
        fetcher.get(server.url("/", host="localhost"))


def test_an_address_that_does_not_answer_is_passed_over(server: LittleServer):
    both = near(resolve=lambda _host: ["127.0.0.9", "127.0.0.1"])
    assert both.get(server.url("/", host="localhost")).status == 200


@pytest.mark.parametrize(
    ("url", "why"),
    [
        pytest.param("http://rp.example/", "must start with https", id="http"),
        pytest.param("file:///etc/passwd", "must start with https", id="a file"),
        pytest.param("gopher://127.0.0.1/", "must start with https", id="another scheme"),
        pytest.param("https://u:p@rp.example/", "user name", id="a user name"),
        pytest.param("https://rp.example/\r\nX: y", "complete URL", id="a line end"),
        pytest.param("https://rp.example:0/", "complete URL", id="no port"),
        pytest.param("https://", "host name", id="no host"),
    ],
)
def test_an_address_out_of_form_is_not_called(url: str, why: str):
    with pytest.raises(Unfetchable, match=why):
        near(resolve=lambda _host: pytest.fail("it was asked for")).get(url)


def test_plain_http_goes_to_loopback_only():
    fetcher = near(networks=[ip_network("10.0.0.0/8")], resolve=lambda _host: ["10.0.0.1"])
    with pytest.raises(Unfetchable, match="loopback addresses only"):
        fetcher.get("http://localhost/")


def test_what_nobody_listens_on_cannot_be_reached(server: LittleServer):
    with pytest.raises(Unfetchable, match="cannot be reached"):
        near(resolve=lambda _host: ["127.0.0.9"]).get(server.url("/", host="localhost"))


def test_proxies_of_the_environment_have_no_part(
    server: LittleServer, monkeypatch: pytest.MonkeyPatch
):
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.9:1")
    assert near().get(server.url()).status == 200


def test_the_certificate_is_checked_against_the_name(tmp_path: Path):
    context, certificate = localhost_certificate(tmp_path)
    trust = ssl.create_default_context(cafile=str(certificate))
    with little_server(tls=context) as server:
        pinned = near(trust=trust, resolve=lambda _host: ["127.0.0.1"])
        assert pinned.get(server.url("/", host="localhost", scheme="https")).status == 200
        assert f"Host: localhost:{server.port}".encode() in server.requests[0]
        with pytest.raises(Unfetchable, match="certificate"):
            pinned.get(server.url("/", host="rp.example", scheme="https"))
        with pytest.raises(Unfetchable, match="certificate"):
            near().get(server.url("/", host="localhost", scheme="https"))
        assert len(server.requests) == 1


def test_tls_is_new_enough(tmp_path: Path):
    context, certificate = localhost_certificate(tmp_path)
    spoken: list[str | None] = []

    def note(connection: socket.socket) -> None:
        assert isinstance(connection, ssl.SSLSocket)
        spoken.append(connection.version())
        saying()(connection)

    system_trust.cache_clear()
    trust = system_trust()
    assert trust.minimum_version is ssl.TLSVersion.TLSv1_2
    trust.load_verify_locations(certificate)
    with little_server(note, tls=context) as server:
        near().get(server.url("/", host="localhost", scheme="https"))
    system_trust.cache_clear()
    assert spoken == ["TLSv1.3"]


def settings(issuer: str, **others: Any):
    return load_settings(environ={}, issuer=issuer, keys=TEST_KEY, **others)


def test_a_provider_on_loopback_may_call_loopback_and_another_may_not(server: LittleServer):
    assert Fetcher.of(settings("http://localhost:8000")).get(server.url()).status == 200
    with pytest.raises(Unfetchable, match=NOWHERE):
        Fetcher.of(settings("https://id.example.com")).get(server.url())


def test_networks_of_the_deployment_are_reached(server: LittleServer):
    inside = settings("https://id.example.com", outbound_networks=["127.0.0.0/8"])
    assert Fetcher.of(inside).get(server.url()).status == 200
