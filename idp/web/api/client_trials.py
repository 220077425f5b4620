"""/api/v1/clients/<id>/test: what of an application can be tried without a browser."""

from typing import Final

from idp.protocol.scopes import parse_scope
from idp.services.roles import Area
from idp.web.api.call import Answer, Call
from idp.web.api.clients import ONE, changeable
from idp.web.api.problems import wrong
from idp.web.api.registry import operation
from idp.web.api.representing import instant
from idp.web.api.schema import FLAG, INSTANT, many, members, or_null, text
from idp.web.context import services
from idp.web.trials import told

STEP: Final = members(
    {
        "name": text(),
        "sent": {"type": "object"},
        "answer": {"type": "object"},
        "error": or_null(text()),
    }
)
TRIAL: Final = members(
    {
        "passed": FLAG,
        "error": or_null(text(about="The code of what failed.")),
        "fix": or_null(text(about="What to do about it.")),
        "steps": many(STEP, about="Up to the first that failed. No secret or token is in them."),
        "address": or_null(text(about="Where somebody can sign in to it, to try the rest.")),
        "last": or_null(
            members(
                {"at": INSTANT, "outcome": text(about="passed, or the code of an error.")},
                about="How it ended the last time, before this.",
            )
        ),
    }
)


@operation(
    "POST",
    f"{ONE}/test",
    Area.CLIENTS,
    body=members({}, {"scope": text(about="For itself: all that it may have without it.")}),
    answer=TRIAL,
)
def test_client(call: Call, client_id: str) -> Answer:
    """Try an application: its registration, and its token request where it acts for itself."""
    client = services().clients.get(changeable(call, client_id).id)
    assert client is not None  # noqa: S101  it was looked at above
    try:
        scope = parse_scope(call.body["scope"]) if "scope" in call.body else None
    except ValueError as error:
        raise wrong("scope", str(error)) from error
    found = told(services().examiner.examine(client, call.context, scope=scope))
    if found["last"] is not None:
        found["last"]["at"] = instant(found["last"]["at"])
    return Answer(body=found)
