"""The answer of the authorization endpoint: what it says, where it goes, and how it travels."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Self
from urllib.parse import quote, urlencode

from idp.protocol.errors import OAuthError
from idp.protocol.vocabulary import RESPONSE_MODES


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyTo:
    """Where an answer may be sent: an address that was matched with the client's registration."""

    redirect_uri: str
    mode: str
    state: str | None


@dataclass(frozen=True, slots=True)
class AuthorizationResponse:
    """Parameters on their way to a redirect address by ``mode``: query, fragment or form_post.

    Raises ``ValueError`` when ``iss`` is missing (RFC 9207: every response names its issuer) or
    the mode is unknown: both are our mistakes.
    """

    redirect_uri: str
    parameters: Mapping[str, str]
    mode: str

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
    def failure(
        cls,
        to: ReplyTo,
        error: OAuthError,
        *,
        issuer: str,
        beside: Mapping[str, str] = MappingProxyType({}),
    ) -> Self:
        """The answer that refuses, with ``state``, ``iss`` and what is to stand beside them.

        Raises ``ValueError`` for an error that must not leave for the client.
        """
        if not error.redirectable:
            raise ValueError(f"{error.error} must be shown here, not sent to the client")
        members = {**error.parameters(), **beside, **_common(to, issuer)}
        return cls(to.redirect_uri, members, to.mode)

    def url(self) -> str:
        """The address to redirect to; a query that was registered with it stays in front.

        Raises ``ValueError`` for form_post, which is a page and no address.
        """
        # Percent-encoded, not "+": every decoder reads it, the hand-written ones included.
        encoded = urlencode(self.parameters, quote_via=quote, safe="")
        if self.mode == "query":
            return f"{self.redirect_uri}{self._query_joint()}{encoded}"
        if self.mode == "fragment":
            return f"{self.redirect_uri}#{encoded}"
        raise ValueError("a form_post response is posted to its redirect_uri")

    def _query_joint(self) -> str:
        # RFC 6749 section 3.1.2: the registered query component must be retained.
        if "?" not in self.redirect_uri:
            return "?"
        return "" if self.redirect_uri.endswith(("?", "&")) else "&"


def _common(to: ReplyTo, issuer: str) -> dict[str, str]:
    return {"iss": issuer} if to.state is None else {"state": to.state, "iss": issuer}
