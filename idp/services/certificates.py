"""Certificates that clients show in TLS, as a proxy passes them on, and the names in them."""

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import unquote

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from joserfc.jwk import Key

from idp.protocol.client_metadata import ClientMetadata

MAX_HEADER: Final = 32768
"""Characters; a certificate with a 4096-bit key has about three thousand."""


@dataclass(frozen=True)
class ClientCertificate:
    """One certificate. Whoever passed it on has seen that the client holds its key.

    That it leads to an authority that is trusted is known only where the proxy checks that.
    """

    der: bytes

    @cached_property
    def x509(self) -> x509.Certificate:
        """Taken apart."""
        return x509.load_der_x509_certificate(self.der)

    @property
    def thumbprint(self) -> str:
        """RFC 8705 section 3.1, ``x5t#S256``: SHA-256 of the DER, base64url, 43 characters."""
        digest = hashlib.sha256(self.der).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def is_of(self, key: Key) -> bool:
        """Is it the certificate that ``key`` comes with (``x5c``), or else one of that key?

        RFC 8705 section 2.2.2: a JWK with ``x5c`` stands for that very certificate.
        """
        chain: Any = key.get("x5c")
        if chain:
            return base64.b64encode(self.der).decode() == "".join(str(chain[0]).split())
        return self.public_key == _spki(key.raw_value)

    @cached_property
    def public_key(self) -> bytes:
        """Its SubjectPublicKeyInfo, as DER."""
        return _spki(self.x509.public_key())


def read_header(value: str) -> ClientCertificate | None:
    """The certificate in a header that a proxy set; None where it set none, or nothing of use.

    As RFC 9440 has it (``:base64:``), as nginx' ``$ssl_client_escaped_cert`` (PEM, URL-encoded),
    or as base64 of the DER alone (HAProxy, Traefik).
    """
    text = value.strip()
    if not text or len(text) > MAX_HEADER:
        return None
    try:
        der = base64.b64decode(_base64_in(text), validate=True)
        certificate = ClientCertificate(der)
        _ = certificate.public_key  # whatever is wrong with it is wrong here
    except (ValueError, UnsupportedAlgorithm):
        return None
    return certificate


def _base64_in(text: str) -> str:
    if text.startswith(":") and text.endswith(":"):
        return text[1:-1]  # RFC 9440 section 2.1, a byte sequence of RFC 8941
    # Not unquote_plus: a plus sign is one of base64's.
    plain = unquote(text).strip()
    if plain.startswith(_BEGIN) and plain.endswith(_END):
        return "".join(plain.removeprefix(_BEGIN).removesuffix(_END).split())
    return text


_BEGIN: Final = "-----BEGIN CERTIFICATE-----"
_END: Final = "-----END CERTIFICATE-----"


def _spki(public_key: Any) -> bytes:
    spki: bytes = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return spki


def is_named(certificate: ClientCertificate, metadata: ClientMetadata) -> bool:
    """Does it bear the one name that was registered (RFC 8705 section 2.1.2)?"""
    for member, bears in _BEARS.items():
        wanted = getattr(metadata, member)
        if wanted is not None:
            try:
                return bears(certificate.x509, wanted)
            except ValueError:  # an extension that is malformed, or there twice
                return False
    return False


def name_problem(metadata: ClientMetadata) -> Iterator[tuple[str, str]]:
    """What is wrong with the registered name, as a member and a sentence."""
    dn, address = metadata.tls_client_auth_subject_dn, metadata.tls_client_auth_san_ip
    if dn is not None and _parsed_dn(dn) is None:
        yield "tls_client_auth_subject_dn", 'must be written like "CN=shop,O=Acme,C=DE" (RFC 4514)'
    if address is not None and _parsed_ip(address) is None:
        yield "tls_client_auth_san_ip", "must be an IP address"


Rdn = frozenset[tuple[str, str]]


def _subject(certificate: x509.Certificate, wanted: str) -> bool:
    """Compared name by name, and not as text: RFC 4514 writes the same name in many ways."""
    parsed = _parsed_dn(wanted)
    return parsed is not None and parsed == _rdns(certificate.subject)


def _parsed_dn(text: str) -> tuple[Rdn, ...] | None:
    try:
        return _rdns(x509.Name.from_rfc4514_string(text, _MORE_NAMES)) or None
    except (ValueError, TypeError):
        return None


_MORE_NAMES: Final = {
    "emailAddress": NameOID.EMAIL_ADDRESS,
    "serialNumber": NameOID.SERIAL_NUMBER,
}


def _rdns(name: x509.Name) -> tuple[Rdn, ...]:
    return tuple(
        frozenset((one.oid.dotted_string, _text(one.value)) for one in rdn) for rdn in name.rdns
    )


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.hex()


def _parsed_ip(text: str) -> Any:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _alternatives(certificate: x509.Certificate, kind: type[Any]) -> list[Any]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return list(extension.value.get_values_for_type(kind))


def _dns(certificate: x509.Certificate, wanted: str) -> bool:
    names = _alternatives(certificate, x509.DNSName)
    return wanted.lower() in [str(name).lower() for name in names]  # RFC 4343


def _uri(certificate: x509.Certificate, wanted: str) -> bool:
    return wanted in _alternatives(certificate, x509.UniformResourceIdentifier)


def _ip(certificate: x509.Certificate, wanted: str) -> bool:
    return _parsed_ip(wanted) in _alternatives(certificate, x509.IPAddress)


def _email(certificate: x509.Certificate, wanted: str) -> bool:
    return wanted in _alternatives(certificate, x509.RFC822Name)


_BEARS: Final[Mapping[str, Callable[[x509.Certificate, str], bool]]] = {
    "tls_client_auth_subject_dn": _subject,
    "tls_client_auth_san_dns": _dns,
    "tls_client_auth_san_uri": _uri,
    "tls_client_auth_san_ip": _ip,
    "tls_client_auth_san_email": _email,
}
