"""Random sequences of everything that people, applications and browsers do, and what must hold."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    initialize,
    multiple,
    rule,
)

from tests.helpers.user_agent import Departure, Page, Place
from tests.stateful import asking
from tests.stateful.answering import (
    FIELDS,
    Move,
    asked_on,
    controls,
    make,
)
from tests.stateful.browsing import Attempt, Browser, Session, Tab, sign_in_of
from tests.stateful.happening import PAUSES, RESIDENTS, Happening
from tests.stateful.town import CLIENTS
from tests.stateful.wants import Wanted
from tests.stateful.watching import BROWSERS

HOLDINGS = ((), ("totp",), ("passkey",), ("touch",), ("totp", "passkey"), ("totp", "recovery_code"))
PACES = (0, 0, 9, 70)
"""Seconds that somebody takes for a page."""


def shown(tab: Tab | None) -> Any:
    """A tab for the bundle, or nothing where the browser left."""
    return multiple() if tab is None else tab


class Machine(Happening):
    """Browsers and people of one town, and applications that ask for this and that."""

    tabs = Bundle("tabs")

    @initialize(
        careful=st.booleans(),
        holdings=st.tuples(*[st.sampled_from(HOLDINGS)] * len(RESIDENTS)),
    )
    def move_in(self, careful: bool, holdings: tuple[tuple[str, ...], ...]) -> None:
        """New people, and browsers that were never here."""
        town = next(town for town in self.towns if town.careful is careful)
        town.turn_over()
        self.settle_in(town, [town.newcomer(*holds) for holds in holdings])

    # What applications do

    @rule(
        target=tabs,
        number=st.sampled_from(BROWSERS),
        client=st.sampled_from(sorted(CLIENTS)),
        wish=asking.wishes,
        hint=asking.rarely(st.integers(0, 3)),
        address=asking.rarely(st.sampled_from(RESIDENTS)),
    )
    def ask(
        self,
        number: int,
        client: str,
        wish: dict[str, Any],
        hint: int | None,
        address: int | None,
    ) -> Any:
        """An application sends somebody here."""
        wanted, url = self._request(client, wish, hint, address)
        return shown(self._ask(self.browsers[number], wanted, url))

    @rule(
        number=st.sampled_from(BROWSERS),
        client=st.sampled_from(sorted(CLIENTS)),
        wish=asking.wishes,
        who=st.sampled_from(RESIDENTS),
        pace=st.sampled_from(PACES),
    )
    def ask_and_see_it_through(
        self, number: int, client: str, wish: dict[str, Any], who: int, pace: int
    ) -> None:
        """The same, and she does what is asked of her, quickly or slowly."""
        wanted, url = self._request(client, wish, None, None)
        self._walk(self._ask(self.browsers[number], wanted, url), self.residents[who], pace=pace)

    @rule(
        number=st.sampled_from(BROWSERS),
        client=st.just("keyless") | st.sampled_from(sorted(CLIENTS)),
        wish=asking.further_wishes,
        pause=st.sampled_from(PAUSES[:-1]),
        pace=st.sampled_from(PACES),
    )
    def come_back(
        self, number: int, client: str, wish: dict[str, Any], pause: int, pace: int
    ) -> None:
        """Later, where somebody is signed in: more is asked of her, or the same anew."""
        browser = self.browsers[number]
        session = browser.presented
        if session is not None:
            self.town.clock.advance(seconds=pause)
            wanted, url = self._request(client, wish, None, None)
            self._walk(self._ask(browser, wanted, url), session.who, pace=pace)

    def _ask(self, browser: Browser, wanted: Wanted, url: str) -> Tab | None:
        before = self._counting(browser)
        place = self._go(browser, url)
        tab = self._arrive(browser, place, wanted)
        if wanted.silent:
            self._check_silence(wanted, before, place)
        elif isinstance(before, Session) and tab is not None:
            self._check_question(wanted, before, tab.page)
        if isinstance(before, Session):
            before.use(self.now, noted=True)
        return tab

    def _request(
        self, client: str, wish: dict[str, Any], hint: int | None, address: int | None
    ) -> tuple[Wanted, str]:
        party = self.town.clients[client]
        sent, subject = asking.parameters(wish), None
        hers = [tokens for name, tokens, _ in self.issued if name == client]
        if hint is not None and hint < len(hers):
            sent["id_token_hint"] = hers[-1 - hint].id_token
            subject = hers[-1 - hint].claims["sub"]
        if address is not None:
            sent["login_hint"] = self.residents[address].email
        url = party.authorization_url(**sent)
        # Where one person is meant, who is only hinted at is not.
        known = {**wish, "address": None if subject else sent.get("login_hint")}
        wanted = Wanted(client, CLIENTS[client][1], known, self.now, subject)
        self.asked[next(reversed(party.pending)) or ""] = wanted
        return wanted, url

    def _counting(self, browser: Browser) -> Session | bool | None:
        """The session that counts in this browser; False where that cannot be known."""
        session = browser.presented
        if session is None or not session.can_be_alive(self.now):
            return None
        return session if session.is_alive(self.now) else False

    def _check_silence(self, wanted: Wanted, before: Session | bool | None, place: Place) -> None:
        assert isinstance(place, Departure), f"prompt=none, and a page: {place.url}"
        if not isinstance(before, bool):
            outcome = place.parameters.get("error", "ok")
            expected = asking.silent_outcomes(wanted, before, self.now)
            assert outcome in expected, f"{outcome}, where it should be {expected}"

    def _check_question(self, wanted: Wanted, session: Session, page: Page) -> None:
        """Nobody is asked to prove what this browser has just shown."""
        if not asking.is_plain(wanted, session) or not asked_on(page):
            return
        floor = session.who.account_floor
        found = wanted.answers(session.proofs, account=floor, started=self.now, sign_in=None)
        assert not found, f"asked though {found} could be answered"

    # What people do

    @rule(
        target=tabs,
        tab=tabs,
        who=st.sampled_from(RESIDENTS),
        method=st.sampled_from(sorted(FIELDS)),
        right=st.sampled_from((True, True, True, False)),
        remember=st.booleans(),
    )
    def answer(self, tab: Tab, who: int, method: str, right: bool, remember: bool) -> Any:
        """Somebody answers a page, this one or one that was open long ago, right or wrong."""
        made = make(tab, Move(self.residents[who], method, right, remember))
        return shown(self._do(tab, made)) if made else multiple()

    @rule(target=tabs, tab=tabs, number=st.integers(0, 20), who=st.sampled_from(RESIDENTS))
    def press(self, tab: Tab, number: int, who: int) -> Any:
        """Any button or link of any page: cancel, allow, somebody else, another way."""
        found = controls(tab)
        if not found:
            return multiple()
        return shown(self._press(found[number % len(found)], self.residents[who]))

    @rule(target=tabs, tab=tabs)
    def look_again(self, tab: Tab) -> Any:
        """Back, reload, or another tab."""
        return shown(self._look(tab))

    @rule(target=tabs, tab=tabs, number=st.sampled_from(BROWSERS))
    def carry_over(self, tab: Tab, number: int) -> Any:
        """The address of a page, opened in another browser."""
        other = self.browsers[number]
        return shown(self._arrive(other, self._go(other, tab.page.url), tab.wanted))

    @rule(target=tabs, number=st.sampled_from(BROWSERS), back=st.integers(1, 6))
    def send_again(self, number: int, back: int) -> Any:
        """A form that was sent before, from wherever one gets to by going back."""
        browser = self.browsers[number]
        if len(browser.sent) < back:
            return multiple()
        sent, attempt = browser.sent[-back], browser.sent[-back].attempt
        if attempt is not None:
            works_again = attempt.method == "password" or not attempt.accepted
            attempt = replace(attempt, right=attempt.right and works_again, accepted=False)
        sign_in = self.sign_ins.get(sign_in_of(sent.url) or "")
        self._begin(browser, attempt)
        place = browser.resend(sent)
        wanted = sign_in.wanted if sign_in else None
        return shown(self._arrive(browser, place, wanted, attempt))

    @rule(target=tabs, number=st.sampled_from(BROWSERS), who=st.sampled_from(RESIDENTS))
    def open_mailed_link(self, number: int, who: int) -> Any:
        """The newest link, in the browser that asked or in another, and its button."""
        browser, resident = self.browsers[number], self.residents[who]
        link = resident.mailed_link()
        if link is None:
            return multiple()
        shows = resident.shows("magic_link")
        attempt = Attempt(resident, "magic_link", shows, right=True)
        place = self._go(browser, link, attempt)
        if isinstance(place, Page):
            form = next((one for one in place.document.forms if "/report" not in one.action), None)
            if form is not None:
                place = browser.agent.submit(place, form)
        return shown(self._arrive(browser, place, None, attempt))

    @rule(target=tabs, number=st.sampled_from(BROWSERS))
    def go_home(self, number: int) -> Any:
        """The provider's own page, which wants somebody to be signed in."""
        browser = self.browsers[number]
        session, place = browser.presented, self._go(browser, "/me")
        if isinstance(place, Page) and place.path == "/me":
            assert session is not None, "somebody's own page, and nobody is signed in"
            assert session.can_be_alive(self.now), "the session was over"
            assert session.who.email in place.document.text, "somebody else's own page"
        return shown(self._arrive(browser, place, None))

    @rule(number=st.sampled_from(BROWSERS))
    def sign_out(self, number: int) -> None:
        """Of the browser, by the menu of one's own page."""
        browser = self.browsers[number]
        session, home = browser.presented, self._go(browser, "/me")
        assert isinstance(home, Page)
        form = next((one for one in home.document.forms if "sign-out" in one.action), None)
        self._arrive(browser, home, None)
        if form is not None and session is not None:
            place = browser.agent.submit(home, form)
            session.ended = True
            self._arrive(browser, place, None)

    @rule(tab=tabs, who=st.sampled_from(RESIDENTS))
    def see_it_through(self, tab: Tab, who: int) -> None:
        """From any page, by doing what it asks for: it ends, and not in a corner."""
        self._walk(self._look(tab), self.residents[who])
