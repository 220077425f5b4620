"""View models: what templates are handed, and nothing they could change."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from flask import request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from idp.factors.base import Refused
from idp.models import Transaction, User
from idp.oidc.asked import Asked
from idp.services.clients import RegisteredClient
from idp.services.standing_in import only_anew
from idp.services.throttle import Wait
from idp.services.weighing import Standing
from idp.web import headers, here
from idp.web.context import services
from idp.web.words import refusal

NO_ADDRESS = Refused("no_address", "Enter your email address.", at_field="username", counts=False)
NOT_SAVED = Refused("not_saved", "Save the codes first, then tick the box.", "saved", counts=False)
NOTHING_SENT = Refused("nothing_sent", "Nothing was sent.", counts=False)


@dataclass(frozen=True, slots=True)
class AppView:
    """The relying party, as pages show it."""

    name: str
    host: str | None
    logo_url: str | None
    policy_url: str | None
    terms_url: str | None
    self_registered: bool = False
    """Is all of this only its own word?"""


@dataclass(frozen=True, slots=True)
class ChoiceView:
    """One way to prove it, as a factor's template shows it."""

    method: str
    url: str
    enrol: bool = False
    last_used: bool = False
    public: Mapping[str, Any] = field(default_factory=dict)
    begun: bool = False


def address(transaction: Transaction) -> str:
    """Where a transaction's current step is shown."""
    return f"{_sign_ins(here.asked().root_path)}{transaction.id}"


@lru_cache(maxsize=16)
def _sign_ins(_root: str) -> str:
    """What stands before their ids: it depends on nothing but where the application is mounted."""
    return url_for("login.show", transaction_id="x").removesuffix("x")


def app_of(transaction: Transaction) -> AppView | None:
    """The relying party that a transaction is for; None for a page of our own.

    Any form of its pages may end at the client's address, "Cancel" among them.
    """
    found = _application(transaction)
    return app_view(*found) if found else None


def app_in(transaction: Transaction) -> tuple[str, int, str | None] | None:
    """What the same depends on: for a page that shows it as it was made before."""
    found = _application(transaction)
    if found is None:
        return None
    client, redirect_uri = found
    _allow_logo(client)
    return client.id, client.revision, _host(redirect_uri)


@lru_cache(maxsize=256)
def _host(url: str) -> str | None:
    return urlsplit(url).hostname


def _application(transaction: Transaction) -> tuple[RegisteredClient, str] | None:
    """With the address that its answer goes to."""
    if transaction.client_id is None or transaction.parameters is None:
        return None
    redirect_uri = str(transaction.parameters["redirect_uri"])
    headers.allow_form_target(redirect_uri)
    # Once a request.
    read: dict[str, RegisteredClient | None] = vars(here.own()).setdefault("clients", {})
    if transaction.client_id not in read:
        read[transaction.client_id] = services().clients.get(transaction.client_id)
    client = read[transaction.client_id]
    return (client, redirect_uri) if client else None


def _allow_logo(client: RegisteredClient) -> None:
    if client.metadata.logo_uri:
        headers.allow_image(client.metadata.logo_uri)


def back_to_sign_in() -> str:
    """From a page beside it to the sign-in that the person came from, where there is one."""
    begun = request.args.get("sign_in")
    if begun:
        return url_for("login.show", transaction_id=begun)
    return url_for("login.start")


def asked_of(transaction: Transaction) -> Asked | None:
    """The authorization request that a transaction is for; None for a page of our own."""
    if transaction.parameters is None:
        return None
    own = vars(here.own())
    read: dict[str, Asked] = own.setdefault("asked", {})  # once a request
    if transaction.id not in read:
        asked = read[transaction.id] = services().authorization.resume(transaction)
        own.setdefault("clients", {})[asked.client.id] = asked.client
    return read[transaction.id]


def app_view(client: RegisteredClient, redirect_uri: str | None = None) -> AppView:
    """A registration, as pages show it.

    The host of one that registered itself is where this answer goes (``redirect_uri``), and
    unknown where none goes anywhere: what else it registered, its ``client_uri`` and its other
    addresses, may be anybody's (RFC 7591 section 5).
    """
    metadata = client.metadata
    home = redirect_uri or ""
    if not client.self_registered:
        home = metadata.client_uri or home or next(iter(metadata.redirect_uris), "")
    _allow_logo(client)
    return AppView(
        name=client.name,
        host=_host(home),
        logo_url=metadata.logo_uri,
        policy_url=metadata.policy_uri,
        terms_url=metadata.tos_uri,
        self_registered=client.self_registered,
    )


def _register(transaction: Transaction) -> str:
    return url_for("register.form", sign_in=transaction.id)


def links_of(standing: Standing) -> dict[str, str | None]:
    """What leads away from a step; None where that is not to be had."""
    transaction = standing.transaction
    settings = services().settings
    return {
        "forgotten": url_for("login.forgotten", transaction_id=transaction.id)
        if settings.mails
        else None,
        "register": _register(transaction) if settings.registration and settings.mails else None,
        "cancel": url_for("login.cancel", transaction_id=transaction.id),
        "switch": url_for("login.leave", transaction_id=transaction.id),
        "sign_out": url_for("account.sign_out") if only_anew(standing) else None,
    }


def apis_of(resources: Iterable[str]) -> list[str]:
    """The APIs that a token is for, as people may know them: by name, or else by host and port."""
    return list(dict.fromkeys(_api_name(one) or _authority(one) for one in resources))


def _api_name(resource: str) -> str | None:
    """What somebody of the house registered for exactly this address, which is its ``client_id``.

    A name is only believed of who was vouched for: another's word could make any API look harmless.
    """
    client = services().clients.get(resource)
    if client is None or client.self_registered or client.disabled:
        return None
    return client.metadata.client_name


def _authority(resource: str) -> str:
    """Without a user's name, which could look like another host's."""
    return urlsplit(resource).netloc.rpartition("@")[2].lower() or resource[:100]


def errors_of(refused: Refused | None) -> list[dict[str, str | None]]:
    return [{"field": refused.at_field, "message": refusal(refused)}] if refused else []


def addressed_to(user: User | None, refused: Refused) -> Refused:
    """The same in the words for somebody who was asked for no address.

    Who only typed one is not known yet: an address that nobody has is answered alike.
    """
    if user is None or refused.to_known is None:
        return refused
    return replace(refused, message=refused.to_known)


def in_place(refused: Refused | None, standing: Standing, method: str | None) -> Refused | None:
    """The same in the words for where it is said: of other ways only where there are any."""
    if refused is None or refused.alone is None or not is_alone(standing, method):
        return refused
    return replace(refused, message=refused.alone)


def is_alone(standing: Standing, method: str | None) -> bool:
    """Is there no other way than this ``method`` to go on from here?"""
    return not any(one.method != method for one in standing.choices)


def too_many(wait: Wait, standing: Standing, method: str) -> Refused:
    """How long to wait, and the ways that stay open meanwhile."""
    others = [one.method for one in standing.choices if one.method != method]
    if wait.closed:
        now = _("Too many tries in a row: this way stays closed until you sign in by another.")
    else:
        now = ngettext(
            "Too many tries. Wait %(num)s minute%(others)s.",
            "Too many tries. Wait %(num)s minutes%(others)s.",
            wait.minutes,
            others=_or(others),
        )
    return Refused("too_many", now, counts=False)


def _or(others: Sequence[str]) -> str:
    if any(services().factors[one].on_request for one in others):
        return str(_(", or email yourself a link"))
    return str(_(", or use another way")) if others else ""
