"""Authentication context class references: the names by which rungs are asked for and answered."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from idp.assurance.ladder import Rung

ACR_NAMES: Mapping[Rung, str] = {
    Rung.ONE_FACTOR: "urn:idp:acr:1fa",
    Rung.MFA: "urn:idp:acr:mfa",
    Rung.PHR: "phr",  # OpenID Connect EAP ACR Values 1.0
    Rung.PHRH: "phrh",  # the same specification
}
"""The advertised rungs, weakest first."""

_RUNGS: Mapping[str, Rung] = {name: rung for rung, name in ACR_NAMES.items()}


@dataclass(frozen=True, slots=True)
class Acr:
    """A rung under the name that the request gave it; the `acr` claim answers with that name."""

    name: str
    rung: Rung


def ladder_names() -> tuple[str, ...]:
    """Our own `acr` values, weakest first: what an alias may stand for."""
    return tuple(ACR_NAMES.values())


def canonical_name(rung: Rung) -> str:
    """The `acr` value for `rung` when nobody asked for one by name.

    SECOND_STEP is a house rule and no promise to anybody outside: it is reported as what it is to
    a relying party, one factor.
    """
    return ACR_NAMES[Rung.ONE_FACTOR if rung is Rung.SECOND_STEP else rung]


def supported_acr_values(aliases: Mapping[str, str]) -> tuple[str, ...]:
    """`acr_values_supported` (OIDC Discovery 3): our own names, then the configured aliases.

    `aliases` maps alias to canonical name; one that stands for no name of ours is left out.
    """
    return (*ladder_names(), *(alias for alias in aliases if _usable(alias, aliases)))


def resolve_acr_values(names: Iterable[str], aliases: Mapping[str, str]) -> tuple[Acr, ...]:
    """The asked-for values that we know, in the order asked, each once.

    Unknown ones are ignored (RFC 9470, 5, leaves them to us); when nothing is left, the caller
    decides what that means.
    """
    known = (Acr(name, rung) for name in names if (rung := _rung(name, aliases)))
    return tuple(dict.fromkeys(known))


def _rung(name: str, aliases: Mapping[str, str]) -> Rung | None:
    # Our own names come first, so no alias can redefine what `phr` means.
    return _RUNGS.get(name) or _RUNGS.get(aliases.get(name, ""))


def _usable(alias: str, aliases: Mapping[str, str]) -> bool:
    return alias not in _RUNGS and _rung(alias, aliases) is not None
