"""The ways to prove it that a page offers, with what their ceremonies need of a page."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask import url_for

from idp.assurance import Choice
from idp.factors.base import Task, UserVerification
from idp.oidc.asked import Asked
from idp.services.weighing import Standing
from idp.web.context import context, services
from idp.web.models import ChoiceView
from idp.web.user_agents import device_name


def task_of(standing: Standing, choice: Choice, asked: Asked | None) -> Task:
    """What the ceremony of this choice has to achieve; ``asked`` is what the sign-in is for."""
    return tasks_of(standing, [choice], asked)[0]


def tasks_of(standing: Standing, choices: Iterable[Choice], asked: Asked | None) -> list[Task]:
    """The same for each of these."""
    transaction_id, user_agent = standing.transaction.id, device_name(context().user_agent)
    login_name = standing.transaction.state.get("login_name") if standing.user is None else None
    if asked is None:
        binding, app, wished = None, services().settings.site_name, None
    else:
        binding, app = asked.binding, asked.client.name
        wished = asked.client.metadata.user_verification
    found: dict[UserVerification, Task] = {}  # few choices differ in that
    return [
        found.get(verification)
        or found.setdefault(
            verification,
            Task(transaction_id, verification, binding, login_name, app, user_agent),
        )
        for verification in (_verification(one, wished) for one in choices)
    ]


def _verification(choice: Choice, wished: str | None) -> UserVerification:
    """What the decision needs; where it needs none, as little as the registration wishes."""
    if choice.user_verification == "preferred" and wished == "discouraged":
        return "discouraged"
    return choice.user_verification


def begun(
    standing: Standing, choices: Sequence[Choice], asked: Asked | None
) -> list[Mapping[str, Any]]:
    """The public parts of their ceremonies, begun where looking may begin them."""
    tasks = tasks_of(standing, choices, asked)
    ask, now = services().ceremonies.ask, context()
    return [
        {} if one.enrol else ask(standing, one, task, now) or {}
        for one, task in zip(choices, tasks, strict=True)
    ]


def shown(standing: Standing, choice: Choice, public: Mapping[str, Any]) -> ChoiceView:
    """A choice as a page shows it."""
    return ChoiceView(
        method=choice.method,
        url=url_for("login.step", transaction_id=standing.transaction.id, method=choice.method),
        enrol=choice.enrol,
        public=public,
        begun=bool(public),
    )
