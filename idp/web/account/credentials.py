"""A person's credentials as pages and scripts are shown them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import url_for
from flask_babel import gettext as _

from idp.factors.base import of_kind
from idp.models import Credential, User
from idp.services.activity import made_in
from idp.services.holdings import Loss
from idp.services.passkeys import PasskeyView, passkeys
from idp.services.session_list import used_in
from idp.services.sessions import Live
from idp.web.context import services
from idp.web.user_agents import device_name
from idp.web.words import together


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialView:
    """One credential. ``facts`` is what a passkey said of itself, None for anything else."""

    id: str
    name: str | None
    added: datetime
    where: str | None
    """The browser it was made in."""
    last_used: datetime | None
    in_use: bool
    """Was it used for the very session that looks at it? To be made in it is not that."""
    facts: PasskeyView | None
    loss: Loss
    remains: Sequence[str]
    """What she could still sign in with, each way in words, by a recovery code last."""
    rename_url: str
    remove_url: str | None
    """None for the last way in."""

    @property
    def kind(self) -> str:
        """Where the passkey can be: "device", "synced", or "unsynced" while it is not yet."""
        if self.facts is None or self.facts.device_bound:
            return "device"
        return "synced" if self.facts.backed_up else "unsynced"


def credential_views(
    method: str, user: User, credentials: Sequence[Credential], live: Live
) -> list[CredentialView]:
    """Those of one kind, oldest first; ``credentials`` are all of hers."""
    facts = {one.id: one for one in passkeys(credentials)}
    used = {use.credential_id for use in used_in([live.id]).get(live.id, ())}
    browsers = made_in(user.id, method)
    mine = sorted(of_kind(credentials, method), key=lambda one: (one.created_at, one.id))
    return [
        _view(
            one,
            services().holdings.loss(user, one, credentials),
            facts.get(one.id),
            in_use=one.id in used,
            browser=browsers.get(one.id),
        )
        for one in mine
    ]


def _view(
    one: Credential,
    loss: Loss,
    facts: PasskeyView | None,
    *,
    in_use: bool,
    browser: str | None,
) -> CredentialView:
    return CredentialView(
        id=one.id,
        name=one.label,
        added=one.created_at,
        last_used=one.last_used_at,
        where=device_name(browser) if browser else None,
        in_use=in_use,
        facts=facts,
        loss=loss,
        remains=_in_words(loss),
        rename_url=_address("account.rename", one),
        remove_url=None if loss.is_last_way else _address("account.remove", one),
    )


def _in_words(loss: Loss) -> list[str]:
    by_code = [together(loss.by_code)] if loss.by_code else []
    last = [str(_("%(way)s, if you lose the rest", way=way)) for way in by_code]
    return [*map(together, loss.ways), *last]


def _address(endpoint: str, one: Credential) -> str:
    return url_for(endpoint, method=one.kind, credential_id=one.id)


def as_json(view: CredentialView) -> dict[str, Any]:
    """The same for a script; instants are ISO 8601 in UTC. Never key material.

    ``ways_left`` are the ways to sign in without it, each a list of methods needed together.
    """
    by_code = [view.loss.by_code] if view.loss.by_code else []
    shown: dict[str, Any] = {
        "id": view.id,
        "name": view.name,
        "created_at": view.added.isoformat(),
        "last_used_at": view.last_used.isoformat() if view.last_used else None,
        "ways_left": [list(way) for way in (*view.loss.ways, *by_code)],
    }
    if view.facts is not None:
        shown["backed_up"] = view.facts.backed_up
        shown["device_bound"] = view.facts.device_bound
        shown["aaguid"] = view.facts.aaguid
    return shown
