"""Whom a token is bound to: a key, a certificate, both, or nobody (RFC 7800 ``cnf``)."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """What whoever presents a token has to hold besides it; both are SHA-256, 43 characters.

    ``jkt`` is the thumbprint of a DPoP key (RFC 9449 section 6.1), ``x5t`` of a certificate
    (RFC 8705 section 3.1). A token with neither is for whoever bears it.
    """

    jkt: str | None = None
    x5t: str | None = None

    @classmethod
    def of(cls, cnf: object) -> "Binding":
        """From the members of ``cnf``; None is bound to nobody.

        Raises ``ValueError`` for a member that is not known here: a token that is bound in a way
        we cannot check is not a token that is bound to nobody.
        """
        if cnf is None:
            return UNBOUND
        if not isinstance(cnf, Mapping) or not cnf.keys() <= _FIELDS.keys():
            raise ValueError("bound in a way that is not known here")
        return cls(**{_FIELDS[name]: str(value) for name, value in cnf.items()})

    @property
    def cnf(self) -> dict[str, str] | None:
        """The confirmation as tokens, rows and introspection say it; None when there is none."""
        told = {name: getattr(self, field) for name, field in _FIELDS.items()}
        return {name: value for name, value in told.items() if value} or None

    @property
    def token_type(self) -> str:
        """How the token is presented (RFC 9449 section 5; RFC 8705 leaves it a bearer token)."""
        return "DPoP" if self.jkt else "Bearer"

    def covers(self, held: "Binding") -> bool:
        """Does it show everything that ``held`` demands?"""
        return held.jkt in (None, self.jkt) and held.x5t in (None, self.x5t)


_FIELDS: Final[Mapping[str, str]] = {"jkt": "jkt", "x5t#S256": "x5t"}

UNBOUND: Final = Binding()


def sha256_thumbprint(raw: bytes) -> str:
    """SHA-256, base64url: of a certificate's DER (RFC 8705 section 3.1), of a token (``ath``)."""
    return base64.urlsafe_b64encode(hashlib.sha256(raw).digest()).rstrip(b"=").decode()
