"""Claims: what a relying party asks for by name, and what of a person it is given."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Final, Self

from idp.frozen import made_often
from idp.protocol.errors import OAuthError
from idp.protocol.json_values import Json, parse_json
from idp.protocol.scopes import SCOPE_NAMES, claims_of, scope_of_claim
from idp.protocol.text import is_clean_json

ADDRESS_MEMBERS: Final = (
    *("formatted", "street_address", "locality", "region", "postal_code", "country"),
)
"""OIDC Core 5.1.1."""

_ITSELF: Final = ""
_ADDRESS: Final = "address"
PERSONAL_CLAIMS: Final = claims_of(SCOPE_NAMES)
"""Every claim of OIDC Core 5.1 but ``sub``, and ``groups``: all that profile data can supply."""

RESERVED_CLAIMS: Final = frozenset(
    (
        *("iss", "sub", "aud", "exp", "nbf", "iat", "jti"),
        *("auth_time", "nonce", "acr", "amr", "azp", "sid", "at_hash", "c_hash", "s_hash"),
        *("client_id", "scope", "cnf", "act", "may_act", "events", "toe", "txn", "sub_id"),
        *("sub_jwk", "authorization_details", "token_introspection", "active", "typ"),
        *("_claim_names", "_claim_sources", "_sd", "_sd_alg"),
    )
)
"""What only the provider itself says. Profile data never reaches these names."""

MAX_CLAIMS_TEXT: Final = 8192
MAX_CLAIMS: Final = 64


@made_often
@dataclass(frozen=True, slots=True)
class ClaimRequest:
    """How one claim is asked for (OIDC Core 5.5.1)."""

    essential: bool = False
    value: Json = None
    values: tuple[Json, ...] = ()

    @property
    def wanted(self) -> tuple[Json, ...]:
        """The values asked for, in order of preference; empty when any will do."""
        return self.values if self.value is None else (self.value, *self.values)


Requests = Mapping[str, ClaimRequest]
_NOTHING: Final[Requests] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ClaimsRequest:
    """The ``claims`` parameter (OIDC Core 5.5), read."""

    userinfo: Requests = field(default_factory=lambda: _NOTHING)
    id_token: Requests = field(default_factory=lambda: _NOTHING)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the parameter. Members that are not ours to understand are ignored, as 5.5 says.

        Raises ``OAuthError`` ``invalid_request``: over ``MAX_CLAIMS_TEXT`` characters, not a JSON
        object, nested too deeply, a name given twice, or a request of the wrong shape.
        """
        try:
            members = _object(_bounded(text), "claims")
            return cls(_requests(members, "userinfo"), _requests(members, "id_token"))
        except ValueError as error:
            raise OAuthError("invalid_request", f"The claims parameter: {error}.") from error

    def permitted(self, scopes: Collection[str]) -> Self:
        """Without the claims of scopes that are not among ``scopes``.

        A client that is not registered for a scope must not reach its claims by another door.
        """
        return type(self)(_permitted(self.userinfo, scopes), _permitted(self.id_token, scopes))

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes that give what is asked for by name, each once."""
        scopes = (scope_of_claim(name) for name in (*self.userinfo, *self.id_token))
        return tuple(dict.fromkeys(scope for scope in scopes if scope is not None))

    @property
    def acr_values(self) -> tuple[str, ...]:
        """What ``id_token.acr`` asks for, in order of preference."""
        request = self.id_token.get("acr", ClaimRequest())
        return tuple(value for value in request.wanted if isinstance(value, str))

    @property
    def acr_is_essential(self) -> bool:
        """Whether ``id_token.acr`` must be met (OIDC Core 5.5.1.1)."""
        return self.id_token.get("acr", ClaimRequest()).essential

    @property
    def subject(self) -> str | None:
        """The ``sub`` that must be the one signed in, when ``id_token.sub`` names one."""
        value = self.id_token.get("sub", ClaimRequest()).value
        return value if isinstance(value, str) else None


def select_claims(
    profile: Mapping[str, object], *, scopes: Iterable[str], requested: Requests = _NOTHING
) -> dict[str, object]:
    """What of ``profile`` the granted ``scopes`` and the claims asked for by name give.

    Never a reserved or unknown name, never an empty value (OIDC Core 5.3.2), no ``*_verified``
    without the value it speaks of. ``address`` is an object of the members of 5.1.1.
    """
    claims: dict[str, object] = {}
    for name, about in _given_by(tuple(scopes), tuple(requested)):
        value = profile.get(name)
        if value is None or value == "":  # mostly there is none
            continue
        if about == _ITSELF:
            claims[name] = value
        elif about == _ADDRESS:
            if (address := _as_address(value)) is not None:
                claims[name] = address
        elif not _is_empty(profile.get(about)):
            claims[name] = value
    return claims


@lru_cache(maxsize=256)
def _given_by(scopes: tuple[str, ...], requested: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """The names that may be told, each once: the same for whoever was granted the same.

    With each, what it is about: itself, an address, or the claim that it says to be verified.
    """
    asked = (*claims_of(scopes), *requested)
    names = dict.fromkeys(name for name in asked if _may_be_given(name))
    return tuple((name, _about(name)) for name in names)


def _may_be_given(name: str) -> bool:
    base = name.partition("#")[0]
    return base in PERSONAL_CLAIMS and base not in RESERVED_CLAIMS


def _about(name: str) -> str:
    if name.partition("#")[0] == _ADDRESS:
        return _ADDRESS
    subject = name.removesuffix("_verified")
    return subject if subject != name else _ITSELF


def _as_address(value: object) -> object:
    members = value if isinstance(value, Mapping) else {}
    address = {part: members.get(part) for part in ADDRESS_MEMBERS}
    return {part: text for part, text in address.items() if not _is_empty(text)} or None


def _is_empty(value: object) -> bool:
    # An empty list stays: "in no group" is news to whoever mirrors groups. False and 0 are values.
    return value is None or value == ""


def _permitted(requests: Requests, scopes: Collection[str]) -> Requests:
    def allowed(name: str) -> bool:
        scope = scope_of_claim(name)
        return scope is None or scope in scopes

    kept = {name: request for name, request in requests.items() if allowed(name)}
    return MappingProxyType(kept)


def _bounded(text: str) -> Json:
    if len(text) > MAX_CLAIMS_TEXT:
        raise ValueError(f"is longer than {MAX_CLAIMS_TEXT} characters")
    if not is_clean_json(text):
        raise ValueError("holds control characters")
    return parse_json(text)


def _object(value: Json, what: str) -> Mapping[str, Json]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{what} must be a JSON object")
    return value


def _requests(members: Mapping[str, Json], place: str) -> Requests:
    named = _object(members.get(place, _NO_MEMBERS), place)
    if len(named) > MAX_CLAIMS:
        raise ValueError(f"{place} asks for more than {MAX_CLAIMS} claims")
    return MappingProxyType({name: _request(name, value) for name, value in named.items()})


_NO_MEMBERS: Final[Mapping[str, Json]] = MappingProxyType({})


def _request(name: str, value: Json) -> ClaimRequest:
    # OIDC Core 5.5.1: null asks for the claim in the default manner.
    members = _NO_MEMBERS if value is None else _object(value, "each claim")
    request = ClaimRequest(
        essential=_flag(members.get("essential", False)),
        value=members.get("value"),
        values=_array(members.get("values", ())),
    )
    if name in _TEXT_CLAIMS and not all(isinstance(one, str) for one in request.wanted):
        raise ValueError(f"{name} must be asked for with strings")
    return request


_TEXT_CLAIMS: Final = ("acr", "sub")


def _flag(value: Json) -> bool:
    if not isinstance(value, bool):
        raise ValueError("essential must be true or false")
    return value


def _array(value: Json) -> tuple[Json, ...]:
    if not isinstance(value, tuple):
        raise ValueError("values must be an array")
    return value
