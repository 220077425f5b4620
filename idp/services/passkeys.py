"""A person's passkeys as she may see them: what is known of each, and never key material."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from idp.config import Settings
from idp.factors.base import of_kind
from idp.factors.passkey import (
    Passkey,
    accepted_credentials,
    provider_name,
    user_details,
)
from idp.models import Credential, User

METHOD: Final = Passkey.name
_NO_MODEL: Final = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyView:
    """One passkey. ``device_bound`` and ``backed_up`` are what it said of itself (BE, BS)."""

    id: str
    name: str
    created_at: datetime
    last_used_at: datetime | None
    backed_up: bool
    device_bound: bool
    aaguid: str
    provider: str | None
    """Who makes such passkeys, where that is well known; the client's word, for display only."""
    hardware: bool
    """Its key is known to be in hardware, as an attestation was verified."""


def passkeys(credentials: Sequence[Credential]) -> list[PasskeyView]:
    """The passkeys among a person's credentials, oldest first."""
    mine = sorted(of_kind(credentials, METHOD), key=lambda one: (one.created_at, one.id))
    return [_view(one) for one in mine]


def _view(credential: Credential) -> PasskeyView:
    data = credential.data
    return PasskeyView(
        id=credential.id,
        name=credential.label or "",
        created_at=credential.created_at,
        last_used_at=credential.last_used_at,
        backed_up=bool(data["bs"]),
        device_bound=not data["be"],
        aaguid=data["aaguid"],
        provider=provider_name(data["aaguid"]) if data["aaguid"] != _NO_MODEL else None,
        hardware=bool(data.get("attested_by")) and not data["be"],
    )


def signals(settings: Settings, user: User, credentials: Sequence[Credential]) -> dict[str, Any]:
    """What passkey providers may be told (WebAuthn L3 §5.1.10), for the page's script.

    Both are true whenever they are said, and so are said at every look at the list: a provider
    that missed a deletion, or a new address, learns of it the next time.
    """
    return {
        "accepted": accepted_credentials(settings.rp_id, user, credentials),
        "details": user_details(settings.rp_id, user),
    }
