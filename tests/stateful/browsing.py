"""Browsers as the machine uses them: they remember where they were and what they sent."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from tests.helpers.user_agent import Page, Place, UserAgent
from tests.stateful.proofs import Proved, Shows
from tests.stateful.town import Resident, Town
from tests.stateful.wants import Wanted

SIGN_IN = re.compile(r"/login/([A-Za-z0-9_-]{22})(?:/|$)")
SESSION_COOKIE = "idp_session"
_IDLE = {False: timedelta(hours=8), True: timedelta(days=14)}
_LIFETIME = {False: timedelta(hours=24), True: timedelta(days=30)}


def sign_in_of(url: str) -> str | None:
    """The sign-in that an address of a step belongs to."""
    found = SIGN_IN.match(urlsplit(url).path)
    return found[1] if found else None


@dataclass
class Attempt:
    """An answer on its way: what it would prove, if it is right and counts."""

    who: Resident
    method: str
    shows: Shows
    right: bool
    sets_up: bool = False
    remember: bool = False
    sign_in: str | None = None
    """None: whichever it turns out to be."""
    accepted: bool = False


@dataclass
class Sent:
    """One POST, to be sent again."""

    url: str
    body: bytes
    kind: str
    origin: str
    attempt: Attempt | None


@dataclass
class SignIn:
    """A sign-in under way, as far as it can be seen from outside."""

    id: str
    started: datetime
    wanted: Wanted | None


@dataclass
class Session:
    """One browser's sign-ins as one person, while she is not signed out."""

    id: str
    who: Resident
    browser: "Browser"
    began: datetime
    used: datetime
    """At the latest: by any request."""
    noted: datetime
    """At the earliest: by one that is known to count."""
    kept: bool
    proofs: list[Proved] = field(default_factory=list)
    cookie: str | None = None
    ended: bool = False

    def can_be_alive(self, now: datetime) -> bool:
        """May anything rest on it?"""
        return not self.ended and self._lasts(now, self.used)

    def is_alive(self, now: datetime) -> bool:
        """Does it surely count? With a margin, for its use is written down to the minute."""
        return not self.ended and self._lasts(now + timedelta(minutes=5), self.noted)

    def _lasts(self, now: datetime, seen: datetime) -> bool:
        return now - self.began < _LIFETIME[self.kept] and now - seen < _IDLE[self.kept]

    def use(self, now: datetime, *, noted: bool) -> None:
        """A request presented it. What had run out stays so."""
        self.ended = not self.can_be_alive(now)
        if noted and self.is_alive(now):
            self.noted = now
        self.used = now


class Browser:
    """One profile, in one of the machine's hands."""

    def __init__(self, town: Town, name: str) -> None:
        self.name = name
        self.town = town
        self.agent: UserAgent = town.house.browser()
        self.agent.client.event_hooks = {"request": [self._going], "response": [self._came]}
        self.sessions: dict[str, Session] = {}
        self.sent: list[Sent] = []
        self.visited: list[str] = []
        """The addresses of this step's requests, and where they were redirected to."""
        self.attempt: Attempt | None = None
        self.before: Session | None = None
        """What this step's first request presented,"""
        self.cookie_before: str | None = None
        """and by what."""

    def __repr__(self) -> str:
        return self.name

    def _going(self, request: httpx.Request) -> None:
        if request.method == "POST":
            headers = request.headers
            kind, origin = headers.get("Content-Type", ""), headers.get("Origin", "")
            sent = Sent(str(request.url), request.content, kind, origin, self.attempt)
            self.sent.append(sent)

    def _came(self, response: httpx.Response) -> None:
        response.read()
        url = str(response.request.url)
        assert response.status_code < 500, f"{response.status_code} from {url}: {response.text}"
        self.visited.append(url)
        if response.has_redirect_location:
            self.visited.append(urljoin(url, response.headers["Location"]))

    @property
    def cookie(self) -> str | None:
        """What presents a session now."""
        for cookie in self.agent.cookies.jar:
            if cookie.name == SESSION_COOKIE and cookie.value:
                return cookie.value
        return None

    @property
    def presented(self) -> Session | None:
        """The session that the cookie is of, unless it has ended."""
        cookie = self.cookie
        if cookie is None:
            return None
        alive = (one for one in self.sessions.values() if not one.ended)
        return next((one for one in alive if one.cookie == cookie), None)

    def is_home(self, url: str) -> bool:
        """Is the address the provider's?"""
        return url.startswith(f"{self.agent.home}/")

    def resend(self, sent: Sent) -> Place:
        """The same POST once more, and wherever it leads."""
        headers = {"Content-Type": sent.kind, "Origin": sent.origin, "Accept": "text/html"}
        response = self.agent.client.post(sent.url, content=sent.body, headers=headers)
        return self.agent._arrive(response)


@dataclass(frozen=True)
class Tab:
    """A page that was shown once, and for which request; however long ago that was."""

    browser: Browser
    page: Page
    wanted: Wanted | None

    def __repr__(self) -> str:
        return f"<{self.browser} {self.page.status} {self.page.path} {self.page.document.headings}>"

    @property
    def sign_in(self) -> str | None:
        return sign_in_of(self.page.url)

    @property
    def whose(self) -> Resident | None:
        """Who has proved something in its sign-in, if anybody has: what is set up there is hers,
        whoever does it."""
        for session in self.browser.sessions.values():
            if any(proved.sign_in == self.sign_in for proved in session.proofs):
                return session.who
        return None

    @property
    def data(self) -> list[Any]:
        """The JSON on the page."""
        return self.page.document.data
