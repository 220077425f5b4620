"""Logos as pictures: kept here, and named in a registration or in the settings."""

from base64 import b64decode
from typing import Any, Final

from idp.services import pictures, settings_revision
from idp.services.pictures import LARGEST
from idp.services.roles import Area
from idp.web.api.call import Answer, Call
from idp.web.api.clients import ONE, client_view, matched, seen, tag
from idp.web.api.problems import wrong
from idp.web.api.registry import operation
from idp.web.api.schema import members, named, text
from idp.web.api.settings import SETTINGS, settings_answer
from idp.web.context import services

PICTURE: Final[Any] = members(
    {
        "picture": {
            **text(at_most=-(-LARGEST // 3) * 4, about="PNG, JPEG or WebP, at most 200 kB."),
            "contentEncoding": "base64",
        }
    }
)
LIGHT: Final = "logo_url"
DARK: Final = "logo_dark_url"


def _kept(call: Call) -> str:
    """The path of the picture that was sent. Raises ``Problem``, ``Invalid``."""
    try:
        body = b64decode(call.body["picture"], validate=True)
    except ValueError as error:
        raise wrong("picture", "is not base64") from error
    return pictures.keep(body, call.context, field="picture")


@operation(
    "PUT",
    f"{ONE}/logo",
    Area.CLIENTS,
    body=PICTURE,
    answer=named("Client"),
    conditional=True,
    tagged=True,
)
def set_client_logo(call: Call, client_id: str) -> Answer:
    """Show this picture as an application's logo."""
    return _client(call, client_id, services().settings.issuer + _kept(call))


@operation(
    "DELETE", f"{ONE}/logo", Area.CLIENTS, answer=named("Client"), conditional=True, tagged=True
)
def remove_client_logo(call: Call, client_id: str) -> Answer:
    """Show no logo of an application, wherever it is from."""
    return _client(call, client_id, None)


def _client(call: Call, client_id: str, address: str | None) -> Answer:
    info = matched(call, client_id)
    services().client_editing.change(
        info.id,
        {"logo_uri": address},
        call.caller.manager,
        call.context,
        expected=info.revision,
    )
    info = seen(call, info.id)
    return Answer(body=client_view(info), etag=tag(info))


def _settings(call: Call, name: str, value: str) -> Answer:
    revision = settings_revision.current()
    call.insist_on_match(settings_answer().etag or "")
    services().changed_settings.set({name: value}, call.context, expected=revision)
    return settings_answer()


@operation(
    "PUT",
    "/settings/logo",
    Area.SETTINGS,
    body=PICTURE,
    answer=SETTINGS,
    conditional=True,
    tagged=True,
)
def set_logo(call: Call) -> Answer:
    """Show this picture as the logo of every page."""
    return _settings(call, LIGHT, _kept(call))


@operation(
    "DELETE", "/settings/logo", Area.SETTINGS, answer=SETTINGS, conditional=True, tagged=True
)
def remove_logo(call: Call) -> Answer:
    """Go back to the logo that the server was started with, or none."""
    return _settings(call, LIGHT, "")


@operation(
    "PUT",
    "/settings/logo-dark",
    Area.SETTINGS,
    body=PICTURE,
    answer=SETTINGS,
    conditional=True,
    tagged=True,
)
def set_dark_logo(call: Call) -> Answer:
    """Show this picture as the logo of every dark page."""
    return _settings(call, DARK, _kept(call))


@operation(
    "DELETE", "/settings/logo-dark", Area.SETTINGS, answer=SETTINGS, conditional=True, tagged=True
)
def remove_dark_logo(call: Call) -> Answer:
    """Go back to the logo of dark pages that the server was started with, or none."""
    return _settings(call, DARK, "")
