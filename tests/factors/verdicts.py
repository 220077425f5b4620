"""Reading what a factor answered."""

from idp.factors.base import Refused


def reason(verdict: object) -> str:
    """Why it was refused, or ``accepted``."""
    return verdict.reason if isinstance(verdict, Refused) else "accepted"
