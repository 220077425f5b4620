"""The ways to prove it that a page offers, with what their ceremonies need of a page."""

from collections.abc import Mapping
from typing import Any

from flask import url_for

from idp.assurance import Choice
from idp.factors.base import Task, UserVerification
from idp.oidc.asked import Asked
from idp.services.weighing import Standing
from idp.web.context import context, services
from idp.web.models import ChoiceView, asked_of
from idp.web.user_agents import device_name


def task_of(standing: Standing, choice: Choice, asked: Asked | None) -> Task:
    """What the ceremony of this choice has to achieve; ``asked`` is what the sign-in is for."""
    anonymous = standing.user is None
    return Task(
        transaction_id=standing.transaction.id,
        user_verification=_user_verification(choice, asked),
        binding=asked.binding if asked else None,
        login_name=standing.transaction.state.get("login_name") if anonymous else None,
        app=asked.client.name if asked else services().settings.site_name,
        user_agent=device_name(context().user_agent),
    )


def _user_verification(choice: Choice, asked: Asked | None) -> UserVerification:
    """What the decision needs; where it needs none, as little as the registration wishes."""
    wished = asked.client.metadata.user_verification if asked else None
    if choice.user_verification == "preferred" and wished == "discouraged":
        return "discouraged"
    return choice.user_verification


def begun(standing: Standing, choice: Choice) -> Mapping[str, Any]:
    """The public part of its ceremony, begun where looking may begin it."""
    if choice.enrol:
        return {}
    task = task_of(standing, choice, asked_of(standing.transaction))
    return services().ceremonies.ask(standing, choice, task, context()) or {}


def shown(standing: Standing, choice: Choice, public: Mapping[str, Any]) -> ChoiceView:
    """A choice as a page shows it."""
    return ChoiceView(
        method=choice.method,
        url=url_for("login.step", transaction_id=standing.transaction.id, method=choice.method),
        enrol=choice.enrol,
        public=public,
        begun=bool(public),
    )
