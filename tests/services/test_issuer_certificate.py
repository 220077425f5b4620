"""Until when the issuer's certificate is good, asked over real TLS."""

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from idp.services.issuer_certificate import expiry
from tests.helpers.client_certificate import certificate, certificate_key


@pytest.fixture(scope="module")
def shown() -> x509.Certificate:
    return certificate("CN=localhost", alternatives=[x509.DNSName("localhost")])


@pytest.fixture
def issuer(tmp_path: Path, shown: x509.Certificate) -> Iterator[str]:
    """A server that does the handshake, once, and nothing else."""
    key = certificate_key("one").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    both = tmp_path / "both.pem"
    both.write_bytes(key + shown.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    with socket.create_server(("localhost", 0)) as listening:
        thread = Thread(target=_shake_hands, args=(listening, context), daemon=True)
        thread.start()
        yield f"https://localhost:{listening.getsockname()[1]}"
    thread.join(timeout=5)


def _shake_hands(listening: socket.socket, context: ssl.SSLContext) -> None:
    caller, _ = listening.accept()
    try:
        context.wrap_socket(caller, server_side=True).close()
    except OSError:
        caller.close()


def test_when_it_ends(issuer: str, shown: x509.Certificate) -> None:
    trusted = ssl.create_default_context(cadata=shown.public_bytes(Encoding.PEM).decode())
    assert expiry(issuer, trusted=trusted) == shown.not_valid_after_utc


def test_one_that_nobody_vouches_for(issuer: str) -> None:
    with pytest.raises(ssl.SSLError, match="self-signed"):
        expiry(issuer)
