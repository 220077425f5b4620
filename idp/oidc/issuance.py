"""What tokens say: ID tokens (OIDC Core 2), JWT access tokens (RFC 9068), and the response."""

import base64
import hashlib
from collections.abc import Mapping
from typing import Final

from idp.assurance import Satisfied
from idp.clock import epoch
from idp.config import Settings
from idp.models import only_reads
from idp.protocol.claims import PERSONAL_CLAIMS, Requests, select_claims
from idp.services.clients import RegisteredClient
from idp.services.grants import Granted, Redeemed
from idp.services.keys import SigningKeys
from idp.services.profiles import profile_of

ACCESS_TOKEN_ALGORITHM: Final = "ES256"  # noqa: S105  no password
"""What we and resource servers verify is signed by the cheapest that every library knows."""

ACCESS_TOKEN_TYPE: Final = "at+jwt"  # noqa: S105  RFC 9068 section 2.1

_HALF_HASHED_WITH: Final = {"EdDSA": hashlib.sha512}


class Issuance:
    """Turns what was redeemed into a token response."""

    def __init__(self, settings: Settings, keys: SigningKeys) -> None:
        self._settings = settings
        self._keys = keys

    def respond(
        self, redeemed: Redeemed, client: RegisteredClient, *, repeats_nonce: bool
    ) -> dict[str, object]:
        """The members of the token response (RFC 6749 section 5.1, OIDC Core 3.1.3.3)."""
        tokens, is_openid = redeemed.tokens, "openid" in redeemed.scope
        requested = _requested(redeemed) if is_openid else {}
        access_token = tokens.opaque or self._access_token(redeemed)
        response: dict[str, object] = {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": epoch(tokens.expires_at) - epoch(tokens.issued_at),
            "scope": " ".join(redeemed.scope),
        }
        if tokens.refresh is not None:
            response["refresh_token"] = tokens.refresh
        if is_openid:
            claims = {**requested, **self._about(redeemed, client, access_token)}
            if repeats_nonce and redeemed.asked.nonce is not None:
                claims["nonce"] = redeemed.asked.nonce
            response["id_token"] = self._keys.sign(
                claims,
                algorithm=client.metadata.id_token_signed_response_alg,
                now=tokens.issued_at,
            )
        return response

    def _about(
        self, redeemed: Redeemed, client: RegisteredClient, access_token: str
    ) -> dict[str, object]:
        """What only the provider says in an ID token; nothing that was requested replaces it."""
        now, granted = redeemed.tokens.issued_at, redeemed.granted
        claims: dict[str, object] = {
            "iss": self._settings.issuer,
            "sub": granted.subject,
            "aud": client.id,
            "azp": client.id,
            "iat": epoch(now),
            "exp": epoch(now + self._settings.id_token_lifetime),
            **said_of(granted),
            "at_hash": half_hash(access_token, client.metadata.id_token_signed_response_alg),
        }
        if granted.session_id is not None:
            claims["sid"] = granted.session_id
        return claims

    def _access_token(self, redeemed: Redeemed) -> str:
        tokens, granted = redeemed.tokens, redeemed.granted
        audience = tokens.audience
        claims = {
            "iss": self._settings.issuer,
            "sub": granted.subject,
            "aud": audience[0] if len(audience) == 1 else list(audience),
            "client_id": granted.client_id,
            "iat": epoch(tokens.issued_at),
            "exp": epoch(tokens.expires_at),
            "jti": tokens.jti,
            "scope": " ".join(redeemed.scope),
            **said_of(granted),
        }
        return self._keys.sign(
            claims,
            algorithm=ACCESS_TOKEN_ALGORITHM,
            now=tokens.issued_at,
            typ=ACCESS_TOKEN_TYPE,
        )


def said_of(granted: Granted) -> dict[str, object]:
    """What every token of a grant says of it: what was proved, what was allowed, who acts."""
    return {
        **(_proved(granted.satisfied) if granted.satisfied else {}),
        **({"authorization_details": list(granted.details)} if granted.details else {}),
        **({"act": granted.act} if granted.act else {}),  # RFC 8693 section 4.1
    }


def _proved(satisfied: Satisfied) -> dict[str, object]:
    """What the ledger supports, in the words of OIDC Core 2; a refresh repeats it unchanged."""
    return {
        "auth_time": epoch(satisfied.auth_time),
        "acr": satisfied.acr,
        "amr": list(satisfied.amr),
    }


def _requested(redeemed: Redeemed) -> Mapping[str, object]:
    """The person's claims that the ``claims`` parameter wants in the ID token itself."""
    requested: Requests = redeemed.asked.claims.id_token
    named = {name: one for name, one in requested.items() if _base(name) in PERSONAL_CLAIMS}
    if not named:
        return {}
    only_reads()
    profile = profile_of(redeemed.granted.person, groups="groups" in named)
    return select_claims(profile, scopes=(), requested=named)


def _base(claim: str) -> str:
    return claim.partition("#")[0]


def half_hash(value: str, algorithm: str) -> str:
    """``at_hash`` and ``c_hash``: the left half of the hash, base64url (OIDC Core 3.1.3.6).

    Ed25519 hashes with SHA-512 (RFC 8032), so that is the hash that belongs to EdDSA.
    """
    hashed = _HALF_HASHED_WITH.get(algorithm, hashlib.sha256)(value.encode("ascii")).digest()
    return base64.urlsafe_b64encode(hashed[: len(hashed) // 2]).rstrip(b"=").decode()
