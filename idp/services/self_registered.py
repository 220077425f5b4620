"""What an application may say of itself: all that a registration holds, but for our own policy."""

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, Final

from idp.config import Settings
from idp.protocol.client_metadata import (
    ISSUED_MEMBERS,
    LOCALIZED_MEMBERS,
    MEMBER_NAMES,
    OWN_MEMBERS,
    ClientMetadata,
)
from idp.protocol.registration import InvalidClientMetadata, Problems
from idp.protocol.scopes import ADMIN_SCOPES, SCOPE_NAMES
from idp.protocol.vocabulary import DEVICE_CODE
from idp.services.client_rules import ClientRules

PERSONAL_GRANTS: Final = (*("authorization_code", "implicit", "refresh_token"), DEVICE_CODE)
"""Those in which a person takes part, and is asked. The others are for whom somebody vouches."""

_ASSERTING: Final = ("client_secret_jwt", "private_key_jwt")


class Latitude(Enum):
    """How much may be asked for: ``VOUCHED`` by a token that we gave, or ``OPEN`` to anybody."""

    OPEN = "open"
    VOUCHED = "vouched"


class SelfRegisteredRules:
    """The validator of all registrations, and on top of it what nobody may say of themselves."""

    def __init__(self, settings: Settings, rules: ClientRules) -> None:
        self._rules = rules
        self._pkce = settings.client_registration_pkce

    def parse(
        self, sent: object, latitude: Latitude, *, registered: Mapping[str, Any] | None = None
    ) -> ClientMetadata:
        """What was ``sent`` (decoded JSON), in the place of what is ``registered`` already.

        Members that nobody knows, or that say nothing, are dropped (RFC 7591 section 2). Policy of
        ours stays as it is registered. Raises ``InvalidClientMetadata`` with all problems.
        """
        if not isinstance(sent, Mapping):
            raise InvalidClientMetadata((("registration", "must be a JSON object"),))
        members = {name: value for name, value in sent.items() if _is_known(name)}
        if members.get("token_endpoint_auth_method") not in _ASSERTING:
            # Libraries send it whatever the method is; without an assertion it says nothing.
            members.pop("token_endpoint_auth_signing_alg", None)
        problems: Problems = tuple(_ours(members))
        try:
            metadata = self._rules.parse({**members, **self._policy(members, registered)})
        except InvalidClientMetadata as error:
            raise InvalidClientMetadata((*problems, *error.problems)) from None
        problems += tuple(_administers(metadata, registered or {}))
        if latitude is Latitude.OPEN:
            problems += tuple(_beyond(metadata, registered or {}))
        if problems:
            raise InvalidClientMetadata(problems)
        return metadata

    def _policy(
        self, members: Mapping[str, Any], registered: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        """Our own members: as an administrator left them, or what holds for a new one."""
        if registered is None:
            policy = {} if self._pkce else {"require_pkce": False}
        else:
            policy = {name: registered[name] for name in OWN_MEMBERS & registered.keys()}
        if members.get("token_endpoint_auth_method") == "none":
            policy.pop("require_pkce", None)  # without a secret there is no choice
        return {name: policy.get(name) for name in OWN_MEMBERS}


def told(metadata: ClientMetadata) -> dict[str, object]:
    """The registration as its application is told it: our policy is not its own to send back."""
    return {name: value for name, value in metadata.to_json().items() if name not in OWN_MEMBERS}


def _is_known(name: object) -> bool:
    base, tagged, _ = str(name).partition("#")
    return base in LOCALIZED_MEMBERS if tagged else base in _KNOWN


def _ours(members: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in members:
        if name in OWN_MEMBERS and members[name] is not None:
            yield name, "is for whoever runs this provider to set: leave it out"


def _administers(
    metadata: ClientMetadata, registered: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """Whoever vouches for an application does not make an administrator of it."""
    had = str(registered.get("scope", "")).split()
    if named := sorted(ADMIN_SCOPES & set(metadata.scope) - set(had)):
        yield "scope", f"is for an administrator to give: leave out {', '.join(named)}"


def _beyond(metadata: ClientMetadata, registered: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What takes somebody who vouches. What was registered by such a one is kept by all means."""
    allowed = {
        "scope": (*SCOPE_NAMES, *str(registered.get("scope", "")).split()),
        "grant_types": (*PERSONAL_GRANTS, *registered.get("grant_types", ())),
    }
    for member, names in allowed.items():
        if not set(getattr(metadata, member)) <= set(names):
            known = ", ".join(dict.fromkeys(names))
            yield member, f"must stay within what anybody may register here: {known}"
    yield from _of_a_sector_unseen(metadata, registered)


def _of_a_sector_unseen(
    metadata: ClientMetadata, registered: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """OIDC Core 8.1: a sector is whose the redirect addresses are. No device's tokens go there.

    So anybody could name another's addresses, and learn what people are called in that sector.
    """
    vouched = registered.get("subject_type") == "pairwise" and DEVICE_CODE in registered.get(
        "grant_types", ()
    )
    if metadata.subject_type == "pairwise" and DEVICE_CODE in metadata.grant_types and not vouched:
        yield "subject_type", f'must not be "pairwise" beside grant type "{DEVICE_CODE}"'


_KNOWN: Final = MEMBER_NAMES | ISSUED_MEMBERS | {"software_statement"}
