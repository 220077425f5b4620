"""HTTP as cheaply as Python can: the driver must not be what is measured."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, Self
from urllib.parse import urlencode

from flask import Flask

_NO_FORM: Mapping[str, str] = {}


@dataclass(frozen=True)
class Answer:
    """A response. Header names are in lower case; ``cookies`` are those it sets."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cookies: Mapping[str, str]


class Http(Protocol):
    """Sends one request to the provider. ``target`` is path and query."""

    def send(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] = {},
        form: Mapping[str, str] = _NO_FORM,
    ) -> Answer: ...


@dataclass
class _Reading:
    headers: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)

    def take(self, name: str, value: str) -> None:
        if name == "set-cookie":
            pair = value.partition(";")[0]
            self.cookies[pair.partition("=")[0]] = pair.partition("=")[2]
        self.headers[name] = value


class Connection:
    """One keep-alive connection to a server on this machine."""

    def __init__(self, port: int) -> None:
        self._host = f"localhost:{port}"
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self._socket.makefile("rb")
        self.sent = self.ending = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._socket.close()

    def send(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] = {},
        form: Mapping[str, str] = _NO_FORM,
    ) -> Answer:
        self.sent = self._written(method, target, headers, form)
        self._socket.sendall(self.sent)
        return self._read()

    def _written(
        self, method: str, target: str, headers: Mapping[str, str], form: Mapping[str, str]
    ) -> bytes:
        body = urlencode(form).encode()
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self._host}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if method == "POST":
            lines += [
                "Content-Type: application/x-www-form-urlencoded",
                f"Content-Length: {len(body)}",
            ]
        return "\r\n".join([*lines, "\r\n"]).encode() + body

    def again(self) -> None:
        """Send what was sent last once more, and take an answer that ends with the same bytes.

        Nothing else is looked at: that is for a driver that shall cost next to nothing.
        """
        self._socket.sendall(self.sent)
        received = b""
        while not received.endswith(self.ending):
            if not (more := self._socket.recv(65536)):
                raise RuntimeError("the server has closed the connection")
            received += more

    def _read(self) -> Answer:
        status = int(self._file.readline().split()[1])
        reading = _Reading()
        while (line := self._file.readline().strip()) != b"":
            name, _, value = line.decode("latin-1").partition(":")
            reading.take(name.lower(), value.strip())
        body = self._file.read(int(reading.headers["content-length"]))
        self.ending = body[-32:]
        return Answer(status, reading.headers, body, reading.cookies)


class InProcess:
    """The same without a server, for looking at what the application does."""

    def __init__(self, app: Flask, origin: str) -> None:
        self._client = app.test_client(use_cookies=False)
        self._origin = origin

    def send(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] = {},
        form: Mapping[str, str] = _NO_FORM,
    ) -> Answer:
        data = dict(form) if method == "POST" else None
        response = self._client.open(
            target, method=method, base_url=self._origin, headers=dict(headers), data=data
        )
        reading = _Reading()
        for name, value in response.headers.items():
            reading.take(name.lower(), value)
        return Answer(response.status_code, reading.headers, response.data, reading.cookies)
