"""One person at one browser, and the application that sends her to the issuer."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urljoin

import pytest

from tests.helpers.relying_party import AuthorizationFailed, RelyingParty, Tokens
from tests.helpers.user_agent import Departure, Page, Place, UserAgent
from tests.step_up.issuer import Issuer
from tests.step_up.people import Person

_MAY_SAY = frozenset(("error", "error_description", "error_uri", "state", "session_state", "iss"))


@dataclass(frozen=True)
class Visit:
    """``ask`` sends her with a request, ``answer`` is what she does, ``tokens`` what she got."""

    issuer: Issuer
    agent: UserAgent
    client: RelyingParty
    person: Person

    def at(self, role: str) -> "Visit":
        """The same person in the same browser, sent by another application."""
        return replace(self, client=self.issuer.client(role))

    def elsewhere(self) -> "Visit":
        """The same person at a browser that was never here."""
        return replace(self, agent=self.issuer.agent())

    def url(self, **parameters: object) -> str:
        """An authorization request, honest but for ``parameters``."""
        return self.client.authorization_url(**parameters)

    def ask(self, **parameters: object) -> Place:
        """Go there with a request. What the application wants is allowed by the way."""
        return self._settle(self.agent.get(self.url(**parameters)))

    def _settle(self, place: Place) -> Place:
        return self.issuer.drive.settle(self.agent, place)

    def answer(self, place: Place, method: str, *, by: Person | None = None, **knobs: Any) -> Place:
        """Answer the page with ``method``; ``by`` somebody else, where that is what is tried."""
        person = by or self.person
        drive = self.issuer.drive
        return self._settle(drive.answer(self.agent, page_of(place), method, person, **knobs))

    def press(self, place: Place, label: str) -> Place:
        """Press the button whose label begins so."""
        return self._settle(self.issuer.drive.press(self.agent, page_of(place), label))

    def sign_in(self, *methods: str, **parameters: object) -> Tokens:
        """Ask, answer with each method in turn, and take the tokens."""
        place = self.ask(**parameters)
        for method in methods:
            place = self.answer(place, method)
        return self.tokens(place)

    def again(self, **parameters: object) -> Tokens:
        """Ask, where no question is to be expected."""
        return self.tokens(self.ask(**parameters))

    def asks(self, place: Place) -> tuple[str, ...]:
        """The methods that may be answered on this page; it has to be one that asks."""
        asked = self.issuer.drive.asks(page_of(place))
        assert asked, f"nothing is asked on {place.url}: {page_of(place).document.text[:300]}"
        return asked

    def offers(self, place: Place) -> tuple[str, ...]:
        """The methods that this page asks for, or leads to."""
        return self.issuer.drive.offers(page_of(place))

    def tokens(self, place: Place) -> Tokens:
        """Redeem what the issuer sent the browser back with."""
        assert isinstance(place, Departure), f"stays on {place.url}: {_text(place)}"
        return self.client.finish(place)

    def refusal(self, place: Place) -> Mapping[str, str]:
        """The error the browser was sent back with; its ``state`` and ``iss`` have been checked.

        RFC 6749, 4.1.2.1 and RFC 9207, 2: every error carries both, and nothing unregistered
        (``session_state`` is Session Management's).
        """
        assert isinstance(place, Departure), f"stays on {place.url}: {_text(place)}"
        with pytest.raises(AuthorizationFailed) as refused:
            self.client.authorization_code(place)
        parameters = refused.value.parameters
        assert set(parameters) <= _MAY_SAY
        return parameters

    def error(self, **parameters: object) -> str:
        """Ask, where an error is to be expected; returns its code."""
        return self.refusal(self.ask(**parameters))["error"]

    def silently(self, **parameters: object) -> str:
        """Ask with ``prompt=none``; returns the error's code, or ``ok``. It is never a page."""
        response = self.agent.client.get(self.url(prompt="none", **parameters))
        assert response.has_redirect_location, f"prompt=none: {response.status_code}"
        target = urljoin(str(response.url), response.headers["Location"])
        assert target.startswith(self.client.redirect_uri), f"prompt=none led to {target}"
        callback = Departure(target)
        if "error" in callback.parameters:
            return self.refusal(callback)["error"]
        self.tokens(callback)
        return "ok"

    def copy_of_browser(self) -> "Visit":
        """A browser with the cookies that this one has now: a thief's, say."""
        thief = self.issuer.agent()
        for cookie in self.agent.cookies.jar:
            thief.cookies.jar.set_cookie(cookie)
        return replace(self, agent=thief)

    def wait(self, paces: float) -> None:
        """Let time pass, in the issuer's pace."""
        self.issuer.wait(paces * self.issuer.pace)


def page_of(place: Place) -> Page:
    """The page; asserts that the browser was not sent away."""
    assert isinstance(place, Page), f"sent away to {place.url}"
    return place


def _text(place: Place) -> str:
    return place.document.text[:300] if isinstance(place, Page) else ""
