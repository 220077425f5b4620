"""``private_key_jwt`` and ``client_secret_jwt``: the client signs that it is itself (RFC 7523)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from idp.oidc.client_auth.attempt import Attempt, Tools
from idp.protocol.client_metadata import ClientMetadata
from idp.protocol.json_values import Json
from idp.protocol.policy import FAPI_ALGS
from idp.protocol.vocabulary import SYMMETRIC_ALGS
from idp.secrecy import Unreadable
from idp.services.client_jwts import (
    SKEW,
    InvalidClientJwt,
    NotSigned,
    Unverified,
    audiences,
    check_times,
)
from idp.state import mark

KEY_ALGORITHMS: Final = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA", "Ed25519"),
)
SECRET_ALGORITHMS: Final = SYMMETRIC_ALGS

LONGEST: Final = timedelta(hours=1)
"""How far ahead an assertion may expire: for as long its ``jti`` has to be remembered."""

MAX_JTI: Final = 1024

PURPOSE: Final = "client_assertion"

_TYPES: Final = (None, "jwt", "client-authentication+jwt")
"""RFC 8725 section 3.11: a DPoP proof or a request object of the client's is no assertion."""


@dataclass(frozen=True, slots=True)
class AssertionRules:
    """What a profile asks of an assertion beyond RFC 7523."""

    issuer_only: bool = False
    """FAPI 2.0 section 5.3.2.1: ``aud`` is the issuer, as one text, and nothing else."""
    algorithms: tuple[str, ...] = (*KEY_ALGORITHMS, *SECRET_ALGORITHMS)


ORDINARY: Final = AssertionRules()

FAPI2: Final = AssertionRules(issuer_only=True, algorithms=FAPI_ALGS)
"""FAPI 2.0 Security Profile, sections 5.3.2.1 and 5.4.1."""


def rules_of(metadata: ClientMetadata) -> AssertionRules:
    """By the client's profile."""
    return FAPI2 if metadata.policy.issuer_only_audience else ORDINARY


def by_key(attempt: Attempt) -> str | None:
    """Signed with one of the client's private keys."""
    return _objection(attempt, KEY_ALGORITHMS)


def by_secret(attempt: Attempt) -> str | None:
    """Signed with the client's secret, which is kept readable for this."""
    try:
        return _objection(attempt, SECRET_ALGORITHMS)
    except Unreadable:
        return "secret sealed by a key that is not configured"


def _objection(attempt: Attempt, family: tuple[str, ...]) -> str | None:
    assertion, metadata = attempt.presented.assertion, attempt.client.metadata
    if assertion is None:
        return "method"
    rules = rules_of(metadata)
    registered = metadata.token_endpoint_auth_signing_alg
    # That a registered one is of the family, the registration's own rules see to.
    wanted = family if registered is None else _SAME.get(registered, (registered,))
    algorithms = [one for one in wanted if one in rules.algorithms]
    try:
        return _believed(attempt, assertion, rules, algorithms)
    except NotSigned as error:
        return attempt.by_no_key(f"assertion {error}")
    except InvalidClientJwt as error:
        return f"assertion {error}"


_SAME: Final = dict.fromkeys(("EdDSA", "Ed25519"), ("EdDSA", "Ed25519"))
"""RFC 9864 renamed it, and libraries disagree about which of the names to write."""


def _believed(
    attempt: Attempt, assertion: Unverified, rules: AssertionRules, algorithms: list[str]
) -> str | None:
    """Everything that costs nothing comes before the signature, and the ``jti`` last of all."""
    if assertion.typ not in _TYPES:
        return "assertion of another type"
    _check_claims(assertion.claims, attempt, rules)
    claims = attempt.tools.jwts.verify(
        assertion, attempt.client, algorithms=algorithms, now=attempt.now
    )
    return None if _is_first(claims, attempt) else "assertion replayed"


def _check_claims(claims: Mapping[str, Json], attempt: Attempt, rules: AssertionRules) -> None:
    """RFC 7523 section 3. Raises ``InvalidClientJwt``."""
    client_id = attempt.client.id
    if claims.get("iss") != client_id or claims.get("sub") != client_id:
        raise InvalidClientJwt("not from and about the client")
    if not _is_for_us(claims, attempt, rules):
        raise InvalidClientJwt("for somebody else")
    check_times(claims, attempt.now, longest=LONGEST)
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= MAX_JTI:
        raise InvalidClientJwt("without a jti")


def _is_for_us(claims: Mapping[str, Json], attempt: Attempt, rules: AssertionRules) -> bool:
    if rules.issuer_only:
        return claims.get("aud") == attempt.tools.issuer
    return not _our_names(attempt.tools, attempt.path).isdisjoint(audiences(claims))


def _our_names(tools: Tools, path: str) -> set[str]:
    """OIDC Core 9 names the token endpoint; RFC 9126 section 2 the issuer, and what was called."""
    paths = (tools.token_path, path)
    return {tools.issuer, *(origin + one for origin in tools.origins for one in paths)}


def _is_first(claims: Mapping[str, Json], attempt: Attempt) -> bool:
    expiry = claims["exp"]
    assert isinstance(expiry, int | float)  # noqa: S101  checked, and not far away
    until = datetime.fromtimestamp(expiry, UTC)
    return is_first_use(attempt.client.id, str(claims["jti"]), until, attempt.now)


def is_first_use(client_id: str, jti: str, until: datetime, now: datetime) -> bool:
    """RFC 7523 section 3, item 7: used up in the transaction of what the client is let in for.

    Remembered for as long as the assertion would be taken, which is ``SKEW`` after it ends.
    """
    return mark(PURPOSE, f"{client_id}\0{jti}", now=now, lifetime=until + SKEW - now)
