"""An authorization request's parameters, settled, and how they came to us."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from idp.frozen import made_often
from idp.protocol.parameters import Parameters

SIGNED: Final = "request"
PUSHED: Final = "request_uri"
_BY_REFERENCE: Final = (SIGNED, PUSHED)


@made_often
@dataclass(frozen=True, slots=True)
class Arrived:
    """What is asked, with every reference resolved.

    ``signed``: it stood in a signature that was verified (RFC 9101). ``pushed`` is what the pushed
    request it came by is filed under (RFC 9126), so that it can be used up when it is answered.
    """

    parameters: Parameters
    signed: bool = False
    pushed: str | None = None

    @classmethod
    def plainly(cls, parameters: Parameters) -> Self:
        """Parameters that came as they are."""
        return cls(parameters)

    @staticmethod
    def refers(parameters: Parameters) -> bool:
        """Does what counts stand elsewhere: in a signature, or behind a reference?"""
        return not parameters.values.keys().isdisjoint(_BY_REFERENCE)

    @property
    def is_plain(self) -> bool:
        """Can the same be asked by putting the parameters into an address?"""
        return not self.signed and self.pushed is None

    def to_json(self) -> dict[str, str | list[str]]:
        """As a transaction keeps it.

        How it came stands under the two names that are gone once it is settled: so nothing that
        is sent can pass for it.
        """
        kept = self.parameters.without(*_BY_REFERENCE).to_json()
        if self.signed:
            kept[SIGNED] = "signed"
        return kept if self.pushed is None else {**kept, PUSHED: self.pushed}

    @classmethod
    def from_json(cls, stored: Mapping[str, object]) -> Self:
        """From what ``to_json`` gave, and never from what came over the wire."""
        pushed = stored.get(PUSHED)
        return cls(
            Parameters.from_json(stored).without(*_BY_REFERENCE),
            signed=SIGNED in stored,
            pushed=None if pushed is None else str(pushed),
        )
