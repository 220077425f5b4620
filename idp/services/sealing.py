"""What is said to one client: signed for it to trust, then, as it registered, for it alone to read.

Whatever the encryption needs of the client is looked for before anything is written: ``ready``.
So a code is not lost to a key set that could not be fetched.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from joserfc.jwk import Key

from idp.frozen import made_often
from idp.protocol.client_metadata import ClientMetadata
from idp.protocol.errors import OAuthError
from idp.services import jwe
from idp.services.client_keys import ClientKeys
from idp.services.clients import RegisteredClient
from idp.services.keys import SigningKeys

Message = Literal["id_token", "userinfo", "authorization", "introspection"]
"""As the members of a registration begin: ``id_token_signed_response_alg`` and so on."""

_SIGNED_UNLESS_SAID: Final = {"authorization": "RS256", "introspection": "RS256"}
"""JARM section 3, RFC 9701 section 6. Userinfo is not signed unless said (OIDC Registration 2)."""

_log = logging.getLogger(__name__)


@made_often
@dataclass(frozen=True, slots=True)
class Manner:
    """How one kind of message goes to a client: signed by, encrypted by, with which cipher."""

    signing: str | None
    encryption: str | None
    cipher: str

    @classmethod
    def of(cls, message: Message, metadata: ClientMetadata) -> "Manner":
        """As registered, or as the specification means it of whoever registered nothing."""
        said: str | None = getattr(metadata, f"{message}_signed_response_alg")
        return cls(
            signing=said or _SIGNED_UNLESS_SAID.get(message),
            encryption=getattr(metadata, f"{message}_encrypted_response_alg"),
            cipher=getattr(metadata, f"{message}_encrypted_response_enc") or jwe.USUAL_CIPHER,
        )

    @property
    def is_plain(self) -> bool:
        """Does it go as it is, without a JWT around it?"""
        return self.signing is None and self.encryption is None


class Sealing:
    """Signs, then encrypts (RFC 7519 section 11.2)."""

    def __init__(self, keys: SigningKeys, client_keys: ClientKeys) -> None:
        self._keys = keys
        self._client_keys = client_keys

    def ready(self, client: RegisteredClient, *messages: Message, now: datetime) -> None:
        """See to it that ``seal`` can do its work at ``now`` without looking anywhere.

        Before anything is written: it may fetch, and ends the caller's transaction then. Raises
        ``OAuthError`` like ``seal``.
        """
        for message in messages:
            self._recipient(message, client, now)

    def seal(
        self,
        message: Message,
        claims: Mapping[str, Any],
        *,
        client: RegisteredClient,
        now: datetime,
    ) -> str:
        """The claims as a JWT for this client, signed, encrypted or nested.

        Raises ``OAuthError`` ``temporarily_unavailable`` when its keys cannot be had, and
        ``invalid_request`` when none of those that it registered will do.
        """
        manner = Manner.of(message, client.metadata)
        recipient = self._recipient(message, client, now)
        text = json.dumps(claims) if manner.signing is None else self._sign(claims, manner, now)
        if recipient is None or manner.encryption is None:
            return text
        return jwe.encrypt(
            text,
            key=recipient,
            algorithm=manner.encryption,
            cipher=manner.cipher,
            content_type=None if manner.signing is None else "JWT",
        )

    def _sign(self, claims: Mapping[str, Any], manner: Manner, now: datetime) -> str:
        return self._keys.sign(claims, algorithm=str(manner.signing), now=now)

    def _recipient(self, message: Message, client: RegisteredClient, now: datetime) -> Key | None:
        algorithm = Manner.of(message, client.metadata).encryption
        if algorithm is None:
            return None
        key = self._client_keys.to_encrypt(client, algorithm=algorithm, now=now)
        if key is None:
            _log.warning("client %s has no key for %s %s", client.id, message, algorithm)
            raise _no_key(client, algorithm, travels=message != "authorization")
        return key


def _no_key(client: RegisteredClient, algorithm: str, *, travels: bool) -> OAuthError:
    """What cannot be encrypted is not sent in the clear; an answer of its own cannot say so."""
    if client.metadata.jwks_uri is not None:
        return OAuthError(
            "temporarily_unavailable",
            f"No key for {algorithm} was found at the client's jwks_uri.",
            redirectable=travels,
            status=503,
        )
    return OAuthError(
        "invalid_request",
        f"None of the keys that the client registered is for {algorithm}.",
        redirectable=travels,
    )
