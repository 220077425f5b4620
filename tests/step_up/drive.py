"""How an issuer's pages are answered: as a browser without JavaScript, by the names of fields."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.helpers.html import Button, Form
from tests.helpers.user_agent import Page, Place, UserAgent
from tests.step_up.people import Person

Answered = tuple[Form, Mapping[str, str], Button | None]
"""The form, what is filled in, and the button that is pressed (None: the Enter key)."""
AnswerHook = Callable[[Page, str, Person], Answered | None]
"""From a page, a method and a person to what is sent; None: as without the hook."""

FIELDS: Mapping[str, str] = {
    "password": "password",
    "totp": "otp",
    "passkey": "passkey_response",
    "recovery_code": "recovery_code",
    "magic_link": "code",
}
WAYS: Mapping[str, str] = {
    "password": "Use your password",
    "totp": "Use a code from your authenticator app",
    "passkey": "Use a passkey",
    "recovery_code": "Use a recovery code",
    "magic_link": "Email me a sign-in link",
}


@dataclass(frozen=True, kw_only=True)
class Drive:
    """The defaults are this provider's own pages; another issuer's names come from the file."""

    username: str = "username"
    fields: Mapping[str, str] = field(default_factory=lambda: FIELDS)
    """By method: the field that its answer is typed into. A page that has it asks for it."""
    ways: Mapping[str, str] = field(default_factory=lambda: WAYS)
    """By method: the link or button that leads from another method's page to this one's."""
    allow: str = "Allow"
    cancel: str = "Cancel"
    """How the label begins."""
    another: str = "Use another account"
    leave: str = "Not you?"
    set_up: str = "Set up a passkey"
    """The link to making one, where nothing that somebody has would do."""
    go_on: tuple[str, ...] = ("Not now", "Continue")
    """Buttons of pages that ask nothing that matters here."""
    ticks: tuple[str, ...] = ("saved",)
    """Boxes that such a page wants ticked first."""
    hook: AnswerHook | None = None

    def asks(self, page: Page) -> tuple[str, ...]:
        """The methods that may be answered on this very page."""
        names = {name for form in page.document.forms for name in form.inputs}
        return tuple(method for method, name in self.fields.items() if name in names)

    def offers(self, page: Page) -> tuple[str, ...]:
        """The methods that the page asks for or leads to."""
        labels = {label for label, _ in page.document.links}
        labels |= {button.label for form in page.document.forms for button in form.buttons}
        asked = self.asks(page)
        return tuple(one for one in self.fields if one in asked or self.ways.get(one) in labels)

    def reach(self, agent: UserAgent, page: Page, method: str, person: Person) -> Page:
        """The page that asks for ``method``: this one, or one that it leads to."""
        if method in self.asks(page):
            return page
        if named := self._identifies(page):
            page = _stays(agent.submit(page, named, {self.username: person.username}))
            return self.reach(agent, page, method, person)
        label = self.ways[method]
        for found, address in page.document.links:
            if found == label:
                return agent.page(address)
        form, button = self.pressable(page, label)
        typed = {self.username: person.username} if self.username in form.inputs else {}
        return _stays(agent.submit(page, form, typed, button=button))

    def _identifies(self, page: Page) -> Form | None:
        """The form of a page that asks for a name, and for no proof."""
        forms = [form for form in page.document.forms if self.username in form.inputs]
        return forms[0] if forms and not self.asks(page) else None

    def answer(
        self, agent: UserAgent, page: Page, method: str, person: Person, **knobs: Any
    ) -> Place:
        """Answer with ``method`` as ``person``; ``knobs`` are those of ``get_assertion``."""
        page = self.reach(agent, page, method, person)
        form, values, button = self._filled(page, method, person, knobs)
        return agent.submit(page, form, values, button=button)

    def _filled(
        self, page: Page, method: str, person: Person, knobs: Mapping[str, Any]
    ) -> Answered:
        if self.hook and (answered := self.hook(page, method, person)):
            return answered
        name = self.fields[method]
        form = next(one for one in page.document.forms if name in one.inputs)
        values = {name: _secret(page, method, person, knobs)}
        if "readonly" not in form.inputs.get(self.username, {"readonly": ""}):
            values[self.username] = person.username
        # What a script would send goes where the script would send it.
        scripted = form.scripted[0] if method == "passkey" and form.scripted else None
        return form, values, scripted

    def pressable(self, page: Page, label: str) -> tuple[Form, Button]:
        """The button whose label begins with ``label``. Raises ``LookupError``."""
        for form in page.document.forms:
            for button in form.buttons:
                if button.label.startswith(label):
                    return form, button
        raise LookupError(f"no button {label!r} on {page.url}: {page.document.text[:300]}")

    def press(self, agent: UserAgent, page: Page, label: str) -> Place:
        """Press the button whose label begins with ``label``."""
        form, button = self.pressable(page, label)
        ticked = {name: "yes" for name in self.ticks if name in form.inputs}
        return agent.submit(page, form, ticked, button=button)

    def choose(self, agent: UserAgent, page: Page, person: Person) -> Place:
        """Press the button of an account chooser that names ``person``. Raises ``LookupError``."""
        for form in page.document.forms:
            for button in form.buttons:
                if person.username in button.label:
                    return agent.submit(page, form, button=button)
        raise LookupError(f"{person.username} cannot be chosen on {page.url}")

    def settle(self, agent: UserAgent, place: Place) -> Place:
        """Allow what the application wants, and pass by whatever asks for nothing."""
        for _ in range(3):
            button = self._harmless(place)
            if not isinstance(place, Page) or button is None:
                break
            place = self.press(agent, place, button)
        return place

    def _harmless(self, place: Place) -> str | None:
        if not isinstance(place, Page) or self.asks(place) or self._identifies(place):
            return None
        labels = {button.label for form in place.document.forms for button in form.buttons}
        return next((label for label in (self.allow, *self.go_on) if label in labels), None)


def _stays(place: Place) -> Page:
    assert isinstance(place, Page), f"led away to {place.url}"
    return place


def _secret(page: Page, method: str, person: Person, knobs: Mapping[str, Any]) -> str:
    return person.assertion(page, **knobs) if method == "passkey" else person.secret(method)
