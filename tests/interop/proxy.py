"""nginx and Caddy as ``deploy/proxies`` has them: at free ports, with a certificate of ours."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.helpers.client_certificate import certificate, client_context, private_pem
from tests.helpers.ports import free_port, wait_until

FILES = Path(__file__).parents[2] / "deploy/proxies"
HOST, MTLS = "id.example.com", "mtls.id.example.com"


@dataclass(frozen=True)
class Place:
    """Where a proxy runs: its folder, its ports, and the nodes behind it."""

    folder: Path
    http: int
    https: int
    nodes: Sequence[str]

    @property
    def trusted(self) -> Path:
        return self.folder / "certificate.pem"

    @property
    def key(self) -> Path:
        return self.folder / "key.pem"

    @property
    def log(self) -> Path:
        """What it prints."""
        return self.folder / "printed.log"


class Through(httpx.BaseTransport):
    """To the proxy for whatever host, as if its name led there; ``shown`` is the client's own."""

    def __init__(
        self, place: Place, shown: x509.Certificate | None = None, *, key: str = "one"
    ) -> None:
        self._tls = client_context(place.folder, place.trusted, shown, key=key)
        self._ports = {"http": place.http, "https": place.https}
        self._by_host: dict[str, httpx.HTTPTransport] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """A connection is for one name, and ``Host`` stays what it was."""
        asked = request.url
        there = self._by_host.get(asked.host)
        if there is None:
            there = self._by_host[asked.host] = httpx.HTTPTransport(
                verify=self._tls, trust_env=False
            )
        request.extensions = {**request.extensions, "sni_hostname": asked.host}
        request.url = asked.copy_with(host="127.0.0.1", port=self._ports[asked.scheme])
        try:
            return there.handle_request(request)
        finally:
            request.url = asked

    def close(self) -> None:
        """Every connection."""
        for one in self._by_host.values():
            one.close()


@dataclass(frozen=True)
class Proxy:
    """One that runs."""

    place: Place

    @cached_property
    def client(self) -> httpx.Client:
        """Whoever has no certificate."""
        return httpx.Client(transport=Through(self.place), base_url=f"https://{HOST}")

    def said(self) -> str:
        """Everything that it wrote into a log."""
        return "\n".join(file.read_text() for file in sorted(self.place.folder.glob("*.log")))


CHECKED: Mapping[str, tuple[str, str]] = {
    "nginx": (
        "ssl_verify_client optional_no_ca;",
        "ssl_verify_client optional; ssl_client_certificate {authorities};",
    ),
    "caddy": ("mode request ", "mode verify_if_given\ntrusted_ca_cert_file {authorities}\n"),
}
"""What docs/operations.md has changed where only an authority's certificates may come through."""


def nginx(place: Place) -> list[str]:
    """Write its settings; returns the command."""
    first, *others = (f"    server {node} max_fails=2 fail_timeout=5s;" for node in place.nodes)
    text = _written(
        "nginx.conf",
        {
            "    server 127.0.0.1:8000 max_fails=2 fail_timeout=5s;": "\n".join((first, *others)),
            "listen 80;": f"listen 127.0.0.1:{place.http};",
            "listen 443 ssl;": f"listen 127.0.0.1:{place.https} ssl;",
            "/etc/nginx/tls/id.example.com.pem": str(place.trusted),
            "/etc/nginx/tls/id.example.com.key": str(place.key),
            "/var/log/nginx": str(place.folder),
        },
    )
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = " ".join(f"{kind}_temp_path {place.folder}/{kind};" for kind in kinds)
    # As root it would work as somebody who cannot get at a test's folder.
    user = "user root root;" if os.geteuid() == 0 else ""
    file = place.folder / "nginx.conf"
    file.write_text(
        f"daemon off; {user} pid {place.folder}/pid; error_log stderr; events {{}} "
        f"http {{ access_log off; {temporary} {text} }}"
    )
    return [_binary("nginx"), "-p", str(place.folder), "-c", str(file)]


def caddy(place: Place) -> list[str]:
    """The same, with the part for certificates not commented out."""
    text = _written(
        "Caddyfile",
        {
            "# mtls": "mtls",
            "# \t": "\t",
            "# }": "}",
            "{$UPSTREAMS:127.0.0.1:8000}": " ".join(place.nodes),
            "{$ISSUER_HOST:localhost}": HOST,
            "\ttls {": f"\ttls {place.trusted} {place.key} {{",
            "\tencode gzip": f"\ttls {place.trusted} {place.key}\n\tencode gzip",
            "{\n\tservers {": f"{{\n\tadmin off\n\thttp_port {place.http}\n"
            f"\thttps_port {place.https}\n\tdefault_bind 127.0.0.1\n\tservers {{",
            # As long as it looks for a node that lives, in a test where there is none.
            "lb_try_duration 5s": "lb_try_duration 1s",
        },
    )
    file = place.folder / "Caddyfile"
    file.write_text(text)
    return [_binary("caddy"), "run", "--adapter", "caddyfile", "--config", str(file)]


KINDS: Mapping[str, Callable[[Place], list[str]]] = {"nginx": nginx, "caddy": caddy}


def _written(name: str, changes: Mapping[str, str]) -> str:
    text = (FILES / name).read_text()
    for written, meant in changes.items():
        assert written in text, written
        text = text.replace(written, meant)
    return text


def _binary(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        raise RuntimeError(f"{name} is not installed: run .ci/system-packages")
    return found


def _check(kind: str, file: Path, authorities: Path) -> None:
    """Let only certificates through that lead to one of the ``authorities``."""
    written, meant = CHECKED[kind]
    text = file.read_text()
    assert text.count(written) == 1
    file.write_text(text.replace(written, meant.format(authorities=authorities)))


@contextmanager
def proxy(
    kind: str, folder: Path, nodes: Sequence[str], authorities: Path | None = None
) -> Iterator[Proxy]:
    """Run it before these nodes. Raises ``RuntimeError`` with what it said if it ends at once.

    With ``authorities`` only their certificates come through.
    """
    place = Place(folder, free_port(), free_port(), nodes)
    names = [x509.DNSName(HOST), x509.DNSName(MTLS)]
    own = certificate(f"CN={HOST}", key="proxy", alternatives=names, is_authority=True)
    place.trusted.write_bytes(own.public_bytes(Encoding.PEM))
    place.key.write_bytes(private_pem("proxy"))
    command = KINDS[kind](place)
    if authorities is not None:
        _check(kind, Path(command[-1]), authorities)
    environment = {"HOME": str(folder), "PATH": os.environ.get("PATH", "")}
    with (
        place.log.open("w") as log,
        subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log) as process,
    ):
        there = Proxy(place)
        try:
            wait_until(lambda: _answers(process, there), seconds=20, what=f"{kind}'s start")
            yield there
        finally:
            there.client.close()
            process.terminate()
            process.wait(timeout=20)


def _answers(process: "subprocess.Popen[bytes]", there: Proxy) -> bool:
    if process.poll() is not None:
        raise RuntimeError(f"it ended by itself: {there.said()}")
    try:
        return there.client.get("/metrics").status_code == 404  # which it answers by itself
    except httpx.TransportError:
        return False
