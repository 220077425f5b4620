"""Passwords themselves: how they are hashed, and which ones will do."""

from idp.passwords.hashing import LONGEST, Hasher, Verdict, normalise
from idp.passwords.rules import (
    ALONE,
    BESIDE_ANOTHER,
    EMPTY,
    Requirement,
    problem,
    requirement_for,
)

__all__ = [
    "ALONE",
    "BESIDE_ANOTHER",
    "EMPTY",
    "LONGEST",
    "Hasher",
    "Requirement",
    "Verdict",
    "normalise",
    "problem",
    "requirement_for",
]
