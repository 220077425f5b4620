"""Authorization responses on their way to the client: at once, or by a page that says why."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from flask import Response, jsonify, make_response, render_template, url_for
from flask_babel import gettext as _

from idp.models import Transaction
from idp.oidc.answers import Answered
from idp.protocol.client_metadata import NOBODY
from idp.protocol.responses import AuthorizationResponse
from idp.services.clients import RegisteredClient
from idp.services.roles import Area, Permission, permits
from idp.services.turned_away import NOBODY_YET
from idp.web import browser_state, headers
from idp.web.answers import see_other, wants_json
from idp.web.context import live_session, services
from idp.web.models import app_view


def send(response: AuthorizationResponse, by: Callable[[str], Response] = see_other) -> Response:
    """Let an authorization response travel to the client."""
    browser_state.will_be_compared()
    if response.way != "form_post":
        return by(response.url())
    if wants_json():
        return jsonify(redirect=response.redirect_uri, form=dict(response.sent))
    headers.allow_form_target(response.redirect_uri)
    parts = urlsplit(response.redirect_uri)
    page = render_template(
        "login/post_response.html",
        action=response.redirect_uri,
        parameters=response.sent,
        name=parts.hostname or parts.scheme,
        app=None,
    )
    return make_response(page)


def deliver(answered: Answered, by: Callable[[str], Response] = see_other) -> Response:
    """The same, by way of a page where the person is to know why she goes back with nothing."""
    if answered.turned_away is not None and not wants_json():
        return _turned_away(answered.response, answered.turned_away)
    return send(answered.response, by)


def turned_away(transaction: Transaction) -> Response | None:
    """That page, for a sign-in that ended so and still would; None for every other."""
    if transaction.parameters is None or transaction.client_id is None:
        return None
    client = services().clients.get(transaction.client_id)
    if client is None or client.metadata.admits != NOBODY:
        return None
    response = services().authorization.answer(transaction)
    if response.parameters.get("error_description") != NOBODY_YET:
        return None
    return _turned_away(response, transaction.client_id)


def _turned_away(response: AuthorizationResponse, client_id: str) -> Response:
    posts = response.way == "form_post"
    if posts:
        headers.allow_form_target(response.redirect_uri)
    return nobody_yet(
        services().clients.get(client_id),
        url=None if posts else response.url(),
        action=response.redirect_uri if posts else None,
        parameters=response.sent,
    )


def nobody_yet(client: RegisteredClient | None, **back: Any) -> Response:
    """The application lets nobody in yet: who can change that, and the way back to it.

    ``url``, or ``action`` with ``parameters`` to post there; neither, where it has no page.
    """
    page = render_template(
        "login/turned_away.html",
        app=app_view(client) if client else None,
        contacts=_contacts(client),
        hint=_hint(client),
        **{"url": None, "action": None, **back},
    )
    return make_response(page, 403)


def _contacts(client: RegisteredClient | None) -> tuple[str, ...]:
    """Who answers for it, as the house registered it: what one says of itself is not believed."""
    return client.metadata.contacts if client and not client.self_registered else ()


def _hint(client: RegisteredClient | None) -> dict[str, str] | None:
    """For whoever may change that, and looks at the page herself."""
    live = live_session()
    if client is None or live is None:
        return None
    if not permits(live.role, Permission(Area.CLIENTS, writes=True)):
        return None
    return {
        "text": _("You administer this provider."),
        "url": url_for("admin.client_access", client_id=client.id),
        "label": _("Choose who may sign in"),
    }
