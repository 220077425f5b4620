"""What tokens say: ID tokens (OIDC Core 2), JWT access tokens (RFC 9068), and the response."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from idp.assurance import Satisfied
from idp.clock import epoch
from idp.config import Settings
from idp.frozen import made_often
from idp.models import only_reads
from idp.protocol.claims import PERSONAL_CLAIMS, Requests, select_claims
from idp.protocol.client_metadata import ClientMetadata
from idp.services.clients import RegisteredClient
from idp.services.grants import Granted, Redeemed
from idp.services.keys import SigningKeys
from idp.services.profiles import for_client, profile_of
from idp.services.sealing import Sealing
from idp.services.tokens import Tokens

ACCESS_TOKEN_ALGORITHM: Final = "ES256"  # noqa: S105  no password
"""What we and resource servers verify is signed by the cheapest that every library knows."""

ACCESS_TOKEN_TYPE: Final = "at+jwt"  # noqa: S105  RFC 9068 section 2.1

_HALF_HASHED_WITH: Final = {"EdDSA": hashlib.sha512}


@made_often
@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What one ID token is to say beside the issuer's own: of whom, and about which values.

    ``claims`` are those of the person. ``access_token`` and ``code`` are what it comes with, to be
    hashed into it.
    """

    granted: Granted
    now: datetime
    nonce: str | None = None
    claims: Mapping[str, object] = field(default_factory=dict)
    access_token: str | None = None
    code: str | None = None


class Issuance:
    """Turns what was granted into tokens, and what was redeemed into a token response."""

    def __init__(self, settings: Settings, keys: SigningKeys, sealing: Sealing) -> None:
        self._settings = settings
        self._keys = keys
        self._sealing = sealing

    def ready(self, now: datetime) -> None:
        """Have at hand what will sign. Raises what the database and the keys do."""
        self._keys.ready(now)

    def respond(
        self, redeemed: Redeemed, client: RegisteredClient, *, repeats_nonce: bool
    ) -> dict[str, object]:
        """The members of the token response (RFC 6749 section 5.1, OIDC Core 3.1.3.3)."""
        tokens, is_openid = redeemed.tokens, "openid" in redeemed.scope
        requested = _requested(redeemed, client.metadata) if is_openid else {}
        access_token = self.access_token(tokens, redeemed.granted, redeemed.scope)
        response: dict[str, object] = {
            "access_token": access_token,
            "token_type": tokens.binding.token_type,
            "expires_in": epoch(tokens.expires_at) - epoch(tokens.issued_at),
            **said_scope(redeemed.scope),
            **_details(redeemed.granted),  # RFC 9396 section 7
        }
        if tokens.refresh is not None:
            response["refresh_token"] = tokens.refresh
        if is_openid:
            statement = Statement(
                granted=redeemed.granted,
                now=tokens.issued_at,
                nonce=redeemed.asked.nonce if repeats_nonce else None,
                claims=requested,
                access_token=access_token,
            )
            response["id_token"] = self.id_token(statement, client)
        return response

    def id_token(self, statement: Statement, client: RegisteredClient) -> str:
        """An ID token for the client, signed and encrypted as it registered."""
        claims = {**statement.claims, **self._about(statement, client)}
        if statement.nonce is not None:
            claims["nonce"] = statement.nonce
        return self._sealing.seal("id_token", claims, client=client, now=statement.now)

    def _about(self, statement: Statement, client: RegisteredClient) -> dict[str, object]:
        """What only the provider says in an ID token; nothing that was requested replaces it."""
        now, granted = statement.now, statement.granted
        claims: dict[str, object] = {
            "iss": self._settings.issuer,
            "sub": granted.subject,
            "aud": client.id,
            "azp": client.id,
            "iat": epoch(now),
            "exp": epoch(now + self._settings.id_token_lifetime),
            **said_of(granted),
            **_hashes(statement, client.metadata.id_token_signed_response_alg),
        }
        if granted.session_id is not None:
            claims["sid"] = granted.session_id
        return claims

    def access_token(self, tokens: Tokens, granted: Granted, scope: tuple[str, ...]) -> str:
        """The access token: opaque as it was made, or the JWT that ``tokens`` stand for."""
        if tokens.opaque is not None:
            return tokens.opaque
        audience = tokens.audience
        claims: dict[str, object] = {
            "iss": self._settings.issuer,
            "sub": granted.subject,
            "aud": audience[0] if len(audience) == 1 else list(audience),
            "client_id": granted.client_id,
            "iat": epoch(tokens.issued_at),
            "exp": epoch(tokens.expires_at),
            "jti": tokens.jti,
            **said_scope(scope),
            **said_of(granted),
        }
        if tokens.binding.cnf:
            claims["cnf"] = tokens.binding.cnf
        return self._keys.sign(
            claims,
            algorithm=ACCESS_TOKEN_ALGORITHM,
            now=tokens.issued_at,
            typ=ACCESS_TOKEN_TYPE,
            comes_back=True,
        )


def _hashes(statement: Statement, algorithm: str) -> dict[str, object]:
    """OIDC Core 3.1.3.6 and 3.3.2.11: of what the ID token comes with."""
    values = {"at_hash": statement.access_token, "c_hash": statement.code}
    return {name: half_hash(one, algorithm) for name, one in values.items() if one is not None}


def said_of(granted: Granted) -> dict[str, object]:
    """What every token of a grant says of it: what was proved, what was allowed, who acts."""
    return {
        **(_proved(granted.satisfied) if granted.satisfied else {}),
        **_details(granted),
        **({"act": granted.act} if granted.act else {}),  # RFC 8693 section 4.1
    }


def said_scope(scope: tuple[str, ...]) -> dict[str, str]:
    """``scope`` as answers and tokens have it: never an empty one (RFC 6749 section 3.3)."""
    return {"scope": " ".join(scope)} if scope else {}


def _details(granted: Granted) -> dict[str, object]:
    return {"authorization_details": list(granted.details)} if granted.details else {}


def _proved(satisfied: Satisfied) -> dict[str, object]:
    """What the ledger supports, in the words of OIDC Core 2; a refresh repeats it unchanged."""
    return {
        "auth_time": epoch(satisfied.auth_time),
        "acr": satisfied.acr,
        "amr": list(satisfied.amr),
    }


def _requested(redeemed: Redeemed, client: ClientMetadata) -> Mapping[str, object]:
    """The person's claims that the ``claims`` parameter wants in the ID token itself."""
    requested = personal(redeemed.asked.claims.id_token)
    if not requested:
        return {}
    only_reads()
    profile = profile_of(redeemed.granted.person, groups="groups" in requested)
    told = for_client(profile, client, scopes=redeemed.scope, requested=requested)
    return select_claims(told, scopes=(), requested=requested)


def personal(requested: Requests) -> Requests:
    """Those of the requested claims that say something of the person."""
    return {name: one for name, one in requested.items() if _base(name) in PERSONAL_CLAIMS}


def _base(claim: str) -> str:
    return claim.partition("#")[0]


def half_hash(value: str, algorithm: str) -> str:
    """``at_hash`` and ``c_hash``: the left half of the hash, base64url (OIDC Core 3.1.3.6).

    Ed25519 hashes with SHA-512 (RFC 8032), so that is the hash that belongs to EdDSA.
    """
    hashed = _HALF_HASHED_WITH.get(algorithm, hashlib.sha256)(value.encode("ascii")).digest()
    return base64.urlsafe_b64encode(hashed[: len(hashed) // 2]).rstrip(b"=").decode()
