"""Random sequences of everything that people, applications and browsers do, and what must hold."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    consumes,
    initialize,
    multiple,
    rule,
)

from tests.helpers.relying_party import TokenRefused, Tokens
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
from tests.stateful.checks import (
    claims_of,
    said,
)
from tests.stateful.town import CLIENTS, Resident
from tests.stateful.walking import Walking
from tests.stateful.wants import Wanted
from tests.stateful.watching import BROWSERS

RESIDENTS = range(3)
HOLDINGS = ((), ("totp",), ("passkey",), ("touch",), ("totp", "passkey"), ("totp", "recovery_code"))
PAUSES = (1, 31, 61, 310, 310, 1900, 40_000)
"""Seconds. The last ends every session that was not to be kept."""
HAPPENINGS = (
    *("gain totp", "gain passkey", "gain touch", "gain recovery_code"),
    *("lose totp", "lose passkey", "let in", "let in", "let in", "shut out"),
)


def shown(tab: Tab | None) -> Any:
    """A tab for the bundle, or nothing where the browser left."""
    return multiple() if tab is None else tab


class Machine(Walking):
    """Browsers and people of one town, and applications that ask for this and that."""

    tabs = Bundle("tabs")
    families = Bundle("families")

    @initialize(
        careful=st.booleans(),
        holdings=st.tuples(*[st.sampled_from(HOLDINGS)] * len(RESIDENTS)),
    )
    def move_in(self, careful: bool, holdings: tuple[tuple[str, ...], ...]) -> None:
        """New people, and browsers that were never here."""
        town = next(town for town in self.towns if town.careful is careful)
        town.clock.advance(hours=2)
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
    )
    def ask_and_see_it_through(
        self, number: int, client: str, wish: dict[str, Any], who: int
    ) -> None:
        """The same, and she does what is asked of her."""
        wanted, url = self._request(client, wish, None, None)
        self._walk(self._ask(self.browsers[number], wanted, url), self.residents[who])

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
        known = {**wish, "address": sent.get("login_hint")}
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

    # What happens to people

    @rule(seconds=st.sampled_from(PAUSES))
    def pass_time(self, seconds: int) -> None:
        self.town.clock.advance(seconds=seconds)

    @rule(happens=st.sampled_from(HAPPENINGS), who=st.sampled_from(RESIDENTS))
    def happen(self, happens: str, who: int) -> None:
        """She gets something to sign in with, or loses it; or is shut out, or let in again."""
        resident, (verb, method) = self.residents[who], happens.split()
        if verb == "gain":
            resident.gain(method)
        elif verb == "lose":
            resident.lose(method)
        else:
            self._shut_out(resident, disabled=method == "out")

    def _shut_out(self, resident: Resident, *, disabled: bool) -> None:
        resident.disable(disabled=disabled)
        for browser in self.browsers:
            for session in browser.sessions.values():
                session.ended |= disabled and session.who is resident

    @rule(target=families, number=st.integers(0, 5))
    def keep_tokens(self, number: int) -> Any:
        """Those of an application that may refresh them."""
        kept = [one for one in self.issued if "refresh_token" in one[1].raw]
        if number >= len(kept):
            return multiple()
        self.issued.remove(kept[-1 - number])
        return kept[-1 - number]

    @rule(target=families, family=consumes(families))
    def refresh(self, family: tuple[str, Tokens, Resident]) -> Any:
        """Whatever happened since, the tokens say what they said."""
        client, tokens, who = family
        try:
            refreshed = self.town.clients[client].refresh(tokens)
        except TokenRefused as refused:
            if refused.error == "invalid_grant" and self._was_ended(tokens):
                return multiple()
            raise
        assert not who.disabled, "tokens for somebody who is shut out"
        for claims in (refreshed.claims, claims_of(refreshed.access_token)):
            assert claims is None or said(claims) == said(tokens.claims), "not what they said"
        return client, refreshed, who

    def _was_ended(self, tokens: Tokens) -> bool:
        """Was the session that they came from ended, or its person shut out?"""
        sessions = [browser.sessions.get(tokens.claims["sid"]) for browser in self.browsers]
        return any(one is not None and one.ended for one in sessions)
