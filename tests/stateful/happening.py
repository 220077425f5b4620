"""What happens besides signing in: time passes, people change, tokens are refreshed."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, consumes, multiple, rule

from tests.helpers.relying_party import TokenRefused, Tokens
from tests.stateful.checks import claims_of, said
from tests.stateful.town import Resident
from tests.stateful.walking import Walking

RESIDENTS = range(3)
PAUSES = (1, 31, 61, 310, 310, 1900, 40_000)
"""Seconds. The last ends every session that was not to be kept."""
HAPPENINGS = (
    *("gain totp", "gain passkey", "gain touch", "gain recovery_code"),
    *("lose totp", "lose passkey", "let in", "let in", "let in", "shut out"),
)


class Happening(Walking):
    """These rules, beside those of the machine."""

    families = Bundle("families")

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
