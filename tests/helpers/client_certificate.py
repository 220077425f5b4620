"""Certificates of clients, self-signed, and the headers in which proxies pass them on."""

import base64
import ssl
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import ECKey

from idp.clock import system_clock


@cache
def certificate_key(name: str = "one") -> ec.EllipticCurvePrivateKey:
    """A key pair for certificates; another ``name``, another key."""
    return ec.generate_private_key(ec.SECP256R1())


def certificate(
    subject: str = "CN=shop",
    *,
    key: str = "one",
    alternatives: Sequence[x509.GeneralName] = (),
    issuer: str | None = None,
    is_authority: bool = False,
) -> x509.Certificate:
    """One over the key called ``key``, for a name as RFC 4514 writes it.

    ``issuer`` names the authority that vouches for it, whose key is called as it is called.
    """
    private, now = certificate_key(key), system_clock()
    name = x509.Name.from_rfc4514_string(subject)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(x509.Name.from_rfc4514_string(issuer) if issuer else name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
    )
    if is_authority:
        builder = builder.add_extension(x509.BasicConstraints(True, 0), critical=True)
    if alternatives:
        names = x509.SubjectAlternativeName(alternatives)
        builder = builder.add_extension(names, critical=False)
    return builder.sign(certificate_key(issuer) if issuer else private, hashes.SHA256())


def authority(name: str) -> x509.Certificate:
    """Whoever vouches under ``name`` for certificates made with ``issuer=name``."""
    return certificate(name, key=name, is_authority=True)


def client_context(
    folder: Path, trusted: Path, made: x509.Certificate | None, *, key: str = "one"
) -> ssl.SSLContext:
    """What a client speaks TLS with that trusts ``trusted`` and shows ``made`` when asked."""
    context = ssl.create_default_context(cafile=str(trusted))
    if made is not None:
        file = folder / f"{made.serial_number:x}.pem"
        file.write_bytes(made.public_bytes(Encoding.PEM) + private_pem(key))
        context.load_cert_chain(file)
    return context


def private_pem(key: str) -> bytes:
    return certificate_key(key).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_jwk(key: str = "one") -> dict[str, object]:
    """The key of such a certificate as a JWK."""
    return dict(ECKey.import_key(certificate_key(key)).as_dict(private=False))


def der(made: x509.Certificate) -> bytes:
    return made.public_bytes(Encoding.DER)


def base64_der(made: x509.Certificate) -> str:
    """As HAProxy and Traefik pass it on, and as it stands in ``x5c``."""
    return base64.b64encode(der(made)).decode()


def rfc_9440(made: x509.Certificate) -> str:
    return f":{base64_der(made)}:"


def nginx(made: x509.Certificate) -> str:
    """``$ssl_client_escaped_cert``."""
    return quote(made.public_bytes(Encoding.PEM).decode())


FORMATS: Mapping[str, Callable[[x509.Certificate], str]] = {
    "RFC 9440": rfc_9440,
    "nginx": nginx,
    "base64": base64_der,
}
