"""Certificates as proxies pass them on, and the names in them."""

from collections.abc import Callable
from hashlib import sha256
from ipaddress import ip_address
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509 import DNSName, IPAddress, RFC822Name, UniformResourceIdentifier
from joserfc.jwk import ECKey

from idp.protocol.client_metadata import ClientMetadata
from idp.services.certificates import MAX_HEADER, ClientCertificate, is_named, read_header
from tests.helpers import base64url
from tests.helpers.client_certificate import (
    FORMATS,
    base64_der,
    certificate,
    der,
    nginx,
    public_jwk,
    rfc_9440,
)

MADE = certificate()


@pytest.mark.parametrize("written", FORMATS.values(), ids=FORMATS)
def test_a_certificate_is_read_from_what_proxies_write(
    written: Callable[[x509.Certificate], str],
):
    found = read_header(f" {written(MADE)} ")
    assert found is not None
    assert found.der == der(MADE)
    assert found.thumbprint == base64url.encode(sha256(der(MADE)).digest())


UNREADABLE = {
    "nothing": "",
    "spaces": "  ",
    "nginx without a certificate": "(null)",
    "not base64": ":***:",
    "base64 of something else": ":AAAA:",
    "half of it": rfc_9440(MADE)[:200] + ":",
    "two of them": f"{rfc_9440(MADE)}, {rfc_9440(MADE)}",
    "two in PEM": nginx(MADE) * 2,
    "another kind of PEM": nginx(MADE).replace("CERTIFICATE", "PUBLIC%20KEY"),
    "something after it": base64_der(MADE) + "AAAA",
    "too long": ":" + "A" * MAX_HEADER + ":",
}


@pytest.mark.parametrize("value", UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_no_certificate_is_none(value: str):
    assert read_header(value) is None


def named(**members: Any) -> ClientMetadata:
    return ClientMetadata(**members)


SUBJECT = "CN=Shop \\, Ltd+OU=Web,O=Acme,C=DE"
ALTERNATIVES = (
    DNSName("shop.example.com"),
    UniformResourceIdentifier("spiffe://example.com/shop"),
    IPAddress(ip_address("192.0.2.7")),
    IPAddress(ip_address("2001:db8::7")),
    RFC822Name("shop@example.com"),
)
WITH_ALL = ClientCertificate(der(certificate(SUBJECT, alternatives=ALTERNATIVES)))
DN, DNS, URI, IP, EMAIL = (
    f"tls_client_auth_{name}"
    for name in ("subject_dn", "san_dns", "san_uri", "san_ip", "san_email")
)

NAMES: dict[str, tuple[str, str, bool]] = {
    "the subject": (DN, SUBJECT, True),
    "in another order within": (DN, "OU=Web+CN=Shop \\, Ltd,O=Acme,C=DE", True),
    "by numbers": (DN, "2.5.4.3=Shop \\, Ltd+2.5.4.11=Web,2.5.4.10=Acme,2.5.4.6=DE", True),
    "by another escape": (DN, "CN=Shop \\2C Ltd+OU=Web,O=Acme,C=DE", True),
    "in another order": (DN, "C=DE,O=Acme,CN=Shop \\, Ltd+OU=Web", False),
    "less of it": (DN, "CN=Shop \\, Ltd+OU=Web,O=Acme", False),
    "more of it": (DN, f"{SUBJECT},DC=example", False),
    "split otherwise": (DN, "CN=Shop \\, Ltd,OU=Web,O=Acme,C=DE", False),
    "another company": (DN, "CN=Shop \\, Ltd+OU=Web,O=Acne,C=DE", False),
    "no name at all": (DN, "shop", False),
    "the host": (DNS, "shop.example.com", True),
    "the host in capitals": (DNS, "SHOP.Example.com", True),
    "another host": (DNS, "example.com", False),
    "the URI": (URI, "spiffe://example.com/shop", True),
    "a longer URI": (URI, "spiffe://example.com/shop/", False),
    "the address": (IP, "192.0.2.7", True),
    "the longer address": (IP, "2001:DB8:0::7", True),
    "another address": (IP, "192.0.2.8", False),
    "no address": (IP, "shop", False),
    "the mailbox": (EMAIL, "shop@example.com", True),
    "another mailbox": (EMAIL, "shop@example.org", False),
}


@pytest.mark.parametrize(("member", "name", "bears"), NAMES.values(), ids=NAMES)
def test_the_registered_name_is_compared_as_what_it_is(member: str, name: str, bears: bool):
    assert is_named(WITH_ALL, named(**{member: name})) is bears
    bare = ClientCertificate(der(certificate("CN=other")))
    assert not is_named(bare, named(**{member: name}))


def test_without_a_registered_name_no_certificate_will_do():
    assert not is_named(WITH_ALL, named())


def test_a_certificate_is_of_its_own_key_or_the_very_one_that_was_registered():
    shown = ClientCertificate(der(MADE))
    renewed = certificate()  # of the same key
    keys: dict[str, tuple[dict[str, Any], bool]] = {
        "its key": (public_jwk(), True),
        "another key": (public_jwk("two"), False),
        "itself": ({**public_jwk(), "x5c": [base64_der(MADE)]}, True),
        "one that was renewed": ({**public_jwk(), "x5c": [base64_der(renewed)]}, False),
        "one of another key": ({**public_jwk("two"), "x5c": [base64_der(MADE)]}, True),
    }
    for what, (key, is_of) in keys.items():
        assert shown.is_of(ECKey.import_key(key)) is is_of, what
