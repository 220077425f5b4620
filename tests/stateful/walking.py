"""Somebody who wants to get through: does what each page asks for, until there is nothing left."""

from tests.helpers.user_agent import Page
from tests.stateful.answering import Control, Made, Move, asked_on, controls, make, onward
from tests.stateful.browsing import Browser, SignIn, Tab
from tests.stateful.missing import Missing, check_was_missing, missing_for
from tests.stateful.proofs import Proved
from tests.stateful.town import Resident
from tests.stateful.watching import Watching

MOST_STEPS = 14


class Walking(Watching):
    """Single moves, and whole walks made of them."""

    def _do(self, tab: Tab, made: Made) -> Tab | None:
        attempt, submit = made
        self._begin(tab.browser, attempt)
        return self._arrive(tab.browser, submit(tab.browser.agent), tab.wanted, attempt)

    def _press(self, control: Control, who: Resident) -> Tab | None:
        browser, wanted = control.tab.browser, control.tab.wanted
        if control.refuses and wanted is not None:
            wanted.cancelled = True
        self._begin(browser, None)
        return self._arrive(browser, control.use(browser.agent, who), wanted)

    def _look(self, tab: Tab) -> Tab | None:
        return self._arrive(tab.browser, self._go(tab.browser, tab.page.url), tab.wanted)

    def _walk(self, place: Tab | None, somebody: Resident, *, pace: int = 0) -> None:
        """``pace`` is how many seconds she takes for each page."""
        in_vain: set[str] = set()
        trail = []
        for _ in range(MOST_STEPS):
            if place is None or is_an_end(place.page):
                return
            trail.append(place)
            somebody = self._named_on(place.page) or somebody
            self.town.clock.advance(seconds=pace)
            place = self._step(place, somebody, in_vain)
        raise AssertionError(f"no end for {somebody}: {trail}")

    def _named_on(self, page: Page) -> Resident | None:
        text = page.document.text
        return next((one for one in self.residents if one.email in text), None)

    def _step(self, tab: Tab, who: Resident, in_vain: set[str]) -> Tab | None:
        if tab.page.status == 429:
            self.town.clock.advance(minutes=16)
            return self._look(tab)
        if who.disabled:
            return self._give_up(tab, who)
        asked = asked_on(tab.page)
        for method in asked:
            made = None if method in in_vain else make(tab, Move(who, method))
            if made is not None:
                return self._answer_as_asked(tab, who, made, in_vain)
        if asked and tab.wanted is not None and tab.wanted.subject not in (None, who.id):
            return self._give_up(tab, who)
        control = onward(tab, who, in_vain)
        assert control is not None, f"no way on for {who} at {tab!r}: {tab.page.document.text}"
        return self._press(control, who)

    def _answer_as_asked(
        self, tab: Tab, who: Resident, made: Made, in_vain: set[str]
    ) -> Tab | None:
        attempt = made[0]
        # Where the page was reached by choosing another way, its way need not be the best.
        first = tab.page.path.endswith(f"/{tab.sign_in}") and asked_on(tab.page)[0]
        missing = self._missing(tab, who) if self._named_on(tab.page) is who else None
        after = self._do(tab, made)
        if attempt is not None and missing is not None and first == attempt.method:
            check_was_missing(attempt, missing, self._missing(tab, who))
        refused = after is not None and after.page.status == 422
        in_vain.add(attempt.method) if refused and attempt else in_vain.clear()
        return after

    def _missing(self, tab: Tab, who: Resident) -> Missing | None:
        """What she still has to prove in this sign-in; None where that is not known."""
        sign_in, wanted = self.sign_ins.get(tab.sign_in or ""), tab.wanted
        if wanted is None or sign_in is None:
            return None
        proofs = self._counted(tab.browser, sign_in, who)
        if not proofs:
            return None
        fresh = wanted.fresh(proofs, started=sign_in.started, sign_in=sign_in.id)
        return missing_for(wanted, who, [one.shows for one in fresh])

    def _counted(self, browser: Browser, sign_in: SignIn, who: Resident) -> list[Proved]:
        sessions = [one for one in browser.sessions.values() if one.who is who]
        for session in sessions:
            begun_here = any(one.sign_in == sign_in.id for one in session.proofs)
            if not session.ended and (session is browser.presented or begun_here):
                return session.proofs
        return []

    def _give_up(self, tab: Tab, who: Resident) -> Tab | None:
        """Whoever is shut out, or not the one who is meant, can go back to where she came from."""
        cancel = next((one for one in controls(tab) if one.refuses), None)
        assert cancel is not None or tab.wanted is None, f"no way back from {tab!r}"
        return self._press(cancel, who) if cancel else None


def is_an_end(page: Page) -> bool:
    """One's own page, or one that says that there is nothing left to do."""
    done = "there is nothing left to do here" in page.document.text
    return done or page.path.startswith("/me") or page.status == 403
