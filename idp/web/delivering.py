"""Authorization responses on their way to the client: at once, or by a page that says why."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from flask import Response, jsonify, make_response, render_template, url_for
from flask_babel import gettext as _

from idp.models import Transaction
from idp.oidc.answers import Answered
from idp.protocol.client_metadata import ADMITS_NOBODY
from idp.protocol.responses import AuthorizationResponse
from idp.services.clients import RegisteredClient
from idp.services.roles import Area, Permission, permits
from idp.services.transactions import TURNED_AWAY
from idp.web import browser_state, headers
from idp.web.answers import see_other, wants_json
from idp.web.contacts import Contact, contact_of
from idp.web.context import context, live_session, services
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


def deliver(answered: Answered, transaction: Transaction) -> Response:
    """The same, by way of a page where the person is to know why she goes back with nothing."""
    if answered.turned_away and not wants_json():
        page = turned_away(transaction)
        if page is not None:
            return page
    return send(answered.response)


def turned_away(transaction: Transaction) -> Response | None:
    """That page, for a sign-in that ended so and still would; None for every other."""
    client = _closed(transaction)
    if client is None:
        return None
    response = services().authorization.responder.given(transaction)
    if response.wants_jwt:
        # It would expire while the page is looked at.
        return nobody_yet(client, url=url_for("login.go_back", transaction_id=transaction.id))
    if response.way != "form_post":
        return nobody_yet(client, url=response.url())
    headers.allow_form_target(response.redirect_uri)
    return nobody_yet(client, action=response.redirect_uri, parameters=response.sent)


def sent_back(transaction: Transaction) -> Response | None:
    """From that page to the application; None where it is not that page that is due.

    Raises ``OAuthError``, not redirectable.
    """
    client = _closed(transaction)
    if client is None:
        return None
    responder = services().authorization.responder
    return send(responder.given_anew(transaction, client, context().at))


def _closed(transaction: Transaction) -> RegisteredClient | None:
    """The application that the sign-in ended at, if it admits nobody still."""
    if not transaction.state.get(TURNED_AWAY) or transaction.client_id is None:
        return None
    client = services().clients.get(transaction.client_id)
    return client if client and client.metadata.admits == ADMITS_NOBODY else None


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


def _contacts(client: RegisteredClient | None) -> tuple[Contact, ...]:
    """Who answers for it, as the house registered it: what one says of itself is not believed."""
    if client is None or client.self_registered:
        return ()
    return tuple(map(contact_of, client.metadata.contacts))


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
