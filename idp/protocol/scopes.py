"""The scopes of OpenID Connect: what each gives, and the sentence that asks a person for it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from idp.protocol.text import words

# RFC 6749 section 3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
_TOKEN: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,255}")


@dataclass(frozen=True, slots=True)
class Scope:
    """A scope, the claims it gives (OIDC Core 5.4), and what it means to the person asked."""

    name: str
    sentence: str
    claims: tuple[str, ...] = ()


_PROFILE: Final = (
    *("name", "family_name", "given_name", "middle_name", "nickname", "preferred_username"),
    *("profile", "picture", "website", "gender", "birthdate", "zoneinfo", "locale", "updated_at"),
)

SCOPES: Final = (
    Scope("openid", "Sign you in, and recognise you the next time"),
    Scope("profile", "See your profile, such as your name, picture and language", _PROFILE),
    Scope("email", "See your email address", ("email", "email_verified")),
    Scope("address", "See your postal address", ("address",)),
    Scope("phone", "See your phone number", ("phone_number", "phone_number_verified")),
    Scope("offline_access", "Stay connected when you are away"),
    Scope("groups", "See which groups you belong to", ("groups",)),
)

ACCOUNT: Final = Scope("account", "See your passkeys and sessions, and end sessions")
"""For our own API. No registration has it unless it asks for it by name."""

ADMIN: Final = (
    Scope("admin:clients:read", "See the applications that are registered here"),
    Scope("admin:clients:write", "Register, change and delete applications"),
    Scope("admin:people:read", "See everybody’s account, sessions and ways to sign in"),
    Scope("admin:people:write", "Change and delete accounts, and let people in again"),
    Scope("admin:groups:read", "See the groups of people"),
    Scope("admin:groups:write", "Make, rename and delete groups"),
    Scope("admin:keys:read", "See what tokens are signed with"),
    Scope("admin:keys:write", "Replace what tokens are signed with"),
    Scope("admin:audit:read", "Read the audit log"),
    Scope("admin:health:read", "See whether this provider is in order"),
    Scope("admin:health:write", "Send a mail to try out the mail server"),
    Scope("admin:settings:read", "See this provider’s settings"),
    Scope("admin:settings:write", "Change this provider’s settings"),
)
"""For administering this provider. A person's token does what her role permits as well; a client's
own does what its registration names, so that only an administrator may write that there."""

ADMIN_SCOPES: Final = frozenset(scope.name for scope in ADMIN)

SCOPE_NAMES: Final = tuple(scope.name for scope in SCOPES)
"""What a registration that names no scope may ask for."""

PERSONAL_SCOPES: Final = frozenset((*SCOPE_NAMES, ACCOUNT.name))
"""About a person: nothing that a client could be granted for itself."""

_BY_NAME: Final = {scope.name: scope for scope in (*SCOPES, ACCOUNT, *ADMIN)}
_SCOPE_OF: Final = {claim: scope.name for scope in SCOPES for claim in scope.claims}


def parse_scope(text: str) -> tuple[str, ...]:
    """The scope tokens of ``text``, each once, in the order given.

    Raises ``ValueError`` when one is not a scope token (RFC 6749 section 3.3).
    """
    tokens = words(text)
    if not all(_TOKEN.fullmatch(token) for token in tokens):
        raise ValueError("holds a character that a scope cannot have")
    return tokens


def claims_of(scopes: Iterable[str]) -> tuple[str, ...]:
    """Every claim that ``scopes`` give, in the order of ``SCOPES``; unknown scopes give none."""
    granted = frozenset(scopes)
    return tuple(claim for scope in SCOPES if scope.name in granted for claim in scope.claims)


def scope_of_claim(claim: str) -> str | None:
    """The scope that gives ``claim`` (with or without a ``#language`` tag), or ``None``."""
    return _SCOPE_OF.get(claim.partition("#")[0])


def sentence(scope: str) -> str | None:
    """What granting ``scope`` means, for the page that asks; ``None`` for one we do not define."""
    known = _BY_NAME.get(scope)
    return known.sentence if known else None
