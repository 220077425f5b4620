"""What the machine remembers of what really happened, and what it checks after each step."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from hypothesis import note
from hypothesis.stateful import RuleBasedStateMachine

from tests.helpers.relying_party import Tokens
from tests.helpers.user_agent import Departure, Place
from tests.stateful.browsing import Attempt, Browser, Session, SignIn, Tab, sign_in_of
from tests.stateful.checks import (
    check_enrolment,
    check_error,
    check_leads_on,
    check_tokens,
    said,
)
from tests.stateful.proofs import Proved
from tests.stateful.town import Resident, Town
from tests.stateful.wants import Wanted

BROWSERS = range(2)


class Watching(RuleBasedStateMachine):
    """Whatever is done goes through here. The rules are elsewhere."""

    towns: ClassVar[tuple[Town, ...]] = ()

    def settle_in(self, town: Town, residents: list[Resident]) -> None:
        """Begin with these people, and browsers that were never here."""
        town.new_evidence()
        self.town = town
        self.residents = residents
        self.browsers = [Browser(town, f"browser {number}") for number in BROWSERS]
        self.sign_ins: dict[str, SignIn] = {}
        self.asked: dict[str, Wanted] = {}
        self.issued: list[tuple[str, Tokens, Resident]] = []

    def teardown(self) -> None:
        for browser in getattr(self, "browsers", ()):
            browser.agent.client.close()

    @property
    def now(self) -> datetime:
        return self.town.clock()

    def _begin(self, browser: Browser, attempt: Attempt | None) -> None:
        # No two steps are at one instant: what begins at a proof's has to come after it.
        self.town.clock.advance(seconds=1)
        browser.visited.clear()
        browser.attempt = attempt
        browser.before, browser.cookie_before = browser.presented, browser.cookie

    def _go(self, browser: Browser, url: str, attempt: Attempt | None = None) -> Place:
        self._begin(browser, attempt)
        return browser.agent.get(url)

    def _arrive(
        self, browser: Browser, place: Place, wanted: Wanted | None, attempt: Attempt | None = None
    ) -> Tab | None:
        """Learn what was proved, and check what came back; None when the browser has left."""
        passed = self._passed_through(browser, wanted)
        self._learn(browser, attempt)
        if browser.before is not None:
            browser.before.use(self.now, noted=False)
        if isinstance(place, Departure):
            self._departed(browser, place, passed)
            return None
        check_leads_on(place)
        here = self.sign_ins.get(sign_in_of(place.url) or "")
        return Tab(browser, place, here.wanted if here else wanted)

    def _passed_through(self, browser: Browser, wanted: Wanted | None) -> list[SignIn]:
        """The sign-ins among the addresses of this step; new ones began with it."""
        found = []
        for url in browser.visited:
            name = sign_in_of(url) if browser.is_home(url) else None
            if name is not None:
                found.append(self.sign_ins.setdefault(name, SignIn(name, self.now, wanted)))
        return found

    def _learn(self, browser: Browser, attempt: Attempt | None) -> None:
        for row, user_id in self.town.new_evidence():
            assert attempt is not None, f"evidence of {row.method}, and nothing was shown"
            assert attempt.right, f"evidence of {row.method}, and the answer was wrong"
            assert not attempt.accepted, "evidence twice of one answer"
            assert user_id == attempt.who.id, "evidence of somebody else"
            assert not attempt.who.disabled, "evidence of somebody who is shut out"
            assert (row.method, row.at) == (attempt.method, self.now)
            assert set(row.amr.split()) == attempt.shows.amr
            assert attempt.sign_in in (None, row.transaction_id), "evidence in another sign-in"
            attempt.accepted = True
            session = self._session(browser, row.session_id, attempt)
            if attempt.sets_up:
                self._set_up(session, attempt, row.transaction_id)
            proved = Proved(attempt.method, attempt.shows, row.at, row.transaction_id, row.id)
            session.proofs.append(proved)
            self._opened(browser, session)

    def _session(self, browser: Browser, session_id: str, attempt: Attempt) -> Session:
        others = [one for one in self.browsers if one is not browser]
        assert not any(session_id in one.sessions for one in others), "another browser's session"
        now = self.now
        made = Session(session_id, attempt.who, browser, now, now, now, attempt.remember)
        session = browser.sessions.setdefault(session_id, made)
        assert session.who is attempt.who, "another person's session"
        assert session.can_be_alive(self.now), "a session that was over"
        return session

    def _opened(self, browser: Browser, session: Session) -> None:
        """A new cookie presents this session now, and ends the one that it takes the place of."""
        session.used = session.noted = self.now
        before, cookie = browser.before, browser.cookie
        if cookie == browser.cookie_before:
            return
        if before is not None and before is not session:
            before.ended = True
        session.cookie = cookie

    def _set_up(self, session: Session, attempt: Attempt, sign_in: str) -> None:
        here = [one.shows for one in session.proofs if one.sign_in == sign_in]
        check_enrolment(attempt.who.could_show(), here)
        attempt.who.took_up(attempt.method)

    def _departed(self, browser: Browser, place: Departure, passed: Sequence[SignIn]) -> None:
        told = place.parameters
        wanted = self.asked.get(told.get("state", ""))
        assert wanted is not None, f"sent to {place.url}, which nobody asked for"
        if wanted.answered:
            return  # the application has had its answer, and takes no other
        wanted.answered = True
        party = self.town.clients[wanted.client]
        ours = [one for one in passed if one.wanted is wanted]
        if "error" in told:
            assert told["iss"] == party.issuer
            note(f"{told['error']}: {told.get('error_description')}")
            who, proved = self._whose(browser, ours)
            latest = ours[-1] if ours else SignIn("", self.now, wanted)
            fresh = wanted.fresh(proved, started=latest.started, sign_in=latest.id)
            check_error(told["error"], wanted, who, [one.shows for one in fresh])
            return
        tokens = party.finish(place)
        session = check_tokens(tokens, wanted, browser, ours, self.now)
        note(f"{wanted.client}: {said(tokens.claims)}")
        if not wanted.confirms:
            self.issued.append((wanted.client, tokens, session.who))

    def _whose(
        self, browser: Browser, sign_ins: Sequence[SignIn]
    ) -> tuple[Resident | None, list[Proved]]:
        """Whom the sign-in was about, and what she had proved."""
        names = {one.id for one in sign_ins}
        for session in browser.sessions.values():
            if any(one.sign_in in names for one in session.proofs):
                return session.who, session.proofs
        before = browser.before
        return (before.who, before.proofs) if before else (None, [])
