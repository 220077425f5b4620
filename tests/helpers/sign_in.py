"""Walking through a sign-in: which step is asked for, and who answers it."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pyotp

from tests.helpers.authenticator import SoftAuthenticator
from tests.helpers.clock import FakeClock
from tests.helpers.html import Button, Form, find_object
from tests.helpers.smtp import Outbox, code
from tests.helpers.user_agent import Departure, Page, Place, UserAgent

_STEP = re.compile(r"/login/[^/]+/(?P<name>[^/]+)/?")
_MOST_STEPS = 12
_DISMISS = ("Not now",)


@dataclass(frozen=True)
class Step:
    """One step as it lies before the person. ``name`` is the last part of the form's address."""

    agent: UserAgent
    page: Page
    form: Form
    name: str
    button: Button | None

    @property
    def url(self) -> str:
        """The step's own address."""
        return self.button.action if self.button and self.button.action else self.form.action

    def passkey_options(self) -> dict[str, Any]:
        """The WebAuthn options on the page, or, where it has none, from the step's address."""
        if found := find_object(self.page.document.data, "challenge"):
            return found
        response = self.agent.client.get(self.url, headers={"Accept": "application/json"})
        found = find_object([response.json()], "challenge")
        if found is None:
            raise LookupError(f"no WebAuthn options at {self.url}")
        return found


Answer = Callable[[Step], Mapping[str, str]]
"""From a step to the values of the form's fields; those the form does not have are left out."""


class Stuck(AssertionError):
    """The walk stopped at ``page``, for which there is no answer, or only one already given."""

    def __init__(self, page: Page, answered: list[str]) -> None:
        steps = [name for form in page.document.forms for name, _ in _steps(form)]
        super().__init__(
            f"stuck at {page.status} {page.path} {page.document.headings}: "
            f"it offers {steps}, answered so far {answered}: {page.document.text[:300]}"
        )
        self.page = page


def typed(**fields: str) -> Answer:
    """Types the same every time: ``username=…``, ``password=…``, ``recovery_code=…``."""
    return lambda _: fields


def totp(seed: str, clock: FakeClock) -> Answer:
    """Types the code that an app with this base32 seed shows at the clock's time."""
    return lambda _: {"otp": pyotp.TOTP(seed).at(clock())}


def magic_link(username: str, outbox: Outbox) -> Answer:
    """Asks for the mail, and then types the code that is in it."""

    def answer(step: Step) -> Mapping[str, str]:
        if step.button is not None:
            return {"username": username}
        return {"code": code(outbox.latest(to=username))}

    return answer


def passkey(authenticator: SoftAuthenticator, **knobs: Any) -> Answer:
    """Signs in with a passkey, or makes one where the page asks for that.

    ``knobs`` are those of ``get_assertion`` or ``make_credential``.
    """

    def answer(step: Step) -> Mapping[str, str]:
        options = step.passkey_options()
        enrols = "pubKeyCredParams" in options
        ceremony = authenticator.make_credential if enrols else authenticator.get_assertion
        return {"passkey_response": json.dumps(ceremony(options, **knobs))}

    return answer


def sign_in(
    agent: UserAgent,
    url: str,
    *,
    username: str | None = None,
    password: str | None = None,
    answers: Mapping[str, Answer] | None = None,
) -> Departure:
    """Go to ``url`` (an authorization request, say) and ``walk`` from there.

    ``username`` and ``password`` are typed wherever they are asked for.
    """
    known: dict[str, Answer] = {}
    if username is not None:
        known["account"] = typed(username=username)
    if username is not None and password is not None:
        known["password"] = typed(username=username, password=password)
    return walk(agent, agent.get(url), {**known, **(answers or {})})


def walk(agent: UserAgent, start: Place, answers: Mapping[str, Answer]) -> Departure:
    """Answer step after step until the provider sends the browser away. Raises ``Stuck``.

    ``answers`` has factor names, and may have ``account`` and ``consent`` (left out: "Allow" is
    pressed). The same step is never answered the same way twice, so that a refusal ends the walk.
    A page with nothing to answer whose button says "Not now" is dismissed.
    """
    known = {"consent": typed(), **answers}
    given: list[tuple[str, bool]] = []
    place = start
    for _ in range(_MOST_STEPS):
        if isinstance(place, Departure):
            return place
        if step := _next(agent, place, known, given):
            given.append((step.name, step.button is not None))
            place = _take(step, known[step.name])
        elif link := _way_to(place, set(known) - {name for name, _ in given}):
            place = agent.get(link)
        elif (dismissed := _dismiss(agent, place)) is not None:
            place = dismissed
        else:
            raise Stuck(place, [name for name, _ in given])
    raise AssertionError(f"a sign-in without end: {given}")


def _steps(form: Form) -> list[tuple[str, Button | None]]:
    """The steps that a form leads to: its own, and those of buttons with another address."""
    addresses: list[tuple[str, Button | None]] = [(form.action, None)]
    others = [*form.scripted, *form.buttons]
    addresses += [(button.action, button) for button in others if button.action]
    return [
        (match["name"], button)
        for address, button in addresses
        if (match := _STEP.fullmatch(urlsplit(address).path))
    ]


def _next(
    agent: UserAgent, page: Page, known: Mapping[str, Answer], given: list[tuple[str, bool]]
) -> Step | None:
    for form in page.document.forms:
        for name, button in _steps(form):
            if name in known and (name, button is not None) not in given:
                return Step(agent, page, form, name, button)
    return None


def _take(step: Step, answer: Answer) -> Place:
    values = {k: v for k, v in answer(step).items() if k in step.form.inputs}
    button = step.button or _script(step.form) or _allow(step.form)
    return step.agent.submit(step.page, step.form, values, button=button)


def _script(form: Form) -> Button | None:
    """What the page's script presses to send the form to its own address."""
    return next((button for button in form.scripted if button.action == form.action), None)


def _allow(form: Form) -> Button | None:
    return next((button for button in form.buttons if button.label == "Allow"), None)


def _way_to(page: Page, names: set[str]) -> str | None:
    for _, address in page.document.links:
        match = _STEP.fullmatch(urlsplit(address).path)
        if match and match["name"] in names and address != page.url:
            return address
    return None


def _dismiss(agent: UserAgent, page: Page) -> Place | None:
    for form in page.document.forms:
        for button in form.buttons:
            if button.label in _DISMISS:
                return agent.submit(page, form, button=button)
    return None
