"""The answer of the authorization endpoint: what it says, where it goes, and how it travels."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Self
from urllib.parse import quote

from idp.frozen import made_often
from idp.protocol.errors import OAuthError
from idp.protocol.vocabulary import RESPONSE_MODES

_JWT: Final = ".jwt"
_UNRESERVED: Final = re.compile(r"[A-Za-z0-9._~-]*")
"""RFC 3986 section 2.3: what stands for itself, as all of a code does, and most of a state."""


@made_often
@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyTo:
    """Where an answer may be sent: an address that was matched with the client's registration."""

    redirect_uri: str
    mode: str
    state: str | None
    beside: Mapping[str, str] = field(default_factory=dict)
    """What a refusal says besides: ``session_state``."""


@made_often
@dataclass(frozen=True, slots=True)
class AuthorizationResponse:
    """Parameters on their way to a redirect address by ``mode``, one of ``RESPONSE_MODES``.

    ``jwt`` is the whole answer as a signed JWT, which the modes of JARM send in the place of the
    parameters; ``secured`` adds it.

    Raises ``ValueError`` when ``iss`` is missing (RFC 9207: every response names its issuer) or
    the mode is unknown: both are our mistakes.
    """

    redirect_uri: str
    parameters: Mapping[str, str]
    mode: str
    jwt: str | None = None

    def __post_init__(self) -> None:
        if self.mode not in RESPONSE_MODES:
            raise ValueError(f"not a response mode: {self.mode!r}")
        if not self.parameters.get("iss"):
            raise ValueError("an authorization response without iss (RFC 9207)")

    @classmethod
    def success(cls, to: ReplyTo, parameters: Mapping[str, str], *, issuer: str) -> Self:
        """The answer that grants: ``parameters``, with ``state`` and ``iss`` added."""
        return cls(to.redirect_uri, {**parameters, **_common(to, issuer)}, to.mode)

    @classmethod
    def failure(cls, to: ReplyTo, error: OAuthError, *, issuer: str) -> Self:
        """The answer that refuses, with ``state`` and ``iss`` added.

        Raises ``ValueError`` for an error that must not leave for the client.
        """
        if not error.redirectable:
            raise ValueError(f"{error.error} must be shown here, not sent to the client")
        members = {**error.parameters(), **to.beside, **_common(to, issuer)}
        return cls(to.redirect_uri, members, to.mode)

    @property
    def wants_jwt(self) -> bool:
        """Is it to travel as a JWT (JARM)?"""
        return self.mode.endswith(_JWT)

    @property
    def way(self) -> str:
        """How it travels, whatever its form: ``query``, ``fragment`` or ``form_post``."""
        return self.mode.removesuffix(_JWT)

    @property
    def sent(self) -> Mapping[str, str]:
        """What the client receives. Raises ``ValueError`` where a JWT is due and not there."""
        if not self.wants_jwt:
            return self.parameters
        if self.jwt is None:
            raise ValueError(f"{self.mode} without its JWT")
        # JARM section 2.3: nothing beside it. Its issuer is a claim (RFC 9207 section 2.4).
        return {"response": self.jwt}

    def secured(self, jwt: str) -> Self:
        """The same, to be sent as ``jwt``."""
        return replace(self, jwt=jwt)

    def url(self) -> str:
        """The address to redirect to; a query that was registered with it stays in front.

        Raises ``ValueError`` for form_post, which is a page and no address.
        """
        # Percent-encoded, not "+": every decoder reads it, the hand-written ones included.
        encoded = "&".join([f"{_quoted(name)}={_quoted(one)}" for name, one in self.sent.items()])
        if self.way == "query":
            return f"{self.redirect_uri}{self._query_joint()}{encoded}"
        if self.way == "fragment":
            return f"{self.redirect_uri}#{encoded}"
        raise ValueError("a form_post response is posted to its redirect_uri")

    def _query_joint(self) -> str:
        # RFC 6749 section 3.1.2: the registered query component must be retained.
        if "?" not in self.redirect_uri:
            return "?"
        return "" if self.redirect_uri.endswith(("?", "&")) else "&"


def _quoted(text: str) -> str:
    return text if _UNRESERVED.fullmatch(text) else quote(text, safe="")


def _common(to: ReplyTo, issuer: str) -> dict[str, str]:
    return {"iss": issuer} if to.state is None else {"state": to.state, "iss": issuer}
