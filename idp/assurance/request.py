"""Requests: how the words of one authorization request become a demand."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from idp.assurance.acr import Acr, resolve_acr_values
from idp.assurance.decision import Unmet
from idp.assurance.demand import Demand
from idp.assurance.ladder import Rung


@dataclass(frozen=True, slots=True, kw_only=True)
class AssuranceRequest:
    """What one authorization request says about strength and age, as it was sent."""

    acr_values: tuple[str, ...] = ()
    acr_claim: tuple[str, ...] = ()
    """`value`, or `values`, of `claims.id_token.acr` (OIDC Core 5.5.1.1), in order."""
    acr_essential: bool = False
    max_age: int | None = None
    """Seconds, not negative. None: not sent, which is not the same as 0 (OIDC Core 3.1.2.1)."""
    prompt_login: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientFloor:
    """What the client's registration asks of every sign-in; ages are seconds."""

    minimum: Rung = Rung.ONE_FACTOR
    max_age: int | None = None
    default_acr_values: tuple[str, ...] = ()
    default_max_age: int | None = None
    acr_values_voluntary: bool = False
    refused: frozenset[str] = frozenset()
    verify_user: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """A demand before it begins: all of it that no instant has a part in."""

    acceptable: tuple[Acr, ...]
    necessary: bool
    floor: Rung
    refused: frozenset[str]
    verify_user: bool
    max_age: int | None
    """The strictest age in seconds. None: none says anything."""

    def begun(
        self,
        started: datetime,
        *,
        rung_ages: Mapping[Rung, timedelta] | None = None,
        enrol_within: str | None = None,
    ) -> Demand:
        """The demand, fixed at the instant it `started`. The rest as in `demand_for`."""
        return Demand(
            acceptable=self.acceptable,
            necessary=self.necessary,
            floor=self.floor,
            since=None if self.max_age is None else since(started, self.max_age),
            rung_since=oldest_allowed(started, rung_ages or {}),
            refused=self.refused,
            verify_user=self.verify_user,
            enrol_within=enrol_within,
        )

    def raised(self, floor: Rung) -> "Terms":
        """The same, and at least `floor`."""
        return replace(self, floor=max(self.floor, floor))


def demand_for(
    request: AssuranceRequest,
    client: ClientFloor,
    *,
    started: datetime,
    aliases: Mapping[str, str],
    rung_ages: Mapping[Rung, timedelta] | None = None,
    enrol_within: str | None = None,
) -> Demand | Unmet:
    """The demand of one authorization request, fixed at the instant it `started`.

    `aliases` maps configured `acr` values to our own names; `rung_ages` is the policy on how
    old a rung may grow; `enrol_within` names this transaction where policy lets a missing factor
    be enrolled in the middle of it. Unmet like `terms_for`.
    """
    terms = terms_for(request, client, aliases=aliases)
    if isinstance(terms, Unmet):
        return terms
    return terms.begun(started, rung_ages=rung_ages, enrol_within=enrol_within)


def terms_for(
    request: AssuranceRequest, client: ClientFloor, *, aliases: Mapping[str, str]
) -> Terms | Unmet:
    """What one authorization request asks for, whenever it starts.

    Unmet when a necessary list names nothing that we know: to ask for anything would be in vain,
    and a client that retries would loop (RFC 9470, 5).
    """
    names, necessary = _asked(request, client)
    acceptable = resolve_acr_values(names, aliases)
    if names and necessary and not acceptable:
        return Unmet("unknown_acr")
    defaults = resolve_acr_values(client.default_acr_values, aliases)
    ages = (request.max_age, client.max_age, client.default_max_age)
    return Terms(
        acceptable=acceptable or defaults,
        necessary=necessary,
        floor=max(client.minimum, _least(defaults)),
        refused=client.refused,
        verify_user=client.verify_user,
        max_age=_strictest(*ages, 0 if request.prompt_login else None),
    )


def since(started: datetime, *max_ages: int | None) -> datetime | None:
    """The instant before which proofs are too old, by the strictest of `max_ages` in seconds.

    None among them says nothing, and None comes back when none says anything. 0 is an age like
    any other: everything must be proved anew. Raises ValueError for a negative one, which nothing
    that happened could satisfy.
    """
    strictest = _strictest(*max_ages)
    if strictest is None:
        return None
    if strictest < 0:
        raise ValueError("an age cannot be negative")
    # A client may well send more seconds than there are years: that limits nothing.
    if strictest > (started - _BEGINNING).total_seconds():
        return None
    return started - timedelta(seconds=strictest)


def _strictest(*max_ages: int | None) -> int | None:
    return min((age for age in max_ages if age is not None), default=None)


def oldest_allowed(started: datetime, ages: Mapping[Rung, timedelta]) -> dict[Rung, datetime]:
    """`Demand.rung_since` for a policy of maximum ages (NIST SP 800-63B-4, 2.2.3 and 2.3.3)."""
    return {rung: started - age for rung, age in ages.items()}


_BEGINNING = datetime.min.replace(tzinfo=UTC)


def _asked(request: AssuranceRequest, client: ClientFloor) -> tuple[tuple[str, ...], bool]:
    """The list that counts, and whether it is necessary.

    OIDC Core 5.5.1.1 leaves open what two lists at once mean. The essential claim wins, being the
    one that says "must"; then `acr_values`; a claim that is not essential is only a wish. An
    essential `acr` that names no value asks for the claim to be there, and it always is.
    """
    if request.acr_claim and request.acr_essential:
        return request.acr_claim, True
    if request.acr_values:
        return request.acr_values, not client.acr_values_voluntary
    return request.acr_claim, False


def _least(defaults: tuple[Acr, ...]) -> Rung:
    # Registered defaults are a floor: a parameter may name something higher, never something lower.
    return min((acr.rung for acr in defaults), default=Rung.ONE_FACTOR)
