"""Authorization requests read: those of one application are much alike, and read as such.

They differ in ``state``, ``nonce`` and a few more. Whatever they share is held against the
registration and the settings once, for as long as these stay what they are.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from idp.assurance import Terms, Unmet
from idp.config import Settings
from idp.oidc.capabilities import as_set_now
from idp.protocol.arrived import Arrived
from idp.protocol.authorization import (
    OWN,
    AuthorizationRequest,
    parse_alike,
    parse_authorization_request,
    shared_of,
)
from idp.protocol.capabilities import Capabilities
from idp.protocol.client_metadata import ClientMetadata
from idp.protocol.errors import OAuthError
from idp.services import demands
from idp.services.clients import RegisteredClient

MOST_KEPT: Final = 4000
"""Of some two kilobytes each; an application has one or two."""
LONGEST_KEPT: Final = 2000
"""Characters in all: what names many things is not asked twice, and would only fill memory."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A request, and on what terms it can be met."""

    request: AuthorizationRequest
    terms: Terms


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is true of every request of a kind."""

    metadata: ClientMetadata
    shared: Mapping[str, Any]
    terms: Terms


class Readings:
    """Reads requests, and keeps what it will be able to say of the next of their kind."""

    def __init__(self, settings: Settings, capabilities: Capabilities) -> None:
        self._settings = settings
        self._capabilities = capabilities
        self._kept: dict[Hashable, _Kept] = {}

    def of(self, arrived: Arrived, client: RegisteredClient) -> Reading:
        """``arrived``, held against the registration and what we can do. Raises ``OAuthError``."""
        parameters, metadata = arrived.parameters, client.metadata
        shared = tuple([one for one in parameters.values.items() if one[0] not in OWN])
        settings = self._settings
        key = (
            *(client.id, client.revision, arrived.pushed is not None, arrived.signed, shared),
            # Of what the result depends on, all that may change while the program runs.
            *(settings.registration, settings.refused_methods),
        )
        kept = self._kept.get(key)
        # A trial measures what is registered with something changed.
        if kept is not None and kept.metadata is metadata:
            return Reading(parse_alike(kept.shared, parameters, metadata), kept.terms)
        reading = self._read(arrived, metadata)
        if sum(len(name) + len(one) for name, values in shared for one in values) <= LONGEST_KEPT:
            self._keep(key, metadata, reading)
        return reading

    def _read(self, arrived: Arrived, metadata: ClientMetadata) -> Reading:
        request = parse_authorization_request(
            arrived.parameters,
            metadata,
            as_set_now(self._capabilities, self._settings),
            pushed=arrived.pushed is not None,
            signed=arrived.signed,
        )
        terms = demands.terms_of(request, metadata, self._settings)
        if isinstance(terms, Unmet):
            raise OAuthError(
                "unmet_authentication_requirements", "None of the requested acr values is known."
            )
        return Reading(request, terms)

    def _keep(self, key: Hashable, metadata: ClientMetadata, reading: Reading) -> None:
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        self._kept[key] = _Kept(metadata, shared_of(reading.request), reading.terms)
