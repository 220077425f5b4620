"""/api/v1/settings: what may change while the program runs."""

from typing import Any, Final

from idp.config.live import CHANGEABLE
from idp.services import settings_revision
from idp.services.roles import Area
from idp.web.api.call import Answer, Call
from idp.web.api.registry import operation
from idp.web.api.representing import tag_of
from idp.web.api.schema import Schema, members, named
from idp.web.context import services

SETTINGS: Final = members({name: named("Setting") for name in CHANGEABLE})
VALUE: Final[Schema] = {"type": ["string", "integer", "boolean", "null"], "maxLength": 2000}
VALUES: Final = members({}, dict.fromkeys(CHANGEABLE, VALUE), about="null: what was started with.")


def settings_answer() -> Answer:
    """All of them, with the tag of this revision."""
    shown = {
        one.name: {"value": one.value, "source": one.source, "started_with": one.started_with}
        for one in services().changed_settings.listed()
    }
    return Answer(body=shown, etag=tag_of(settings_revision.current(), shown))


@operation("GET", "/settings", Area.SETTINGS, answer=SETTINGS, tagged=True)
def get_settings(call: Call) -> Answer:
    """Each with its value and where that comes from."""
    return settings_answer()


@operation(
    "PATCH",
    "/settings",
    Area.SETTINGS,
    body=VALUES,
    answer=SETTINGS,
    conditional=True,
    tagged=True,
)
def change_settings(call: Call) -> Answer:
    """Change these, all of them or none; every node sees it within seconds."""
    revision = settings_revision.current()
    call.insist_on_match(settings_answer().etag or "")
    settings_revision.claim(revision, call.context.at)
    values = {name: _typed(value) for name, value in call.body.items()}
    services().changed_settings.set(values, call.context)
    return settings_answer()


def _typed(value: Any) -> str:
    """As it would be typed into a form."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
