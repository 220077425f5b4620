# ruff: noqa: RUF009 - every default is an immutable value
"""Everything a deployment decides, as one frozen value."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from idp.config import addresses
from idp.config import readers as read

LOGIN_STYLES = ("combined", "identifier_first", "passkey_only")
CLIENT_REGISTRATION = ("off", "initial_token", "open")


def _setting(
    parse: Callable[[object], Any],
    default: Any = None,
    *,
    required: bool = False,
    factory: Callable[[], Any] | None = None,
    secret: bool = False,
) -> Any:
    """A field that knows how to read itself; a ``secret`` one stays out of every ``repr``."""
    metadata = {"parse": parse, "required": required}
    if required:
        return field(metadata=metadata, repr=not secret)
    if factory is not None:
        return field(default_factory=factory, metadata=metadata, repr=not secret)
    return field(default=default, metadata=metadata, repr=not secret)


def _usual_database() -> str:
    return addresses.database_url("sqlite:///var/idp.sqlite3")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything a deployment decides. Times are ``timedelta`` (whole seconds in the file)."""

    issuer: str = _setting(addresses.issuer, required=True)
    keys: tuple[str, ...] = _setting(read.keys, required=True, secret=True)
    """Base64url, 32 bytes each; the first encrypts, all decrypt."""
    database_url: str = _setting(addresses.database_url, factory=_usual_database, secret=True)
    redis_url: str | None = _setting(
        read.with_extra("redis", "redis", addresses.redis_url), secret=True
    )
    mail_url: str | None = _setting(addresses.mail_url, secret=True)
    mail_from: str | None = _setting(addresses.mail_from)
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = _setting(read.networks, ())
    client_certificate_header: str | None = _setting(read.header_name)
    """The header in which trusted proxies pass on the certificate that a client showed in TLS."""
    client_certificate_verified: bool = _setting(read.flag, False)
    """Do they let through only certificates of authorities that they trust?"""
    mtls_origin: str | None = _setting(addresses.origin)
    """Where clients with certificates find the same endpoints, if elsewhere than at the issuer."""
    outbound_networks: tuple[IPv4Network | IPv6Network, ...] = _setting(read.networks, ())
    """What addresses in registrations may lead to, beside the public Internet."""
    webauthn_rp_id: str = _setting(read.text, "")
    webauthn_origins: tuple[str, ...] = _setting(addresses.origins, ())
    webauthn_attestation: str = _setting(read.one_of("none", "direct"), "none")
    webauthn_attestation_roots: Path | None = _setting(read.path)
    """Makers' root certificates: a PEM file, or a folder of ``*.pem``."""
    webauthn_allowed_aaguids: tuple[str, ...] = _setting(read.aaguids, ())
    """Models that new passkeys may be of; none named: any."""
    login_style: str = _setting(read.one_of(*LOGIN_STYLES), "combined")
    refused_methods: tuple[str, ...] = _setting(read.words, ())
    """Ways to sign in that count nowhere here, and are not offered."""
    registration: bool = _setting(read.flag, False)
    """May anybody make an account for themselves? (self-registration of people)"""
    client_registration: str = _setting(read.one_of(*CLIENT_REGISTRATION), "off")
    """May applications register themselves (RFC 7591): nobody, who has a token of ours, all?"""
    client_registration_limit: int = _setting(read.whole, 1000)
    """Applications that may be registered by themselves at a time."""
    client_registration_attempts: int = _setting(read.whole, 30)
    """Tries without a token from one network in an hour."""
    client_registration_unused: timedelta = _setting(read.duration, timedelta(days=90))
    """After so long one that nobody ever used is forgotten."""
    client_registration_pkce: bool = _setting(read.flag, True)
    """Is PKCE asked of those with a secret, too?"""
    demo: bool = _setting(read.flag, False)
    site_name: str = _setting(read.text, "Gatehouse")
    accent: str | None = _setting(read.accent)
    """The colour of links and buttons, #rrggbb."""
    radius: int | None = _setting(read.radius)
    """How round corners are, in pixels."""
    logo_url: str | None = _setting(addresses.logo_url)
    logo_dark_url: str | None = _setting(addresses.logo_url)
    """The same for dark pages."""
    help_url: str | None = _setting(addresses.page_url)
    privacy_url: str | None = _setting(addresses.page_url)
    terms_url: str | None = _setting(addresses.page_url)
    metrics_token: str | None = _setting(read.long_secret, secret=True)
    """What a scraper of /metrics has to show as a bearer token."""
    metrics_networks: tuple[IPv4Network | IPv6Network, ...] = _setting(read.networks, ())
    """Where a scraper needs none; without either there are no metrics."""
    tracing: bool = _setting(read.with_extra("opentelemetry.sdk", "otel", read.flag), False)
    """Are spans sent by OpenTelemetry? Its own variables (``OTEL_…``) say where to."""
    log_level: str = _setting(read.one_of("DEBUG", "INFO", "WARNING", "ERROR"), "INFO")

    acr_aliases: Mapping[str, str] = _setting(read.table, factory=dict)
    """Alias to canonical acr value."""
    scope_acr: Mapping[str, str] = _setting(read.table, factory=dict)
    """Scope to the acr value that a sign-in has to reach before the scope is granted."""
    account_second_step: bool = _setting(read.flag, True)
    """Is a person who enrolled a second step asked for it at every sign-in?"""
    enrol_in_step_up: bool = _setting(read.flag, True)

    session_lifetime: timedelta = _setting(read.duration, timedelta(hours=24))
    session_idle: timedelta = _setting(read.duration, timedelta(hours=8))
    session_lifetime_kept: timedelta = _setting(read.duration, timedelta(days=30))
    session_idle_kept: timedelta = _setting(read.duration, timedelta(days=14))
    transaction_lifetime: timedelta = _setting(read.duration, timedelta(minutes=30))
    code_lifetime: timedelta = _setting(read.duration, timedelta(seconds=60))
    device_code_lifetime: timedelta = _setting(read.duration, timedelta(minutes=10))
    pushed_request_lifetime: timedelta = _setting(read.duration, timedelta(seconds=60))
    access_token_lifetime: timedelta = _setting(read.duration, timedelta(minutes=10))
    id_token_lifetime: timedelta = _setting(read.duration, timedelta(minutes=10))
    refresh_token_lifetime: timedelta = _setting(read.duration, timedelta(days=60))
    dpop_nonces: bool = _setting(read.flag, False)
    """Must a DPoP proof carry a nonce that we gave out (RFC 9449 section 8)?"""
    refresh_token_idle: timedelta = _setting(read.duration, timedelta(days=30))
    refresh_grace: timedelta = _setting(read.duration_or_none_at_all, timedelta(seconds=30))
    """How long a refresh token that was used gives the same successor again."""
    key_lifetime: timedelta = _setting(read.duration, timedelta(days=90))
    key_publish_ahead: timedelta = _setting(read.duration, timedelta(days=1))
    mfa_max_age: timedelta | None = _setting(read.duration)
    phrh_max_age: timedelta | None = _setting(read.duration)

    argon2_memory_kib: int = _setting(read.whole, 19456)
    argon2_time: int = _setting(read.whole, 2)
    argon2_parallelism: int = _setting(read.whole, 1)
    argon2_concurrency: int = _setting(read.whole, 2)
    """Hashes computed at once in one process; the rest wait their turn."""
    argon2_waiting: int = _setting(read.whole, 32)
    """How many wait their turn in one process; whoever comes beyond that is turned away."""
    password_attempts: int = _setting(read.whole, 10)
    """Wrong passwords for one account from browsers it does not know, in fifteen minutes."""
    network_attempts: int = _setting(read.whole, 100)
    public_client_requests: int = _setting(read.whole, 300)
    """Requests of one kind that clients without credentials may leave with us, from one network in
    fifteen minutes."""

    @property
    def secure(self) -> bool:
        """Is the issuer served over TLS? Then cookies are ``Secure`` and ``__Host-``."""
        return self.issuer.startswith("https://")

    @property
    def rp_id(self) -> str:
        """The passkeys' relying-party ID."""
        return self.webauthn_rp_id or _host(self.issuer)

    @property
    def passkey_origins(self) -> tuple[str, ...]:
        """Origins a passkey may be used on."""
        return self.webauthn_origins or (self.issuer,)

    @property
    def mails(self) -> bool:
        """Can anybody be sent a mail? Where not, nothing is promised that needs one."""
        return self.mail_url is not None

    @property
    def metrics(self) -> bool:
        """Is anything measured?"""
        return self.metrics_token is not None or bool(self.metrics_networks)

    @property
    def sender(self) -> str:
        """The address that mail comes from."""
        return self.mail_from or f"no-reply@{_host(self.issuer)}"


@lru_cache(maxsize=8)
def _host(url: str) -> str:
    return urlsplit(url).hostname or ""
