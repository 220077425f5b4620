"""Certificates of clients, self-signed, and the headers in which proxies pass them on."""

import base64
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import cache
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
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
) -> x509.Certificate:
    """One over the key called ``key``, for a name as RFC 4514 writes it."""
    private, now = certificate_key(key), system_clock()
    name = x509.Name.from_rfc4514_string(subject)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
    )
    if alternatives:
        names = x509.SubjectAlternativeName(alternatives)
        builder = builder.add_extension(names, critical=False)
    return builder.sign(private, hashes.SHA256())


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
