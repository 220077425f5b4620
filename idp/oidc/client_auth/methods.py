"""The ways a client can authenticate: each a name, what it presents, and a check."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from idp.config import Settings
from idp.oidc.client_auth import assertion
from idp.oidc.client_auth.attempt import Attempt
from idp.services.certificates import is_named

Check = Callable[[Attempt], str | None]
"""Why the client is not let in, in a word or two for the audit log; None when it is."""


@dataclass(frozen=True, slots=True)
class Method:
    """``way`` is what has to be presented for it (``Presented.way``)."""

    way: str
    check: Check


def _secret(attempt: Attempt) -> str | None:
    secret = attempt.presented.secret
    accepts = attempt.tools.clients.accepts
    accepted = secret is not None and accepts(attempt.client, secret, attempt.now)
    return None if accepted else "secret"


def _certified(attempt: Attempt) -> str | None:
    """RFC 8705 section 2.1: that an authority vouches for the name, the proxy has seen."""
    certificate = attempt.certificate
    if certificate is None:
        return "no certificate"
    return None if is_named(certificate, attempt.client.metadata) else "certificate of another name"


def _self_signed(attempt: Attempt) -> str | None:
    """RFC 8705 section 2.2: nobody vouches for anything, but the key is a registered one."""
    certificate = attempt.certificate
    if certificate is None:
        return "no certificate"
    found = attempt.tools.keys.which(attempt.client, certificate.is_of, attempt.now)
    return None if found else attempt.by_no_key("certificate of another key")


def _nothing(_attempt: Attempt) -> str | None:
    return None


METHODS: Final[Mapping[str, Method]] = {
    "client_secret_basic": Method("client_secret_basic", _secret),
    "client_secret_post": Method("client_secret_post", _secret),
    "client_secret_jwt": Method("client_assertion", assertion.by_secret),
    "private_key_jwt": Method("client_assertion", assertion.by_key),
    "tls_client_auth": Method("client_id", _certified),
    "self_signed_tls_client_auth": Method("client_id", _self_signed),
    "none": Method("client_id", _nothing),
}
"""Each method by its registered name."""

SIGNING_ALGORITHMS: Final = (*assertion.KEY_ALGORITHMS, *assertion.SECRET_ALGORITHMS)


def methods_of(settings: Settings) -> tuple[str, ...]:
    """Those that this deployment offers: certificates need a proxy that passes them on.

    And a name in a certificate is worth what the proxy checked: ``tls_client_auth`` without that
    would let in whoever writes a certificate for themselves.
    """
    possible = {
        "self_signed_tls_client_auth": settings.client_certificate_header is not None,
        "tls_client_auth": settings.client_certificate_verified,
    }
    return tuple(name for name in METHODS if possible.get(name, True))
