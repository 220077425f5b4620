"""Who asks for what: an authorization request, or a page of our own, as one Demand."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from idp.assurance import (
    AssuranceRequest,
    ClientFloor,
    Demand,
    Rung,
    Terms,
    Unmet,
    ladder_names,
    oldest_allowed,
    resolve_acr_values,
    since,
    terms_for,
)
from idp.config import Settings
from idp.factors.magic_link import MagicLink
from idp.protocol.authorization import AuthorizationRequest
from idp.protocol.client_metadata import ClientMetadata

HANDED: Final = "handed_link"
"""An administrator's link, as the ledger names it."""


def of_request(
    request: AuthorizationRequest,
    client: ClientMetadata,
    settings: Settings,
    *,
    started: datetime,
    transaction_id: str | None = None,
) -> Demand | Unmet:
    """The demand of an authorization request that arrived at ``started``.

    ``transaction_id`` is the sign-in it has become, in which a missing factor may be set up where
    that is allowed. Unmet when it insists on an ``acr`` of which this provider knows no value.
    """
    terms = terms_of(request, client, settings)
    if isinstance(terms, Unmet):
        return terms
    return begun(terms, client, settings, started=started, transaction_id=transaction_id)


def terms_of(
    request: AuthorizationRequest, client: ClientMetadata, settings: Settings
) -> Terms | Unmet:
    """The same before it has arrived. Of the settings it goes by ``refused_methods``, and by what
    does not change while the program runs."""
    terms = terms_for(
        AssuranceRequest(
            acr_values=request.acr_values,
            acr_claim=request.claims.acr_values,
            acr_essential=request.claims.acr_is_essential,
            max_age=request.max_age,
            prompt_login="login" in request.prompts,
        ),
        client_floor(client, settings),
        aliases=settings.acr_aliases,
    )
    if isinstance(terms, Unmet):
        return terms
    return terms.raised(_scopes_floor(request.concerns, settings))


def begun(
    terms: Terms,
    client: ClientMetadata,
    settings: Settings,
    *,
    started: datetime,
    transaction_id: str | None,
) -> Demand:
    """The demand of a request on these terms. The rest as in ``of_request``."""
    return terms.begun(
        started,
        rung_ages=_policy(settings),
        enrol_within=transaction_id if _may_enrol(client, settings) else None,
    )


def _scopes_floor(scopes: tuple[str, ...], settings: Settings) -> Rung:
    """What the strictest of these scopes asks for."""
    names = [settings.scope_acr[scope] for scope in scopes if scope in settings.scope_acr]
    rungs = [acr.rung for acr in resolve_acr_values(names, settings.acr_aliases)]
    return max(rungs, default=Rung.ONE_FACTOR)


def _may_enrol(client: ClientMetadata, settings: Settings) -> bool:
    """Both the deployment and the registration can say that a step-up sets nothing up."""
    return settings.enrol_in_step_up and client.enrol_in_step_up


def client_floor(client: ClientMetadata, settings: Settings) -> ClientFloor:
    """What a registration asks of every sign-in."""
    minimum = resolve_acr_values(filter(None, [client.minimum_acr]), settings.acr_aliases)
    return ClientFloor(
        minimum=minimum[0].rung if minimum else Rung.ONE_FACTOR,
        max_age=client.max_auth_age,
        default_acr_values=client.default_acr_values,
        default_max_age=client.default_max_age,
        acr_values_voluntary=client.acr_values_voluntary,
        refused=_refused(client.refused_methods, settings),
        verify_user=client.user_verification == "required",
    )


FOR_ROLE: Final = "for_role"
"""In what a page wants: it is for those who have a role, and nothing is proved for it in vain."""


def of_page(
    wanted: Mapping[str, Any],
    settings: Settings,
    *,
    started: datetime,
    transaction_id: str | None = None,
) -> Demand:
    """The demand of a page of our own: ``{"floor": name of a rung, "max_age": seconds}``.

    What ``standing_in`` adds to it is no part of the demand itself.

    ``transaction_id`` as in ``of_request``.
    """
    return Demand(
        floor=Rung[wanted.get("floor", Rung.ONE_FACTOR.name)],
        since=since(started, wanted.get("max_age")),
        rung_since=oldest_allowed(started, _policy(settings)),
        refused=_refused((), settings),
        enrol_within=transaction_id if settings.enrol_in_step_up else None,
    )


def _refused(methods: tuple[str, ...], settings: Settings) -> frozenset[str]:
    """The methods, with what shows the same: a link handed over is no better than a mailed one."""
    named = {*methods, *settings.refused_methods}
    return frozenset(named | ({HANDED} if MagicLink.name in methods else set()))


def unknown_names(settings: Settings) -> tuple[str, ...]:
    """What the settings say of acr values that nobody here knows, a sentence each.

    An alias for nothing, or a floor by no name, would be none at all. Neither would an alias that
    is a name of our own, or that no request can hold: values stand with spaces between them.
    """
    aliases, scopes = settings.acr_aliases, settings.scope_acr
    return (
        *(
            f"acr_aliases: {alias} is a name of our own"
            for alias in ladder_names()
            if alias in aliases
        ),
        *(
            f"acr_aliases: {alias!r} cannot be asked for: it has to be one word"
            for alias in aliases
            if alias.split() != [alias]
        ),
        *(
            f"acr_aliases: {alias} stands for {name}, which is no acr value here"
            for alias, name in aliases.items()
            if name not in ladder_names()
        ),
        *(
            f"scope_acr: {scope} asks for {name}, which is no acr value here"
            for scope, name in scopes.items()
            if not resolve_acr_values([name], aliases)
        ),
    )


def _policy(settings: Settings) -> dict[Rung, timedelta]:
    ages = {Rung.MFA: settings.mfa_max_age, Rung.PHRH: settings.phrh_max_age}
    return {rung: age for rung, age in ages.items() if age is not None}
