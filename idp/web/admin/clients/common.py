"""What the pages of one application share: who looks, at what, under which tabs."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from flask import Response, abort, flash, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as later

from idp.protocol.client_metadata import ClientMetadata
from idp.protocol.redirect_uris import Note, notes_on
from idp.services.client_editing import FILE
from idp.services.client_listing import ClientInfo, ClientRefused
from idp.services.client_pages import Manager, seen_by
from idp.services.client_presets import acts_for_people, kind_of, signs_people_in
from idp.services.client_secrets import has_secret
from idp.services.roles import Area, Permission
from idp.web.admin.blueprint import HEED, page
from idp.web.admin.clients.wording import for_people
from idp.web.admin.guard import may
from idp.web.answers import redirect_to
from idp.web.guards import viewer

SECTION: Final = "admin.clients"
USUAL: Final = ("openid", "profile", "email")
"""Scopes that an application mostly asks for."""

KINDS: Final = {
    "web": later("Server web app"),
    "browser": later("Single-page app"),
    "native": later("Mobile or desktop app"),
    "device": later("Command line or TV"),
    "machine": later("Machine to machine"),
}
"""Presets by their names for people."""
_API: Final = later("API")

_TABS: Final[tuple[tuple[str, Any], ...]] = (
    ("admin.client_overview", later("Overview")),
    ("admin.client_connect", later("Connect")),
    ("admin.client_test", later("Test")),
    ("admin.client_details", later("Details")),
    ("admin.client_access", later("Access and strength")),
    ("admin.client_claims", later("Claims")),
    ("admin.client_secrets", later("Secrets")),
    ("admin.client_activity", later("Activity")),
    ("admin.client_danger", later("Danger")),
)


def manager() -> Manager:
    """Whoever is signed in here."""
    return Manager.of(viewer()[1])


def wanted(client_id: str) -> ClientInfo:
    """The application of the address; 404 for one that is not there, or not for these eyes."""
    try:
        return seen_by(manager(), client_id)
    except ClientRefused:
        abort(404)


def kind_words(metadata: ClientMetadata) -> str:
    """What it is, for people. An API is given no tokens: it looks at those that come to it."""
    return str(KINDS[kind_of(metadata)] if metadata.grant_types else _API)


def may_change() -> bool:
    """Does the viewer's role permit to change applications?"""
    return may(Permission(Area.CLIENTS, writes=True))


def client_page(template: str, info: ClientInfo, *, tab: str, **values: Any) -> Response:
    """A page of one application; ``tab`` is the endpoint of the tab that it belongs to."""
    shown = [one for one in _TABS if one[0] != "admin.client_secrets" or has_secret(info.metadata)]
    return page(
        f"admin/clients/{template}.html",
        section=SECTION,
        client=info,
        by_file=info.managed_by == FILE,
        signs_in=signs_people_in(info.metadata),
        for_people=acts_for_people(info.metadata),
        writable=may_change(),
        editable=may_change() and info.managed_by != FILE,
        tabs=[
            {
                "url": url_for(endpoint, client_id=info.id),
                "label": label,
                "current": endpoint == tab,
            }
            for endpoint, label in shown
        ],
        **values,
    )


def done(sentence: str, endpoint: str, **arguments: Any) -> Response:
    """It worked: say so on the page that comes next."""
    flash(sentence)
    return redirect_to(url_for(endpoint, **arguments))


def warn(uris: Sequence[str], application_type: str) -> None:
    """What is allowed and mostly a slip is saved, and said on the page that comes next."""
    for note in notes_on(uris, application_type):
        flash(sentence_on(note), HEED)


def sentence_on(note: Note) -> str:
    """What is to be said about one of several addresses."""
    text: str = _("Address %(number)s %(sentence)s.", number=note.number, sentence=note.sentence)
    return text


def problems(
    found: Iterable[tuple[str, str]], fields: Iterable[str]
) -> list[dict[str, str | None]]:
    """What is wrong with a registration, in the order of the fields that there are for it."""
    places = {field: place for place, field in enumerate(fields)}
    return [
        {"field": member if member in places else None, "message": for_people(member, sentence)}
        for member, sentence in sorted(found, key=lambda one: places.get(one[0], len(places)))
    ]
