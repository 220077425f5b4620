"""/api/v1/health: whether this deployment is in order, and a mail to try it out."""

from typing import Any, Final

from idp.models import release
from idp.services.roles import Area
from idp.services.waiting import Stuck, outbox_state
from idp.web.api.call import Answer, Call
from idp.web.api.registry import operation
from idp.web.api.representing import instant
from idp.web.api.schema import FLAG, INSTANT, many, members, number, or_null, text
from idp.web.context import services

FINDING: Final = members(
    {"check": text(), "state": text(of=("ok", "warning", "problem")), "text": text()}
)
STUCK: Final = members(
    {
        "kind": text(),
        "recipient": text(),
        "created_at": INSTANT,
        "attempts": number(),
        "next_attempt_at": or_null(INSTANT),
        "failed_at": or_null(INSTANT),
        "error": or_null(text()),
    }
)
OUTBOX: Final = members(
    {"waiting": number(), "oldest": or_null(INSTANT), "stuck": many(STUCK)},
    about="What waits to be sent, and what was tried in vain.",
)


@operation(
    "GET",
    "/health",
    Area.HEALTH,
    answer=members({"findings": many(FINDING), "outbox": OUTBOX}),
)
def get_health(call: Call) -> Answer:
    """Everything that ``idp doctor`` looks at, examined now."""
    release()
    findings = [
        {"check": one.check, "state": one.state, "text": one.text}
        for one in services().health.examine(call.context.at)
    ]
    state = outbox_state(call.context.at)
    stuck = [_stuck(one) for one in state.stuck]
    outbox = {"waiting": state.waiting, "oldest": instant(state.oldest), "stuck": stuck}
    return Answer(body={"findings": findings, "outbox": outbox})


def _stuck(one: Stuck) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "recipient": one.recipient,
        "created_at": instant(one.created_at),
        "attempts": one.attempts,
        "next_attempt_at": instant(one.next_attempt_at),
        "failed_at": instant(one.failed_at),
        "error": one.error,
    }


@operation(
    "POST",
    "/health/mail",
    Area.HEALTH,
    answer=members({"sent": FLAG, "problem": or_null(text())}),
    personal=True,
)
def try_mail(call: Call) -> Answer:
    """Mail whoever calls, at once, and tell what the mail server said."""
    user = call.caller.user
    assert user is not None  # noqa: S101  a personal operation
    problem = services().mail_trial.send(user, call.context)
    return Answer(body={"sent": problem is None, "problem": problem})
