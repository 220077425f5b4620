"""What one client is told otherwise: a claim taken from another field, some groups and no others.

A fixed list of fields and no language to write rules in: nothing here runs what somebody wrote.
"""

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Final

from idp.protocol.scopes import claims_of

MAPPED_CLAIMS: Final = (
    *("name", "given_name", "family_name", "middle_name", "nickname", "preferred_username"),
)
"""Claims that may come from elsewhere. Never what accounts are joined by or what was proved: sub,
email and phone_number with their ``*_verified``, acr, amr, auth_time, and not groups."""

FIELDS: Final = (*MAPPED_CLAIMS, "email", "email_local_part")
"""Where they may come from; the last is what stands before the @."""


def claim_mapping(value: object) -> Mapping[str, str]:
    """Reads the member ``claim_mapping``: an object from claim to field. Raises ``ValueError``."""
    if not isinstance(value, Mapping):
        raise ValueError('must be an object like {"preferred_username": "email"}')
    for claim, source in value.items():
        if claim not in MAPPED_CLAIMS:
            raise ValueError(f"may map these claims only: {', '.join(MAPPED_CLAIMS)}")
        if source not in FIELDS:
            raise ValueError(f"may take a claim from one of: {', '.join(FIELDS)}")
    return MappingProxyType({str(claim): str(source) for claim, source in value.items()})


def as_told(
    profile: Mapping[str, object],
    *,
    mapping: Mapping[str, str],
    groups: Collection[str],
    released: Iterable[str],
) -> Mapping[str, object]:
    """The profile as one client sees it; ``groups`` empty: all of them.

    A field is told only where the client may see it under its own name (``released``), and an
    address only once it is known to be the person's; otherwise the claim is left out. Falling
    back to what it was would tell an application of two people by one name.
    """
    told = dict(profile)
    seen = frozenset(released)
    for claim, source in mapping.items():
        told[claim] = _field(profile, source) if _own_claim(source) in seen else None
    if groups and "groups" in told:
        told["groups"] = [name for name in _names(told["groups"]) if name in groups]
    return told


def released_by(scopes: Iterable[str], requested: Iterable[str]) -> frozenset[str]:
    """The claims that scopes and a ``claims`` parameter let a client see."""
    return frozenset((*claims_of(scopes), *requested))


def _own_claim(source: str) -> str:
    return "email" if source.startswith("email") else source


def _field(profile: Mapping[str, object], source: str) -> object:
    if _own_claim(source) != "email":
        return profile.get(source)
    address = profile.get("email")
    if not profile.get("email_verified") or not isinstance(address, str):
        return None
    return address if source == "email" else address.rpartition("@")[0]


def _names(value: object) -> Iterable[str]:
    return value if isinstance(value, list | tuple) else ()
