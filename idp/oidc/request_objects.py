"""Request objects: taken by value or fetched, verified as registered, turned into parameters."""

from datetime import datetime
from typing import Final

from idp.config import Settings
from idp.models.base import release
from idp.protocol.arrived import Arrived
from idp.protocol.client_metadata import ClientMetadata
from idp.protocol.errors import OAuthError
from idp.protocol.parameters import LIMITS, Parameters
from idp.protocol.request_object import check_object, invalid, settled
from idp.protocol.vocabulary import SIGNING_ALGS_OR_NONE
from idp.services.client_jwts import (
    Claims,
    ClientJwts,
    InvalidClientJwt,
    Unverified,
    check_times,
    lasts_longer,
    read,
)
from idp.services.clients import RegisteredClient
from idp.services.fetch import Fetcher
from idp.services.unfetchable import Unfetchable

ALGORITHMS: Final = SIGNING_ALGS_OR_NONE
"""What can be registered as ``request_object_signing_alg``."""

TYPES: Final = ("oauth-authz-req+jwt", "jwt", None)
"""RFC 9101 section 10.8: typed as what it is, or not at all; never as something else."""

MEDIA_TYPES: Final = "application/oauth-authz-req+jwt, application/jwt;q=0.9"


class RequestObjects:
    """Reads the ``request`` and ``request_uri`` of an authorization request."""

    def __init__(self, settings: Settings, jwts: ClientJwts, fetcher: Fetcher) -> None:
        self._issuer = settings.issuer
        self._jwts = jwts
        self._fetcher = fetcher

    def resolve(self, sent: Parameters, client: RegisteredClient, now: datetime) -> Arrived:
        """The parameters that count, where there is a request object; else those that were sent.

        May fetch: the caller's transaction, which must have read only, is ended before that.
        Raises ``OAuthError`` ``invalid_request_object`` or ``invalid_request_uri``.
        """
        text, reference = sent.get("request"), sent.get("request_uri")
        if text and reference:  # OIDC Core 6.1 and 6.2: the two must not be used together
            raise OAuthError("invalid_request", "request and request_uri were both sent.")
        if reference:
            text = self._fetch(reference, client.metadata)
        if not text:
            return Arrived.plainly(sent)
        return self._open(text, sent, client, now, by_reference=reference is not None)

    def _open(
        self,
        text: str,
        sent: Parameters,
        client: RegisteredClient,
        now: datetime,
        *,
        by_reference: bool,
    ) -> Arrived:
        if text.count(".") == 4:
            raise invalid("is encrypted, which is not supported")
        try:
            unverified = read(text, at_most=LIMITS["request"])
            if _is_unsigned(unverified) and not _may_be_unsigned(client.metadata):
                name = "request_uri" if by_reference else "request"
                raise OAuthError(f"{name}_not_supported", "The request object must be signed.")
            if unverified.typ not in TYPES:
                raise InvalidClientJwt("another type of JWT")
            algorithms = algorithms_of(client.metadata)
            claims = self._jwts.verify(unverified, client, algorithms=algorithms, now=now)
            _check_times(claims, client.metadata, now)
        except InvalidClientJwt as error:
            raise invalid(f"is not accepted: {error}") from None
        check_object(
            claims,
            client_id=client.id,
            issuer=self._issuer,
            named=client.metadata.policy.request_object_lifetime is not None,
        )
        alone = client.metadata.require_signed_request_object
        parameters = settled(sent, claims, client_id=client.id, alone=alone)
        return Arrived(parameters, signed=not _is_unsigned(unverified))

    def _fetch(self, reference: str, client: ClientMetadata) -> str:
        """OIDC Core 6.2: only what was registered, without the fragment."""
        if not _is_registered(reference, client.request_uris):
            raise _unusable("is not one that this client registered")
        release()
        try:
            answer = self._fetcher.get(reference, accept=MEDIA_TYPES)
            return answer.body.decode("ascii").strip()
        except Unfetchable as error:
            raise _unusable(f"cannot be fetched: {error}") from None
        except UnicodeDecodeError:
            raise _unusable("leads to something that is no request object") from None


def algorithms_of(client: ClientMetadata) -> tuple[str, ...]:
    """What this client may sign its requests with: as registered, or by any key of its own.

    ``none`` and the secret have to be registered in so many words: otherwise whoever writes a
    link could do without the one, and whoever reads the registration guess at the other.
    """
    registered = client.request_object_signing_alg
    return client.policy.algorithms if registered is None else (registered,)


def _check_times(claims: Claims, client: ClientMetadata, now: datetime) -> None:
    """FAPI 2.0 Message Signing section 5.3.1, where it holds: short-lived, and it says so."""
    lifetime = client.policy.request_object_lifetime
    if lifetime is None:
        check_times(claims, now, required=())
        return
    check_times(claims, now, required=("exp", "nbf"), longest=lifetime, oldest=lifetime)
    if lasts_longer(claims, lifetime):
        raise InvalidClientJwt("good for too long")


def _is_unsigned(unverified: Unverified) -> bool:
    return unverified.algorithm == "none"


def _may_be_unsigned(client: ClientMetadata) -> bool:
    only = client.request_object_signing_alg == "none"
    return only and not client.require_signed_request_object


def _is_registered(reference: str, registered: tuple[str, ...]) -> bool:
    """OIDC Registration 2: what stands behind the # tells versions apart, not documents."""
    return _document(reference) in map(_document, registered)


def _document(uri: str) -> str:
    return uri.partition("#")[0]


def _unusable(problem: str) -> OAuthError:
    return OAuthError("invalid_request_uri", f"request_uri {problem}.")
